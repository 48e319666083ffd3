package router

import (
	"strings"

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

// ServeBelow puts a node at all addresses that begin with a prefix, of which nobody made one for himself and that Serve has
// no other for. They are there in every tenant, for everybody who is let in to send to: the node judges for itself. It comes
// before any link is made.
func (r *Router) ServeBelow(prefix string, node Node) {
	if r.below == nil {
		r.below = make(map[string]Node)
	}
	r.below[prefix] = node
}

// service finds what the gateway itself has at an address.
func (r *Router) service(a addressing.Address) (service, bool) {
	if s, ok := r.services[a]; ok {
		return s, true
	}
	for prefix, node := range r.below {
		if strings.HasPrefix(string(a), prefix) {
			return service{def: &addressing.Definition{Name: a.Filter(), Kind: addressing.Anycast}, node: node}, true
		}
	}
	return service{}, false
}

// Principal tells who sends over the link.
func (s *Sender) Principal() *tenancy.Principal { return s.principal }

// Principal tells who sent the delivery, as long as no node has put itself in between; nil when it is not known.
func (d Delivery) Principal() *tenancy.Principal {
	if s := d.sender(); s != nil {
		return s.principal
	}
	return nil
}
