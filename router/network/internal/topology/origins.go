package topology

// Origins tell for which messages a router lies on the way: those that came into the network at an origin and go to a
// destination, when the shortest way between the two leads through it.
//
// A broadcast follows the tree of its origin. A router passes it on towards a destination only if the origin is valid
// for it, and so each router gets it once, although the links form circles.
type Origins struct {
	routes *Routes
	valid  []bits // by number of the destination: the origins
	before []int  // by number of the origin: who comes before this router in its tree
}

// Origins finds the valid origins of the router that the routes start from. It computes the tree of each router in
// reach, so it takes as many times longer than [Graph.Routes] as there are routers.
func (r *Routes) Origins() *Origins {
	if r.graph == nil {
		return &Origins{routes: r}
	}
	n := r.graph.Len()
	o := &Origins{routes: r, valid: make([]bits, n), before: make([]int, n)}
	words := bits(make([]uint64, n*wordsFor(n)))
	for i := range n {
		o.valid[i], words = words[:wordsFor(n)], words[wordsFor(n):]
		o.before[i] = nobody
	}
	through := make([]bool, n)
	var search search
	for _, origin := range r.tree.order[1:] {
		t := search.tree(r.graph, origin)
		o.before[origin] = t.parent[r.self]
		clear(through)
		for _, router := range t.order[1:] { // a parent comes before its children
			parent := t.parent[router]
			through[router] = parent == r.self || through[parent]
			if through[router] {
				o.valid[router].set(origin)
			}
		}
	}
	return o
}

// Routes gives those that they are found from.
func (o *Origins) Routes() *Routes { return o.routes }

// Valid tells whether what came into the network at origin and goes to destination leads through this router. For its
// own messages each destination in reach is valid.
func (o *Origins) Valid(origin, destination string) bool {
	from, to, ok := o.numbers(origin, destination)
	switch {
	case !ok || o.routes.tree.parent[to] == nobody:
		return false
	case from == o.routes.self:
		return true
	default:
		return o.valid[to].has(from)
	}
}

// Before gives the neighbour from whom this router gets what came into the network at origin and is for many; ok is
// false if none is expected. The same from somebody else is a copy: routers that spread without regard to origins make
// such.
func (o *Origins) Before(origin string) (neighbour string, ok bool) {
	number, _, ok := o.numbers(origin, origin)
	if !ok || o.before[number] == nobody {
		return "", false
	}
	return o.routes.graph.ids[o.before[number]], true
}

// Of lists the valid origins for a destination, in the order of their ids, without the router itself.
func (o *Origins) Of(destination string) []string {
	var origins []string
	if o.routes.graph == nil {
		return nil
	}
	for _, origin := range o.routes.graph.ids {
		if from, to, ok := o.numbers(origin, destination); ok && from != o.routes.self && o.valid[to].has(from) {
			origins = append(origins, origin)
		}
	}
	return origins
}

func (o *Origins) numbers(origin, destination string) (from, to int, ok bool) {
	if o.routes.graph == nil {
		return 0, 0, false
	}
	from, known := o.routes.graph.index[origin]
	to, ok = o.routes.graph.index[destination]
	return from, to, known && ok
}

// bits is a set of small numbers.
type bits []uint64

func wordsFor(n int) int { return (n + 63) / 64 }

func (b bits) set(i int)      { b[i/64] |= 1 << (i % 64) }
func (b bits) has(i int) bool { return b[i/64]&(1<<(i%64)) != 0 }
