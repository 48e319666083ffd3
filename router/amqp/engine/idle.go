package engine

import (
	"time"

	"github.com/manifoldmq/manifold/router/amqp/frame"
)

// Deadline is when Advance wants to be called next; zero is never. A deadline in the past asks for Advance at once.
func (c *Conn) Deadline() time.Time {
	if c.phase == ended {
		return time.Time{}
	}
	due := c.patience()
	if h := c.heartbeat(); h > 0 {
		due = sooner(due, c.checked.Add(h))
	}
	if c.deaf && !c.stalled() {
		due = sooner(due, c.now)
	}
	return due
}

// sooner gives the earlier of two times, where zero is never.
func sooner(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}

// patience is when the peer will have been waited for long enough. While nobody reads, its silence means nothing.
func (c *Conn) patience() time.Time {
	switch {
	case c.phase == closing || c.goodbye != nil:
		if c.since.IsZero() {
			return c.now
		}
		return c.since.Add(c.limits.CloseTimeout)
	case c.stalled():
		return time.Time{}
	case c.phase < deciding:
		return c.since.Add(c.limits.HandshakeTimeout)
	case c.limits.IdleTimeout > 0:
		return c.heard.Add(c.limits.IdleTimeout)
	}
	return time.Time{}
}

// heartbeat is how often to make sure that we have said something: with a look each quarter of the peer's idle-time-out
// we are never silent for longer than half of it [2.4.5]. 0 is never.
func (c *Conn) heartbeat() time.Duration {
	if c.remote == nil || c.phase != running {
		return 0
	}
	return time.Duration(c.remote.IdleTimeOut) * time.Millisecond / 4
}

// Advance tells the time: it writes heartbeats, goes on with frames that waited, and ends what the peer has kept
// waiting for too long. An error, a *frame.Error, ends the connection without a goodbye.
func (c *Conn) Advance(now time.Time) error {
	c.now = now
	if c.phase == ended {
		return nil
	}
	if h := c.heartbeat(); h > 0 && !now.Before(c.checked.Add(h)) {
		if !c.spoke {
			c.out = frame.Finish(frame.Start(c.out, frame.AMQP, 0), len(c.out))
		}
		c.checked, c.spoke = now, false
	}
	if c.deaf && !c.stalled() { // waiting was our doing: the peer's time starts anew
		c.heard = now
		if c.phase < deciding {
			c.since = now
		}
		if err := c.Feed(now, nil); err != nil {
			return err
		}
	}
	if due := c.patience(); !due.IsZero() && !now.Before(due) {
		return c.impatient(now)
	}
	return nil
}

// impatient ends a wait.
func (c *Conn) impatient(now time.Time) error {
	switch {
	case (c.phase == closing || c.goodbye != nil) && c.since.IsZero():
		c.since = now // a command made the wait begin, and commands do not know the time
	case c.phase == closing:
		c.phase = ended
	case c.goodbye != nil:
		c.close(Ending{By: ByUs, Error: c.goodbye.Error})
	case c.phase < deciding:
		e := &frame.Error{Condition: frame.ResourceLimitExceeded, Description: "no open in time"}
		c.finish(Ending{By: ByNetwork, Error: e})
		return e
	default:
		c.close(Ending{By: ByNetwork, Error: &frame.Error{Condition: frame.ResourceLimitExceeded,
			Description: "silent for longer than the idle timeout"}})
	}
	return nil
}
