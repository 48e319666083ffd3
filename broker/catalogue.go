package broker

import (
	"context"

	"github.com/manifoldmq/manifold/addressing"
	"github.com/manifoldmq/manifold/broker/internal/queue"
	"github.com/manifoldmq/manifold/broker/internal/store"
	"github.com/manifoldmq/manifold/router"
	"github.com/manifoldmq/manifold/tenancy"
)

// What the catalogue knows by name.
const (
	queueKind        store.Kind = 'q'
	subscriptionKind store.Kind = 's' // named by its filter, a NUL and its own name
)

// countKey is whose things of a kind are counted.
type countKey struct {
	tenant string
	kind   store.Kind
}

// queue gives the node of a queue. A new queue is entered into the catalogue without waiting: its entry reaches the
// disk before its first message does.
func (b *Broker) queue(tenant string, def *addressing.Definition, source router.Source) (router.Node, error) {
	a, literal := source.Filter.Literal()
	if !literal {
		return nil, router.Errorf(router.Unsupported, "%s: a queue is received from by its own name", source.Filter)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	name := store.Name{Tenant: tenant, Kind: queueKind, Name: string(a)}
	n, ok := b.queues[name]
	if !ok {
		var err error
		if n, err = b.create(name, nil, func(batch store.Batch) { batch.CommitLazy() }); err != nil {
			return nil, err
		}
	}
	n.configure(def.Queue)
	return n, nil
}

// subscription gives the node of a durable subscription.
func (b *Broker) subscription(
	ctx context.Context, tenant string, def *addressing.Definition, source router.Source,
) (router.Node, error) {
	t := b.topicsOf(tenant)
	name := subscriptionName(tenant, source)
	b.mu.Lock()
	n, ok := b.queues[name]
	var err error
	if !ok {
		created := newSynced()
		n, err = b.create(name, []byte(source.Filter.String()), func(batch store.Batch) { batch.Commit(created, 0) })
		if err == nil {
			n.created = created
			t.subscribe(source.Filter, n)
		}
	}
	if err == nil {
		n.configure(def.Queue)
	}
	b.mu.Unlock()
	if err != nil {
		return nil, err
	}
	return n, n.created.wait(ctx)
}

func subscriptionName(tenant string, source router.Source) store.Name {
	return store.Name{
		Tenant: tenant, Kind: subscriptionKind, Name: source.Filter.String() + "\x00" + source.Subscription,
	}
}

// synced is told once whether a batch is on disk; any number may wait for it. A nil one has long been.
type synced struct {
	done chan struct{}
	err  error // valid when done is closed
}

func newSynced() *synced { return &synced{done: make(chan struct{})} }

// Committed implements store.Completer.
func (s *synced) Committed(_ uint64, err error) {
	s.err = err
	close(s.done)
}

func (s *synced) wait(ctx context.Context) error {
	if s == nil {
		return nil
	}
	select {
	case <-s.done:
		if s.err != nil {
			return storeError()
		}
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// create enters a queue into the catalogue; the caller holds b.mu.
func (b *Broker) create(name store.Name, description []byte, commit func(store.Batch)) (*queueNode, error) {
	if err := b.checkCount(name); err != nil {
		return nil, err
	}
	batch, err := b.store.Begin()
	if err != nil {
		return nil, storeError()
	}
	id := batch.Create(name, description)
	commit(batch)
	return b.add(name, id), nil
}

// checkCount refuses a queue or subscription too many; the caller holds b.mu.
func (b *Broker) checkCount(name store.Name) error {
	limit, setting := b.options.MaxQueues, "store.maxQueues"
	if name.Kind == subscriptionKind {
		limit, setting = b.options.MaxSubscriptions, "store.maxSubscriptions"
	}
	if b.counts[countKey{name.Tenant, name.Kind}] >= limit {
		return router.Errorf(router.Quota, "the tenant has as many as it may (%s)", setting)
	}
	return nil
}

// add makes the node of a queue that is in the catalogue; the caller holds b.mu, or is alone.
func (b *Broker) add(name store.Name, id store.QueueID) *queueNode {
	n := &queueNode{
		broker: b, id: id, name: name,
		exclusive: name.Kind == subscriptionKind,
		machine:   queue.New(queue.Settings{}),
	}
	b.queues[name] = n
	b.counts[countKey{name.Tenant, name.Kind}]++
	return n
}

// Forget implements router.Resolver.
func (b *Broker) Forget(ctx context.Context, t *tenancy.Tenant, source router.Source) error {
	topics := b.topicsOf(t.Name)
	name := subscriptionName(t.Name, source)
	onDisk := newSynced()
	if err := b.drop(topics, name, source.Filter, onDisk); err != nil {
		return err
	}
	return onDisk.wait(ctx)
}

// drop takes a subscription out of everything; done hears when that is on disk.
func (b *Broker) drop(t *topics, name store.Name, f addressing.Filter, done store.Completer) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	n, ok := b.queues[name]
	if !ok {
		return router.Errorf(router.NotFound, "no such subscription")
	}
	if !n.retire() {
		return router.Errorf(router.Conflict, "the subscription has a consumer")
	}
	t.unsubscribe(f, n)
	delete(b.queues, name)
	b.counts[countKey{name.Tenant, name.Kind}]--
	batch, err := b.store.Begin()
	if err != nil {
		return storeError()
	}
	batch.Drop(name, n.id)
	batch.Commit(done, 0)
	return nil
}

func storeError() error { return router.Errorf(router.Internal, "the store takes no more writes") }
