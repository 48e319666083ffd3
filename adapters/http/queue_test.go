package http

import (
	"context"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/manifoldmq/manifold/addressing"
	"github.com/manifoldmq/manifold/router"
	"github.com/manifoldmq/manifold/tenancy"
)

// queues resolves queue definitions for tests: one queue per tenant and definition, in memory. With a delay it hands
// messages over some time after it has used the credit for them, as a store does that must read them first.
type queues struct {
	delay time.Duration

	mu    sync.Mutex
	nodes map[string]*queue
}

func (q *queues) Resolve(
	_ context.Context, t *tenancy.Tenant, def *addressing.Definition, _ router.Source,
) (router.Node, error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	key := t.Name + " " + def.Name.String()
	if q.nodes[key] == nil {
		if q.nodes == nil {
			q.nodes = make(map[string]*queue)
		}
		q.nodes[key] = &queue{delay: q.delay, held: make(map[uint64]holding)}
	}
	return q.nodes[key], nil
}

func (q *queues) Subscriptions(context.Context, *tenancy.Tenant, router.Source) ([]router.Source, error) {
	return nil, nil
}

func (q *queues) Forget(context.Context, *tenancy.Tenant, router.Source) error {
	return router.Errorf(router.NotFound, "no such subscription")
}

// queue is a first-in-first-out queue that accepts at once.
type queue struct {
	delay time.Duration

	mu        sync.Mutex
	ready     []router.Delivery
	receivers []*router.Receiver
	held      map[uint64]holding
	tag       uint64
	late      int  // messages on their way
	stuck     bool // no settlement becomes safe
	ended     []router.Outcome
}

type holding struct {
	delivery router.Delivery
	by       *router.Receiver
}

func (q *queue) Join(s *router.Sender) error { s.Grant(); return nil }
func (q *queue) Leave(*router.Sender)        {}

func (q *queue) Pending(*router.Receiver) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.late > 0
}

func (q *queue) Offer(d router.Delivery) {
	q.mu.Lock()
	defer q.mu.Unlock()
	d.Settle(router.Accept())
	q.ready = append(q.ready, d.Unowned())
	q.hand()
}

func (q *queue) Attach(r *router.Receiver) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.receivers = append(q.receivers, r)
	return nil
}

func (q *queue) Grant(*router.Receiver) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.hand()
}

func (q *queue) Detach(r *router.Receiver) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for i, other := range q.receivers {
		if other == r {
			q.receivers = append(q.receivers[:i:i], q.receivers[i+1:]...)
			break
		}
	}
	for _, tag := range slices.Backward(slices.Sorted(maps.Keys(q.held))) { // each goes to the front
		if h := q.held[tag]; h.by == r {
			q.end(tag, h, router.Fail())
		}
	}
	q.hand()
}

func (q *queue) Settle(tag uint64, o router.Outcome, done func(error)) {
	q.mu.Lock()
	defer q.mu.Unlock()
	h, ok := q.held[tag]
	if !ok {
		if done != nil {
			done(router.Errorf(router.Conflict, "no longer held"))
		}
		return
	}
	q.end(tag, h, o)
	if done != nil && !q.stuck {
		done(nil)
	}
	q.hand()
}

func (q *queue) end(tag uint64, h holding, o router.Outcome) {
	delete(q.held, tag)
	q.ended = append(q.ended, o)
	switch o.State {
	case router.Modified:
		h.delivery.Attempts++
		fallthrough
	case router.Released:
		q.ready = append([]router.Delivery{h.delivery}, q.ready...)
	}
}

func (q *queue) hand() {
	for _, r := range q.receivers {
		for len(q.ready) > 0 && r.Take() {
			d := q.ready[0]
			q.ready = q.ready[1:]
			q.tag++
			q.held[q.tag] = holding{d, r}
			out := d.From(q, q.tag)
			if q.delay == 0 {
				r.Deliver(out)
				continue
			}
			q.late++
			time.AfterFunc(q.delay, func() {
				q.mu.Lock()
				defer q.mu.Unlock()
				q.late--
				r.Deliver(out)
			})
		}
	}
}

// outcomes gives how deliveries have ended so far.
func (q *queue) outcomes() []router.Outcome {
	q.mu.Lock()
	defer q.mu.Unlock()
	return append([]router.Outcome(nil), q.ended...)
}

// attached gives how many receivers are attached.
func (q *queue) attached() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return len(q.receivers)
}

// purge forgets what is ready.
func (q *queue) purge() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.ready = nil
}

// setDelay changes how long the hand-over takes.
func (q *queue) setDelay(d time.Duration) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.delay = d
}
