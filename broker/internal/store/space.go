package store

import (
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
)

var (
	// ErrNoSpace answers Admit when less is free on the disk than Options.MinFree.
	ErrNoSpace = errors.New("no space left on disk")
	// ErrBusy answers Admit when more waits for the disk than Options.MaxPendingBytes.
	ErrBusy = errors.New("too much waits for the disk")
)

// Admit tells why no new messages are to be taken in now: ErrNoSpace, ErrBusy or nil. It is for who brings them to ask.
// What makes room is never refused: a batch that deletes is taken in any case.
func (s *Store) Admit() error {
	switch {
	case s.space.short():
		return ErrNoSpace
	case s.full.Load():
		return ErrBusy
	}
	return nil
}

// space watches how much is free on the disk, and is where writes wait that find it full.
type space struct {
	fs       vfs.FS
	dir      string
	minFree  uint64
	interval time.Duration
	log      *slog.Logger

	written int // by the committer, since it had what is free looked at

	low      atomic.Bool  // less than minFree is free
	waiting  atomic.Int32 // writes that found the disk full
	watching sync.WaitGroup
	opened   atomic.Bool   // before, nothing waits: who opens a store on a full disk is told so
	stopped  chan struct{} // nothing waits any more
}

func newSpace(fs vfs.FS, o *Options) *space {
	return &space{
		fs: fs, dir: o.Dir, minFree: uint64(o.MinFree), interval: o.SpaceInterval, log: o.Logger,
		stopped: make(chan struct{}),
	}
}

// short tells whether new messages have no room.
func (sp *space) short() bool { return sp.low.Load() || sp.waiting.Load() > 0 }

// start begins to watch. On a filesystem that cannot say what is free only writes that find it full count.
func (sp *space) start() {
	sp.opened.Store(true)
	sp.measure()
	sp.watching.Go(sp.watch)
}

func (sp *space) stop() {
	close(sp.stopped)
	sp.watching.Wait()
}

func (sp *space) watch() {
	ticker := time.NewTicker(sp.interval)
	defer ticker.Stop()
	var said bool
	for {
		select {
		case <-sp.stopped:
			return
		case <-ticker.C:
		}
		sp.measure()
		if short := sp.short(); short != said {
			said = short
			sp.say(short)
		}
	}
}

func (sp *space) say(short bool) {
	if short {
		sp.log.Error("store: the disk is almost full, no new messages are taken", "min_free_bytes", sp.minFree,
			"writes_waiting", sp.waiting.Load())
	} else {
		sp.log.Info("store: the disk has room again")
	}
}

// measure looks how much is free.
func (sp *space) measure() {
	usage, err := sp.fs.GetDiskUsage(sp.dir)
	sp.low.Store(err == nil && usage.AvailBytes < sp.minFree)
}

// wrote is told by the committer what it has written: a fast disk is full in less than the interval.
func (sp *space) wrote(bytes int) {
	if sp.written += bytes; uint64(sp.written) >= sp.minFree/8 {
		sp.written = 0
		sp.measure()
	}
}

// wait passes the time until it is worth while to try again on a full disk. It is false when nobody may wait any more.
func (sp *space) wait() bool {
	if !sp.opened.Load() {
		return false
	}
	timer := time.NewTimer(sp.interval)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-sp.stopped:
		return false
	}
}
