package load

import (
	"math"
	"time"
)

// pace spreads messages over time for an open-loop run: when a message is due does not depend on how fast the server
// takes those before it.
type pace struct {
	rate  float64
	start time.Time
	first uint64 // messages sent before the start
	clock *clock // nil without a rate
}

// schedule is when the messages of one write were due, counted from the start of the run. Latency is measured from
// then on and not from when the message could be written, so that a server which holds the driver up is not spared what
// the held messages would have had to wait (the coordinated omission of other tools).
type schedule struct{ first, step time.Duration }

// at is when message i of the write was due.
func (s schedule) at(i int) time.Duration { return s.first + time.Duration(i)*s.step }

// Between two looks at the clock there is at least and at most so much time.
const (
	shortestTick = 50 * time.Microsecond
	longestTick  = time.Millisecond
)

// newPace gives the pace of a publisher that has sent so many messages already. Its owner closes it.
func newPace(rate float64, sent uint64) (*pace, error) {
	p := &pace{rate: rate, first: sent}
	if rate > 0 {
		var err error
		if p.clock, err = newClock(min(max(p.after(1), shortestTick), longestTick)); err != nil {
			return nil, err
		}
	}
	p.start = time.Now()
	return p, nil
}

func (p *pace) close() {
	if p.clock != nil {
		p.clock.close()
	}
}

// after is how long n messages take.
func (p *pace) after(n uint64) time.Duration {
	return time.Duration(float64(n) / p.rate * float64(time.Second))
}

// wait returns how many messages are due, at least one, or false when stop closes first.
func (p *pace) wait(stop <-chan struct{}, sent uint64) (uint64, bool) {
	if p.rate == 0 {
		return math.MaxUint64, true
	}
	for {
		select {
		case <-stop:
			return 0, false
		default:
		}
		planned := p.first + uint64(time.Since(p.start).Seconds()*p.rate)
		if planned > sent {
			return planned - sent, true
		}
		if err := p.clock.tick(); err != nil {
			return 0, false
		}
	}
}

// schedule is when the messages after so many sent ones are due; without a rate that is now.
func (p *pace) schedule(sent uint64, epoch time.Time) schedule {
	if p.rate == 0 {
		return schedule{first: time.Since(epoch)}
	}
	return schedule{first: p.start.Sub(epoch) + p.after(sent-p.first+1), step: p.after(1)}
}
