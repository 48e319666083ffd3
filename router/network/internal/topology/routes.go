package topology

import "iter"

// Route is the way to one router.
type Route struct {
	Router  string
	NextHop string // the neighbour that it leads through: the router itself if that is one
	Cost    int64
	Hops    int
}

// Routes are the ways from one router to all others in its reach. The zero Routes lead nowhere.
type Routes struct {
	graph *Graph
	self  int
	tree  tree
	next  []int // by number: the first router on the way to it
}

// Routes finds the ways from a router. One that is not in the graph reaches nobody.
func (g *Graph) Routes(self string) *Routes {
	number, ok := g.index[self]
	if !ok {
		return &Routes{}
	}
	r := &Routes{graph: g, self: number, tree: g.tree(number), next: make([]int, len(g.ids))}
	for _, router := range r.tree.order[1:] {
		r.next[router] = router
		if parent := r.tree.parent[router]; parent != number {
			r.next[router] = r.next[parent]
		}
	}
	return r
}

// To gives the way to a router; ok is false for one out of reach, and for the one that the routes start from.
func (r *Routes) To(router string) (route Route, ok bool) {
	if r.graph == nil {
		return Route{}, false
	}
	number, ok := r.graph.index[router]
	if !ok || r.tree.parent[number] == nobody {
		return Route{}, false
	}
	return r.route(number), true
}

// All yields the ways in the order of their cost, those that cost the same in the order of the ids.
func (r *Routes) All() iter.Seq[Route] {
	return func(yield func(Route) bool) {
		if r.graph == nil {
			return
		}
		for _, number := range r.tree.order[1:] {
			if !yield(r.route(number)) {
				return
			}
		}
	}
}

// Len gives the number of routers in reach, without the one that the routes start from.
func (r *Routes) Len() int { return max(0, len(r.tree.order)-1) }

// Radius gives the number of hops to the router that is the most hops away.
func (r *Routes) Radius() int {
	radius := 0
	for route := range r.All() {
		radius = max(radius, route.Hops)
	}
	return radius
}

func (r *Routes) route(number int) Route {
	return Route{
		Router:  r.graph.ids[number],
		NextHop: r.graph.ids[r.next[number]],
		Cost:    r.tree.cost[number],
		Hops:    r.tree.hops[number],
	}
}
