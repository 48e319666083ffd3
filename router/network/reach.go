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

// Reach knows where in the network consumers are and how to get there: a forwarding.Table for any goroutine. It tells which
// ways are needed, each from this router to one neighbour for one address.
type Reach struct {
	keys Keys

	mu      sync.RWMutex // guards everything below; a leaf but for what a follower locks
	table   *forwarding.Table
	ways    map[protocol.Key][]string      // by address the neighbours, in order
	filters addressing.Index[protocol.Key] // those of ways that are not for a single address, by their names
	follow  func(key protocol.Key, neighbor string, needed bool)
}

// NewReach gives one of a router that knows nobody.
func NewReach(keys Keys) *Reach {
	return &Reach{
		keys:  keys,
		table: forwarding.NewTable(keys.Self),
		ways:  make(map[protocol.Key][]string),
	}
}

// Follow has need be told which ways are needed, at once of those that are now. It is called with a lock held: it puts what
// it hears into a mailbox.
func (r *Reach) Follow(need func(key protocol.Key, neighbor string, needed bool)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.follow = need
	for key, neighbors := range r.ways {
		for _, neighbor := range neighbors {
			need(key, neighbor, true)
		}
	}
}

// Apply takes note of what the control plane has learnt.
func (r *Reach) Apply(c routing.Change) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if c.Kind == routing.Flushed {
		lost := slices.Collect(r.table.KeysOf(c.Router))
		r.table.Apply(c)
		for _, key := range lost {
			r.update(key)
		}
		return
	}
	if key, changed := r.table.Apply(c); changed {
		r.update(key)
	}
}

// Reroute puts new routes in the place of those known. It takes its time for a large network, so it is not for the goroutine
// of the control plane; what it is called with first is to be there first.
func (r *Reach) Reroute(routes *topology.Routes) {
	origins := routes.Origins()
	r.mu.Lock()
	defer r.mu.Unlock()
	r.table.Reroute(routes, origins)
	for key := range r.table.Keys() {
		r.update(key)
	}
}

// update tells of the ways of an address that are needed now and were not before, and the other way round.
func (r *Reach) update(key protocol.Key) {
	was, is := r.ways[key], r.table.NextHops(nil, key)
	if slices.Equal(was, is) {
		return
	}
	r.note(key, len(was) > 0, len(is) > 0)
	if len(is) > 0 {
		r.ways[key] = is
	} else {
		delete(r.ways, key)
	}
	if r.follow == nil {
		return
	}
	for _, neighbor := range was {
		if !slices.Contains(is, neighbor) {
			r.follow(key, neighbor, false)
		}
	}
	for _, neighbor := range is {
		if !slices.Contains(was, neighbor) {
			r.follow(key, neighbor, true)
		}
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
