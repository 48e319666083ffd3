package router

import (
	"context"
	"sync"

	"github.com/manifoldmq/manifold/addressing"
	"github.com/manifoldmq/manifold/tenancy"
)

// Direct resolves the addresses that store nothing: one node for each anycast or broadcast definition of each tenant, and
// for each phase of one that leads through others. A node of an address that nobody has declared ends with its last link.
type Direct struct {
	// AsDispatch has the nodes do as Qpid Dispatch Router does: a broadcast ends as all of its receivers settle it, and nobody may
	// send while there is none; what goes to the closest consumer waits for it instead of going farther while that has no
	// credit. It is set before the first call.
	AsDispatch bool

	maxWaiting int
	capacity   int

	mu    sync.Mutex // guards everything below; a leaf
	nodes map[directKey]Node
}

type directKey struct {
	tenant string
	name   addressing.Filter
	kind   addressing.Kind
	phase  uint8
}

var _ Resolver = (*Direct)(nil)

// Forget implements Resolver: there is nothing durable here.
func (d *Direct) Forget(context.Context, *tenancy.Tenant, Source) error {
	return Errorf(NotFound, "no such subscription")
}

// Subscriptions implements Resolver.
func (d *Direct) Subscriptions(context.Context, *tenancy.Tenant, Source) ([]Source, error) {
	return nil, nil
}

// NewDirect gives a resolver without nodes. Of the limits it needs MaxWaiting and LinkCredit.
func NewDirect(l Limits) *Direct {
	l = l.withDefaults()
	return &Direct{maxWaiting: l.MaxWaiting, capacity: l.LinkCredit, nodes: make(map[directKey]Node)}
}

// Resolve implements Resolver.
func (d *Direct) Resolve(
	_ context.Context, t *tenancy.Tenant, def *addressing.Definition, source Source,
) (Node, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	key := directKey{t.Name, def.Name, def.Kind, 0}
	if def.Kind == addressing.Anycast {
		key.phase = def.Egress
		if source.Phase != nil {
			key.phase = *source.Phase
		}
		if key.phase == addressing.Fallback { // whose consumers come last where messages come in
			key.phase = 0
		}
	}
	node, ok := d.nodes[key]
	if !ok {
		var stays tenure
		if def == source.Undeclared {
			stays.forget = func() { d.forget(key) }
		}
		switch {
		case def.Kind == addressing.Anycast:
			node = newAnycast(d.preference(def.Distribution), d.maxWaiting, stays)
		case d.AsDispatch:
			node = newMulticast(d.maxWaiting, d.capacity, stays)
		default:
			node = newBroadcast(d.maxWaiting, stays)
		}
		d.nodes[key] = node
	}
	return node, nil
}

// preference is what a distribution prefers.
func (d *Direct) preference(of addressing.Distribution) preference {
	switch {
	case of == addressing.Balanced:
		return leastBusy
	case d.AsDispatch:
		return nearest
	default:
		return nearestReady
	}
}

// forget has a node be found no more.
func (d *Direct) forget(key directKey) {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.nodes, key)
}
