package router

import (
	"sync"
	"sync/atomic"
	"time"
)

// Instant is when something was, as a router knows it: in seconds since it began, from 1 on. The zero Instant is no time.
type Instant uint32

// Advance tells the router how long it has been running. Whoever runs it does so about once a second: by this it knows for how
// long messages have been on their way. A router that is told nothing finds that no time passes.
func (r *Router) Advance(running time.Duration) { r.clock.Store(1 + uint32(running/time.Second)) }

func (h *house) now() Instant { return Instant(h.clock.Load()) }

// A message is stuck whose outcome has not been heard of for ten seconds, counted in spans: so it is noted up to one span later.
const (
	span       = 5 // seconds
	youngSpans = 3 // in which what began is not stuck
)

// ages counts what has not ended of a link, and how long it took what has. As each message of each link is counted here, twice, that
// takes no lock: who counts while the span changes may be off by one until what is young now is old, and never after.
type ages struct {
	young   [youngSpans]atomic.Int32
	stuck   atomic.Int32
	delayed [2]atomic.Uint64 // that took longer than one second, and longer than ten

	mu     sync.Mutex    // of those who turn; a leaf
	latest atomic.Uint32 // span
}

// begin notes a message.
func (a *ages) begin(now Instant) {
	a.turn(now)
	a.young[uint32(now)/span%youngSpans].Add(1)
}

// end notes the outcome of a message, and how many seconds it took.
func (a *ages) end(began, now Instant) (took uint32) {
	a.turn(now)
	if s := uint32(began) / span; a.latest.Load()-s < youngSpans {
		a.young[s%youngSpans].Add(-1)
	} else {
		a.stuck.Add(-1)
	}
	took = uint32(now - began)
	if i, late := delayOf(took); late {
		a.delayed[i].Add(1)
	}
	return took
}

// delayOf tells which of the delays that are counted a time in seconds is.
func delayOf(took uint32) (i int, late bool) {
	switch {
	case took > 10:
		return 1, true
	case took > 1:
		return 0, true
	}
	return 0, false
}

// turn goes on to the span of a time: what is not young any more is stuck.
func (a *ages) turn(now Instant) {
	if a.latest.Load() < uint32(now)/span {
		a.turnTo(uint32(now) / span)
	}
}

func (a *ages) turnTo(to uint32) {
	a.mu.Lock()
	defer a.mu.Unlock()
	latest := max(a.latest.Load(), min(to, to-youngSpans)) // of an empty span there is nothing to move
	for latest < to {
		latest++
		a.stuck.Add(a.young[latest%youngSpans].Swap(0))
	}
	a.latest.Store(latest)
}

// tell gives how many messages are stuck now, and how many were late.
func (a *ages) tell(now Instant) (stuck int, delayed [2]uint64) {
	a.turn(now)
	return int(max(a.stuck.Load(), 0)), [2]uint64{a.delayed[0].Load(), a.delayed[1].Load()}
}

// waitingRoom is a node that stores nothing and where messages wait for credit.
type waitingRoom interface {
	// waitingFor is how many wait that a receiver might be given.
	waitingFor(r *Receiver) int
}

var (
	_ waitingRoom = (*anycast)(nil)
	_ waitingRoom = (*multicast)(nil)
)

// waitingFor implements waitingRoom, for receivers of one address.
func (n *anycast) waitingFor(r *Receiver) int {
	a, literal := r.source.Filter.Literal()
	if !literal {
		return 0
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	return len(n.waiting[a])
}

// waitingFor implements waitingRoom.
func (m *multicast) waitingFor(r *Receiver) int {
	m.mu.Lock()
	defer m.mu.Unlock()
	if l := m.links[r]; l != nil {
		return len(l.waiting)
	}
	return 0
}
