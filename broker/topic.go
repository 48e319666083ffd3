package broker

import (
	"slices"
	"sync"
	"sync/atomic"

	"github.com/manifoldmq/manifold/addressing"
	"github.com/manifoldmq/manifold/broker/internal/store"
	"github.com/manifoldmq/manifold/router"
	"github.com/manifoldmq/manifold/tenancy"
)

// topics is the node of all topics of one tenant. A receiver without a name gets what is published while it is
// attached and has credit; what it has no credit for it misses, and that is counted, so that a slow subscriber harms
// nobody. A subscription keeps what it wants in a queue of its own.
type topics struct {
	broker    *Broker
	tenant    string
	allowance *tenancy.Allowance // of the tenant; nil for none
	onward    *router.Onward     // what waits for ways to other routers

	mu       sync.RWMutex // guards everything below; a node's lock, taken before a queue's
	live     addressing.Index[*router.Receiver]
	kept     addressing.Index[*queueNode] // the queues of subscriptions
	retained retained
	replays  map[*router.Receiver][]addressing.Address // retained messages that wait for credit

	scratch sync.Pool // of *matches
}

// matches is room for what an index finds.
type matches struct {
	live []*router.Receiver
	kept []*queueNode
}

var (
	_ router.Node   = (*topics)(nil)
	_ router.Stored = (*topics)(nil)
)

func newTopics(b *Broker, tenant string) *topics {
	return &topics{
		broker: b,
		tenant: tenant, allowance: b.allowance(tenant),
		onward:   router.NewOnward(int(b.options.MaxVolatile)),
		retained: newRetained(b.options.MaxRetained, b.options.MaxRetainedBytes, b.allowance(tenant)),
		replays:  make(map[*router.Receiver][]addressing.Address),
		scratch:  sync.Pool{New: func() any { return new(matches) }},
	}
}

// subscribe makes a subscription's route live.
func (t *topics) subscribe(n *queueNode) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.kept.Add(n.source.Filter, n) {
		t.broker.options.Watcher.Subscribed(t.tenant, n.source)
	}
}

// unsubscribe ends it.
func (t *topics) unsubscribe(n *queueNode) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.kept.Remove(n.source.Filter, n) {
		t.broker.options.Watcher.Unsubscribed(t.tenant, n.source)
	}
}

// keeping gives the queues of the subscriptions to an address.
func (t *topics) keeping(a addressing.Address) []*queueNode {
	t.mu.RLock()
	defer t.mu.RUnlock()
	return t.kept.Match(a, nil)
}

// match adds the queues of the subscriptions that want a message to dst; the caller holds t.mu.
func (t *topics) match(d router.Delivery, dst []*queueNode) []*queueNode {
	found := t.kept.Match(d.To, dst)
	return slices.DeleteFunc(found, func(n *queueNode) bool { return !n.source.Wants(d) })
}

// Transactor implements router.Stored.
func (t *topics) Transactor() router.Transactor { return t.broker }

func (t *topics) Join(s *router.Sender) error {
	s.Grant()
	return nil
}

// Leave does nothing: what was offered has been handed on.
func (t *topics) Leave(*router.Sender) {}

func (t *topics) Offer(d router.Delivery) {
	if d.Retain {
		t.mu.Lock()
		defer t.mu.Unlock()
	} else {
		t.mu.RLock()
		defer t.mu.RUnlock()
	}
	found := t.scratch.Get().(*matches)
	defer t.scratch.Put(found)
	found.kept = t.match(d, found.kept[:0])
	found.live = t.live.Match(d.To, found.live[:0])
	if err := t.admit(d, found.kept); err != nil {
		d.Settle(refused(err))
		return
	}
	switch {
	case d.Retain && !t.retain(d):
		return
	case d.Retain || len(found.kept) > 0:
		t.keep(d, found.kept)
	default:
		d.Settle(router.Accept())
	}
	t.deliverLive(d, found.live)
	clear(found.kept)
	clear(found.live)
}

// deliverLive hands a message to those receivers that want it and have credit, and to ways also when they get some.
func (t *topics) deliverLive(d router.Delivery, live []*router.Receiver) {
	handed := d.Unowned()
	for _, r := range live {
		switch {
		case !r.Wants(d):
		case r.Leading():
			t.onward.Hand(r, d)
		case r.Take():
			r.Deliver(handed)
		default:
			r.Drop()
		}
	}
}

