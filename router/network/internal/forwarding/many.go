package forwarding

import "slices"

// Repeated tells whether a message for many is to be dropped as a copy of one that comes, or came, from another neighbour.
// Each router takes it from one neighbour only: who is before it in the tree of the origin, or the origin itself while its
// tree is not known. So nobody gets two copies, also while the routers disagree. Routers of Qpid Dispatch 1.19 make
// such copies where the network has circles: they send on to all who did not pass the message.
func (t *Table) Repeated(m Message) bool {
	if m.From == "" {
		return false
	}
	origin, ok := m.origin(t.self)
	if !ok || origin == t.self {
		return true
	}
	before, known := t.origins.Before(origin)
	if !known {
		before = origin
	}
	return before != m.From
}

// Spread appends the neighbours to whom a message for many goes on, each once, to next.
func (t *Table) Spread(next []string, m Message) []string {
	origin, ok := m.origin(t.self)
	if !ok {
		return next
	}
	start := len(next)
	for _, host := range t.Hosts(m.Key) {
		if !t.origins.Valid(origin, host) {
			continue
		}
		route, ok := t.routes.To(host)
		if ok && !m.passed(route.NextHop) && !slices.Contains(next[start:], route.NextHop) {
			next = append(next, route.NextHop)
		}
	}
	return next
}
