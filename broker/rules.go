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
	groups  bool       // consumers look for the messages of their groups
	counts  bool       // failed deliveries are limited
	dead    *queueNode // where dead messages go; nil drops them
	expired *queueNode // where expired messages go; nil drops them
}

// configure has a queue take over the settings of its definition; the caller holds b.mu.
func (b *Broker) configure(n *queueNode, t *tenancy.Tenant, s addressing.QueueSettings) {
	n.configure(s, rules{
		ttl:     s.TTL,
		limits:  s.TTL != addressing.TTL{},
		groups:  s.Groups,
		counts:  s.MaxDeliveries > 0,
		dead:    b.letters(n, t, s.DeadLetter),
		expired: b.letters(n, t, s.Expiry),
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
	if !ok {
		id, err := b.create(name, nil, store.Batch.CommitLazy)
		if err != nil {
			b.log.Error("a queue for dead or expired messages cannot be made", "tenant", t.Name, "address", a, "err", err)
			return nil
		}
		to = b.add(name, id)
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
	n.advance()
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