// Retained is how many retained messages a tenant has.
func (b *Broker) Retained(tenant string) int {
	t := b.topicsOf(tenant)
	t.mu.RLock()
	defer t.mu.RUnlock()
	return len(t.retained.messages)
}

// retain makes a message the retained one of its topic name. Beyond the limits the message is refused.
func (t *topics) retain(d router.Delivery) bool {
	if !t.makeRoom(&d) {
		d.Settle(refused(t.tooManyRetained()))
		return false
	}
	t.retained.put(d)
	return true
}

// keep takes a message wherever it is kept, and settles it when it is safe in all those places.
func (t *topics) keep(d router.Delivery, queues []*queueNode) {
	f := &fanout{origin: d}
	f.missing.Store(int32(len(queues)) + 1)
	for _, n := range queues {
		n.take(d.From(f, 0))
	}
	if !d.Retain {
		f.arrived()
		return
	}
	batch, err := t.broker.store.Begin()
	if err != nil {
		f.Settle(0, storeFailed(), nil)
		return
	}
	t.writeRetained(batch, d)
	batch.Commit(f, 0)
}

// writeRetained adds the retained message of a topic name, or that there is none any more, to a batch.
func (t *topics) writeRetained(batch store.Batch, d router.Delivery) {
	if isEmpty(d) {
		batch.DeleteRetained(t.tenant, string(d.To))
	} else {
		batch.PutRetained(t.tenant, string(d.To), flagsOf(d), appendRecord(nil, d))
	}
}

// fanout is one message on its way to several places: its sender hears Accepted when it is safe in all of them. A
// subscription that is full misses the message without harm to the others; a store that fails is heard of.
type fanout struct {
	origin  router.Delivery
	missing atomic.Int32 // places that have not answered
	failed  atomic.Bool
}

var (
	_ router.Settler  = (*fanout)(nil)
	_ store.Completer = (*fanout)(nil)
)

// Settle implements router.Settler for the queues of durable subscriptions.
func (f *fanout) Settle(_ uint64, o router.Outcome, _ func(error)) {
	switch o.Reason {
	case router.OK:
	case router.Internal:
		f.failed.Store(true)
	default:
		f.origin.Dropped()
	}
	f.arrived()
}

// Committed implements store.Completer for the retained message.
func (f *fanout) Committed(_ uint64, err error) {
	if err != nil {
		f.failed.Store(true)
	}
	f.arrived()
}

func (f *fanout) arrived() {
	if f.missing.Add(-1) > 0 {
		return
	}
	if f.failed.Load() {
		f.origin.Settle(storeFailed())
	} else {
		f.origin.Settle(router.Accept())
	}
}

func (t *topics) Attach(r *router.Receiver) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	source := r.Source()
	if !source.Kept && t.live.Add(source.Filter, r) {
		t.broker.options.Watcher.Subscribed(t.tenant, &source)
	}
	if source.Retained || source.Kept {
		if names := t.retained.match(source.Filter); len(names) > 0 {
			t.replays[r] = names
		}
	}
	return nil
}

// Grant hands out the retained messages that a receiver began with.
func (t *topics) Grant(r *router.Receiver) {
	if r.Leading() {
		t.onward.Granted(r)
		return
	}
	t.mu.RLock()
	waits := len(t.replays[r]) > 0
	t.mu.RUnlock()
	if !waits {
		return
	}
	t.mu.Lock() // exclusively, so that no newer retained message overtakes the one handed out
	defer t.mu.Unlock()
	names := t.replays[r]
	for len(names) > 0 {
		d, ok := t.retained.get(now(), names[0])
		ok = ok && r.Wants(d)
		if ok && !r.Take() {
			break
		}
		names = names[1:]
		if ok {
			d.Retained = true
			r.Deliver(d)
		}
	}
	if len(names) == 0 {
		delete(t.replays, r)
	} else {
		t.replays[r] = names
	}
}

// Pending implements router.Node: what can be handed out has been.
func (t *topics) Pending(*router.Receiver) bool { return false }

func (t *topics) Detach(r *router.Receiver) {
	t.mu.Lock()
	defer t.mu.Unlock()
	source := r.Source()
	if !source.Kept && t.live.Remove(source.Filter, r) {
		t.broker.options.Watcher.Unsubscribed(t.tenant, &source)
	}
	delete(t.replays, r)
	if r.Leading() {
		t.onward.End(r)
	}
}
