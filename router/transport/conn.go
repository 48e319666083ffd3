package transport

import (
	"context"
	"net"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// conn is one connection under way. Its reader feeds the engine and, so as not to wake another goroutine for a short
// answer, writes what the socket takes at once; whatever is left, and whatever others wake it for, the writer writes.
type conn struct {
	driver  *Driver
	nc      net.Conn
	raw     syscall.RawConn // nil when nc is no plain socket
	woken   chan struct{}   // the writer has something to look at
	resumed chan struct{}   // the held reader may look again
	feeding atomic.Bool     // the reader feeds the engine and will flush it when it is done

	writing sync.Mutex // who holds it may Flush and write; taken before mu
	unsent  []byte     // guarded by writing: what the socket did not take from the reader

	mu     sync.Mutex // guards everything below, and every call of the engine; taken before a node's lock
	engine Engine
	held   bool  // the reader waits for the engine to be Ready
	over   bool  // nothing more is fed; what is left to Flush is written
	err    error // why it is over
}

func newConn(d *Driver, nc net.Conn) *conn {
	return &conn{
		driver: d, nc: nc, raw: rawSocket(nc),
		woken: make(chan struct{}, 1), resumed: make(chan struct{}, 1),
	}
}

// wake makes the writer look at the engine. While the reader feeds it that is not needed: the reader clears feeding
// before it flushes, so it sees whatever was there when feeding was found set.
func (c *conn) wake() {
	if c.feeding.Load() {
		return
	}
	c.wakeWriter()
}

func (c *conn) wakeWriter() {
	select {
	case c.woken <- struct{}{}:
	default:
	}
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
		c.feed(p)
		r.done()
	}
	return nil
}

// feed gives bytes to the engine and flushes what it has to say.
func (c *conn) feed(p []byte) {
	c.feeding.Store(true)
	writer := c.feedEngine(p)
	c.feeding.Store(false)
	if writer {
		c.wakeWriter()
	} else {
		c.flushAtOnce()
	}
}

// feedEngine gives bytes to the engine. It tells whether the writer has to look at what became of it: the end of the
// connection, or a deadline that is sooner than the one it waits for.
func (c *conn) feedEngine(p []byte) (writer bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.over {
		return true
	}
	before := c.engine.Deadline()
	if err := c.engine.Feed(time.Now(), p); err != nil {
		c.endLocked(err)
	}
	return c.over || c.engine.Closed() || sooner(c.engine.Deadline(), before)
}

// sooner tells whether deadline a comes before b, where zero is never.
func sooner(a, b time.Time) bool {
	return !a.IsZero() && (b.IsZero() || a.Before(b))
}

// awaitReady waits until the engine takes more and feeds it first what it kept back. It is false when the connection
// is over.
func (c *conn) awaitReady() bool {
	for {
		c.mu.Lock()
		over := c.over || c.engine.Closed()
		c.held = !over && !c.engine.Ready()
		held := c.held
		c.mu.Unlock()
		if over || !held {
			return !over
		}
		if _, ok := <-c.resumed; !ok {
			return false
		}
		c.feed(nil)
	}
}

// write flushes the engine and lets time pass for it, until the connection is over and all is said.
func (c *conn) write(ctx context.Context) {
	defer close(c.resumed)
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	var (
		stopping = ctx.Done()
		cutoff   time.Time // once stopping: the end of patience
		armed    time.Time // what timer is set to; zero for nothing that matters
	)
	for {
		deadline, over := c.turn()
		if over {
			return
		}
		if sooner(cutoff, deadline) {
			deadline = cutoff
		}
		if sooner(deadline, armed) {
			timer.Reset(time.Until(deadline))
			armed = deadline
		}
		select {
		case <-c.woken:
		case <-timer.C:
			armed = time.Time{}
			if !cutoff.IsZero() && !time.Now().Before(cutoff) {
				c.end(context.Cause(ctx))
				return
			}
		case <-stopping:
			stopping = nil
			now := time.Now()
			cutoff = now.Add(c.driver.options.DrainTimeout)
			c.mu.Lock()
			c.engine.Drain(now)
			c.mu.Unlock()
		}
	}
}

// turn lets the engine advance, writes all it has to say and lets a held reader go on. It gives the next deadline, or
// tells that the connection is over.
func (c *conn) turn() (deadline time.Time, over bool) {
	buffer := c.driver.buffers.get()
	defer c.driver.buffers.put(buffer)
	c.writing.Lock()
	defer c.writing.Unlock()
	deadlines := writeDeadlines{nc: c.nc, timeout: c.driver.options.WriteTimeout}
	if len(c.unsent) > 0 {
		p := c.unsent
		c.unsent = nil
		if err := deadlines.write(p); err != nil {
			c.end(err)
			return time.Time{}, true
		}
	}
	for {
		p, deadline, over := c.collect((*buffer)[:0])
		if len(p) == 0 {
			return deadline, over
		}
		if err := deadlines.write(p); err != nil {
			c.end(err)
			return time.Time{}, true
		}
	}
}

// collect takes from the engine, under its lock, what is to be written next.
func (c *conn) collect(dst []byte) (p []byte, deadline time.Time, over bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if due := c.engine.Deadline(); !c.over && !due.IsZero() {
		if now := time.Now(); !now.Before(due) {
			if err := c.engine.Advance(now); err != nil {
				c.endLocked(err)
			}
		}
	}
	p = c.engine.Flush(dst)
	if c.engine.Closed() {
		c.endLocked(nil)
	}
	if c.held && c.engine.Ready() {
		c.held = false
		select {
		case c.resumed <- struct{}{}:
		default:
		}
	}
	return p, c.engine.Deadline(), c.over
}

// flushAtOnce writes, without blocking, what the engine has to say after a Feed. What the socket does not take, or all
// of it when the writer is at work, is left to the writer.
func (c *conn) flushAtOnce() {
	if c.raw == nil || !c.writing.TryLock() {
		c.wakeWriter()
		return
	}
	defer c.writing.Unlock()
	if len(c.unsent) > 0 {
		c.wakeWriter()
		return
	}
	buffer := c.driver.buffers.get()
	defer c.driver.buffers.put(buffer)
	p, _, _ := c.collect((*buffer)[:0])
	if len(p) == 0 {
		return
	}
	n, err := writeNow(c.raw, p)
	if err != nil {
		c.end(err)
	}
	if n < len(p) || len(p) >= FlushSize || err != nil {
		c.unsent = append(c.unsent, p[n:]...)
		c.wakeWriter()
	}
}
