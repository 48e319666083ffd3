package routing_test

import (
	"fmt"
	"slices"
	"strings"

	"github.com/manifoldmq/manifold/router/network/internal/topology"
)

// far is the distance of routers that do not reach each other.
const far = int64(1) << 40

// distances gives the true cost of the way from each router to each, by the algorithm of Floyd and Warshall, and with
// hops set the number of hops.
func (net *network) distances(hops bool) [][]int64 {
	n := len(net.routers)
	number := make(map[*router]int, n)
	d := make([][]int64, n)
	for i, r := range net.routers {
		number[r] = i
		d[i] = slices.Repeat([]int64{far}, n)
		d[i][i] = 0
	}
	for _, w := range net.wires {
		if w.works() {
			cost := w.cost
			if hops {
				cost = 1
			}
			a, b := number[w.ends[0]], number[w.ends[1]]
			d[a][b] = min(d[a][b], cost)
			d[b][a] = min(d[b][a], cost)
		}
	}
	for via := range n {
		for a := range n {
			if d[a][via] == far {
				continue
			}
			for b := range n {
				d[a][b] = min(d[a][b], d[a][via]+d[via][b])
			}
		}
	}
	return d
}

func (net *network) diameter() (most int64) {
	for _, row := range net.distances(true) {
		for _, d := range row {
			if d < far {
				most = max(most, d)
			}
		}
	}
	return most
}

// wrong says what is wrong with the tables, or nothing.
func (net *network) wrong() string {
	d, edges := net.distances(false), net.edges()
	truth := topology.NewGraph(edges)
	number := make(map[string]int, len(net.routers))
	for i, r := range net.routers {
		number[r.id] = i
	}
	for a, r := range net.routers {
		if r.node == nil {
			continue
		}
		routes, inReach := r.node.Routes(), 0
		for b, to := range net.routers {
			if a == b || d[a][b] == far {
				continue
			}
			inReach++
			route, ok := routes.To(to.id)
			if !ok || route.Cost != d[a][b] {
				return fmt.Sprintf("%s to %s: %+v %v, want cost %d", r.id, to.id, route, ok, d[a][b])
			}
			next := number[route.NextHop]
			if w := net.cheapest(r, net.routers[next]); w == nil || w.cost+d[next][b] != d[a][b] {
				return fmt.Sprintf("%s to %s: %s is not on the way", r.id, to.id, route.NextHop)
			}
		}
		if routes.Len() != inReach {
			return fmt.Sprintf("%s reaches %d routers, want %d", r.id, routes.Len(), inReach)
		}
		if why := net.wrongLinks(r, edges); why != "" {
			return why
		}
		if why := net.wrongHosts(r, d[a]); why != "" {
			return why
		}
		if why := wrongOrigins(r, truth.Routes(r.id)); why != "" {
			return why
		}
	}
	return ""
}

// edges gives the true link state of each router.
func (net *network) edges() map[string][]topology.Edge {
	edges := make(map[string][]topology.Edge, len(net.routers))
	for _, r := range net.routers {
		for _, w := range r.ends {
			to := w.ends[0]
			if to == r {
				to = w.ends[1]
			}
			if net.cheapest(r, to) == w {
				edges[r.id] = append(edges[r.id], topology.Edge{To: to.id, Cost: w.cost})
			}
		}
		slices.SortFunc(edges[r.id], func(a, b topology.Edge) int { return strings.Compare(a.To, b.To) })
	}
	return edges
}

// wrongLinks says what is wrong with what a router knows of the links of those that it reaches: the trees of others, which
// the valid origins follow, depend on them.
func (net *network) wrongLinks(r *router, edges map[string][]topology.Edge) string {
	for _, known := range r.node.Known() {
		if _, ok := r.node.Routes().To(known.Router); ok && !slices.Equal(known.Peers, edges[known.Router]) {
			return fmt.Sprintf("%s takes %v for the links of %s, want %v", r.id, known.Peers, known.Router, edges[known.Router])
		}
	}
	return ""
}

// wrongOrigins says what is wrong with the valid origins of a router. It may know of a link that its routes do not go by yet,
// and that changes the trees of others but none of its own ways.
func wrongOrigins(r *router, truth *topology.Routes) string {
	known, right := r.node.Routes().Origins(), truth.Origins()
	for to := range truth.All() {
		if got, want := known.Of(to.Router), right.Of(to.Router); !slices.Equal(got, want) {
			return fmt.Sprintf("%s passes on to %s what comes from %v, want %v", r.id, to.Router, got, want)
		}
	}
	return ""
}

// cheapest gives the cheapest wire from one router to another.
func (net *network) cheapest(a, b *router) (best *wire) {
	for _, w := range a.ends {
		if (w.ends[0] == b || w.ends[1] == b) && a != b && w.works() && (best == nil || w.before(best)) {
			best = w
		}
	}
	return best
}

// before orders wires: the cheaper first, of equals the older.
func (w *wire) before(other *wire) bool {
	return w.cost < other.cost || w.cost == other.cost && w.number < other.number
}

// wrongHosts says what is wrong with what a router knows of the addresses of those that it reaches.
func (net *network) wrongHosts(r *router, d []int64) string {
	for _, key := range pool {
		hosts := r.table.Hosts(key)
		for b, to := range net.routers {
			if to == r || d[b] == far {
				continue
			}
			_, known := slices.BinarySearch(hosts, to.id)
			if known != to.local[key] {
				return fmt.Sprintf("%s takes %s for a host of %s: %v", r.id, to.id, key, known)
			}
		}
	}
	return ""
}
