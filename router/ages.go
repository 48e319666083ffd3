package router

import (
	"sync"
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

// ages counts what has not ended of a link, and how long it took what has.
type ages struct {
	mu      sync.Mutex // guards everything below; a leaf
	latest  uint32     // span
	young   [youngSpans]int32
	stuck   int32
	delayed [2]uint64 // that took longer than one second, and longer than ten
}

// begin notes a message.
func (a *ages) begin(now Instant) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.turn(now)
	a.young[a.latest%youngSpans]++
}

// end notes the outcome of a message, and how many seconds it took.
func (a *ages) end(began, now Instant) (took uint32) {
	took = uint32(now - began)
	a.mu.Lock()
	defer a.mu.Unlock()
	a.turn(now)
	if began := uint32(began) / span; a.latest-began < youngSpans {
		a.young[began%youngSpans]--
	} else {
		a.stuck--
	}
	if i, late := delayOf(took); late {
		a.delayed[i]++
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
	to := uint32(now) / span
	a.latest = max(a.latest, min(to, to-youngSpans)) // of an empty span there is nothing to move
	for a.latest < to {
		a.latest++
		i := a.latest % youngSpans
		a.stuck += a.young[i]
		a.young[i] = 0
	}
}

// tell gives how many messages are stuck now, and how many were late.
func (a *ages) tell(now Instant) (stuck int, delayed [2]uint64) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.turn(now)
	return int(a.stuck), a.delayed
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
