package edge

import "github.com/manifoldmq/manifold/router/network/internal/protocol"

// LinkID names a link for an address. It is never used again.
type LinkID uint64

// Action is something to do at the uplink in use, in the order in which the actions come.
type Action struct {
	Kind      ActionKind
	Uplink    UplinkID         // for Activate and Deactivate
	Link      LinkID           // for Attach and Detach, and for Lead by way of a Link
	Direction Direction        // for Attach
	Address   protocol.Address // for Attach and Lead
	Road      Road             // for Lead
	Request   Request          // for Ask, without what the one who sends it knows: Edge and ReplyTo
}

// ActionKind tells what to do.
type ActionKind uint8

// The kinds of actions.
const (
	Activate   ActionKind = iota + 1 // the uplink is in use from now on: attach what does not depend on addresses
	Deactivate                       // it is not any more; its links are no more
	Attach                           // attach a link
	Detach                           // end it
	Ask                              // send a request to the interior
	Lead                             // messages of the address, from clients of the edge, go up by this road
)

// String gives the word for logs.
func (k ActionKind) String() string {
	return [...]string{"", "activate", "deactivate", "attach", "detach", "ask", "lead"}[k]
}

// Direction is which way a link goes, as the edge sees it.
type Direction uint8

// The directions.
const (
	Receive Direction = iota // what others send to the address comes to the consumers of the edge
	Send                     // what producers of the edge send to the address goes to consumers elsewhere
)

// String gives the word for logs.
func (d Direction) String() string { return [...]string{"receive", "send"}[d] }

// Road is how messages to an address leave the edge.
type Road uint8

// The roads.
const (
	Nowhere Road = iota // there is nobody elsewhere
	Relay               // it is not known whether there is: what has no consumer here goes by the link for all addresses
	Link                // there is: by the address's own link
)

// String gives the word for logs.
func (r Road) String() string { return [...]string{"nowhere", "relay", "link"}[r] }
