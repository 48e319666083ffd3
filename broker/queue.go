package broker

import (
	"github.com/manifoldmq/manifold/broker/internal/queue"
	"github.com/manifoldmq/manifold/broker/internal/store"
	"github.com/manifoldmq/manifold/router"
	"github.com/manifoldmq/manifold/tenancy"
)

// queueNode is the node of a queue, or of a subscription, which keeps its messages in one.
type queueNode struct {
	broker  *Broker
	id      store.QueueID // its place in the order of locks, too
	name    store.Name
	source  *router.Source // the terms of a subscription; nil for a queue
	created *synced        // that a subscription is in the catalogue on disk
	alarm   alarm          // the clock's
	letters letterbox      // what is on its way here from queues where it is dead or has expired

	allowance *tenancy.Allowance // of its tenant; nil for none

	mu         stockLock // guards everything below; a node's lock
	machine    *queue.Queue
	storing    []stored // what is on its way to the disk, in order
	scratch    []byte   // the head of the record being written
	consumers  map[queue.ConsumerID]*consumer
	ids        map[*router.Receiver]queue.ConsumerID
	lastID     queue.ConsumerID
	isOpen     func(queue.ConsumerID) bool // for a message; made with the first consumer
	feed       feed                        // of all consumers that take what comes
	notes      notes
	noted      int   // bytes of notes
	raises     int   // of the lease, on their way to the disk
	consumed   int   // messages removed since metadata was last written
	dirty      bool  // metadata on disk is behind
	wakeAt     int64 // when the clock is to wake the queue; 0 for never
	rules      rules
	counters   Counters
	memory     memory      // of messages that may be sent again
	replaced   []queue.Seq // what recovery found that a later message of its key takes the place of
	remembers  bool        // there are, or were, histories of messages
	configured bool        // rules and the machine's settings are those of the definition
	retired    bool        // the subscription was ended: nothing is kept or attached any more
}

var (
	_ router.Node     = (*queueNode)(nil)
	_ router.Settler  = (*queueNode)(nil)
	_ router.Stored   = (*queueNode)(nil)
	_ store.Completer = (*queueNode)(nil)
)

// isSubscription tells whether a topic fills the queue.
func (n *queueNode) isSubscription() bool { return n.source != nil }

// isVolatile tells whether the messages are in memory only.
func (n *queueNode) isVolatile() bool { return n.name.Kind == volatileKind }

// Transactor implements router.Stored.
func (n *queueNode) Transactor() router.Transactor { return n.broker }

// Join implements router.Node.
func (n *queueNode) Join(s *router.Sender) error {
	n.mu.Lock()
	closed := n.rules.closed
	n.mu.Unlock()
	if closed {
		return consumeOnly()
	}
	s.Grant()
	return nil
}

// Leave does nothing: what was offered is on its way to the disk.
func (n *queueNode) Leave(*router.Sender) {}

func (n *queueNode) Offer(d router.Delivery) {
	if err := n.broker.admit(); err != nil {
		d.Settle(refused(err))
		return
	}
	n.take(d)
}

// take takes in a message that was admitted.
func (n *queueNode) take(d router.Delivery) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.retired {
		d.Settle(router.Accept()) // it is no subscription any more: there is nothing to keep
		return
	}
	if n.rules.closed {
		d.Settle(refused(consumeOnly()))
		return
	}
	if n.isAgain(d.Message) {
		n.acceptAgain(d)
		return
	}
	if n.rules.limits {
		d = n.rules.limited(d)
	}
	if err := n.room(1, int64(d.Message.Len())); err != nil {
		d.Settle(refused(err))
		return
	}
	entry := entryOf(d, n.rules.keyOf(d.Message))
	seq, dropped, err := n.machine.Append(entry)
	if err != nil {
		if n.isSubscription() {
			n.counters.Dropped++ // nobody else hears of it
		}
		d.Settle(refused(queueFull()))
		return
	}
	if n.isVolatile() {
		n.counters.Dropped += uint64(len(dropped))
		n.forget(dropped)
		n.arrived(&stored{seq: seq, delivery: d}, nil)
		n.handOut()
		return
	}
	n.record(d, entry)
	batch, err := n.broker.store.Begin()
	if err != nil {
		n.machine.StoreFailed(seq)
		d.Settle(storeFailed())
		return
	}
	n.write(batch, seq, dropped, d)
	batch.Commit(n, uint64(seq))
	n.schedule()
}

func storeFailed() router.Outcome { return refused(storeError()) }

func queueFull() *router.Error {
	return router.Errorf(router.Quota, "the queue is full (maxMessages, maxBytes)")
}

func consumeOnly() *router.Error {
	return router.Errorf(router.Denied, "the queue takes no messages of clients (consumeOnly)")
}

func notHeld() *router.Error { return router.Errorf(router.Conflict, "the message is no longer held") }

// Settle implements router.Settler for what consumers hold.
func (n *queueNode) Settle(tag uint64, o router.Outcome, done func(error)) {
	n.mu.Lock()
	defer n.mu.Unlock()
	settled := n.settle(queue.Tag(tag), o)
	n.conclude(settled, o, done)
	if settled.Effect != queue.Removed {
		n.handOut()
	}
}

// settle ends an assignment.
func (n *queueNode) settle(tag queue.Tag, o router.Outcome) queue.Settled {
	v, at := verdict(o), int64(0)
	if v != queue.Accept {
		at = now()
	}
	if id, began, held := n.machine.Holder(tag); held {
		n.consumers[id].link.Settled(o, router.Instant(began))
	}
	s := n.machine.Settle(at, tag, v)
	n.count(s, v)
	return s
}
