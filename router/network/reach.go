package network

import (
	"slices"
	"sync"

	"github.com/manifoldmq/manifold/addressing"
	"github.com/manifoldmq/manifold/router/network/internal/forwarding"
	"github.com/manifoldmq/manifold/router/network/internal/protocol"
	"github.com/manifoldmq/manifold/router/network/internal/routing"
	"github.com/manifoldmq/manifold/router/network/internal/topology"
)

// Reach knows where in the network consumers are and how to get there: a forwarding.Table for any goroutine. It has the ways
// be there that are needed, each from this router to one neighbour for one address.
//
// What one goroutine, that of a Mesh, tells it has been done when Apply, Reroute or Settle returns: there are the ways, and then
// they lead. Where messages take another way the new one is there before the old one is given up. All of that goes piece by
// piece, so that messages do not wait while it does.
type Reach struct {
	keys   Keys
	warden warden

	mu      sync.RWMutex // guards everything below, which the goroutine of the mesh alone changes; a leaf
	table   *forwarding.Table
	ways    map[protocol.Key][]string      // by address the neighbours, in order
	filters addressing.Index[protocol.Key] // those of ways that are not for a single address, by their names
}

// warden has the ways be there that Reach needs.
type warden interface {
	open(wayKey)  // it is to be there, if it is not yet, and messages go by it later
	leads(wayKey) // messages go by it, for the first time or for more consumers
	close(wayKey) // it is not needed any more
}

// piece is for how many addresses at a time Reach changes.
const piece = 256

// NewReach gives one of a router that knows nobody.
func NewReach(keys Keys) *Reach {
	return &Reach{
		keys:  keys,
		table: forwarding.NewTable(keys.Self),
		ways:  make(map[protocol.Key][]string),
	}
}

// Apply takes note of what the control plane has learnt.
func (r *Reach) Apply(c routing.Change) {
	var keys []protocol.Key
	switch c.Kind {
	case routing.Added, routing.Removed:
		keys = append(keys, c.Address.Key)
	case routing.Flushed:
		c.Kind, keys = routing.Removed, slices.Collect(r.table.KeysOf(c.Router))
	}
	for some := range slices.Chunk(keys, piece) {
		r.change(some, r.table.NextHops, func(key protocol.Key) {
			c.Address.Key = key
			r.table.Apply(c)
		})
	}
}

// Reroute puts new routes in the place of those known. Which of them a message may take that has come from another router is
// only known with Settle: until then it is one that it has not passed.
func (r *Reach) Reroute(routes *topology.Routes) {
	next := func(key protocol.Key) []string { return r.table.NextHopsBy(key, routes) }
	for some := range slices.Chunk(r.table.Moved(routes), piece) {
		for _, key := range some {
			r.open(key, r.ways[key], next(key))
		}
		r.change(some, next, func(key protocol.Key) { r.table.Redirect(key, routes) })
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.table.Follow(routes)
}

// Settle puts new origins in the place of those known. It may be called from any goroutine.
func (r *Reach) Settle(origins *topology.Origins) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.table.Settle(origins)
}

// open has the ways of an address be there that were not before.
func (r *Reach) open(key protocol.Key, before, next []string) {
	for _, neighbor := range next {
		if !slices.Contains(before, neighbor) {
			r.warden.open(wayKey{key, neighbor})
		}
	}
}

// change changes what is known of some addresses, and has exactly those ways be there that lead to what next then gives.
func (r *Reach) change(keys []protocol.Key, next func(protocol.Key) []string, apply func(protocol.Key)) {
	before := make([][]string, len(keys))
	r.mu.Lock()
	for i, key := range keys {
		apply(key)
		before[i] = r.ways[key]
		r.lead(key, next(key))
	}
	r.mu.Unlock()
	for i, key := range keys {
		r.open(key, before[i], r.ways[key])
		for _, neighbor := range r.ways[key] {
			r.warden.leads(wayKey{key, neighbor})
		}
		for _, neighbor := range before[i] {
			if !slices.Contains(r.ways[key], neighbor) {
				r.warden.close(wayKey{key, neighbor})
			}
		}
	}
}

// lead notes through which neighbours the ways of an address lead.
func (r *Reach) lead(key protocol.Key, next []string) {
	r.note(key, len(r.ways[key]) > 0, len(next) > 0)
	if len(next) > 0 {
		r.ways[key] = next
	} else {
		delete(r.ways, key)
	}
}

// note enters the key of a filter, when its first way comes, and takes it out after the last.
func (r *Reach) note(key protocol.Key, was, is bool) {
	_, f, _, ok := r.keys.Split(key)
	if _, literal := f.Literal(); !ok || literal || was == is {
		return
	}
	if is {
		r.filters.Add(f, key)
	} else {
		r.filters.Remove(f, key)
	}
}

// Leads tells whether a way leads on for a message to the address to, and at what cost; m is what is known of one that came
// from another router, nil otherwise. to is key, but for the way of a filter. Where several ways to one neighbour fit the
// address only one leads, so that nobody there gets two copies: the one of that very address, or the first.
func (r *Reach) Leads(key protocol.Key, neighbor string, to protocol.Key, m *forwarding.Message) (cost int64, ok bool) {
	var local forwarding.Message
	if m == nil {
		m = &local
	}
	r.mu.RLock()
	defer r.mu.RUnlock()
	cost, ok = r.table.Way(key, neighbor, *m)
	if ok && key != to && r.rivalled(key, neighbor, to, *m) {
		return 0, false
	}
	return cost, ok
}

// rivalled tells whether another way goes before that of a filter.
func (r *Reach) rivalled(key protocol.Key, neighbor string, to protocol.Key, m forwarding.Message) bool {
	if _, ok := r.table.Way(to, neighbor, m); ok {
		return true
	}
	tenant, f, phase, _ := r.keys.Split(to)
	a, _ := f.Literal()
	for _, other := range r.filters.Match(a, nil) {
		owner, _, at, _ := r.keys.Split(other)
		if other >= key || owner != tenant || at != phase {
			continue
		}
		if _, ok := r.table.Way(other, neighbor, m); ok {
			return true
		}
	}
	return false
}

// Repeated tells whether a message for many is a copy of one that comes from another neighbour.
func (r *Reach) Repeated(m forwarding.Message) bool {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return r.table.Repeated(m)
}

// Toward gives the neighbour to whom a message goes that is for one router. m is as for Leads.
func (r *Reach) Toward(router string, m *forwarding.Message) (neighbor string, ok bool) {
	var local forwarding.Message
	if m == nil {
		m = &local
	}
	r.mu.RLock()
	defer r.mu.RUnlock()
	c := r.table.Toward(router, *m)
	return c.Neighbor, c.Found
}

// Hint gives the treatment that another router told for an address, Unknown if none did.
func (r *Reach) Hint(key protocol.Key) protocol.Treatment {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return r.table.Hint(key)
}

// Hosts lists the routers that have consumers of an address.
func (r *Reach) Hosts(key protocol.Key) []string {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return slices.Clone(r.table.Hosts(key))
}
