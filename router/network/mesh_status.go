package network

import (
	"cmp"
	"maps"
	"slices"
	"sync/atomic"
	"time"

	"github.com/manifoldmq/manifold/router/network/internal/routing"
	"github.com/manifoldmq/manifold/router/network/internal/topology"
)

// RouterStatus tells what is known of another router of the network.
type RouterStatus struct {
	ID           string
	Neighbor     bool     // there is a connection to it
	NextHop      string   // the neighbour that the way there leads through; empty when there is no way, or to a neighbour
	Link         uint64   // the connection that the way begins with (NeighborStatus.Link); 0 when there is no way
	Reachable    bool     // there is a way
	Cost         int64    // of the way
	Hops         int      // of the way
	Peers        []string // its own neighbours
	ValidOrigins []string // the routers whose messages for it lead through this one
	Instance     int64    // when it was started, as far as it says
	Version      int64    // of the protocol that it speaks
	Addresses    int      // that have consumers there
}

// NeighborStatus tells how a connection to another router is.
type NeighborStatus struct {
	Router    string // empty as long as it has not said hello
	Role      Role   // InterRouter, or Edge for one between an edge router and another
	Link      uint64 // the number of the connection, unique among those of routers
	ID        uint64 // likewise, among all of the process: tenancy.Directory.Number
	Connector string // by which it is kept; empty where the other side has connected
	Host      string // host:port of the other side
	Container string // what the other side calls itself
	Cost      int
	Used      bool // whether messages go over it; not so when another one leads to the same router at a lower cost
	Since     time.Time
	Sent      uint64 // messages
	Received  uint64 // messages
	Lost      uint64 // messages that asked for no answer, and did not reach the neighbour
}

// traffic counts the messages of a connection.
type traffic struct{ sent, received, lost atomic.Uint64 }

// picture is what is shown of the network.
type picture struct {
	known   []routing.Known
	routes  *topology.Routes
	changed time.Time
}

// paint takes down how the network is now.
func (m *Mesh) paint() {
	p := picture{known: m.node.Known(), routes: m.node.Routes(), changed: time.Now()}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.picture = p
}

// RouterID is how this router is called in its network; empty when it is part of none.
func (n *Network) RouterID() string {
	if n.config.Mesh == nil {
		return ""
	}
	return n.config.Mesh.ID()
}

// NetworkChanged is when the network last became another one, as far as this router knows.
func (n *Network) NetworkChanged() time.Time {
	if n.config.Mesh == nil {
		return time.Time{}
	}
	m := n.config.Mesh
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.picture.changed
}

// Routers tells what is known of the other routers, in the order of their ids. It computes the trees of all of them.
func (n *Network) Routers() []RouterStatus {
	if n.config.Mesh == nil {
		return nil
	}
	m := n.config.Mesh
	m.mu.Lock()
	p := m.picture
	m.mu.Unlock()
	if p.routes == nil {
		return nil
	}
	links := make(map[string]uint64)
	for _, r := range p.known {
		if r.Neighbor {
			links[r.Router] = uint64(r.Link)
		}
	}
	origins := p.routes.Origins()
	all := make([]RouterStatus, len(p.known))
	for i, r := range p.known {
		s := RouterStatus{
			ID: r.Router, Neighbor: r.Neighbor, Instance: r.Instance, Version: r.Version, Addresses: r.Addresses,
			ValidOrigins: origins.Of(r.Router),
		}
		for _, peer := range r.Peers {
			s.Peers = append(s.Peers, peer.To)
		}
		if route, ok := p.routes.To(r.Router); ok {
			s.Reachable, s.Cost, s.Hops, s.Link = true, route.Cost, route.Hops, links[route.NextHop]
			if route.NextHop != r.Router {
				s.NextHop = route.NextHop
			}
		}
		all[i] = s
	}
	return all
}

// Neighbors tells how the connections to other routers are that are open, in the order in which they were opened.
func (n *Network) Neighbors() []NeighborStatus {
	if n.config.Mesh == nil {
		return nil
	}
	n.mu.Lock()
	connections := slices.Collect(maps.Keys(n.neighbors))
	n.mu.Unlock()
	all := make([]NeighborStatus, len(connections))
	for i, k := range connections {
		all[i] = k.describe()
	}
	slices.SortFunc(all, func(a, b NeighborStatus) int { return cmp.Compare(a.Link, b.Link) })
	return all
}

// describe tells how an open connection is.
func (k *neighbor) describe() NeighborStatus {
	s := NeighborStatus{
		Link: uint64(k.id), ID: k.number, Host: k.host, Container: k.container, Cost: k.cost, Since: k.openedAt,
		Sent: k.traffic.sent.Load(), Received: k.traffic.received.Load(), Lost: k.traffic.lost.Load(),
	}
	if k.connector != nil {
		s.Connector = k.connector.Name
	}
	if s.Role = k.role; k.role == Edge {
		s.Router, s.Used = k.container, !k.mesh.isEdge() || k.mesh.fringe.active.Load() == k
	}
	if name := k.name.Load(); name != nil {
		s.Router, s.Used = *name, k.mesh.path(*name) == k
	}
	return s
}
