package forwarding

import (
	"maps"
	"slices"

	"github.com/manifoldmq/manifold/router/network/internal/protocol"
	"github.com/manifoldmq/manifold/router/network/internal/topology"
)

// NextHops gives the neighbours through whom the consumers of an address are reached, each once and in order.
func (t *Table) NextHops(key protocol.Key) []string {
	d := t.remotes[key]
	if d == nil {
		return nil
	}
	return slices.Sorted(maps.Keys(d.through))
}

// NextHopsBy gives those of other routes.
func (t *Table) NextHopsBy(key protocol.Key, routes *topology.Routes) (next []string) {
	for _, host := range t.Hosts(key) {
		route, ok := routes.To(host)
		if at, there := slices.BinarySearch(next, route.NextHop); ok && !there {
			next = slices.Insert(next, at, route.NextHop)
		}
	}
	return next
}

// Way tells whether a message may go to consumers of key through a neighbour, and what it costs to the nearest of them. It
// is for whoever asks each neighbour, where [Table.Closest], [Table.Balanced] and [Table.Spread] ask for all of them.
func (t *Table) Way(key protocol.Key, neighbor string, m Message) (cost int64, ok bool) {
	d := t.remotes[key]
	if d == nil || m.passed(neighbor) {
		return 0, false
	}
	origin, known := m.origin(t.self)
	many := d.treatment == protocol.Multicast
	if !many {
		origin, known = t.originFor(m), true
	}
	anywhere := origin == t.self || !many && !t.settled
	for _, host := range d.through[neighbor] {
		if known && !m.passed(host.router) && (anywhere || t.origins.Valid(origin, host.router)) {
			return host.cost, true
		}
	}
	return 0, false
}
