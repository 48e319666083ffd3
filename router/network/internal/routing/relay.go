package routing

import (
	"time"

	"github.com/manifoldmq/manifold/router/network/internal/protocol"
)

// Receive takes a packet that came on a link. What is for other routers is sent on. A packet that makes no sense where it
// came is dropped: before the other end has said hello, from this router itself, or one that has passed here before.
func (n *Node) Receive(id LinkID, p protocol.Packet, now time.Time) {
	l := n.link(id)
	place := protocol.Locate(p.To, n.config.Router)
	if l == nil || !place.Control() {
		return
	}
	if hello, ok := p.Message.(*protocol.Hello); ok {
		if place.Hello() {
			n.heardHello(l, hello, now)
		}
		return
	}
	from := p.Message.From()
	if l.peer == "" || p.Annotations.Passed(n.config.Router) {
		return
	}
	r := n.learn(from.Router, now)
	if r == nil {
		return
	}
	if place.Class == protocol.Topological && n.repeated(r, p.Message, now) {
		return
	}
	r.via, r.version = id, from.Version // of the copies of one for all, the first shows the way
	switch place.Class {
	case protocol.Local:
		n.heard(r, p.Message, now)
	case protocol.Topological:
		n.heard(r, p.Message, now)
		n.flood(p, l)
	case protocol.Router:
		n.overhear(r, p.Message, now)
		n.relay(place.Node, p, l)
	}
}

// overhear takes note of what a router tells another one of itself, who then may send here what is for it.
func (n *Node) overhear(r *remote, m protocol.Message, now time.Time) {
	switch m.(type) {
	case *protocol.Advertisement, *protocol.LinkState, *protocol.Addresses:
		n.heard(r, m, now)
	}
}

// heard takes a message that is for this router.
func (n *Node) heard(r *remote, m protocol.Message, now time.Time) {
	switch m := m.(type) {
	case *protocol.Advertisement:
		n.heardAdvertisement(r, m, now)
	case *protocol.LinkState:
		n.heardLinkState(r, m, now)
	case *protocol.LinkStateRequest:
		n.heardLinkStateRequest(r)
	case *protocol.Addresses:
		n.heardAddresses(r, m, now)
	case *protocol.AddressesRequest:
		n.heardAddressesRequest(r, m)
	}
}

// repeated tells whether the same message of a router to all, or a newer one, came a moment ago by another way. Without
// this a message would be sent on once for each of the many ways through a network.
func (n *Node) repeated(r *remote, m protocol.Message, now time.Time) bool {
	is := passed{at: now}
	var kind passedKind
	switch m := m.(type) {
	case *protocol.Advertisement:
		kind, is.instance, is.first, is.second = passedAdvertisement, m.Instance, m.LinkState, m.Addresses
	case *protocol.LinkState:
		kind, is.instance, is.first = passedLinkState, m.Instance, m.Sequence
	case *protocol.Addresses:
		kind, is.first = passedAddresses, m.Sequence
	default:
		return true // the other kinds are never for all
	}
	was := &r.passed[kind]
	if now.Sub(was.at) < n.timers.Hello && !is.newer(*was) {
		return true
	}
	*was = is
	return false
}

// flood sends a packet on to every neighbour that it has not passed; from is the link that it came on, if it did.
func (n *Node) flood(p protocol.Packet, from *link) {
	onward := p.Through(n.config.Router)
	for _, r := range n.remotes {
		if r.link != nil && r.link != from && !p.Annotations.Passed(r.id) {
			n.sends.Put(Send{r.link.id, onward})
		}
	}
}

// relay sends a packet on towards one router.
func (n *Node) relay(router string, p protocol.Packet, from *link) {
	r := n.byID[router]
	if r == nil {
		return
	}
	if l := n.toward(r); l != nil && l != from && !p.Annotations.Passed(l.peer) {
		n.sends.Put(Send{l.id, p.Through(n.config.Router)})
	}
}

// sendTo sends a message of this router to another one; it is false if there is no way.
func (n *Node) sendTo(r *remote, address string, m protocol.Message) bool {
	l := n.toward(r)
	if l == nil {
		return false
	}
	packet := protocol.Packet{To: address, Message: m}
	n.sends.Put(Send{l.id, packet.Through(n.config.Router)})
	return true
}

// toward gives the link on which to send what is for a router: the one to it, the one to the next hop, or the one where
// its own messages come from.
func (n *Node) toward(r *remote) *link {
	if r.link != nil {
		return r.link
	}
	if route, ok := n.routes.To(r.id); ok {
		if next := n.byID[route.NextHop]; next != nil && next.link != nil {
			return next.link
		}
	}
	return n.link(r.via)
}
