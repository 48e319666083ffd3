package load

import (
	"math"
	"time"
)

// pace spreads messages over time for an open-loop run.
type pace struct {
	rate  float64
	start time.Time
	first uint64 // messages sent before the start
}

const paceStep = time.Millisecond

func newPace(rate float64, sent uint64) pace {
	return pace{rate: rate, start: time.Now(), first: sent}
}

// wait returns how many messages are due, at least one, or false when stop closes first.
func (p pace) wait(stop <-chan struct{}, sent uint64) (uint64, bool) {
	if p.rate == 0 {
		return math.MaxUint64, true
	}
	for {
		planned := p.first + uint64(time.Since(p.start).Seconds()*p.rate)
		if planned > sent {
			return planned - sent, true
		}
		timer := time.NewTimer(paceStep)
		select {
		case <-timer.C:
		case <-stop:
			timer.Stop()
			return 0, false
		}
	}
}
