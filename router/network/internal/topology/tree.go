package topology

// nobody stands where a router has no predecessor, or no number.
const nobody = -1

// tree is the shortest ways from one root to every router in reach of it. Its slices go by number of the router.
type tree struct {
	parent []int   // the router before it on the way; nobody at the root and out of reach
	cost   []int64 // of the way
	hops   []int
	order  []int // the routers in reach in the order of cost, then id, the root first
}

// tree finds the shortest ways from a root.
func (g *Graph) tree(root int) tree { return new(search).tree(g, root) }

// search finds trees one after the other (Dijkstra's algorithm). Each takes the place of the one before.
type search struct {
	found    tree
	done     []bool
	frontier frontier
}

func (s *search) tree(g *Graph, root int) tree {
	s.begin(len(g.ids))
	t := &s.found
	for s.frontier.push(reached{root, 0}); len(s.frontier) > 0; {
		from := s.frontier.pop().router
		if s.done[from] {
			continue // it was reached at a lower cost meanwhile
		}
		s.done[from] = true
		t.order = append(t.order, from)
		for _, l := range g.links[from] {
			cost := t.cost[from] + l.cost
			if s.done[l.to] || t.parent[l.to] != nobody && t.cost[l.to] <= cost {
				continue
			}
			t.parent[l.to], t.cost[l.to], t.hops[l.to] = from, cost, t.hops[from]+1
			s.frontier.push(reached{l.to, cost})
		}
	}
	return *t
}

// begin makes room for n routers, none of them reached.
func (s *search) begin(n int) {
	if s.done == nil {
		s.done = make([]bool, n)
		s.found = tree{parent: make([]int, n), cost: make([]int64, n), hops: make([]int, n), order: make([]int, 0, n)}
	}
	clear(s.done)
	clear(s.found.cost)
	clear(s.found.hops)
	s.found.order = s.found.order[:0]
	for i := range s.found.parent {
		s.found.parent[i] = nobody
	}
}
