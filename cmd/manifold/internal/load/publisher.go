package load

import (
	"math"
	"sync/atomic"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// unlimited is the goal of a publisher that writes until it is stopped.
const unlimited = math.MaxUint64

// publisher writes numbered messages as far as its gate allows. One goroutine runs publish; a second one listens. The
// atomics are read by the run.
type publisher struct {
	outlet
	gate  *gate
	batch int
	rate  float64   // messages per second, 0 for no limit
	epoch time.Time // what the times in payloads count from

	goal atomic.Uint64 // messages to send in all
	sent atomic.Uint64 // messages given to the socket, counted just before writing
	acks *acks         // nil when none are asked for

	counting      *atomic.Bool            // set while the measured window is open
	confirmations *hdrhistogram.Histogram // how late answers came; nil when nobody asked. Who listens owns it
}

// publish writes until the goal is reached or stop closes.
func (p *publisher) publish(stop <-chan struct{}) error {
	pace, err := newPace(p.rate, p.sent.Load())
	if err != nil {
		return err
	}
	defer pace.close()
	for {
		sent, goal := p.sent.Load(), p.goal.Load()
		if sent >= goal {
			return nil
		}
		due, ok := pace.wait(stop, sent)
		if !ok {
			return nil
		}
		n := min(uint64(p.batch), goal-sent, due)
		if _, ok := p.gate.wait(stop, sent+n); !ok {
			return nil
		}
		p.sent.Store(sent + n)
		if err := p.write(int(n), sent, pace.schedule(sent, p.epoch)); err != nil {
			return err
		}
	}
}

// answered enters the answer to message s, which was due at that time of the run.
func (p *publisher) answered(s uint64, taken bool, due time.Duration) {
	p.acks.note(s, p.sent.Load(), taken)
	if taken && p.confirmations != nil && p.counting.Load() {
		record(p.confirmations, time.Since(p.epoch)-due)
	}
}

// arrived says whether everything up to the goal is sent and every reader has come to its end.
func (p *publisher) arrived() bool {
	sent := p.sent.Load()
	if sent < p.goal.Load() {
		return false
	}
	for _, m := range p.gate.meters {
		if m.value.Load() < sent {
			return false
		}
	}
	return true
}
