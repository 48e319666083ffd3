package network

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/manifoldmq/manifold/addressing"
	"github.com/manifoldmq/manifold/router/network/internal/protocol"
	"github.com/manifoldmq/manifold/router/transport/passage"
)

// linkRoutes is what is known of link routes: those that are declared, the containers that they lead to, and those that other
// routers have told.
type linkRoutes struct {
	network *Network
	routed  passage.List // the links that lead on

	mu         sync.Mutex   // guards everything below; ordered before that of Tables, and mailboxes
	declared   []*linkRoute // in their order
	containers []*container
	callers    map[uint64]*caller        // who have link routes of their own, by the numbers of their connections
	told       map[protocol.Key][]string // by other routers
	announced  map[protocol.Key]bool     // to other routers
	roads      []*road                   // the most specific first
}

// linkRoute is a declared link route.
type linkRoute struct {
	LinkRoute
	number uint64
	filter addressing.Filter
}

// container is somebody with an open connection, to whom links may lead.
type container struct {
	name   string // of the connector, or listener
	tenant string // whose links may lead there; empty for all, as where we have connected
	id     string // what the container calls itself
	desk   *passage.Desk
	router bool // it is a router, for which addresses are written as routers write them
}

// road is what leads to one set of addresses.
type road struct {
	roadKey
	filter  addressing.Filter
	key     protocol.Key
	here    []exit   // of this router, in turn
	turn    int      // who is next
	routers []string // that have others
}

// roadKey tells roads apart.
type roadKey struct {
	tenant    string
	pattern   string
	direction Direction
}

// exit is a container with how an address is written for it.
type exit struct {
	container *container
	add, del  string
}

func (r *linkRoutes) init(n *Network) {
	r.network, r.callers, r.told = n, make(map[uint64]*caller), make(map[protocol.Key][]string)
}

// join adds a container, and leave takes it away.
func (r *linkRoutes) join(c *container) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.containers = append(r.containers, c)
	r.update()
}

func (r *linkRoutes) leave(c *container) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.containers = slices.DeleteFunc(r.containers, func(other *container) bool { return other == c })
	r.update()
}

// containersOf gives the containers of a route.
func (r *linkRoutes) containersOf(l *linkRoute) (all []*container) {
	for _, c := range r.containers {
		if c.tenant != "" && c.tenant != l.Tenant {
			continue
		}
		if l.Connector != "" && l.Connector == c.name || l.Container != "" && l.Container == c.id {
			all = append(all, c)
		}
	}
	return all
}

// update builds the roads anew, and tells the other routers what is different.
func (r *linkRoutes) update() {
	turns := make(map[roadKey]int, len(r.roads))
	for _, old := range r.roads {
		turns[old.roadKey] = old.turn
	}
	roads := make(map[roadKey]*road)
	for _, l := range r.declared {
		at := roadAt(roads, roadKey{l.Tenant, settled(l.Pattern), l.Direction}, l.filter)
		for _, c := range r.containersOf(l) {
			at.here = append(at.here, exit{c, l.AddPrefix, l.DelPrefix})
		}
	}
	for _, number := range slices.Sorted(maps.Keys(r.callers)) {
		for _, o := range r.callers[number].routes {
			at := roadAt(roads, o.road, o.filter)
			at.here = append(at.here, exit{container: r.callers[number].container})
		}
	}
	for key, routers := range r.told {
		if k, f, ok := r.roadOf(key); ok {
			roadAt(roads, k, f).routers = routers
		}
	}
	for k, at := range roads {
		at.turn = turns[k]
	}
	r.roads = slices.SortedFunc(maps.Values(roads), func(a, b *road) int { return bySpecificity(a.pattern, b.pattern) })
	r.announce()
}

// roadAt gives the road of a key.
func roadAt(roads map[roadKey]*road, k roadKey, f addressing.Filter) *road {
	at := roads[k]
	if at == nil {
		at = &road{roadKey: k, filter: f, key: k.key()}
		roads[k] = at
	}
	return at
}

// find gives the road of an address; nil if there is none.
func (r *linkRoutes) find(tenant, address string, d Direction) *road {
	for _, at := range r.roads {
		if at.tenant == tenant && at.direction == d && at.filter.Matches(addressing.Address(address)) {
			return at
		}
	}
	return nil
}

// next gives the way that a link takes along a road, and whether that leads on to another router. Containers that are
// connected to this one come first.
func (r *linkRoutes) next(at *road, from *passage.Desk) (way passage.Way, onward, ok bool) {
	for range at.here {
		x := at.here[at.turn%len(at.here)]
		at.turn++
		if x.container.desk != from {
			return passage.Way{Desk: x.container.desk, Remove: x.del, Add: x.add, List: &r.routed}, x.container.router, true
		}
	}
	for range at.routers {
		router := at.routers[at.turn%len(at.routers)]
		at.turn++
		if desk := r.toward(router); desk != nil && desk != from {
			return passage.Way{Desk: desk, List: &r.routed}, true, true
		}
	}
	if desk := r.up(); desk != nil && desk != from { // where somebody may know more
		return passage.Way{Desk: desk, List: &r.routed}, true, true
	}
	return way, false, false
}

// bySpecificity compares two patterns: where they differ first, what is written comes before "*", and that before "#".
func bySpecificity(a, b string) int {
	open := false // "#" came before
	rank := func(token string, more bool) int {
		switch {
		case !more && open:
			return 3 // and so anything may follow
		case !more:
			return -1
		case token == "#":
			return 2
		case token == "*":
			return 1
		default:
			return 0
		}
	}
	restA, restB := strings.ReplaceAll(a, "/", "."), strings.ReplaceAll(b, "/", ".")
	for restA != "" || restB != "" {
		var x, y string
		moreA, moreB := restA != "", restB != ""
		x, restA, _ = strings.Cut(restA, ".")
		y, restB, _ = strings.Cut(restB, ".")
		if c := cmp.Compare(rank(x, moreA), rank(y, moreB)); c != 0 {
			return c
		}
		open = x == "#"
	}
	return strings.Compare(a, b)
}
