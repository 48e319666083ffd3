package network

import (
	"github.com/manifoldmq/manifold/addressing"
	"github.com/manifoldmq/manifold/router"
)

// prologue is the node of the retained messages of topics that one other router stores, for receivers that begin with them
// and take what follows from here: they are a loan until all of them have come.
type prologue struct{ *borrower }

var _ router.Node = prologue{}

// Attach implements router.Node.
func (p prologue) Attach(r *router.Receiver) error {
	source := r.Source()
	return p.attach(r, wish{tenant: r.Tenant(), source: router.Source{
		Filter: source.Filter, Kind: addressing.Topic, Kept: true, Except: source.Except, Selector: source.Selector,
	}})
}
