package mqtt

import (
	"slices"

	"github.com/manifoldmq/manifold/adapters/mqtt/internal/session"
	"github.com/manifoldmq/manifold/router"
)

// A message that several subscriptions of a client select comes once for each of them, and is sent once, with the greatest
// QoS and all their identifiers [3.3.4], when the copies come together and nobody waits for what becomes of them. What is
// stored for each subscription is sent for each.

// copies is how many arrivals, beginning with the first, are one message.
func copies(arrivals []arrival) int {
	n := 1
	for n < len(arrivals) && sameMessage(&arrivals[0], &arrivals[n]) {
		n++
	}
	return n
}

func sameMessage(a, b *arrival) bool {
	x, y := a.delivery.Message.Bytes(), b.delivery.Message.Bytes()
	return len(x) > 0 && len(y) == len(x) && &x[0] == &y[0] && a.inlet != b.inlet && mergeable(a) && mergeable(b) &&
		a.inlet.subscription.rule == b.inlet.subscription.rule
}

func mergeable(a *arrival) bool {
	return !a.delivery.Owned() && !a.delivery.Retained && !a.inlet.replays && !a.inlet.ended
}

// merge makes one publication of all copies of a message.
func (c *client) merge(p *session.Publication, rest []arrival) {
	for i := range rest {
		other := c.publication(rest[i].inlet, &rest[i].delivery)
		p.QoS = max(p.QoS, other.QoS)
		p.Retain = p.Retain || other.Retain
		p.SubscriptionIDs = slices.Concat(p.SubscriptionIDs, other.SubscriptionIDs)
	}
}

// finishCopies gives back what the copies of a message have cost.
func (c *client) finishCopies(rest []arrival) {
	for i := range rest {
		c.finish(rest[i].inlet, &rest[i].delivery, router.Accept())
		rest[i] = arrival{}
	}
}
