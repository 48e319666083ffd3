package forwarding

import (
	"iter"
	"maps"
	"slices"

	"github.com/manifoldmq/manifold/router/network/internal/protocol"
	"github.com/manifoldmq/manifold/router/network/internal/routing"
	"github.com/manifoldmq/manifold/router/network/internal/topology"
)

// Table knows which routers have consumers of which addresses, and the ways to them.
type Table struct {
	self    string
	routes  *topology.Routes
	origins *topology.Origins
	remotes map[protocol.Key]*destination
	byHost  map[string]map[protocol.Key]bool
}

// destination is an address with consumers at other routers.
type destination struct {
	treatment protocol.Treatment // as the first router that told of it has it
	hosts     []string           // routers, in order
}

// NewTable gives the table of the router self, who knows nobody yet.
func NewTable(self string) *Table {
	routes := &topology.Routes{}
	return &Table{
		self:    self,
		routes:  routes,
		origins: routes.Origins(),
		remotes: make(map[protocol.Key]*destination),
		byHost:  make(map[string]map[protocol.Key]bool),
	}
}

// Reroute puts new routes, and their origins, in the place of those known.
func (t *Table) Reroute(routes *topology.Routes, origins *topology.Origins) {
	t.routes = routes
	t.origins = origins
}

// Apply takes note of a change. Of Rerouted it only knows with [Table.Reroute] what it means. It gives the address whose
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
		d = &destination{treatment: a.Treatment}
		t.remotes[a.Key] = d
	}
	if at, there := slices.BinarySearch(d.hosts, host); !there {
		d.hosts = slices.Insert(d.hosts, at, host)
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
