package network

import (
	"math"
	"time"

	"github.com/manifoldmq/manifold/router/amqp/engine"
	"github.com/manifoldmq/manifold/router/network/internal/edge"
	"github.com/manifoldmq/manifold/router/network/internal/forwarding"
	"github.com/manifoldmq/manifold/router/network/internal/protocol"
)

// spurs is what an edge connection has that one between two routers of the network has not. On it, the only lane is that to
// all addresses, at an edge router, or to the edge router by its name.
type spurs struct {
	session *engine.Session // for the links of addresses; nil before it is in use
	news    *newsOut        // where the edge router is told; nil before it wants to be
	name    string          // of the edge router whose downlink it has; empty for none
	all     map[spur]bool   // the links for addresses

	conversations map[string]*conversation // with an interior router, by its addresses
	inquiries     uint64                   // so far
}

// unfinished is how many deliveries are under way on links for addresses.
func (s *spurs) unfinished() (n int) {
	for x := range s.all {
		n += x.unfinished()
	}
	return n
}

func (s *spurs) add(x spur) {
	if s.all == nil {
		s.all = make(map[spur]bool)
	}
	s.all[x] = true
}

// limits gives the limits of the connection's engine: over one with an edge router there are as many links as addresses in
// use.
func (k *neighbor) limits(l *Limits) *engine.Limits {
	limits := l.Limits
	if k.role == Edge {
		limits.HandleMax, limits.MaxLinks = math.MaxUint16, maxSpurs
	}
	return &limits
}

// maxSpurs is how many links an edge connection may have.
const maxSpurs = 1 << 20

// openedEdge has the mesh know of an edge connection.
func (k *neighbor) openedEdge() {
	k.mesh.inputs.Put(func(now time.Time) {
		if f := k.mesh.fringe; f != nil {
			f.opened(k, now)
		} else {
			k.mesh.hub.opened(k)
		}
	})
}

// routeOf gives what is noted of a message that comes over the connection, so that it does not go back: of one from an edge
// router that is all, as it comes into the network here.
func (k *neighbor) routeOf(m *forwarding.Message) any {
	if k.role == Edge {
		return k
	}
	return m
}

// lostTrunk notes that the link has ended on which everything goes that is for no address of its own.
func (l *lane) lostTrunk() {
	k := l.neighbor
	if k.mesh.isEdge() {
		k.refuseAll("the link for all addresses has ended")
		return
	}
	if name := k.spurs.name; name != "" {
		k.spurs.name = ""
		k.tellHub(func(h *hub) { h.downlink(k, name, false) })
	}
}

// clients notes that the first consumer of an address came to this router, or that the last one went.
func (m *Mesh) clients(a protocol.Address, there bool) {
	m.inputs.Put(func(now time.Time) {
		if m.fringe != nil {
			m.fringe.consumers(a, there, now)
		} else {
			m.hub.clients(a, there)
		}
	})
}

// advanceEdge does what is due at an edge router, and edgeDeadline tells when that is.
func (m *Mesh) advanceEdge(now time.Time) {
	if m.fringe != nil {
		m.fringe.router.Advance(now)
	}
}

func (m *Mesh) edgeDeadline() time.Time {
	if m.fringe == nil {
		return time.Time{}
	}
	return m.fringe.router.Deadline()
}

// followEdge does what follows from what has happened at edge connections.
func (m *Mesh) followEdge() {
	if m.fringe != nil {
		m.fringe.follow()
	} else {
		m.hub.follow()
	}
}

// downEdge notes that a connection has ended, if it is an edge connection.
func (m *Mesh) downEdge(k *neighbor, now time.Time) {
	switch {
	case k.role != Edge:
	case m.fringe != nil:
		m.fringe.lost(k, now)
	default:
		m.hub.lost(k)
	}
}

// heard takes in news of an interior router, if it is the one whose uplink is in use.
func (f *fringe) heard(k *neighbor, news edge.News) {
	if f.active.Load() == k {
		f.router.Heard(news)
	}
}
