package router

import (
	"maps"
	"slices"
	"sync"
)

// temporaryQueue is the node of a temporary address: what is sent waits in memory until a consumer takes it, so a message
// is Accepted as soon as it is here. What waits or is held is bounded in bytes; a message beyond that is Rejected.
type temporaryQueue struct {
	maxWaiting int // bytes

	mu        sync.Mutex // guards everything below; a node's lock
	consumers []*consumer
	waiting   []Delivery
	bytes     int // of what waits and of what consumers hold
	held      map[uint64]assignment
	tag       uint64 // of the newest assignment
	ended     bool   // nobody will come any more
}

var (
	_ Node    = (*temporaryQueue)(nil)
	_ Settler = (*temporaryQueue)(nil)
)

func newTemporaryQueue(maxWaiting int) *temporaryQueue {
	return &temporaryQueue{maxWaiting: maxWaiting, held: make(map[uint64]assignment)}
}

func (q *temporaryQueue) Join(s *Sender) error {
	s.Grant()
	return nil
}

func (q *temporaryQueue) Leave(*Sender) {}

// end notes that the address is no more: only those who receive already are given what still comes.
func (q *temporaryQueue) end() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.ended = true
}

func (q *temporaryQueue) Offer(d Delivery) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.ended && len(q.consumers) == 0 {
		d.Settle(Release())
		return
	}
	if q.bytes+d.weight() > q.maxWaiting {
		d.Settle(Reject(Quota, "too much waits in the temporary queue (limits.maxWaiting)"))
		return
	}
	q.bytes += d.weight()
	d.Settle(Accept())
	q.waiting = append(q.waiting, d.Unowned())
	q.handOut()
}

func (q *temporaryQueue) Attach(r *Receiver) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.consumers = append(q.consumers, &consumer{link: r})
	return nil
}

func (q *temporaryQueue) Grant(*Receiver) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.handOut()
}

// Pending implements Node: what can be handed out has been.
func (q *temporaryQueue) Pending(*Receiver) bool { return false }

func (q *temporaryQueue) Detach(r *Receiver) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.consumers = slices.DeleteFunc(q.consumers, func(c *consumer) bool { return c.link == r })
	var back []Delivery
	for _, tag := range slices.Sorted(maps.Keys(q.held)) {
		if a := q.held[tag]; a.consumer.link == r {
			delete(q.held, tag)
			a.delivery.Attempts++
			back = append(back, a.delivery)
		}
	}
	q.waiting = slices.Insert(q.waiting, 0, back...)
	q.handOut()
}

// Settle implements Settler for what consumers hold.
func (q *temporaryQueue) Settle(tag uint64, o Outcome, done func(error)) {
	q.mu.Lock()
	defer q.mu.Unlock()
	a, ok := q.held[tag]
	if !ok {
		if done != nil {
			done(Errorf(Conflict, "the delivery is no longer held"))
		}
		return
	}
	delete(q.held, tag)
	a.consumer.link.Settled(o, a.began)
	a.consumer.unsettled--
	if o.State == Accepted || o.State == Rejected || o.Elsewhere {
		q.bytes -= a.delivery.weight()
	} else {
		if o.Reason == Failed {
			a.delivery.Attempts++
		}
		q.waiting = slices.Insert(q.waiting, 0, a.delivery)
	}
	if done != nil {
		done(nil)
	}
	q.handOut()
}

// handOut assigns what waits while consumers have credit.
func (q *temporaryQueue) handOut() {
	look(q.consumers)
	q.waiting = handOut(q.waiting, q.consumers, q.assign)
}

// assign hands a message to the consumer that holds the least, if there is one with credit.
func (q *temporaryQueue) assign(d Delivery) bool {
	for {
		c := choose(d, q.consumers, leastBusy)
		if c == nil {
			return false
		}
		if !c.link.Take() { // its credit went elsewhere meanwhile
			continue
		}
		q.tag++
		c.turn = q.tag
		c.unsettled++
		a := assignment{delivery: d, consumer: c}
		if !d.Settled { // or nobody waits for the outcome, and clients may well forget it
			a.began = c.link.Begin()
		}
		q.held[q.tag] = a
		c.link.Deliver(d.From(q, q.tag))
		return true
	}
}
