package forwarding

import (
	"slices"

	"github.com/manifoldmq/manifold/router/network/internal/protocol"
)

// NextHops appends the neighbours through whom the consumers of an address are reached, each once and in order, to next.
func (t *Table) NextHops(next []string, key protocol.Key) []string {
	start := len(next)
	for _, host := range t.Hosts(key) {
		route, ok := t.routes.To(host)
		if !ok {
			continue
		}
		if at, there := slices.BinarySearch(next[start:], route.NextHop); !there {
			next = slices.Insert(next, start+at, route.NextHop)
		}
	}
	return next
}

// Way tells whether a message may go to consumers of key through a neighbour, and what it costs to the nearest of them. It
// is for whoever asks each neighbour, where [Table.Closest], [Table.Balanced] and [Table.Spread] ask for all of them.
func (t *Table) Way(key protocol.Key, neighbor string, m Message) (cost int64, ok bool) {
	if m.passed(neighbor) {
		return 0, false
	}
	origin, known := m.origin(t.self)
	if t.Hint(key) != protocol.Multicast {
		origin, known = t.originFor(m), true
	}
	for _, host := range t.Hosts(key) {
		route, reached := t.routes.To(host)
		if !known || !reached || route.NextHop != neighbor || m.passed(host) || !t.origins.Valid(origin, host) {
			continue
		}
		if !ok || route.Cost < cost {
			cost, ok = route.Cost, true
		}
	}
	return cost, ok
}
