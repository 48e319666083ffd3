package transport

import "time"

// Whether a connection's writer is there.
const (
	writerAbsent int32 = iota
	writerPresent
	writerGone // for good: the connection is finished
)

// linger is how long a writer stays when there is nothing to do: long enough that a busy connection keeps its writer,
// short enough that an idle one soon costs one goroutine less.
const linger = 2 * time.Second

// wake makes somebody look at the engine: the writer, or another connection's reader. While its own reader feeds it that
// is not needed: the reader clears feeding before it flushes, so it sees whatever was there when feeding was found set.
func (c *conn) wake() {
	if !c.feeding.Load() && !c.driver.errands.leave(c) {
		c.wakeWriter()
	}
}

// wakeWriter calls the writer, from wherever it is. The word is left before the writer is looked for; a writer that
// leaves looks for a word after it has said so. So one of the two always notices.
func (c *conn) wakeWriter() {
	select {
	case c.woken <- struct{}{}:
	default:
	}
	if c.writer.CompareAndSwap(writerAbsent, writerPresent) {
		go c.write()
	}
}

// write is the writer: it flushes the engine and lets time pass for it, until the connection is over and all is said,
// or until it retires. Serve waits for the last one to finish.
func (c *conn) write() {
	timer := time.NewTimer(linger)
	defer timer.Stop()
	armed := time.Now().Add(linger) // what timer is set to
	idle := false                   // the timer came since there was something to do
	for {
		busy, deadline, over := c.turn()
		if over {
			c.finish()
			return
		}
		if idle && !busy {
			if c.retire(deadline) {
				return
			}
			continue // the word that kept it here is not looked at yet
		}
		if idle {
			armed = time.Now().Add(linger)
		}
		if idle || sooner(deadline, armed) {
			if sooner(deadline, armed) {
				armed = deadline
			}
			timer.Reset(time.Until(armed))
		}
		idle = false
		select {
		case <-c.woken:
		case <-timer.C:
			idle = true
		}
	}
}

// retire lets the writer go, with an alarm set for the next deadline. It reports false when a word came meanwhile and
// the writer has to stay.
func (c *conn) retire(deadline time.Time) bool {
	c.setAlarm(deadline)
	c.writer.Store(writerAbsent)
	select {
	case <-c.woken:
		return !c.writer.CompareAndSwap(writerAbsent, writerPresent)
	default:
		return true
	}
}

func (c *conn) setAlarm(deadline time.Time) {
	c.writing.Lock()
	defer c.writing.Unlock()
	switch {
	case deadline.IsZero():
	case c.alarm == nil:
		c.alarm = time.AfterFunc(time.Until(deadline), c.wakeWriter)
	default:
		c.alarm.Reset(time.Until(deadline))
	}
}

// finish ends the connection: the reader's next read fails, and no writer comes any more.
func (c *conn) finish() {
	hangUp(c.nc)
	c.writing.Lock()
	if c.alarm != nil {
		c.alarm.Stop()
	}
	c.writer.Store(writerGone)
	c.writing.Unlock()
	c.mu.Lock()
	defer c.mu.Unlock()
	c.finished = true
	c.changed.Broadcast()
}

// awaitFinish waits until all is written and the connection hung up, and tells why it was over.
func (c *conn) awaitFinish() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	for !c.finished {
		c.changed.Wait()
	}
	return c.err
}
