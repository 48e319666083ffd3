package broker

import (
	"time"

	"github.com/manifoldmq/manifold/addressing"
	"github.com/manifoldmq/manifold/broker/internal/queue"
	"github.com/manifoldmq/manifold/broker/internal/store"
	"github.com/manifoldmq/manifold/router"
	"github.com/manifoldmq/manifold/tenancy"
)

// rules are what a definition says of a queue that its machine need not know.
type rules struct {
	ttl     addressing.TTL
	limits  bool       // the ttl is more than nothing
	apart   bool       // each consumer walks through the queue by itself
	alone   bool       // who consumes lets nobody in beside him
	closed  bool       // clients do not send
	counts  bool       // failed deliveries are limited
	dead    *queueNode // where dead messages go; nil drops them
	expired *queueNode // where expired messages go; nil drops them

	lastValue string // the property of which each value keeps its last message only; empty for none
}

// configure has a queue take over the settings of its definition; the caller holds b.mu.
func (b *Broker) configure(n *queueNode, t *tenancy.Tenant, s addressing.QueueSettings) {
	n.configure(s, rules{
		ttl:     s.TTL,
		limits:  s.TTL != addressing.TTL{},
		apart:   s.Groups || s.NonDestructive,
		alone:   s.Exclusive,
		closed:  s.ConsumeOnly,
		counts:  s.MaxDeliveries > 0,
		dead:    b.letters(n, t, s.DeadLetter),
		expired: b.letters(n, t, s.Expiry),

		lastValue: s.LastValueKey,
	})
}

// configureSubscriptions has those durable subscriptions take over the settings of their topic that nobody has come for
// since the start, before a sender may fill them.
func (b *Broker) configureSubscriptions(
	topics *topics, t *tenancy.Tenant, def *addressing.Definition, source router.Source,
) {
	a, literal := source.Filter.Literal()
	if !literal {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, n := range topics.keeping(a) {
		if !n.isConfigured() {
			b.configure(n, t, def.Queue)
		}
	}
}

func (n *queueNode) isConfigured() bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.configured
}

// letters gives the queue that a setting of n names, if it names one; the caller holds b.mu.
func (b *Broker) letters(n *queueNode, t *tenancy.Tenant, a addressing.Address) *queueNode {
	if a == "" || n.isVolatile() {
		return nil
	}
	name := store.Name{Tenant: t.Name, Kind: queueKind, Name: string(a)}
	to, ok := b.queues[name]
	if to == n {
		return nil
	}
	if ok {
		return to
	}
	def, ok := t.Addresses.Lookup(a)
	if !ok {
		return nil // addressing.NewSpace does not let this happen
	}
	to, err := b.open(t, def, a)
	if err != nil {
		b.log.Error("a queue for dead or expired messages cannot be made", "tenant", t.Name, "address", a, "err", err)
		return nil
	}
	return to
}

// configure takes over settings.
func (n *queueNode) configure(s addressing.QueueSettings, r rules) {
	n.mu.Lock()
	defer n.mu.Unlock()
	settings := queue.Settings{
		MaxMessages: int(s.MaxMessages), MaxBytes: s.MaxBytes, MaxDeliveries: s.MaxDeliveries,
		MaxConsumers: s.MaxConsumers, SingleActive: s.SingleActive, Groups: s.Groups,
		NonDestructive: s.NonDestructive,
		Redelivery: queue.Redelivery{
			Initial: s.Redelivery.Initial.Milliseconds(), Multiplier: s.Redelivery.Multiplier,
			Max: s.Redelivery.Max.Milliseconds(),
		},
	}
	if s.Overflow == addressing.DropHead {
		settings.Overflow = queue.DropHead
	}
	if n.isVolatile() {
		settings = inMemory(settings, n.broker.options.MaxVolatile)
	}
	n.machine.Configure(settings)
	n.rules, n.configured = r, true
	n.setWindow(s.Dedup)
	for _, c := range n.consumers {
		n.feedConsumer(c)
	}
	n.advance()
	n.invite()
}

// limited gives a delivery with the time to live that the rules leave it.
func (r *rules) limited(d router.Delivery) router.Delivery {
	if !r.limits {
		return d
	}
	at := time.Now()
	if d.Expires > 0 {
		d.Expires = max(d.Expires, at.Add(r.ttl.Min).UnixMilli())
	} else if r.ttl.Default > 0 {
		d.Expires = at.Add(r.ttl.Default).UnixMilli()
	}
	if last := at.Add(r.ttl.Max).UnixMilli(); r.ttl.Max > 0 && (d.Expires == 0 || d.Expires > last) {
		d.Expires = last
	}
	return d
}
