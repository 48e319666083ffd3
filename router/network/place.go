package network

import (
	"strings"

	"github.com/manifoldmq/manifold/router"
	"github.com/manifoldmq/manifold/router/network/internal/forwarding"
	"github.com/manifoldmq/manifold/router/network/internal/protocol"
	"github.com/manifoldmq/manifold/tenancy"
)

// What the addresses of places begin with: those of routers, and those of edge routers.
const (
	topologyRoot = "_topo/"
	edgeRoot     = "_edge/"
)

// places is the node of all addresses that name a router, or an edge router, and something there: what is sent to another
// one goes to it. What is here is found before.
type places struct{ mesh *Mesh }

var _ router.Node = places{}

// servePlaces has such addresses lead somewhere, and temporary addresses of this router be among them.
func (m *Mesh) servePlaces(r *router.Router) {
	r.ServeBelow(topologyRoot, places{m})
	r.ServeBelow(edgeRoot, places{m})
	r.NameTemporaries(m.here(""), func(tenant string) string {
		if tenant == tenancy.DefaultTenant {
			return temporaryName
		}
		return tenant + "/" + temporaryName
	})
}

// temporaryName begins the part of a temporary address that is its own.
const temporaryName = "temp."

// here gives the address of something at this router.
func (m *Mesh) here(name string) string {
	if m.isEdge() {
		return edgeRoot + m.ID() + "/" + name
	}
	return topologyRoot + "0/" + m.ID() + "/" + name
}

// text gives the text of the address of a place.
func (m *Mesh) text(p protocol.Place) string {
	switch p.Class {
	case protocol.Router:
		return topologyRoot + "0/" + p.Node + "/" + p.Name
	case protocol.Topological:
		return topologyRoot + "0/all/" + p.Name
	case protocol.Edge:
		return edgeRoot + p.Node + "/" + p.Name
	default:
		return m.here(p.Name)
	}
}

// tenantAt gives the tenant that something at a place belongs to: the one that its name begins with, as of an address. rest is
// what it is called there.
func (m *Mesh) tenantAt(p protocol.Place) (t *tenancy.Tenant, rest string, ok bool) {
	name, rest, ok := m.config.Reach.keys.tenant(p.Name)
	if !ok {
		return nil, "", false
	}
	t, ok = m.network.config.Directory.Lookup(name)
	return t, rest, ok
}

// Join implements router.Node: who belongs to another tenant is told of nothing. A temporary address is for everybody who
// knows it. Everything else is the other router's own, which takes what comes from here for ours: it takes a right.
func (p places) Join(s *router.Sender) error {
	place := protocol.Locate(string(s.Address()), p.mesh.ID())
	t, name, ok := p.mesh.tenantAt(place)
	switch {
	case !ok || t.Name != s.Tenant() || place.Class != protocol.Router && place.Class != protocol.Edge:
		return router.Errorf(router.NotFound, "there is no %s", s.Address())
	case !strings.HasPrefix(name, temporaryName) && !p.mesh.config.MayAsk(s.Principal()):
		return router.Errorf(router.Denied, "not allowed to ask another router: %s", s.Address())
	}
	s.Grant()
	return nil
}

// Leave implements router.Node.
func (places) Leave(*router.Sender) {}

// Offer implements router.Node.
func (p places) Offer(d router.Delivery) {
	if !p.mesh.send(d, protocol.Locate(string(d.To), p.mesh.ID())) {
		d.Settle(router.Release())
	}
}

// send hands on what is for a place elsewhere. It is false, and nothing has happened, if there is no way there.
func (m *Mesh) send(d router.Delivery, p protocol.Place) bool {
	if m.isEdge() {
		k := m.fringe.active.Load()
		if k == nil || d.Route != nil {
			return false
		}
		k.post(parcel{delivery: d})
		return true
	}
	if p.Class == protocol.Router {
		return m.Relay(d, p.Node)
	}
	if k := (*m.hub.down.Load())[p.Node]; k != nil {
		k.post(parcel{delivery: d})
		return true
	}
	from, _ := d.Route.(*forwarding.Message)
	for _, host := range m.config.Reach.Hosts(protocol.KeyOf(protocol.Edge, p.Node)) {
		if (from == nil || !from.Annotations.Passed(host)) && m.Relay(d, host) {
			return true
		}
	}
	return false
}

// Attach implements router.Node: who wants to receive has to be there.
func (places) Attach(r *router.Receiver) error {
	return router.Errorf(router.NotFound, "%s is elsewhere: it can only be sent to", r.Source().Filter)
}

// Grant implements router.Node.
func (places) Grant(*router.Receiver) {}

// Pending implements router.Node.
func (places) Pending(*router.Receiver) bool { return false }

// Detach implements router.Node.
func (places) Detach(*router.Receiver) {}
