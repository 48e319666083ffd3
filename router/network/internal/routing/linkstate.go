package routing

import (
	"slices"
	"time"

	"github.com/manifoldmq/manifold/router/network/internal/protocol"
	"github.com/manifoldmq/manifold/router/network/internal/topology"
)

// doubt notes that something may have changed the routes.
func (n *Node) doubt() { n.unrouted, n.unsettled = true, true }

// settle tells all routers if the links of this one have changed, and asks for what can be asked for now. It is not done each
// time that the routes change, as they do again and again when a network forms.
func (n *Node) settle(now time.Time) {
	n.reroute()
	n.unsettled, n.settledAt = false, now
	n.report(Change{Kind: Settled})
	n.fluxUntil = now.Add(2 * n.timers.AdvertiseInFlux)
	if peers := n.neighbors(); !slices.Equal(peers, n.peers) {
		n.peers = peers
		n.sequence++
		n.flood(protocol.Packet{To: protocol.AllRouters, Message: n.linkState()}, nil)
		n.advertise(now)
	}
	for _, r := range n.remotes {
		n.ask(r, now)
	}
}

// neighbors gives the link state of this router as it is now.
func (n *Node) neighbors() []topology.Edge {
	var peers []topology.Edge
	for _, r := range n.remotes {
		if r.link != nil {
			peers = append(peers, topology.Edge{To: r.id, Cost: r.link.cost})
		}
	}
	return peers
}

// reroute computes the routes anew if they may have changed. Who is no neighbour any more is reported after that: first there
// are other ways.
func (n *Node) reroute() {
	if !n.unrouted {
		return
	}
	n.unrouted = false
	reported := make(map[string][]topology.Edge, len(n.remotes)+1)
	for _, r := range n.remotes {
		reported[r.id] = r.peers
	}
	reported[n.config.Router] = n.neighbors()
	n.routes = topology.NewGraph(reported).Routes(n.config.Router)
	n.report(Change{Kind: Rerouted})
	for _, c := range n.parted {
		if r := n.byID[c.Router]; r == nil || r.link == nil {
			n.report(c)
		}
	}
	n.parted = nil
}

// linkState gives the message with the links of this router.
func (n *Node) linkState() *protocol.LinkState {
	m := &protocol.LinkState{Sender: n.sender(), Instance: n.config.Instance, Sequence: n.sequence}
	for _, peer := range n.peers {
		m.Peers = append(m.Peers, protocol.Peer{Router: peer.To, Cost: peer.Cost})
	}
	return m
}

// advertise tells all routers which numbers this one has reached.
func (n *Node) advertise(now time.Time) {
	n.advertisedAt = now
	n.flood(protocol.Packet{To: protocol.AllRouters, Message: n.advertisement()}, nil)
}

// advertiseAt gives when to advertise next.
func (n *Node) advertiseAt() time.Time {
	if soon := n.advertisedAt.Add(n.timers.AdvertiseInFlux); !soon.After(n.fluxUntil) {
		return soon
	}
	return n.advertisedAt.Add(n.timers.Advertise)
}

func (n *Node) advertisement() *protocol.Advertisement {
	return &protocol.Advertisement{
		Sender:    n.sender(),
		Instance:  n.config.Instance,
		LinkState: n.sequence,
		Addresses: n.addresses.sequence,
	}
}

func (n *Node) heardAdvertisement(r *remote, m *protocol.Advertisement, now time.Time) {
	if !n.incarnation(r, m.Instance, now) {
		return
	}
	r.heard = now
	r.state.advertise(m.LinkState)
	r.mobile.advertise(m.Addresses)
	n.ask(r, now)
}

func (n *Node) heardLinkState(r *remote, m *protocol.LinkState, now time.Time) {
	if !n.incarnation(r, m.Instance, now) || !r.state.takes(m.Sequence) {
		return
	}
	r.heard = now
	r.state.took(m.Sequence)
	r.peers = r.peers[:0:0]
	for _, peer := range m.Peers {
		if peer.Router == n.config.Router || n.learn(peer.Router, now) != nil { // no way goes by those who are too many
			r.peers = append(r.peers, topology.Edge{To: peer.Router, Cost: peer.Cost})
		}
	}
	n.doubt()
}

// heardLinkStateRequest answers with the link state, and with an advertisement: who asks for the one has heard nothing of
// the addresses either.
func (n *Node) heardLinkStateRequest(r *remote) {
	to := protocol.RouterAddress(r.id)
	n.sendTo(r, to, n.linkState())
	n.sendTo(r, to, n.advertisement())
}

// sweep drops what has not been confirmed for too long, and repeats requests.
func (n *Node) sweep(now time.Time) {
	for _, r := range n.remotes {
		if now.Sub(r.heard) > n.timers.StateMaxAge && len(r.peers) > 0 {
			r.peers, r.state = nil, record{wanted: true}
			n.doubt()
		}
	}
	listed := n.listed()
	for _, r := range slices.Clone(n.remotes) {
		if r.link != nil || len(r.peers) > 0 || listed[r.id] {
			r.unwanted = 0
			n.ask(r, now)
			continue
		}
		const patience = 3 // sweeps, as one may be heard of before anybody lists it
		if r.unwanted++; r.unwanted > patience {
			n.forget(r)
		}
	}
}

// listed gives the routers that others say to be their neighbours. It looks only as far as it must: usually nobody is in
// doubt.
func (n *Node) listed() map[string]bool {
	if !slices.ContainsFunc(n.remotes, func(r *remote) bool { return len(r.peers) == 0 }) {
		return nil
	}
	listed := make(map[string]bool)
	for _, r := range n.remotes {
		for _, peer := range r.peers {
			listed[peer.To] = true
		}
	}
	return listed
}
