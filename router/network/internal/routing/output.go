package routing

import "github.com/manifoldmq/manifold/router/network/internal/protocol"

// LinkID names a control link: a connection to another router. Its owner chooses it, and never twice.
type LinkID uint64

// Send is a packet to be sent on a link, in the order of the Sends.
type Send struct {
	Link   LinkID
	Packet protocol.Packet
}

// Change is something that has become different, for whoever forwards messages or logs.
type Change struct {
	Kind    ChangeKind
	Router  string           // whom it is about; not for Rerouted
	Link    LinkID           // for Met, Parted, Silent, Looped and Duplicate, where a link is concerned
	Address protocol.Address // for Added and Removed
}

// ChangeKind tells what a Change is.
type ChangeKind uint8

// The kinds of changes.
const (
	Rerouted  ChangeKind = iota + 1 // the routes are others: see Node.Routes
	Settled                         // they may stay for a while, and it is time for their valid origins
	Added                           // the router has a consumer of the address now
	Removed                         // it has none any more
	Flushed                         // it has no consumers of any address, as far as known
	Met                             // it is a neighbour now, or another link to it is used
	Parted                          // it is no neighbour any more
	Silent                          // a link to it has not been confirmed by a HELLO for too long
	Restarted                       // it has started anew
	Forgotten                       // nothing was heard of it for so long that it is not known any more
	Looped                          // a link leads to this router itself
	Duplicate                       // two routers of this id are in the network: messages for it reach now one, now the other
	Refused                         // there are more routers, or more addresses of this one, than may be known
)

// String gives the word for logs.
func (k ChangeKind) String() string {
	words := [...]string{
		"", "rerouted", "settled", "added", "removed", "flushed", "met", "parted", "silent", "restarted", "forgotten", "looped",
		"duplicate", "refused",
	}
	if int(k) < len(words) {
		return words[k]
	}
	return ""
}
