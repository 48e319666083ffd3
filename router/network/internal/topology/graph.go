package topology

import "slices"

// Edge is a link as the router at one end reports it.
type Edge struct {
	To   string
	Cost int64 // at least 1
}

// Graph is the network: its routers and the links that each reported.
type Graph struct {
	ids   []string // in order, so that the order of numbers is the order of ids
	index map[string]int
	links [][]link // by number of the router that reported them
}

// link is an Edge by number.
type link struct {
	to   int
	cost int64
}

// NewGraph makes a graph of the links that each router reported. A router that is only somebody's neighbour is part of
// it too. The costs must be at least 1. reported is not kept.
func NewGraph(reported map[string][]Edge) *Graph {
	g := &Graph{index: make(map[string]int, len(reported))}
	for id := range reported {
		g.number(id)
	}
	for id, edges := range reported {
		links := make([]link, len(edges))
		for i, e := range edges {
			links[i] = link{g.number(e.To), e.Cost}
		}
		g.links[g.index[id]] = links
	}
	g.sort()
	return g
}

// number gives the number of a router, a new one if it has none.
func (g *Graph) number(id string) int {
	number, ok := g.index[id]
	if !ok {
		number = len(g.ids)
		g.index[id] = number
		g.ids = append(g.ids, id)
		g.links = append(g.links, nil)
	}
	return number
}

// sort numbers the routers anew, in the order of their ids.
func (g *Graph) sort() {
	ids := slices.Sorted(slices.Values(g.ids))
	fresh := make([]int, len(ids)) // by old number
	links := make([][]link, len(ids))
	for number, id := range ids {
		old := g.index[id]
		fresh[old], links[number] = number, g.links[old]
		g.index[id] = number
	}
	for _, from := range links {
		for i := range from {
			from[i].to = fresh[from[i].to]
		}
	}
	g.ids, g.links = ids, links
}

// Len gives the number of routers.
func (g *Graph) Len() int { return len(g.ids) }
