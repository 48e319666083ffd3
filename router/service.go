package router

import (
	"github.com/manifoldmq/manifold/addressing"
	"github.com/manifoldmq/manifold/tenancy"
)

// service is an address of the gateway's own: its definition, and what lives there.
type service struct {
	def  *addressing.Definition
	node Node
}

// MaxRequestSize is the greatest message that an address of the gateway's own takes, in bytes.
const MaxRequestSize = 64 << 10

// Serve puts a node of the gateway's own at addresses, which are then there in every tenant, whatever is declared for
// them. Everybody who is let in may send to them: the node asks Delivery.Principal who it is, and judges for itself. It
// comes before any link is made.
func (r *Router) Serve(node Node, addresses ...addressing.Address) {
	for _, a := range addresses {
		r.services[a] = service{
			def:  &addressing.Definition{Name: a.Filter(), Kind: addressing.Anycast, MaxMessageSize: MaxRequestSize},
			node: node,
		}
	}
}

// Principal tells who sent the delivery, as long as no node has put itself in between; nil when it is not known.
func (d Delivery) Principal() *tenancy.Principal {
	if s := d.sender(); s != nil {
		return s.principal
	}
	return nil
}
