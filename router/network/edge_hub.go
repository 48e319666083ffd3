package network

import (
	"maps"
	"sync/atomic"

	"github.com/manifoldmq/manifold/addressing"
	"github.com/manifoldmq/manifold/router"
	"github.com/manifoldmq/manifold/router/network/internal/edge"
	"github.com/manifoldmq/manifold/router/network/internal/protocol"
)

// hub is what the goroutine of a Mesh knows of the edge routers that have connected to it.
type hub struct {
	mesh      *Mesh
	tracker   *edge.Tracker
	edges     map[edge.EdgeID]*neighbor
	hops      map[protocol.Key]int // how many ways lead to other routers
	reasons   map[protocol.Key]int // why an address is announced: clients of ours, and each link of an edge router
	downlinks map[string][]*neighbor

	down atomic.Pointer[map[string]*neighbor] // by the ids of edge routers, for everybody
}

func newHub(m *Mesh) *hub {
	h := &hub{
		mesh:      m,
		tracker:   edge.NewTracker(),
		edges:     make(map[edge.EdgeID]*neighbor),
		hops:      make(map[protocol.Key]int),
		reasons:   make(map[protocol.Key]int),
		downlinks: make(map[string][]*neighbor),
	}
	h.down.Store(&map[string]*neighbor{})
	return h
}

// clients notes that the first consumer of an address came that is a client of this router, or that the last one went.
func (h *hub) clients(a protocol.Address, there bool) {
	n := 0
	if there {
		n = 1
	}
	h.announce(a, there)
	h.tracker.Consumers(a.Key, n)
}

// announce tells the other routers of an address for the first reason, and no more after the last.
func (h *hub) announce(a protocol.Address, is bool) {
	if is {
		if h.reasons[a.Key]++; h.reasons[a.Key] == 1 {
			h.mesh.node.Announce(a)
		}
		return
	}
	if h.reasons[a.Key]--; h.reasons[a.Key] <= 0 {
		delete(h.reasons, a.Key)
		h.mesh.node.Withdraw(a.Key)
	}
}

// leads notes that a way to another router has come, or gone.
func (h *hub) leads(key protocol.Key, is bool) {
	if is {
		h.hops[key]++
	} else {
		h.hops[key]--
	}
	h.tracker.Reachable(key, h.hops[key] > 0)
	if h.hops[key] == 0 {
		delete(h.hops, key)
	}
}

// opened notes that an edge router has connected.
func (h *hub) opened(k *neighbor) { h.edges[edge.EdgeID(k.id)] = k }

// lost notes that the connection of an edge router has ended. Its links have ended before.
func (h *hub) lost(k *neighbor) {
	h.tracker.Gone(edge.EdgeID(k.id))
	delete(h.edges, edge.EdgeID(k.id))
}

// attached notes a link of an edge router for an address, and detached its end.
func (h *hub) attached(k *neighbor, a protocol.Address, d edge.Direction) {
	h.tracker.Attached(edge.EdgeID(k.id), a.Key, d)
	if d == edge.Receive {
		h.announce(a, true)
	}
}

func (h *hub) detached(k *neighbor, key protocol.Key, d edge.Direction) {
	h.tracker.Detached(edge.EdgeID(k.id), key, d)
	if d == edge.Receive {
		h.announce(protocol.Address{Key: key}, false)
	}
}

// downlink notes that there is a link, or not any more, to send what is for an edge router by its name. Of several, as of one
// that has lost a connection without our knowing, the newest counts.
func (h *hub) downlink(k *neighbor, name string, there bool) {
	all := h.downlinks[name]
	h.announce(protocol.Address{Key: protocol.KeyOf(protocol.Edge, name), Treatment: protocol.Balanced}, there)
	if there {
		all = append(all, k)
	} else {
		all = without(all, k)
	}
	h.downlinks[name] = all
	down := maps.Clone(*h.down.Load())
	if len(all) > 0 {
		down[name] = all[len(all)-1]
	} else {
		delete(h.downlinks, name)
		delete(down, name)
	}
	h.down.Store(&down)
}

func without(all []*neighbor, k *neighbor) []*neighbor {
	for i, other := range all {
		if other == k {
			return append(all[:i:i], all[i+1:]...)
		}
	}
	return all
}

// follow tells edge routers what is news to them.
func (h *hub) follow() {
	for {
		t, ok := h.tracker.NextTell()
		if !ok {
			return
		}
		if k := h.edges[t.Edge]; k != nil {
			k.mail.orders.Put(func() { k.tell(t.News) })
		}
	}
}

// downlinkWay leads from the node of an address to the consumers behind an edge router. They count as this router's own.
type downlinkWay struct{ way }

var _ router.Outpost = (*downlinkWay)(nil)

// Outpost implements router.Outpost.
func (*downlinkWay) Outpost() {}

// Leads implements router.Way: what has come from there does not go back, but for what nobody wanted, which the edge router did not know.
func (w *downlinkWay) Leads(d router.Delivery) (cost int64, ok bool) {
	from, _ := d.Route.(*neighbor)
	return 0, from != w.neighbor || w.address.Phase() == addressing.Fallback && d.FallsBack()
}

// plainWay is one that the node sees as any consumer, as of a queue that is stored here.
type plainWay struct{ way *way }

// Deliver implements router.Consumer.
func (w plainWay) Deliver(r *router.Receiver, d router.Delivery) { w.way.Deliver(r, d) }
