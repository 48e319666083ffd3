package edge

import (
	"maps"
	"slices"

	"github.com/manifoldmq/manifold/router/network/internal/outputs"
	"github.com/manifoldmq/manifold/router/network/internal/protocol"
)

// EdgeID names a connection from an edge router. Its owner chooses it, and never twice.
type EdgeID uint64

// Tell is news for an edge router.
type Tell struct {
	Edge EdgeID
	News News
}

// Tracker is what an interior router knows of the addresses that its edge routers use.
type Tracker struct {
	places map[protocol.Key]*place
	edges  map[EdgeID]map[protocol.Key]*interest
	tells  outputs.Queue[Tell]
}

// place is an address.
type place struct {
	clients   int  // of this router's own that consume from it
	reachable bool // there are consumers at other routers
	receives  int  // links of all edge routers to receive from it
	edges     map[EdgeID]*interest
}

// interest is the links that an edge router has for an address.
type interest struct {
	receives, sends int
	told            bool // that there are consumers
}

// NewTracker gives a tracker that knows nothing.
func NewTracker() *Tracker {
	return &Tracker{places: make(map[protocol.Key]*place), edges: make(map[EdgeID]map[protocol.Key]*interest)}
}

// NextTell takes the next news to send; ok is false when there is none. That for one edge router is sent in this order.
func (t *Tracker) NextTell() (n Tell, ok bool) { return t.tells.Next() }

// Consumers says how many consumers an address has at this router, without its edge routers.
func (t *Tracker) Consumers(key protocol.Key, n int) {
	t.change(key, func(p *place) { p.clients = n })
}

// Reachable says whether an address has consumers at other routers.
func (t *Tracker) Reachable(key protocol.Key, yes bool) {
	t.change(key, func(p *place) { p.reachable = yes })
}

// Attached says that an edge router has attached a link for an address.
func (t *Tracker) Attached(edge EdgeID, key protocol.Key, d Direction) {
	t.change(key, func(p *place) {
		i := p.edges[edge]
		if i == nil {
			i = &interest{}
			p.note(edge, i)
			t.note(edge, key, i)
		}
		p.count(i, d, 1)
	})
}

// Detached says that an edge router has ended such a link.
func (t *Tracker) Detached(edge EdgeID, key protocol.Key, d Direction) {
	t.change(key, func(p *place) {
		i := p.edges[edge]
		if i == nil {
			return
		}
		p.count(i, d, -1)
		if i.sends == 0 {
			i.told = false
		}
		if i.receives+i.sends == 0 {
			delete(p.edges, edge)
			t.forget(edge, key)
		}
	})
}

// Gone says that the connection of an edge router is no more.
func (t *Tracker) Gone(edge EdgeID) {
	for key := range t.edges[edge] {
		t.change(key, func(p *place) {
			p.receives -= p.edges[edge].receives
			delete(p.edges, edge)
		})
	}
	delete(t.edges, edge)
}

// change changes what is known of an address, and tells whom it concerns.
func (t *Tracker) change(key protocol.Key, by func(*place)) {
	p := t.places[key]
	if p == nil {
		p = &place{}
		t.places[key] = p
	}
	by(p)
	for _, edge := range slices.Sorted(maps.Keys(p.edges)) {
		if i := p.edges[edge]; i.sends > 0 && i.told != p.leadsFrom(i) {
			i.told = !i.told
			t.tells.Put(Tell{Edge: edge, News: News{Key: key, Reachable: i.told}})
		}
	}
	if p.clients == 0 && !p.reachable && len(p.edges) == 0 {
		delete(t.places, key)
	}
}

// leadsFrom tells whether there are consumers other than those of an edge router.
func (p *place) leadsFrom(i *interest) bool {
	return p.reachable || p.clients > 0 || p.receives > i.receives
}

func (p *place) note(edge EdgeID, i *interest) {
	if p.edges == nil {
		p.edges = make(map[EdgeID]*interest)
	}
	p.edges[edge] = i
}

func (t *Tracker) note(edge EdgeID, key protocol.Key, i *interest) {
	if t.edges[edge] == nil {
		t.edges[edge] = make(map[protocol.Key]*interest)
	}
	t.edges[edge][key] = i
}

func (t *Tracker) forget(edge EdgeID, key protocol.Key) {
	delete(t.edges[edge], key)
	if len(t.edges[edge]) == 0 {
		delete(t.edges, edge)
	}
}

// count counts a link of an edge router, or one less.
func (p *place) count(i *interest, d Direction, n int) {
	switch {
	case d == Send:
		i.sends = max(i.sends+n, 0)
	case i.receives+n >= 0:
		i.receives += n
		p.receives += n
	}
}
