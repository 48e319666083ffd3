package load

import (
	"math"
	"sync/atomic"
)

// gate holds a publisher back until everybody it waits for has come far enough. The publisher is the only one
// that waits; each meter has one writer.
type gate struct {
	meters []*meter
	target atomic.Uint64 // what the waiting publisher needs; crossing it wakes the publisher
	wake   chan struct{}
}

// meter is how far one reader has come: a subscriber with a publisher's messages, or a publisher's
// acknowledgements. The publisher may be slack messages ahead of it.
type meter struct {
	value atomic.Uint64
	slack uint64
	gate  *gate
}

func newGate() *gate { return &gate{wake: make(chan struct{}, 1)} }

// add makes the gate wait for one more reader. All are added before the traffic starts.
func (g *gate) add(slack int) *meter {
	m := &meter{slack: uint64(slack), gate: g}
	g.meters = append(g.meters, m)
	return m
}

// limit is how many messages may have been sent by now.
func (g *gate) limit() uint64 {
	limit := uint64(math.MaxUint64)
	for _, m := range g.meters {
		limit = min(limit, m.value.Load()+m.slack)
	}
	return limit
}

// wait returns the limit once it has reached need, or false when stop closes first.
func (g *gate) wait(stop <-chan struct{}, need uint64) (uint64, bool) {
	for {
		select {
		case <-stop:
			return 0, false
		default:
		}
		// The target is published before the limit is read: a reader that moves in between sees the target.
		g.target.Store(need)
		if limit := g.limit(); limit >= need {
			return limit, true
		}
		select {
		case <-g.wake:
		case <-stop:
			return 0, false
		}
	}
}

// advance moves the meter forward and wakes the publisher if that was what it waited for.
func (m *meter) advance(to uint64) {
	before := m.value.Load() + m.slack
	m.value.Store(to)
	target := m.gate.target.Load()
	if before < target && to+m.slack >= target {
		select {
		case m.gate.wake <- struct{}{}:
		default:
		}
	}
}
