package transport

import (
	"net"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// conn is one connection under way. Its reader feeds the engine and, so as not to wake another goroutine for a short
// answer, writes what the socket takes at once, for its own connection and for others that the answer is for; whatever
// is left, and whatever others wake it for, the writer writes. The writer is there while there is something to do, and
// goes when there has been nothing for a while.
type conn struct {
	driver   *Driver
	nc       net.Conn
	raw      syscall.RawConn // nil when nc is no plain socket
	woken    chan struct{}   // the writer has something to look at
	feeding  atomic.Bool     // the reader feeds the engine and will flush it when it is done
	draining atomic.Bool     // the process is stopping
	writer   atomic.Int32    // absent, present or gone
	fed      time.Time       // of the reader: when the engine was fed last
	left     atomic.Bool     // among the driver's errands
	before   *conn           // there; of who has set left

	writing sync.Mutex  // who holds it may Flush and write; taken before mu
	unsent  []byte      // guarded by writing: what the socket did not take at once
	due     time.Time   // guarded by writing: the deadline that the writer, or the alarm in its stead, waits for
	alarm   *time.Timer // guarded by writing: calls the writer when a deadline comes and it is absent

	mu       sync.Mutex // guards everything below, and every call of the engine; taken before a node's lock
	engine   Engine
	cutoff   time.Time // once draining: the end of patience
	held     bool      // the reader waits for the engine to be Ready
	over     bool      // nothing more is fed; what is left to Flush is written
	finished bool      // all is written and nc is hung up
	changed  sync.Cond // tells that held has ended, or that the connection is finished
	err      error     // why it is over
}

func newConn(d *Driver, nc net.Conn) *conn {
	c := &conn{driver: d, nc: nc, raw: rawSocket(nc), woken: make(chan struct{}, 1)}
	c.changed.L = &c.mu
	return c
}

// open makes the engine. Whoever is woken meanwhile, for wake may be known to others before open returns, looks when it is there.
func (c *conn) open(open func(wake func()) Engine) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.engine = open(c.wake)
}

// end notes why the connection is over; the first call wins.
func (c *conn) end(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.endLocked(err)
}

func (c *conn) endLocked(err error) {
	if !c.over {
		c.over, c.err = true, err
	}
}

// read feeds the engine until the connection is over or cannot be read.
func (c *conn) read() error {
	r := newReader(c)
	for c.awaitReady() {
		p, err := r.next()
		if err != nil {
			return err
		}
		now := time.Now()
		if now.Sub(c.fed) > quiet {
			c.driver.turns.giveWay()
		}
		c.feed(now, p)
		r.done()
	}
	return nil
}

// feed gives bytes to the engine and flushes what it has to say, and first what others have to say because of it.
func (c *conn) feed(now time.Time, p []byte) {
	c.fed = now
	c.feeding.Store(true)
	if len(p) <= errandFeed {
		c.driver.errands.begin()
		c.feedEngine(now, p)
		c.driver.errands.end()
	} else {
		c.feedEngine(now, p)
	}
	c.feeding.Store(false)
	c.flushAtOnce()
}

// feedEngine gives bytes to the engine.
func (c *conn) feedEngine(now time.Time, p []byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.over {
		return
	}
	if err := c.engine.Feed(now, p); err != nil {
		c.endLocked(err)
	}
}

// sooner tells whether deadline a comes before b, where zero is never.
func sooner(a, b time.Time) bool {
	return !a.IsZero() && (b.IsZero() || a.Before(b))
}

// awaitReady waits until the engine takes more and feeds it first what it kept back. It is false when the connection
// is over.
func (c *conn) awaitReady() bool {
	for {
		held, over := c.holdBack()
		if over || !held {
			return !over
		}
		c.feed(time.Now(), nil)
	}
}

// holdBack waits while the engine is not Ready. It tells whether it had to, and whether the connection is over.
func (c *conn) holdBack() (held, over bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.over || c.engine.Closed() {
		return false, true
	}
	held = !c.engine.Ready()
	for c.held = held; c.held && !c.finished; {
		c.changed.Wait()
	}
	return held, c.finished
}

// turn lets the engine advance, writes all it has to say and lets a held reader go on. It tells whether that was
// anything, when the next deadline is, and whether the connection is over.
func (c *conn) turn() (busy bool, deadline time.Time, over bool) {
	buffer := c.driver.buffers.get()
	defer c.driver.buffers.put(buffer)
	c.writing.Lock()
	defer c.writing.Unlock()
	out := writeDeadlines{nc: c.nc, timeout: c.driver.options.WriteTimeout}
	p := c.unsent
	c.unsent = nil
	for {
		if len(p) > 0 {
			busy = true
			if err := out.write(p); err != nil {
				c.end(err)
				return true, time.Time{}, true
			}
		}
		c.mu.Lock()
		p, deadline, over = c.collect((*buffer)[:0])
		c.mu.Unlock()
		if len(p) == 0 {
			c.due = deadline
			return busy, deadline, over
		}
	}
}

// collect takes from the engine, whose lock is held, what is to be written next.
func (c *conn) collect(dst []byte) (p []byte, deadline time.Time, over bool) {
	c.advance()
	p = c.engine.Flush(dst)
	if c.engine.Closed() {
		c.endLocked(nil)
	}
	if c.held && c.engine.Ready() {
		c.held = false
		c.changed.Broadcast()
	}
	deadline = c.engine.Deadline()
	if sooner(c.cutoff, deadline) {
		deadline = c.cutoff
	}
	return p, deadline, c.over
}

// advance lets time pass for the engine, and for the drain.
func (c *conn) advance() {
	due := c.engine.Deadline()
	draining := c.draining.Load()
	if c.over || due.IsZero() && !draining {
		return
	}
	now := time.Now()
	if draining && c.cutoff.IsZero() {
		c.cutoff = now.Add(c.driver.options.DrainTimeout)
		c.engine.Drain(now)
	}
	if !due.IsZero() && !now.Before(due) {
		if err := c.engine.Advance(now); err != nil {
			c.endLocked(err)
		}
	}
	if !c.cutoff.IsZero() && !now.Before(c.cutoff) {
		c.endLocked(ErrDrainTimeout)
	}
}

// flushAtOnce writes, without blocking, what the engine has to say. What the socket does not take, or all of it when
// the writer is at work, is left to the writer; so are a deadline that is sooner than the one it waits for, and the end.
func (c *conn) flushAtOnce() {
	if c.raw == nil || !c.writing.TryLock() {
		c.wakeWriter()
		return
	}
	defer c.writing.Unlock()
	if c.writer.Load() == writerGone {
		return
	}
	if len(c.unsent) > 0 {
		c.wakeWriter()
		return
	}
	if !c.mu.TryLock() { // its own reader is feeding the engine, which may take long, and flushes it then
		if !c.feeding.Load() {
			c.wakeWriter()
		}
		return
	}
	buffer := c.driver.buffers.get()
	defer c.driver.buffers.put(buffer)
	p, deadline, over := c.collect((*buffer)[:0])
	c.mu.Unlock()
	n := 0
	if len(p) > 0 {
		var err error
		if n, err = writeNow(c.raw, p); err != nil {
			c.end(err)
			over = true
		}
		c.unsent = append(c.unsent, p[n:]...)
	}
	if over || n < len(p) || n >= FlushSize || sooner(deadline, c.due) {
		c.wakeWriter()
	}
}
