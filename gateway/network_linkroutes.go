package gateway

import (
	"slices"
	"sync"

	"github.com/manifoldmq/manifold/adapters/amqp"
	"github.com/manifoldmq/manifold/gateway/config"
	"github.com/manifoldmq/manifold/router"
	"github.com/manifoldmq/manifold/router/amqp/engine"
	"github.com/manifoldmq/manifold/router/amqp/frame"
	"github.com/manifoldmq/manifold/router/network"
	"github.com/manifoldmq/manifold/router/transport/passage"
)

// linkRoutes are the link routes that are to be there: those of the configuration, and those that management has made, which
// last as long as the process.
type linkRoutes struct {
	network *network.Network

	mu       sync.Mutex // guards everything below; ordered before the network's locks
	declared []network.LinkRoute
}

// newLinkRoutes begins with those of a configuration.
func newLinkRoutes(n *network.Network, declared []config.LinkRoute) *linkRoutes {
	l := &linkRoutes{network: n}
	for i := range declared {
		l.declared = append(l.declared, declared[i].Route())
	}
	n.DefineRoutes(l.declared)
	return l
}

// add makes a link route, whose name is new in its tenant, and tells how it is.
func (l *linkRoutes) add(route network.LinkRoute) (network.LinkRouteStatus, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if slices.ContainsFunc(l.declared, func(other network.LinkRoute) bool {
		return other == route || route.Name != "" && other.Name == route.Name && other.Tenant == route.Tenant
	}) {
		return network.LinkRouteStatus{}, router.Errorf(router.Conflict, "there is such a link route already")
	}
	l.declared = append(l.declared, route)
	l.network.DefineRoutes(l.declared)
	all := l.network.LinkRoutes()
	return all[len(all)-1], nil
}

// remove ends a link route until the next start. Links that lead along it stay.
func (l *linkRoutes) remove(route network.LinkRoute) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.declared = slices.DeleteFunc(l.declared, func(other network.LinkRoute) bool { return other == route })
	l.network.DefineRoutes(l.declared)
}

// beyond is the network as the AMQP door knows it. The door is made before the network, and opened after it.
type beyond struct{ *assembly }

var _ amqp.Network = beyond{}

// RouteLink implements amqp.Network.
func (b beyond) RouteLink(tenant string, a *frame.Attach) (way passage.Way, refusal *frame.Error, routed bool) {
	return b.network.RouteLink(tenant, a)
}

// Inquire implements amqp.Network.
func (b beyond) Inquire(tenant string, a *frame.Attach, done func(way passage.Way, leads bool)) bool {
	return b.network.Inquire(tenant, a, done)
}

// Host implements amqp.Network.
func (b beyond) Host(entrance, tenant string, c *engine.Conn, desk *passage.Desk, wake func()) amqp.Guest {
	return b.network.Host(entrance, tenant, c, desk, wake)
}
