//go:build !linux

package load

import "time"

// clock ticks as exactly as the Go runtime's timers do.
type clock struct{ ticker *time.Ticker }

func newClock(interval time.Duration) (*clock, error) { return &clock{time.NewTicker(interval)}, nil }

// tick waits for the end of the interval that is under way.
func (c *clock) tick() error {
	<-c.ticker.C
	return nil
}

func (c *clock) close() { c.ticker.Stop() }
