package broker

import (
	"github.com/manifoldmq/manifold/addressing"
	"github.com/manifoldmq/manifold/broker/internal/queue"
	"github.com/manifoldmq/manifold/broker/internal/store"
	"github.com/manifoldmq/manifold/router"
	"github.com/manifoldmq/manifold/tenancy"
)

// What has a queue, by name.
const (
	queueKind        store.Kind = 'q'
	subscriptionKind store.Kind = 's' // a durable subscription; named by its filter, a NUL and its own name
	volatileKind     store.Kind = 'v' // a volatile one, which is never in the catalogue
)

// countKey is whose things of a kind are counted.
type countKey struct {
	tenant string
	kind   store.Kind
}

// queue gives the node of a queue. A new queue is entered into the catalogue without waiting: its entry reaches the
// disk before its first message does.
func (b *Broker) queue(t *tenancy.Tenant, def *addressing.Definition, source router.Source) (router.Node, error) {
	a, literal := source.Filter.Literal()
	if !literal {
		return nil, router.Errorf(router.Unsupported, "%s: a queue is received from by its own name", source.Filter)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	n, err := b.open(t, def, a)
	if err != nil {
		return nil, err
	}
	return n, nil
}

// open finds or makes the node of a queue; the caller holds b.mu.
func (b *Broker) open(t *tenancy.Tenant, def *addressing.Definition, a addressing.Address) (*queueNode, error) {
	name := store.Name{Tenant: t.Name, Kind: queueKind, Name: string(a)}
	n, ok := b.queues[name]
	if !ok {
		id, err := b.create(name, nil, store.Batch.CommitLazy)
		if err != nil {
			return nil, err
		}
		n = b.add(name, id)
	}
	b.configure(n, t, def.Queue)
	return n, nil
}

// create enters a queue into the catalogue; the caller holds b.mu.
func (b *Broker) create(name store.Name, description []byte, commit func(store.Batch)) (store.QueueID, error) {
	if err := b.checkCount(name); err != nil {
		return 0, err
	}
	batch, err := b.store.Begin()
	if err != nil {
		return 0, storeError()
	}
	id := batch.Create(name, description)
	commit(batch)
	return id, nil
}

// checkCount refuses a queue or subscription too many; the caller holds b.mu.
func (b *Broker) checkCount(name store.Name) error {
	limit, setting := b.options.MaxSubscriptions, "store.maxSubscriptions"
	if name.Kind == queueKind {
		limit, setting = b.options.MaxQueues, "store.maxQueues"
	}
	if l, counts := limitOf(name.Kind); counts {
		if a := b.allowance(name.Tenant); a.Most(l) > 0 {
			return a.Room(l, 1)
		}
	}
	if b.counts[countKey{name.Tenant, name.Kind}] >= limit {
		return router.Errorf(router.Quota, "the tenant has as many as it may (%s)", setting)
	}
	return nil
}

// add makes the node of a queue; the caller holds b.mu, or is alone.
func (b *Broker) add(name store.Name, id store.QueueID) *queueNode {
	n := &queueNode{broker: b, id: id, name: name, machine: queue.New(queue.Settings{})}
	b.queues[name] = n
	b.counts[countKey{name.Tenant, name.Kind}]++
	n.register()
	return n
}

// remove takes a node out again; the caller holds b.mu.
func (b *Broker) remove(n *queueNode) {
	delete(b.queues, n.name)
	b.counts[countKey{n.name.Tenant, n.name.Kind}]--
	n.deregister()
}

func storeError() *router.Error {
	return router.Errorf(router.Internal, "the store takes no more writes")
}
