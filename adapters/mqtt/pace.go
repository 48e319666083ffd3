package mqtt

import (
	"time"

	"golang.org/x/time/rate"
)

// pace is how fast a client may publish: so many messages and bytes in a second, of which those of one second may come at
// once. It is pure: it is told the time.
type pace struct {
	messages *rate.Limiter // nil for no limit
	bytes    *rate.Limiter // likewise
}

// newPace gives nil when there is no limit at all.
func newPace(l *Limits) *pace {
	if l.PublishRate == 0 && l.PublishBytes == 0 {
		return nil
	}
	return &pace{messages: perSecond(l.PublishRate), bytes: perSecond(l.PublishBytes)}
}

// perSecond gives a limiter; nil for 0.
func perSecond(n int) *rate.Limiter {
	if n == 0 {
		return nil
	}
	return rate.NewLimiter(rate.Limit(n), n)
}

// take counts a message that has come and tells how long the next one is to wait.
func (p *pace) take(now time.Time, size int) time.Duration {
	return max(spend(p.messages, now, 1), spend(p.bytes, now, size))
}

// spend takes n from a limiter, which may go into debt, and tells how long it takes to pay that back.
func spend(l *rate.Limiter, now time.Time, n int) (wait time.Duration) {
	if l == nil {
		return 0
	}
	for n > 0 {
		part := min(n, l.Burst())
		wait = l.ReserveN(now, part).DelayFrom(now)
		n -= part
	}
	return wait
}

// keepPace stops reading from a client that publishes too fast, or whose tenant does, for as long as that has been too fast.
func (c *conn) keepPace(size int) {
	wait := c.user.Allowance().SendWait()
	if c.pace != nil {
		wait = max(wait, c.pace.take(time.Now(), size))
	}
	if wait > 0 {
		c.session.Hold()
		c.resumeAt = time.Now().Add(wait)
	}
}
