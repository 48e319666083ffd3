package forwarding

import (
	"cmp"
	"iter"
	"maps"
	"slices"
	"strings"

	"github.com/manifoldmq/manifold/router/network/internal/protocol"
	"github.com/manifoldmq/manifold/router/network/internal/routing"
	"github.com/manifoldmq/manifold/router/network/internal/topology"
)

// Table knows which routers have consumers of which addresses, and the ways to them.
type Table struct {
	self    string
	routes  *topology.Routes
	origins *topology.Origins
	settled bool // the origins are those of the routes
	remotes map[protocol.Key]*destination
	byHost  map[string]map[protocol.Key]bool
}

// destination is an address with consumers at other routers.
type destination struct {
	treatment protocol.Treatment // as the first router that told of it has it
	hosts     []string           // routers, in order
	through   map[string][]place // those in reach by their next hops, the nearest first
}

// place is a router with consumers of an address, and what the way there costs.
type place struct {
	router string
	cost   int64
}

// NewTable gives the table of the router self, who knows nobody yet.
func NewTable(self string) *Table {
	routes := &topology.Routes{}
	return &Table{
		self:    self,
		routes:  routes,
		origins: routes.Origins(),
		settled: true,
		remotes: make(map[protocol.Key]*destination),
		byHost:  make(map[string]map[protocol.Key]bool),
	}
}

// Moved gives the addresses for which other routes make a difference, in order.
func (t *Table) Moved(routes *topology.Routes) []protocol.Key {
	var moved []protocol.Key
	for host, keys := range t.byHost {
		was, inReach := t.routes.To(host)
		is, ok := routes.To(host)
		if inReach != ok || was.NextHop != is.NextHop || was.Cost != is.Cost {
			moved = slices.AppendSeq(moved, maps.Keys(keys))
		}
	}
	slices.Sort(moved)
	return slices.Compact(moved)
}

// Redirect has the ways to an address be those of other routes, which are the table's next.
func (t *Table) Redirect(key protocol.Key, routes *topology.Routes) {
	if d := t.remotes[key]; d != nil {
		d.redirect(routes)
	}
}

// Follow puts new routes in the place of those known. What they have Moved has been redirected before. Until their origins
// are known, a message for one goes on wherever it has not passed.
func (t *Table) Follow(routes *topology.Routes) {
	t.routes = routes
	t.settled = false
}

// Settle puts new origins in the place of those known.
func (t *Table) Settle(origins *topology.Origins) {
	t.origins = origins
	t.settled = origins.Routes() == t.routes
}

// Reroute does all of that at once.
func (t *Table) Reroute(routes *topology.Routes, origins *topology.Origins) {
	for _, key := range t.Moved(routes) {
		t.Redirect(key, routes)
	}
	t.Follow(routes)
	t.Settle(origins)
}

// redirect finds the places of all hosts.
func (d *destination) redirect(routes *topology.Routes) {
	clear(d.through)
	for _, host := range d.hosts {
		if route, ok := routes.To(host); ok {
			d.through[route.NextHop] = append(d.through[route.NextHop], place{host, route.Cost})
		}
	}
	for _, places := range d.through {
		slices.SortFunc(places, nearest)
	}
}

// nearest is the order of places behind a next hop.
func nearest(a, b place) int {
	return cmp.Or(cmp.Compare(a.cost, b.cost), strings.Compare(a.router, b.router))
}

// come notes that there are consumers at a host in reach.
func (d *destination) come(route topology.Route) {
	places, p := d.through[route.NextHop], place{route.Router, route.Cost}
	if at, there := slices.BinarySearchFunc(places, p, nearest); !there {
		d.through[route.NextHop] = slices.Insert(places, at, p)
	}
}

// leave notes that there are none any more.
func (d *destination) leave(route topology.Route) {
	places := d.through[route.NextHop]
	at, there := slices.BinarySearchFunc(places, place{route.Router, route.Cost}, nearest)
	switch {
	case !there:
	case len(places) == 1:
		delete(d.through, route.NextHop)
	default:
		d.through[route.NextHop] = slices.Delete(places, at, at+1)
	}
}

// Apply takes note of a change. Of Rerouted it only knows with [Table.Follow] what it means. It gives the address whose
// consumers have become others, if it is about one.
func (t *Table) Apply(c routing.Change) (key protocol.Key, changed bool) {
	switch c.Kind {
	case routing.Added:
		t.add(c.Router, c.Address)
	case routing.Removed:
		t.remove(c.Router, c.Address.Key)
	case routing.Flushed:
		for key := range t.byHost[c.Router] {
			t.remove(c.Router, key)
		}
		return "", false
	default:
		return "", false
	}
	return c.Address.Key, true
}

func (t *Table) add(host string, a protocol.Address) {
	d := t.remotes[a.Key]
	if d == nil {
		d = &destination{treatment: a.Treatment, through: make(map[string][]place)}
		t.remotes[a.Key] = d
	}
	if at, there := slices.BinarySearch(d.hosts, host); !there {
		d.hosts = slices.Insert(d.hosts, at, host)
	}
	if route, ok := t.routes.To(host); ok {
		d.come(route)
	}
	if t.byHost[host] == nil {
		t.byHost[host] = make(map[protocol.Key]bool)
	}
	t.byHost[host][a.Key] = true
}

func (t *Table) remove(host string, key protocol.Key) {
	d := t.remotes[key]
	if d == nil {
		return
	}
	if at, there := slices.BinarySearch(d.hosts, host); there {
		d.hosts = slices.Delete(d.hosts, at, at+1)
	}
	if route, ok := t.routes.To(host); ok {
		d.leave(route)
	}
	if len(d.hosts) == 0 {
		delete(t.remotes, key)
	}
	delete(t.byHost[host], key)
	if len(t.byHost[host]) == 0 {
		delete(t.byHost, host)
	}
}

// Hosts lists the routers that have consumers of an address, also those out of reach, in order. It must not be changed.
func (t *Table) Hosts(key protocol.Key) []string {
	if d := t.remotes[key]; d != nil {
		return d.hosts
	}
	return nil
}

// Keys yields the addresses with consumers at other routers.
func (t *Table) Keys() iter.Seq[protocol.Key] { return maps.Keys(t.remotes) }

// KeysOf yields the addresses with consumers at one router.
func (t *Table) KeysOf(host string) iter.Seq[protocol.Key] { return maps.Keys(t.byHost[host]) }

// Reachable tells whether some other router in reach has consumers of an address.
func (t *Table) Reachable(key protocol.Key) bool {
	return slices.ContainsFunc(t.Hosts(key), func(host string) bool {
		_, ok := t.routes.To(host)
		return ok
	})
}

// Hint gives the treatment that another router told for an address, Unknown if none did.
func (t *Table) Hint(key protocol.Key) protocol.Treatment {
	if d := t.remotes[key]; d != nil {
		return d.treatment
	}
	return protocol.Unknown
}
