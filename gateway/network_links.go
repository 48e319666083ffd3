package gateway

import (
	"slices"
	"sync"

	"github.com/manifoldmq/manifold/gateway/config"
	"github.com/manifoldmq/manifold/router"
	"github.com/manifoldmq/manifold/router/network"
)

// networkLinks are the automatic links that are to be there: those of the configuration, those of waypoints, and those that
// management has made, which last as long as the process.
type networkLinks struct {
	network *network.Network

	mu        sync.Mutex         // guards everything below; ordered before the network's locks
	fixed     []network.AutoLink // of the configuration
	waypoints []network.AutoLink // of all tenants
	made      []network.AutoLink // by management
}

// newNetworkLinks begins with the links of a configuration and those of the waypoints of tenants.
func newNetworkLinks(n *network.Network, declared []config.AutoLink, tenants []config.Tenant) *networkLinks {
	l := &networkLinks{network: n}
	for i := range declared {
		l.fixed = append(l.fixed, declared[i].Link())
	}
	l.setWaypoints(tenants)
	return l
}

// setWaypoints has the waypoints of tenants be there, in the place of those before.
func (l *networkLinks) setWaypoints(tenants []config.Tenant) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.waypoints = nil
	for i := range tenants {
		l.waypoints = append(l.waypoints, tenants[i].Waypoints()...)
	}
	l.define()
}

// define has the network know all links. The lock is held.
func (l *networkLinks) define() { l.network.Define(slices.Concat(l.fixed, l.waypoints, l.made)) }

// add makes a link, whose name is new in its tenant, and tells how it is.
func (l *networkLinks) add(link network.AutoLink) (network.AutoLinkStatus, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if slices.ContainsFunc(slices.Concat(l.fixed, l.waypoints, l.made), func(other network.AutoLink) bool {
		return other == link || link.Name != "" && other.Name == link.Name && other.Tenant == link.Tenant
	}) {
		return network.AutoLinkStatus{}, router.Errorf(router.Conflict, "there is such an automatic link already")
	}
	l.made = append(l.made, link)
	l.define()
	for _, status := range l.network.AutoLinks() {
		if status.AutoLink == link {
			return status, nil
		}
	}
	return network.AutoLinkStatus{}, router.Errorf(router.Stopping, "the gateway is stopping")
}

// remove ends a link until the next start, whoever has declared it, but for those of waypoints.
func (l *networkLinks) remove(link network.AutoLink) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if slices.Contains(l.waypoints, link) {
		return router.Errorf(router.Denied, "it is of a waypoint, with whose address it goes")
	}
	same := func(other network.AutoLink) bool { return other == link }
	l.fixed, l.made = slices.DeleteFunc(l.fixed, same), slices.DeleteFunc(l.made, same)
	l.define()
	return nil
}
