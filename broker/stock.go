package broker

import (
	"sync"

	"github.com/manifoldmq/manifold/broker/internal/store"
	"github.com/manifoldmq/manifold/tenancy"
)

// What a tenant stores counts for what it may use (tenancy.Allowance): its queues, durable subscriptions and retained
// messages, and all messages in them. Queues of a tenant share no lock, so each tells what has changed in it, when it is
// let go of; two that fill up in the same moment may together be a message over the limit.

// stockLock is a node's lock. Whoever lets go of it has told what the node stores.
type stockLock struct {
	sync.Mutex
	node *queueNode // nil for one that does not count

	messages int // that the tenant's allowance knows of
	bytes    int64
}

// Unlock implements sync.Locker.
func (l *stockLock) Unlock() {
	if n := l.node; n != nil {
		l.tell(n.machine.Len(), n.machine.Bytes())
	}
	l.Mutex.Unlock()
}

func (l *stockLock) tell(messages int, bytes int64) {
	if messages == l.messages && bytes == l.bytes {
		return
	}
	a := l.node.allowance
	a.Use(tenancy.MaxStoredMessages, int64(messages-l.messages))
	a.Use(tenancy.MaxStoredBytes, bytes-l.bytes)
	l.messages, l.bytes = messages, bytes
}

// register counts a node that has been made.
func (n *queueNode) register() {
	n.allowance = n.broker.allowance(n.name.Tenant)
	if limit, counts := limitOf(n.name.Kind); counts {
		n.mu.node = n
		n.allowance.Use(limit, 1)
	}
}

// recount tells what a node has that was recovered.
func (n *queueNode) recount() {
	n.mu.Lock()
	defer n.mu.Unlock()
}

// deregister ends that a node counts, with all it has.
func (n *queueNode) deregister() {
	limit, counts := limitOf(n.name.Kind)
	if !counts {
		return
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	n.mu.tell(0, 0)
	n.mu.node = nil
	n.allowance.Use(limit, -1)
}

// limitOf gives the limit of how many nodes of a kind there may be. What is volatile is not stored.
func limitOf(kind store.Kind) (l tenancy.Limit, counts bool) {
	switch kind {
	case queueKind:
		return tenancy.MaxQueues, true
	case subscriptionKind:
		return tenancy.MaxSubscriptions, true
	}
	return 0, false
}

// allowance gives that of a tenant; nil if nobody has one.
func (b *Broker) allowance(tenant string) *tenancy.Allowance {
	if b.options.Allowance == nil {
		return nil
	}
	return b.options.Allowance(tenant)
}

// room tells why a tenant may not store so many more messages.
func room(a *tenancy.Allowance, messages int, bytes int64) error {
	if err := a.Room(tenancy.MaxStoredMessages, int64(messages)); err != nil {
		return err
	}
	return a.Room(tenancy.MaxStoredBytes, bytes)
}

// room tells why the tenant may not store so many more messages here.
func (n *queueNode) room(messages int, bytes int64) error {
	if n.isVolatile() {
		return nil
	}
	return room(n.allowance, messages, bytes)
}
