package broker

import (
	"sync"

	"github.com/manifoldmq/manifold/addressing"
	"github.com/manifoldmq/manifold/broker/internal/queue"
	"github.com/manifoldmq/manifold/broker/internal/store"
	"github.com/manifoldmq/manifold/router"
)

// queueNode is the node of a queue, and the keeper of a durable subscription's messages.
type queueNode struct {
	broker    *Broker
	id        store.QueueID
	name      store.Name
	exclusive bool    // one consumer at a time
	created   *synced // that a subscription is in the catalogue on disk

	mu        sync.Mutex // guards everything below; a node's lock
	machine   *queue.Queue
	storing   []stored // what is on its way to the disk, in order
	scratch   []byte   // the record being written
	consumers map[queue.ConsumerID]*router.Receiver
	ids       map[*router.Receiver]queue.ConsumerID
	lastID    queue.ConsumerID
	take      func(queue.ConsumerID) bool // takes a consumer's credit; made with the first consumer
	window    window
	loading   bool // a reader of the broker fetches bodies
	lease     queue.Seq
	consumed  int  // messages removed since metadata was last written
	dirty     bool // metadata on disk is behind
	retired   bool // the subscription was ended: nothing is kept or attached any more
}

// stored is a message on its way to the disk.
type stored struct {
	seq      queue.Seq
	lease    queue.Seq // raised together with it; 0 if not
	delivery router.Delivery
}

// headStep is after how many removals the head of the queue is written again.
const headStep = 1024

var (
	_ router.Node     = (*queueNode)(nil)
	_ router.Settler  = (*queueNode)(nil)
	_ store.Completer = (*queueNode)(nil)
)

// configure takes over the settings of the address's definition.
func (n *queueNode) configure(s addressing.QueueSettings) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.machine.Configure(queue.Settings{MaxMessages: int(s.MaxMessages), MaxBytes: s.MaxBytes})
}

func (n *queueNode) Join(s *router.Sender) error {
	s.Grant()
	return nil
}

// Leave does nothing: what was offered is on its way to the disk.
func (n *queueNode) Leave(*router.Sender) {}

func (n *queueNode) Offer(d router.Delivery) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.retired {
		d.Settle(router.Accept()) // it is no subscription any more: there is nothing to keep
		return
	}
	seq, err := n.machine.Append(d.Message.Len())
	if err != nil {
		d.Settle(router.Reject(router.Quota, "the queue is full (maxMessages, maxBytes)"))
		return
	}
	n.scratch = appendRecord(n.scratch[:0], d)
	batch, err := n.broker.store.Begin()
	if err != nil {
		n.machine.StoreFailed(seq)
		d.Settle(storeFailed())
		return
	}
	batch.Append(n.id, uint64(seq), flagsOf(d), n.scratch)
	item := stored{seq: seq, delivery: d}
	if lease, wanted := n.machine.LeaseWanted(); wanted {
		item.lease, n.lease = lease, lease
		n.putMeta(batch)
	}
	n.storing = append(n.storing, item)
	batch.Commit(n, uint64(seq))
}

func storeFailed() router.Outcome {
	return router.Reject(router.Internal, "the store takes no more writes")
}

// Committed implements store.Completer for what Offer wrote.
func (n *queueNode) Committed(_ uint64, err error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	item := n.storing[0]
	n.storing[0] = stored{}
	if n.storing = n.storing[1:]; len(n.storing) == 0 {
		n.storing = nil
	}
	if err != nil {
		n.machine.StoreFailed(item.seq)
		item.delivery.Settle(storeFailed())
		return
	}
	// A body is kept only if all that go before it are kept too: a window with a hole would be of no use.
	if len(n.consumers) > 0 && len(n.window.bodies) == n.machine.Ready() && n.window.room() {
		n.window.put(item.seq, kept(item.delivery))
	}
	n.machine.Stored(item.seq)
	if item.lease > 0 {
		n.machine.LeaseStored(item.lease)
	}
	item.delivery.Settle(router.Accept())
	n.handOut()
}

