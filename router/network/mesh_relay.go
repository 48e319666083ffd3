package network

import (
	"github.com/manifoldmq/manifold/router"
	"github.com/manifoldmq/manifold/router/network/internal/forwarding"
)

// Relay hands on a message that is for a router, by the address in its properties or what routers wrote on it. It is false,
// and nothing has happened, if there is no way there. Otherwise its owner hears the outcome. It never blocks.
func (m *Mesh) Relay(d router.Delivery, to string) bool {
	from, _ := d.Route.(*forwarding.Message)
	next, ok := m.config.Reach.Toward(to, from)
	if !ok {
		return false
	}
	k := m.path(next)
	if k == nil {
		return false
	}
	k.post(parcel{delivery: d})
	return true
}
