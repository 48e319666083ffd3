package gateway

import (
	"time"

	"github.com/manifoldmq/manifold/gateway/internal/management"
	"github.com/manifoldmq/manifold/router/network"
)

// Nodes implements management.Model: the routers of the network are told those who run the gateway.
func (m *managedTenant) Nodes() []management.Node {
	if !m.isOperators() || m.network.RouterID() == "" {
		return nil
	}
	routers := m.network.Routers()
	var neighbors []string
	for i := range routers {
		if routers[i].Neighbor {
			neighbors = append(neighbors, routers[i].ID)
		}
	}
	self := nodeOf(m.network.RouterID(), 0)
	self.ProtocolVersion, self.Instance, self.LinkState = 1, m.started.Unix(), neighbors
	self.NextHop, self.LastTopoChange = new("(self)"), changeOf(m.network.NetworkChanged())
	all := []management.Node{self}
	for i := range routers {
		all = append(all, remoteNode(&routers[i], i+1))
	}
	return all
}

// changeOf gives a time in seconds since 1970; nil for never.
func changeOf(at time.Time) *int64 {
	if at.IsZero() {
		return nil
	}
	return new(at.Unix())
}

// nodeOf names a router.
func nodeOf(id string, index int) management.Node {
	identity := "router.node/" + id
	return management.Node{
		Names: management.Names{Name: identity, Identity: identity},
		ID:    id, Index: index, Address: "amqp:/_topo/0/" + id,
	}
}

// remoteNode describes another router.
func remoteNode(s *network.RouterStatus, index int) management.Node {
	n := nodeOf(s.ID, index)
	n.ProtocolVersion, n.Instance, n.LinkState, n.ValidOrigins = int(s.Version), s.Instance, s.Peers, s.ValidOrigins
	if s.NextHop != "" {
		n.NextHop = &s.NextHop
	}
	if s.Reachable {
		n.RouterLink, n.Cost = new(int(s.Link)), new(int(s.Cost))
	}
	return n
}