func (n *queueNode) Attach(r *router.Receiver) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.retired {
		return router.Errorf(router.NotFound, "the subscription has just been ended")
	}
	if n.exclusive && len(n.consumers) > 0 {
		return router.Errorf(router.Conflict, "the subscription already has a consumer")
	}
	if n.consumers == nil {
		n.consumers = make(map[queue.ConsumerID]*router.Receiver)
		n.ids = make(map[*router.Receiver]queue.ConsumerID)
		n.take = func(id queue.ConsumerID) bool { return n.consumers[id].Take() }
	}
	n.lastID++
	n.consumers[n.lastID], n.ids[r] = r, n.lastID
	n.machine.Attach(n.lastID)
	return nil
}

// retire ends a subscription that has no consumer; false when it has one.
func (n *queueNode) retire() bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	if len(n.consumers) > 0 {
		return false
	}
	n.retired = true
	return true
}

func (n *queueNode) Grant(*router.Receiver) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.handOut()
}

// Pending implements router.Node: a message that is ready while somebody has credit waits for its body or for the lease.
func (n *queueNode) Pending(*router.Receiver) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.machine.Ready() > 0
}

func (n *queueNode) Detach(r *router.Receiver) {
	n.mu.Lock()
	defer n.mu.Unlock()
	id, ok := n.ids[r]
	if !ok {
		return
	}
	delete(n.ids, r)
	delete(n.consumers, id)
	n.machine.Detach(id, nil)
	if len(n.consumers) == 0 {
		n.window.clear()
		return
	}
	n.handOut()
}

// Settle implements router.Settler for what consumers hold.
func (n *queueNode) Settle(tag uint64, o router.Outcome, done func(error)) {
	n.mu.Lock()
	defer n.mu.Unlock()
	switch settled := n.machine.Settle(queue.Tag(tag), verdict(o)); settled.Effect {
	case queue.Removed:
		n.remove(settled.Seq, done)
		return
	case queue.Requeued:
		n.handOut()
		if done != nil {
			done(nil)
		}
	default:
		if done != nil {
			done(router.Errorf(router.Conflict, "the message is no longer held"))
		}
	}
}

func verdict(o router.Outcome) queue.Verdict {
	switch o.State {
	case router.Accepted:
		return queue.Accept
	case router.Released:
		return queue.Release
	case router.Modified:
		return queue.Fail
	default:
		return queue.Reject
	}
}

// remove takes a message off the disk. Only who waits for it (done) causes a sync: a removal that is lost is a
// redelivery, and marked as one.
func (n *queueNode) remove(seq queue.Seq, done func(error)) {
	batch, err := n.broker.store.Begin()
	if err != nil {
		if done != nil {
			done(storeError())
		}
		return
	}
	batch.Delete(n.id, uint64(seq))
	if n.consumed++; n.consumed >= headStep {
		n.putMeta(batch)
	} else {
		n.dirty = true
	}
	if done == nil {
		batch.CommitLazy()
		return
	}
	batch.Commit(confirmation(done), 0)
}

// confirmation tells somebody who waits that a batch is safe.
type confirmation func(error)

func (done confirmation) Committed(_ uint64, err error) {
	if err != nil {
		err = storeError()
	}
	done(err)
}

// putMeta adds to a batch what is remembered of the queue besides its messages.
func (n *queueNode) putMeta(batch store.Batch) {
	batch.PutMeta(n.id, store.Meta{Head: uint64(n.machine.Head()), Lease: uint64(n.lease)})
	n.consumed, n.dirty = 0, false
}

// close writes the exact head and lease, so that a start after a clean stop takes nothing for a redelivery that was
// never delivered.
func (n *queueNode) close() error {
	n.mu.Lock()
	defer n.mu.Unlock()
	if exact := n.machine.Delivered(); exact != n.lease {
		n.lease, n.dirty = exact, true
	}
	if !n.dirty {
		return nil
	}
	batch, err := n.broker.store.Begin()
	if err != nil {
		return err
	}
	n.putMeta(batch)
	batch.CommitLazy()
	return nil
}
