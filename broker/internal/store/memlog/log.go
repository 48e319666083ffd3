// Package memlog is a log in memory that stores can be opened over, as they would be over one that is replicated: for tests.
//
// It keeps entries apart from the snapshot that they continue. Each Owner makes its own state of both. A log can be held, so
// that nothing is safe before it is released; it can crash, and then loses a part of what was not safe; and it is owned by
// who opened it last: whoever had it before is fenced off, even if nothing was written since.
//
// All methods may be called by any goroutine, but for those of an Owner that store.Journal leaves to one.
package memlog

import (
	"math/rand/v2"
	"sync"

	"github.com/manifoldmq/manifold/broker/internal/store"
)

// Log is what the owners share.
type Log struct {
	mu       sync.Mutex // guards everything below
	snapshot state
	upTo     store.Position // of the snapshot
	entries  [][]byte       // after it, as Pebble encodes groups
	safe     store.Position // entries up to here survive a crash
	term     uint64         // of the present owner
	open     chan struct{}  // closed when the log is not held
	reached  chan struct{}  // closed when an append waits
}

// New gives an empty log, not held.
func New() *Log {
	l := &Log{open: make(chan struct{}), reached: make(chan struct{})}
	close(l.open)
	return l
}

// Hold lets all that is to be safe wait until Release. The channel is closed when the first append waits.
func (l *Log) Hold() (reached <-chan struct{}) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.open, l.reached = make(chan struct{}), make(chan struct{})
	return l.reached
}

// Release ends a Hold.
func (l *Log) Release() {
	l.mu.Lock()
	defer l.mu.Unlock()
	close(l.open)
}

// Crash takes the log from its owner, and a random part of what is not safe, from the end, from everybody.
func (l *Log) Crash(random *rand.Rand) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.term++
	lost := random.IntN(int(l.last()-l.safe) + 1)
	l.entries = l.entries[:len(l.entries)-lost]
	l.safe = l.last()
}

// Kept tells how many entries are kept apart from the snapshot.
func (l *Log) Kept() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.entries)
}

func (l *Log) last() store.Position { return l.upTo + store.Position(len(l.entries)) }

// append adds an entry, and waits until it is safe if that is asked for.
func (l *Log) append(term uint64, at store.Position, group []byte, sync bool) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if term != l.term || at != l.last()+1 {
		return store.ErrFenced
	}
	l.entries = append(l.entries, group)
	if !sync {
		return nil
	}
	l.wait()
	if term != l.term {
		return store.ErrFenced // the entry may be there, and may be not
	}
	l.safe = max(l.safe, at)
	return nil
}

// wait passes the time while the log is held. It gives l.mu up meanwhile.
func (l *Log) wait() {
	open := l.open
	select {
	case <-open:
		return
	case <-l.reached:
	default:
		close(l.reached)
	}
	l.mu.Unlock()
	<-open
	l.mu.Lock()
}

// readFrom gives the entries after a position.
func (l *Log) readFrom(after store.Position) ([][]byte, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if after < l.upTo {
		return nil, store.ErrTruncated
	}
	if after >= l.last() {
		return nil, nil
	}
	return append([][]byte(nil), l.entries[after-l.upTo:]...), nil
}

// truncate takes entries that are safe into the snapshot.
func (l *Log) truncate(upTo store.Position) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	for l.upTo < min(upTo, l.safe) {
		next, err := l.snapshot.after(l.entries[0])
		if err != nil {
			return err
		}
		l.snapshot, l.entries = next, l.entries[1:]
		l.upTo++
	}
	return nil
}

// Open makes the caller the owner: it takes the snapshot and catches up with the entries after it.
func (l *Log) Open() (*Owner, error) {
	l.mu.Lock()
	l.term++
	o, snapshot := &Owner{log: l, term: l.term, at: l.upTo}, l.snapshot
	o.state.Store(&snapshot)
	l.mu.Unlock()
	return o, o.ReadFrom(o.at, o.apply)
}
