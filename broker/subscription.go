package broker

import (
	"context"
	"slices"

	"github.com/manifoldmq/manifold/addressing"
	"github.com/manifoldmq/manifold/broker/internal/store"
	"github.com/manifoldmq/manifold/router"
	"github.com/manifoldmq/manifold/tenancy"
)

// A subscription is a queue that a topic fills with what its source wants. Its terms are those with which it was made: a
// receiver that comes with others is refused, or, if nobody is there and only the choice of messages differs, gets a new
// subscription in its place, as JMS 2.0 has it [8.3.3]. A volatile one ends when its last receiver leaves.

// subscriptionKey names the durable subscriptions of a tenant that differ in their filters only.
type subscriptionKey struct {
	tenant, name string
}

// subscription gives the node of a subscription. A durable one is on disk then.
func (b *Broker) subscription(
	ctx context.Context, t *tenancy.Tenant, def *addressing.Definition, source router.Source,
) (router.Node, error) {
	n, err := b.subscribe(t, b.topicsOf(t.Name), def, source)
	if err != nil {
		return nil, err
	}
	return n, n.created.wait(ctx)
}

// subscribe finds or makes a subscription, whose route is live then.
func (b *Broker) subscribe(
	tenant *tenancy.Tenant, t *topics, def *addressing.Definition, source router.Source,
) (*queueNode, error) {
	wanted := terms(source)
	b.mu.Lock()
	defer b.mu.Unlock()
	n := b.queues[subscriptionName(t.tenant, source)]
	if n != nil && !sameTerms(n.source, wanted) {
		if n.source.Shared != wanted.Shared {
			if n.source.Shared {
				return nil, router.Errorf(router.Conflict, "the subscription is a shared one")
			}
			return nil, router.Errorf(router.Conflict, "the subscription is not a shared one")
		}
		if err := b.end(t, n, newSynced()); err != nil {
			return nil, err
		}
		n = nil
	}
	if n == nil {
		var err error
		if n, err = b.makeSubscription(t, wanted); err != nil {
			return nil, err
		}
	}
	b.configure(n, tenant, def.Queue)
	return n, nil
}

// makeSubscription makes a subscription that is not there; the caller holds b.mu.
func (b *Broker) makeSubscription(t *topics, source *router.Source) (*queueNode, error) {
	name := subscriptionName(t.tenant, *source)
	created := newSynced()
	id, err := b.volatileID, b.checkCount(name)
	if source.Volatile {
		b.volatileID++
		created = nil
	} else {
		id, err = b.create(name, describe(source), func(batch store.Batch) { batch.Commit(created, 0) })
	}
	if err != nil {
		return nil, err
	}
	n := b.addSubscription(name, id, source)
	n.created = created
	t.subscribe(n)
	return n, nil
}

// addSubscription makes the node of a subscription; the caller holds b.mu, or is alone.
func (b *Broker) addSubscription(name store.Name, id store.QueueID, source *router.Source) *queueNode {
	n := b.add(name, id)
	n.source = source
	if !source.Volatile {
		key := subscriptionKey{name.Tenant, source.Subscription}
		b.named[key] = append(b.named[key], n)
	}
	return n
}

// Forget implements router.Resolver.
func (b *Broker) Forget(ctx context.Context, t *tenancy.Tenant, source router.Source) error {
	topics, onDisk := b.topicsOf(t.Name), newSynced()
	source.Volatile = false
	if err := b.forget(topics, subscriptionName(t.Name, source), onDisk); err != nil {
		return err
	}
	return onDisk.wait(ctx)
}

func (b *Broker) forget(t *topics, name store.Name, done store.Completer) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	n, ok := b.queues[name]
	if !ok {
		return router.Errorf(router.NotFound, "no such subscription")
	}
	return b.end(t, n, done)
}

// end takes a subscription that has no consumer out of everything; done hears when that is on disk. The caller holds
// b.mu.
func (b *Broker) end(t *topics, n *queueNode, done store.Completer) error {
	if !n.retire() {
		return router.Errorf(router.Conflict, "the subscription has a consumer")
	}
	t.unsubscribe(n)
	b.remove(n)
	if n.source.Volatile {
		return nil
	}
	key := subscriptionKey{n.name.Tenant, n.source.Subscription}
	if rest := slices.DeleteFunc(b.named[key], func(m *queueNode) bool { return m == n }); len(rest) > 0 {
		b.named[key] = rest
	} else {
		delete(b.named, key)
	}
	batch, err := b.store.Begin()
	if err != nil {
		return storeError()
	}
	batch.Drop(n.name, n.id)
	batch.Commit(done, 0)
	return nil
}

// leave ends a volatile subscription whose last consumer has left, unless another one has come.
func (b *Broker) leave(n *queueNode) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.queues[n.name] == n {
		_ = b.end(b.topics[n.name.Tenant], n, nil) // a conflict: it goes on
	}
}

// Subscriptions implements router.Resolver.
func (b *Broker) Subscriptions(_ context.Context, t *tenancy.Tenant, wanted router.Source) (sources []router.Source, _ error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, n := range b.named[subscriptionKey{t.Name, wanted.Subscription}] {
		sources = append(sources, *n.source)
	}
	return sources, nil
}

func subscriptionName(tenant string, source router.Source) store.Name {
	kind := subscriptionKind
	if source.Volatile {
		kind = volatileKind
	}
	return store.Name{Tenant: tenant, Kind: kind, Name: source.Filter.String() + "\x00" + source.Subscription}
}
