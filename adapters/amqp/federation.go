package amqp

import (
	"github.com/manifoldmq/manifold/addressing"
	"github.com/manifoldmq/manifold/router"
	codec "github.com/manifoldmq/manifold/router/amqp"
	"github.com/manifoldmq/manifold/router/federation"
	"github.com/manifoldmq/manifold/tenancy"
)

// A link of a federation is another network's: it says so in the properties of its attach. It learns which address each
// message is of where there are several, and says so in turn.

// federate reads whether another network receives over the link, and on whose behalf.
func (out *outgoing) federate(source *router.Source) {
	source.Via, source.Identified = federation.LinkVia(out.link.Remote().Properties)
	_, literal := source.Filter.Literal()
	out.addressed = source.Identified && !literal
}

// address gives a message of one of several addresses to another network.
func (out *outgoing) address(d *router.Delivery) {
	if out.addressed {
		d.Message = federation.Addressed(d.Message, string(d.To))
	}
}

// federate reads whether another network sends over the link.
func (in *incoming) federate() { _, in.federated = federation.LinkVia(in.link.Remote().Properties) }

// readdress has a message of another network go to the address that it was published to there, and say no more whom it is
// from, which nobody here could check, if the client may manage what is there.
func (in *incoming) readdress(m codec.Message, n *names) {
	if !in.federated {
		return
	}
	if to := federation.To(m); to != "" && in.sender == nil {
		n.to = to
	}
	if in.conn.user.May(tenancy.Manage, in.destination(n).Filter()) {
		n.user = nil
	}
}

// destination is where a message goes.
func (in *incoming) destination(n *names) addressing.Address {
	if in.sender != nil {
		return in.sender.Address()
	}
	a, _ := parseAddress(in.conn.place(n.to)) // one that cannot be read is refused later
	return a
}
