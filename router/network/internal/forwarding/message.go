package forwarding

import "github.com/manifoldmq/manifold/router/network/internal/protocol"

// Message is what counts of a message when it is decided where it goes next.
type Message struct {
	Key         protocol.Key // the address
	From        string       // the neighbour whom it came from; empty if a client of this router sent it
	Annotations protocol.Annotations
	Onward      protocol.Annotations // as this router sends it on; for whoever does
}

// Addressed gives the address of a message as this router reads it: that which a router wrote on it goes before that in
// its properties, and its phase is part of a mobile address.
func Addressed(to string, a protocol.Annotations, self string) protocol.Place {
	if a.To != "" {
		to = a.To
	}
	return protocol.Locate(to, self)
}

// KeyOf gives the key under which a place is found in a Table, for a message in a phase.
func KeyOf(place protocol.Place, phase uint8) protocol.Key {
	switch place.Class {
	case protocol.Mobile:
		return protocol.MobileKey(phase, place.Name)
	case protocol.Router, protocol.Edge, protocol.Area:
		return protocol.KeyOf(place.Class, place.Node)
	default:
		return protocol.KeyOf(place.Class, place.Name)
	}
}

// origin gives the router where a message came into the network; ok is false if a peer wrote something else.
func (m Message) origin(self string) (router string, ok bool) {
	if m.Annotations.Ingress == "" {
		return self, true
	}
	return protocol.RouterNamed(m.Annotations.Ingress)
}

// passed tells whether a message was at a router already, as far as it can be known: it came from there, or the router is
// in its trace.
func (m Message) passed(router string) bool { return router == m.From || m.Annotations.Passed(router) }
