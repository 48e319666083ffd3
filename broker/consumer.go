package broker

import (
	"errors"

	"github.com/manifoldmq/manifold/broker/internal/queue"
	"github.com/manifoldmq/manifold/router"
)

// consumer is a receiver of a queue.
type consumer struct {
	link    *router.Receiver
	id      queue.ConsumerID
	selects bool // the queue is asked for only some of its messages; a subscription has no others
	browses bool
	feed    *feed

	identified bool // what it gets says what the queue calls it
}

// wants tells whether a message is one that the consumer asked for.
func (c *consumer) wants(d router.Delivery) bool { return !c.selects || c.link.Wants(d) }

// Attach implements router.Node.
func (n *queueNode) Attach(r *router.Receiver) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.retired {
		return router.ErrEnded
	}
	source := r.Source()
	c := &consumer{
		link: r, id: n.lastID + 1, browses: source.Browse,
		selects: source.Selector != nil && !n.isSubscription(), identified: source.Identified,
	}
	role := queue.Role{
		Selects: c.selects, Browses: c.browses, Priority: source.Priority,
		Exclusive: n.rules.alone || n.isSubscription() && !source.Shared,
	}
	n.feedConsumer(c)
	if err := n.machine.Attach(c.id, role); err != nil {
		return cannotAttach(err)
	}
	if n.consumers == nil {
		n.consumers = make(map[queue.ConsumerID]*consumer)
		n.ids = make(map[*router.Receiver]queue.ConsumerID)
		n.isOpen = func(id queue.ConsumerID) bool {
			c := n.consumers[id]
			return c.link.HasCredit() && !c.feed.loading
		}
	}
	n.lastID = c.id
	n.consumers[c.id], n.ids[r] = c, c.id
	return nil
}

// feedConsumer gives a consumer the feed that fits how it walks through the queue.
func (n *queueNode) feedConsumer(c *consumer) {
	switch apart := c.selects || c.browses || n.rules.apart; {
	case !apart:
		c.feed = &n.feed
	case c.feed == nil || !c.feed.apart:
		c.feed = &feed{apart: true}
	}
}

func cannotAttach(err error) *router.Error {
	if errors.Is(err, queue.ErrExclusive) {
		return router.Errorf(router.Conflict, "there is a consumer already, and one excludes the other (consumers.exclusive)")
	}
	return router.Errorf(router.Conflict, "there are as many consumers as there may be (consumers.max)")
}

// Grant implements router.Node.
func (n *queueNode) Grant(*router.Receiver) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.handOut()
}

// Pending implements router.Node: until the consumer is at the end of what there is, a message waits for its body or for
// the lease.
func (n *queueNode) Pending(r *router.Receiver) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	id, ok := n.ids[r]
	return ok && (n.raises > 0 || n.consumers[id].feed.loading || !n.machine.AtEnd(id))
}

// Detach implements router.Node.
func (n *queueNode) Detach(r *router.Receiver) {
	if left := n.detach(r); left == 0 && n.isVolatile() {
		n.broker.leave(n)
	}
}

// detach takes a consumer out and tells how many are left.
func (n *queueNode) detach(r *router.Receiver) (left int) {
	n.mu.Lock()
	defer n.mu.Unlock()
	id, ok := n.ids[r]
	if !ok {
		return len(n.consumers)
	}
	delete(n.ids, r)
	delete(n.consumers, id)
	var back, ended []queue.Settled
	n.machine.Detach(now(), id, func(s queue.Settled) {
		n.count(s, queue.Fail)
		if s.Effect == queue.Dead || s.Effect == queue.Removed {
			ended = append(ended, s)
		} else {
			back = append(back, s)
		}
	})
	n.giveBack(back...)
	for _, s := range ended {
		n.conclude(s, router.Fail(), nil)
	}
	if len(n.consumers) == 0 && !n.isVolatile() {
		n.feed.clear()
	}
	n.handOut()
	return len(n.consumers)
}

// retire ends a subscription that has no consumer; false when it has one.
func (n *queueNode) retire() bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	if len(n.consumers) > 0 {
		return false
	}
	n.retired = true
	n.broker.clock.set(n, 0)
	return true
}
