package router

import (
	"context"
	"errors"

	"github.com/manifoldmq/manifold/addressing"
	"github.com/manifoldmq/manifold/tenancy"
)

// Node is what lives at an address, or at the family of addresses that one definition covers. Its methods are called
// from any goroutine, do not block on a peer, and may call a Producer or Consumer before they return.
type Node interface {
	// Join links a sender. The node grants it credit: at once, or when somebody can take what it sends. ErrEnded says that
	// the node has ended since it was resolved: to resolve again gives another.
	Join(s *Sender) error
	// Leave unlinks it. What it sent and still waits for an outcome is released; what asked for none goes on.
	Leave(s *Sender)
	// Offer takes ownership of a delivery, whose To the node covers, and settles it, now or later.
	Offer(d Delivery)

	// Attach links a receiver. When it returns nil the route is live: every message offered from now on is seen. Where
	// another router has the messages it waits for that, some seconds at most.
	// ErrEnded is as for Join.
	Attach(r *Receiver) error
	// Grant says that the receiver's credit has risen: the node hands out what waits for it, while r.Take allows.
	Grant(r *Receiver)
	// Pending tells whether a message for the receiver's credit is on its way, as from disk. When it is false the node
	// has handed out all that it has for it now.
	Pending(r *Receiver) bool
	// Detach unlinks it. What it holds unsettled comes back, with the count of attempts raised.
	Detach(r *Receiver)
}

// Returner is a Node that asks for credit back; see Withdrawer.
type Returner interface {
	// TakeBack notes that a sender has credit less than it was granted.
	TakeBack(s *Sender, credit int)
}

// Rerouter is a Node that keeps messages until those whom they are for have credit.
type Rerouter interface {
	// Reroute looks anew at what waits: a Way leads on for other messages than before. What nobody wants any more is Released.
	Reroute(way *Receiver)
}

// Prologue is a Resolver that has what a receiver begins with elsewhere than what follows.
type Prologue interface {
	Resolver
	// Prologue gives the node of the retained messages of a definition, beside the one that Resolve gives; nil for none. It
	// does not wait.
	Prologue(def *addressing.Definition, source Source) Node
}

// ErrEnded answers Join and Attach when what lived at the node is no more.
var ErrEnded = errors.New("what was here has just been ended")

// Resolver finds the node behind a definition: the broker for queues and topics, Direct for the others.
type Resolver interface {
	// Resolve gives the node that serves those addresses of the source that def covers; for a sender the source is
	// its one address. It may wait for a store, not for a peer. Two calls whose addresses share state give the same
	// Node, so that a receiver whose filter spans several definitions is attached once to each node.
	Resolve(ctx context.Context, t *tenancy.Tenant, def *addressing.Definition, source Source) (Node, error)
	// Forget ends the durable subscription that source names, with all it keeps. When it returns nil that is on disk.
	// A subscription that does not exist is a *Error with reason NotFound, one with a consumer Conflict.
	Forget(ctx context.Context, t *tenancy.Tenant, source Source) error
	// Subscriptions gives the durable subscriptions of a tenant that have the name that source says, each of another filter;
	// those of the source's filter, if it has one, are among them. With an error, some that other routers have are missing.
	Subscriptions(ctx context.Context, t *tenancy.Tenant, source Source) ([]Source, error)
}
