package network

import (
	"slices"
	"strings"

	"github.com/manifoldmq/manifold/addressing"
	"github.com/manifoldmq/manifold/router/amqp/engine"
	"github.com/manifoldmq/manifold/router/amqp/frame"
	"github.com/manifoldmq/manifold/router/network/internal/protocol"
	"github.com/manifoldmq/manifold/router/network/internal/routing"
	"github.com/manifoldmq/manifold/router/transport/passage"
	"github.com/manifoldmq/manifold/tenancy"
)

// Routers tell each other the patterns for which they have containers, as keys of four classes: for both directions one of
// prefixes and one of other patterns. A tenant's name is the first level, as in the keys of other addresses; see Keys.

// key gives what a road is called among routers.
func (k roadKey) key() protocol.Key {
	name, isPrefix := strings.CutSuffix(k.pattern, anything)
	isPrefix = isPrefix && !strings.ContainsAny(name, "*#")
	class := protocol.LinkPatternOut
	switch {
	case isPrefix && k.direction == In:
		class = protocol.LinkRouteIn
	case isPrefix:
		class = protocol.LinkRouteOut
	case k.direction == In:
		class = protocol.LinkPatternIn
	}
	if !isPrefix {
		name = k.pattern
	}
	return protocol.KeyOf(class, k.tenantPrefix()+name)
}

// tenantPrefix is what is before the addresses of the tenant among routers.
func (k roadKey) tenantPrefix() string {
	if k.tenant == tenancy.DefaultTenant || k.tenant == nobody {
		return ""
	}
	return k.tenant + "/"
}

// nobody is in the place of a tenant where a link is between routers: no client's is routed so.
const nobody = ""

// tenantOf takes the tenant off an address, or the name of a key, as routers write it.
func (r *linkRoutes) tenantOf(name string) (tenant, rest string) {
	if strings.HasPrefix(name, homeRoot) {
		return nobody, name
	}
	keys := Keys{Directory: r.network.config.Directory}
	if tenant, rest, ok := keys.tenant(name); ok {
		return tenant, rest
	}
	return tenancy.DefaultTenant, name
}

// knownElsewhere tells whether another router would know that a link that a client wants is of this tenant: it sees that by
// the address. A coordinator has none that says it, nor has what is to be made.
func (r *linkRoutes) knownElsewhere(tenant, address string, a *frame.Attach) bool {
	if tenant != tenancy.DefaultTenant {
		return a.Coordinator == nil && !isDynamic(a)
	}
	taken, _ := r.tenantOf(address)
	return taken == tenant
}

// roadOf gives the road that a key stands for. It is false for other keys.
func (r *linkRoutes) roadOf(key protocol.Key) (k roadKey, f addressing.Filter, ok bool) {
	pattern := key.Name()
	switch key.Class() {
	case protocol.LinkRouteIn:
		k.direction, pattern = In, pattern+anything
	case protocol.LinkRouteOut:
		pattern += anything
	case protocol.LinkPatternIn:
		k.direction = In
	case protocol.LinkPatternOut:
	default:
		return k, f, false
	}
	k.tenant, k.pattern = r.tenantOf(pattern)
	f, err := addressing.ParseTokens(k.pattern)
	k.pattern = settled(k.pattern)
	return k, f, err == nil
}

// isOfItsTenant tells whether other routers would know by its key that a road is of its tenant.
func (r *linkRoutes) isOfItsTenant(k roadKey) bool {
	told, _, ok := r.roadOf(k.key())
	return ok && told == k && k.key().Told()
}

// apply takes note of what another router tells.
func (r *linkRoutes) apply(c routing.Change) {
	r.mu.Lock()
	defer r.mu.Unlock()
	switch c.Kind {
	case routing.Added:
		if _, _, ok := r.roadOf(c.Address.Key); !ok {
			return
		}
		r.told[c.Address.Key] = append(r.withoutRouter(c.Address.Key, c.Router), c.Router)
	case routing.Removed:
		r.told[c.Address.Key] = r.withoutRouter(c.Address.Key, c.Router)
	case routing.Flushed:
		for key := range r.told {
			r.told[key] = r.withoutRouter(key, c.Router)
		}
	default:
		return
	}
	for key, routers := range r.told {
		if len(routers) == 0 {
			delete(r.told, key)
		}
	}
	r.update()
}

// withoutRouter gives the other routers that have told a key.
func (r *linkRoutes) withoutRouter(key protocol.Key, router string) []string {
	return slices.DeleteFunc(slices.Clone(r.told[key]), func(other string) bool { return other == router })
}

// announce tells the other routers for which patterns there are containers here, if that is different.
func (r *linkRoutes) announce() {
	mesh := r.network.config.Mesh
	if mesh == nil {
		return
	}
	now := make(map[protocol.Key]bool)
	for _, at := range r.roads {
		if len(at.here) > 0 && r.isOfItsTenant(at.roadKey) {
			now[at.key] = true
			if !r.announced[at.key] {
				mesh.Announce(at.key, protocol.LinkBalanced)
			}
		}
	}
	for key := range r.announced {
		if !now[key] {
			mesh.Withdraw(key)
		}
	}
	r.announced = now
}

// pass has a link that another router wants go on, if it is one for a link route.
func (r *linkRoutes) pass(l *engine.Link, from *passage.Desk) (routed bool) {
	a := l.Remote()
	address, ok := passage.Address(a)
	if !ok {
		return false
	}
	tenant, rest := r.tenantOf(address)
	r.mu.Lock()
	defer r.mu.Unlock()
	at := r.find(tenant, rest, directionOf(a))
	if at == nil {
		return false
	}
	way, onward, ok := r.next(at, from)
	if !ok {
		l.Refuse(passage.Unreachable())
		return true
	}
	if !onward {
		way.Remove = at.tenantPrefix() + way.Remove
	}
	way.Name, way.Owner = l.Name(), at.tenant
	from.Pass(l, way)
	return true
}

// findLinkRoute tells whether links to an address, as routers write it, are for a link route, and whether there is anybody to
// whom they could lead.
func (n *Network) findLinkRoute(address string, d Direction) (is, reachable bool) {
	r := &n.linkRoutes
	tenant, rest := r.tenantOf(address)
	r.mu.Lock()
	defer r.mu.Unlock()
	at := r.find(tenant, rest, d)
	return at != nil, at != nil && len(at.here)+len(at.routers) > 0
}

// toward gives the desk of the connection on the way to another router; nil if there is none.
func (r *linkRoutes) toward(router string) *passage.Desk {
	mesh := r.network.config.Mesh
	if mesh == nil {
		return nil
	}
	hop, ok := mesh.config.Reach.Toward(router, nil)
	if !ok {
		return nil
	}
	if k := (*mesh.paths.Load())[hop]; k != nil {
		return k.desk
	}
	return nil
}

// up gives the desk of the uplink of an edge router; nil if there is none.
func (r *linkRoutes) up() *passage.Desk {
	mesh := r.network.config.Mesh
	if mesh == nil || mesh.fringe == nil {
		return nil
	}
	if k := mesh.fringe.active.Load(); k != nil {
		return k.desk
	}
	return nil
}
