package routing_test

import (
	"slices"

	"github.com/manifoldmq/manifold/router/network/internal/forwarding"
	"github.com/manifoldmq/manifold/router/network/internal/protocol"
)

// walk is a message for many on its way through the tables as they are now.
type walk struct {
	net      *network
	key      protocol.Key
	got      map[string]int // copies for the consumers at each router
	repeated int            // copies that a router found to be such
}

func (net *network) broadcast(from *router, key protocol.Key) *walk {
	w := &walk{net: net, key: key, got: make(map[string]int)}
	w.arrive(from, forwarding.Message{Key: key})
	return w
}

func (w *walk) arrive(at *router, m forwarding.Message) {
	table := at.tables()
	if table.Repeated(m) {
		w.repeated++
		return
	}
	if at.local[w.key] {
		w.got[at.id]++
	}
	onward := forwarding.Message{Key: m.Key, From: at.id, Annotations: m.Annotations.Through(at.id)}
	for _, next := range table.Spread(nil, m) {
		if neighbor := w.net.router(next); w.net.cheapest(at, neighbor) != nil {
			w.arrive(neighbor, onward)
		}
	}
}

// checkMany sends messages for many, when all have converged: each consumer in reach gets one copy, and no router one too
// many.
func (net *network) checkMany(r *result) {
	d := net.distances(false)
	for range min(40, 2*len(net.routers)) {
		a, key := net.random.IntN(len(net.routers)), pool[net.random.IntN(len(pool))]
		from := net.routers[a]
		if from.node == nil {
			continue
		}
		w := net.broadcast(from, key)
		r.broadcasts++
		for b, to := range net.routers {
			want := 0
			if to.node != nil && d[a][b] < far && to.local[key] {
				want = 1
			}
			r.copies += want
			if w.got[to.id] != want {
				net.t.Errorf("%s at %s, from %s: %d copies, want %d", key, to.id, from.id, w.got[to.id], want)
			}
		}
		if w.repeated > 0 {
			net.t.Errorf("%s from %s: %d copies too many", key, from.id, w.repeated)
		}
	}
}

// checkUnderway sends messages while the routers disagree: they may be lost, but they do not go round in circles, and of
// one for many nobody gets two copies.
func (net *network) checkUnderway() {
	from, key := net.routers[net.random.IntN(len(net.routers))], pool[net.random.IntN(len(pool))]
	if from.node == nil {
		return
	}
	for id, copies := range net.broadcast(from, key).got {
		if copies > 1 {
			net.t.Errorf("underway: %s at %s, from %s: %d copies", key, id, from.id, copies)
		}
	}
	net.one(from, key, (*forwarding.Table).Closest)
	net.one(from, key, (*forwarding.Table).Balanced)
}

// choose is how a message for one finds its way.
type choose func(*forwarding.Table, forwarding.Message, uint64, []forwarding.Load, forwarding.Loads) forwarding.Choice

// one sends a message for one, and gives the way that it takes and whether it arrived.
func (net *network) one(from *router, key protocol.Key, choose choose) (way []string, arrived bool) {
	at, m := from, forwarding.Message{Key: key}
	free := func(string) forwarding.Load { return forwarding.Load{Room: 1} }
	for {
		if slices.Contains(way, at.id) {
			net.t.Errorf("%s from %s goes round: %v, %s", key, from.id, way, at.id)
			return way, false
		}
		way = append(way, at.id)
		var local []forwarding.Load
		if at.local[key] {
			local = []forwarding.Load{{Room: 1}}
		}
		choice := choose(at.tables(), m, net.random.Uint64(), local, free)
		if choice.Neighbor == "" {
			return way, choice.Found
		}
		m = forwarding.Message{Key: key, From: at.id, Annotations: m.Annotations.Through(at.id)}
		next := net.router(choice.Neighbor)
		if net.cheapest(at, next) == nil {
			return way, false
		}
		at = next
	}
}

// checkOnes sends messages for one, when all have converged: they arrive where a consumer is in reach, those for the
// nearest consumer at the lowest cost.
func (net *network) checkOnes(r *result) {
	d := net.distances(false)
	for range min(60, 3*len(net.routers)) {
		a, key := net.random.IntN(len(net.routers)), pool[net.random.IntN(len(pool))]
		from := net.routers[a]
		if from.node == nil {
			continue
		}
		nearest := far
		for b, to := range net.routers {
			if to.node != nil && to.local[key] {
				nearest = min(nearest, d[a][b])
			}
		}
		way, arrived := net.one(from, key, (*forwarding.Table).Closest)
		if _, balanced := net.one(from, key, (*forwarding.Table).Balanced); arrived != (nearest < far) || balanced != arrived {
			net.t.Errorf("%s from %s: closest %v, balanced %v, nearest %d", key, from.id, arrived, balanced, nearest)
			continue
		}
		if !arrived {
			continue
		}
		r.ones++
		last := slices.IndexFunc(net.routers, func(r *router) bool { return r.id == way[len(way)-1] })
		if d[a][last] != nearest {
			net.t.Errorf("%s from %s: went %v at cost %d, want %d", key, from.id, way, d[a][last], nearest)
		}
	}
}
