package store

import (
	"context"
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

	written   int          // by the committer, since it had what is free looked at
	unflushed atomic.Int64 // written since the journal was last truncated for want of space

	reclaim reclaim      // of the watch
	fresh   atomic.Int64 // bytes written since the watch last looked
	deleted atomic.Int64 // records deleted since then, see reclaim

	compacted atomic.Int64 // written by compactions since one had what is free looked at

	free     atomic.Uint64 // when it was last looked at; 0 on a filesystem that cannot say
	low      atomic.Bool   // less than minFree is free
	scarce   atomic.Bool   // less than half of it is
	waiting  atomic.Int32  // writes that found the disk full
	watching sync.WaitGroup
	opened   atomic.Bool     // before that nothing waits: who opens a store on a full disk is told so
	stopping context.Context // ends when the watch is to end
	stop     context.CancelFunc
}

func newSpace(fs vfs.FS, o *Options) *space {
	stopping, stop := context.WithCancel(context.Background())
	return &space{
		fs: fs, dir: o.Dir, minFree: uint64(o.MinFree), interval: o.SpaceInterval, log: o.Logger,
		reclaim:  reclaim{quiet: o.MemTableSize / quietPart},
		stopping: stopping, stop: stop,
	}
}

// short tells whether new messages have no room.
func (sp *space) short() bool { return sp.low.Load() || sp.waiting.Load() > 0 }

// start begins to watch. On a filesystem that cannot say what is free only writes that find it full count. While space is
// low and something is written, and when reclaim says so, truncate is called: deletions make room only when they have left
// memory.
func (sp *space) start(truncate func(stopping context.Context)) {
	sp.opened.Store(true)
	sp.measure()
	sp.watching.Go(func() { sp.watch(truncate) })
}

func (sp *space) watch(truncate func(stopping context.Context)) {
	ticker := time.NewTicker(sp.interval)
	defer ticker.Stop()
	var said bool
	for {
		select {
		case <-sp.stopping.Done():
			return
		case <-ticker.C:
		}
		sp.measure()
		worthwhile := sp.reclaim.tick(sp.fresh.Swap(0), sp.deleted.Swap(0))
		if worthwhile || sp.low.Load() && sp.unflushed.Swap(0) > 0 {
			truncate(sp.stopping)
		}
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
	sp.free.Store(usage.AvailBytes)
	sp.low.Store(err == nil && usage.AvailBytes < sp.minFree)
	sp.scarce.Store(err == nil && usage.AvailBytes < sp.minFree/2)
}

// measureAfter is how much is written at most, as a part of minFree, before what is free is looked at again.
const measureAfter = 8

// spares tells whether a compaction may write so many bytes: the second half of minFree is for what makes room.
func (sp *space) spares(bytes int) bool {
	if uint64(sp.compacted.Add(int64(bytes))) >= sp.minFree/measureAfter {
		sp.compacted.Store(0)
		sp.measure()
	}
	return !sp.scarce.Load()
}

// wrote is told by the committer what it has written: a fast disk is full in less than the interval.
func (sp *space) wrote(bytes, deleted int) {
	sp.unflushed.Add(int64(bytes))
	sp.fresh.Add(int64(bytes))
	sp.deleted.Add(int64(deleted))
	if sp.written += bytes; uint64(sp.written) >= sp.minFree/measureAfter {
		sp.written = 0
		sp.measure()
	}
}

// wait passes the time until it is worth while to try again on a full disk. It is false when nobody may wait.
func (sp *space) wait() bool {
	if !sp.opened.Load() {
		return false
	}
	<-time.After(sp.interval)
	return true
}

// late passes an error on: that the disk is full only when it is worth while to try again.
func (sp *space) late(err error) error {
	if isFull(err) {
		sp.wait()
	}
	return err
}
