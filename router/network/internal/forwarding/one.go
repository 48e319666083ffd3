package forwarding

// Load is what a consumer, or a neighbour, has to do.
type Load struct {
	Waiting int // messages that it has and has not settled, and those that wait for it
	Room    int // how many more it takes now: its credit
}

// Loads gives the load of a neighbour with messages of one address: Waiting counts those of the address, Room is that of
// the link.
type Loads func(neighbor string) Load

// Choice is where a message for one goes. The zero Choice is nowhere.
type Choice struct {
	Found    bool
	Neighbor string // the next hop; empty for a local consumer
	Local    int    // without Neighbor: the local consumer, by its place in the list
}

// candidate is a place where a message could go.
type candidate struct {
	choice Choice
	room   bool
	value  int64 // the lower the better
}

// best is the better one of two candidates: one with room goes before one without, then the value counts, then who came
// first.
func best(a, b candidate) candidate {
	switch {
	case !a.choice.Found:
		return b
	case !b.choice.Found, a.room && !b.room:
		return a
	case b.room && !a.room, b.value < a.value:
		return b
	default:
		return a
	}
}

// Closest chooses for a message that goes to a consumer of this router, or else to one at the lowest cost. local is the
// load of the consumers here. turn counts the choices for the address, so that those that are equal take turns.
func (t *Table) Closest(m Message, turn uint64, local []Load, neighbors Loads) Choice {
	var chosen candidate
	for i := range local {
		at := around(i, turn, len(local))
		chosen = best(chosen, candidate{Choice{Found: true, Local: at}, local[at].Room > 0, 0})
	}
	if chosen.room {
		return chosen.choice
	}
	hosts := t.Hosts(m.Key)
	for i := range hosts {
		route, ok := t.routes.To(hosts[around(i, turn, len(hosts))])
		if ok && !m.passed(route.Router) && !m.passed(route.NextHop) {
			room := neighbors(route.NextHop).Room > 0
			chosen = best(chosen, candidate{Choice{Found: true, Neighbor: route.NextHop}, room, route.Cost})
		}
	}
	return chosen.choice
}

// Balanced chooses for a message that goes where there is the least to do: for a consumer here that is what waits for it,
// for one elsewhere what waits on the way to it and what the way costs. turn is as for Closest.
func (t *Table) Balanced(m Message, turn uint64, local []Load, neighbors Loads) Choice {
	var chosen candidate
	for i := range local {
		at := around(i, turn, len(local))
		load := local[at]
		chosen = best(chosen, candidate{Choice{Found: true, Local: at}, load.Room > 0, int64(load.Waiting)})
	}
	origin := t.originFor(m)
	hosts := t.Hosts(m.Key)
	for i := range hosts {
		route, ok := t.routes.To(hosts[around(i, turn, len(hosts))])
		if !ok || m.passed(route.Router) || m.passed(route.NextHop) || !t.origins.Valid(origin, route.Router) {
			continue
		}
		load := neighbors(route.NextHop)
		choice := Choice{Found: true, Neighbor: route.NextHop}
		chosen = best(chosen, candidate{choice, load.Room > 0, int64(load.Waiting) + route.Cost})
	}
	return chosen.choice
}

// originFor gives the router where a message for one came in, or this one where nobody knows that router any more.
func (t *Table) originFor(m Message) string {
	origin, ok := m.origin(t.self)
	if _, known := t.routes.To(origin); !ok || !known {
		return t.self
	}
	return origin
}

// Toward chooses for a message, or a link, that goes to one router.
func (t *Table) Toward(router string, m Message) Choice {
	route, ok := t.routes.To(router)
	if !ok || m.passed(router) || m.passed(route.NextHop) {
		return Choice{}
	}
	return Choice{Found: true, Neighbor: route.NextHop}
}

// around gives the i-th of n places, beginning where it is the turn.
func around(i int, turn uint64, n int) int { return int((turn + uint64(i)) % uint64(n)) }
