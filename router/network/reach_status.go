package network

import (
	"cmp"
	"slices"

	"github.com/manifoldmq/manifold/router/network/internal/protocol"
)

// RemoteAddress is an address, or what a filter selects, that has consumers at other routers.
type RemoteAddress struct {
	Tenant  string
	Name    string // the address, or the filter in the house syntax
	Phase   uint8
	Routers []string // that have consumers
}

// RemoteAddresses tells what has consumers at other routers to whom there is a way, by tenant, name and phase.
func (n *Network) RemoteAddresses() (all []RemoteAddress) {
	if n.config.Mesh == nil {
		return nil
	}
	reach := n.config.Mesh.config.Reach
	for _, key := range reach.led() {
		if tenant, f, phase, ok := reach.keys.Split(key); ok {
			all = append(all, RemoteAddress{Tenant: tenant, Name: f.String(), Phase: phase, Routers: reach.Hosts(key)})
		}
	}
	slices.SortFunc(all, func(a, b RemoteAddress) int {
		return cmp.Or(cmp.Compare(a.Tenant, b.Tenant), cmp.Compare(a.Name, b.Name), cmp.Compare(a.Phase, b.Phase))
	})
	return all
}

// led gives the keys that ways lead to.
func (r *Reach) led() (keys []protocol.Key) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	for key, neighbors := range r.ways {
		if len(neighbors) > 0 {
			keys = append(keys, key)
		}
	}
	return keys
}
