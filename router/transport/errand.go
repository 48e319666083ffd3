package transport

import "sync/atomic"

// A reader that has been given little goes on errands: what it feeds to its engine often gives another connection
// something to write, and a short write costs less than to wake the goroutine that would do it.
const (
	errandFeed = 4 << 10 // bytes: a reader that was given more has enough to do
	maxErrands = 16      // for one reader at a time; the writers of the others are woken, and share the processors
)

// Errands are the connections for which a reader will write. They wait for microseconds: until a reader that is feeding
// its engine has done so. The zero value is ready. Drivers that share one write for each other's connections: no engine of
// theirs may have to wait, when it is flushed, for what another one of them is to read.
type Errands struct {
	readers atomic.Int32         // that are feeding their engines and will run when that is done, or fewer; see Aside
	last    atomic.Pointer[conn] // that was left; conn.before leads to the others
}

// Aside calls wait, which may take long, for an engine that has it done while it is fed: no other connection waits for that.
// Anybody else may call it too; then a writer more is woken meanwhile.
func (e *Errands) Aside(wait func()) {
	e.readers.Add(-1)
	e.run(0)
	defer e.begin()
	wait()
}

// leave leaves a connection that has something to write. It is false when there is no reader to do it.
func (e *Errands) leave(c *conn) bool {
	if e.readers.Load() <= 0 {
		return false
	}
	if !c.left.CompareAndSwap(false, true) {
		return true // and whoever takes it will see what there is to write
	}
	for {
		c.before = e.last.Load()
		if e.last.CompareAndSwap(c.before, c) {
			break
		}
	}
	if e.readers.Load() <= 0 { // the last reader may have run before the connection was there
		e.run(0)
	}
	return true
}

// begin announces a reader, which calls run when it has fed its engine.
func (e *Errands) begin() { e.readers.Add(1) }

// end takes back what begin announced, and does what has been left.
func (e *Errands) end() {
	e.readers.Add(-1)
	e.run(maxErrands)
}

// run writes for up to limit of the connections that were left, and wakes the writers of the others.
func (e *Errands) run(limit int) {
	for c := e.last.Swap(nil); c != nil; {
		before := c.before
		c.before = nil
		c.left.Store(false) // from here on it may be left again
		if limit > 0 {
			limit--
			c.flushAtOnce()
		} else {
			c.wakeWriter()
		}
		c = before
	}
}
