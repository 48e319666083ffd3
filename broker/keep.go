package broker

import (
	"github.com/manifoldmq/manifold/broker/internal/queue"
	"github.com/manifoldmq/manifold/broker/internal/store"
	"github.com/manifoldmq/manifold/router"
)

// How a queue keeps its messages: on disk; or, those of a volatile subscription, in its feed, from which they are then
// dropped only when they are removed.

// stored is a message on its way to the disk.
type stored struct {
	seq      queue.Seq
	lease    queue.Raise // of the lease, together with it; 0 if there was none
	delivery router.Delivery
}

// headStep is after how many removals the head of the queue is written again.
const headStep = 1024

// inMemory bounds a queue whose messages are in memory.
func inMemory(s queue.Settings, maxBytes int64) queue.Settings {
	const least = 256 // bytes that a message costs at least
	if s.MaxBytes == 0 || s.MaxBytes > maxBytes {
		s.MaxBytes = maxBytes
	}
	if most := int(maxBytes / least); s.MaxMessages == 0 || s.MaxMessages > most {
		s.MaxMessages = most
	}
	return s
}

// record puts the head of a message's record into scratch.
func (n *queueNode) record(d router.Delivery, e queue.Entry) {
	n.scratch = facts{now(), e}.appendHead(n.scratch[:0], d.To)
}

// write adds a message to a batch, whose head is in scratch, and the removal of those in whose place it comes.
func (n *queueNode) write(batch store.Batch, seq queue.Seq, dropped []queue.Seq, d router.Delivery) {
	item := stored{seq: seq, delivery: d}
	n.counters.Dropped += uint64(len(dropped))
	if n.isVolatile() {
		n.forget(dropped)
		n.storing = append(n.storing, item)
		return
	}
	batch.Append(n.id, uint64(seq), flagsOf(d)|flagFacts, n.scratch, d.Message.Bytes())
	n.memorise(batch, seq, d.Message)
	n.deleteAll(batch, dropped)
	if raise, wanted := n.machine.LeaseWanted(); wanted {
		item.lease = raise
		n.raises++
		n.putMeta(batch, n.machine.Past())
	}
	n.storing = append(n.storing, item)
}

// Committed implements store.Completer for what Offer wrote.
func (n *queueNode) Committed(_ uint64, err error) { n.written(1, err) }

// written ends the way to the disk of the next messages of those that are on it.
func (n *queueNode) written(count int, err error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for range count {
		n.arrived(&n.storing[0], err)
		n.storing[0] = stored{}
		n.storing = n.storing[1:]
	}
	if len(n.storing) == 0 {
		n.storing = nil
	}
	n.handOut()
}

// arrived says that a message is on disk, or why it is not.
func (n *queueNode) arrived(item *stored, err error) {
	if item.lease > 0 {
		n.raises--
	}
	if err != nil {
		n.machine.StoreFailed(item.seq)
		item.delivery.Settle(storeFailed())
		return
	}
	// A body is kept only if all that go before it are kept too: a window with a hole would be of no use.
	keeps := n.isVolatile() || len(n.consumers) > 0 && len(n.feed.bodies) == n.machine.Ready() && n.feed.room()
	n.machine.Stored(item.seq)
	n.counters.In++
	timeless := item.delivery.Due == 0 && item.delivery.Expires == 0
	if keeps && (timeless || n.isVolatile() || n.machine.IsReady(item.seq)) {
		n.feed.add(item.seq, kept(item.delivery))
	}
	if item.lease > 0 {
		n.machine.LeaseStored(item.lease)
	}
	item.delivery.Settle(router.Accept())
}

// remove takes a message off the disk that is no longer in the machine. Only who waits for it (done) causes a sync: a
// removal that is lost is a redelivery, and marked as one.
func (n *queueNode) remove(seq queue.Seq, done func(error)) {
	if n.isVolatile() {
		n.forget([]queue.Seq{seq})
		if done != nil {
			done(nil)
		}
		return
	}
	batch, err := n.broker.store.Begin()
	if err != nil {
		if done != nil {
			done(storeError())
		}
		return
	}
	n.delete(batch, seq)
	if done == nil {
		batch.CommitLazy()
		return
	}
	batch.Commit(confirmation(done), 0)
}

// drop takes messages off the disk that have left the machine without having been delivered.
func (n *queueNode) drop(seqs []queue.Seq) {
	if n.isVolatile() {
		n.forget(seqs)
		return
	}
	batch, err := n.broker.store.Begin()
	if err != nil {
		return // they expire again when the process is started again
	}
	n.deleteAll(batch, seqs)
	batch.CommitLazy()
}

// deleteAll adds the removal of messages to a batch that were not all delivered: what keeps their numbers from being
// given again goes with it.
func (n *queueNode) deleteAll(batch store.Batch, seqs []queue.Seq) {
	for _, seq := range seqs {
		n.feed.drop(seq)
		n.delete(batch, seq)
	}
	if len(seqs) > 0 {
		n.putMeta(batch, n.machine.Past())
	}
}

// delete adds the removal of a message to a batch, and now and then where the queue begins.
func (n *queueNode) delete(batch store.Batch, seq queue.Seq) {
	n.forgetNote(seq)
	if n.isVolatile() {
		n.feed.drop(seq)
		return
	}
	batch.Delete(n.id, uint64(seq))
	n.invite()
	if n.remembers {
		batch.DeleteHistory(n.id, uint64(seq))
	}
	if n.consumed++; n.consumed >= headStep {
		n.putMeta(batch, n.machine.Past())
	} else {
		n.dirty = true
	}
}

// forget follows messages out of memory.
func (n *queueNode) forget(seqs []queue.Seq) {
	for _, seq := range seqs {
		n.feed.drop(seq)
		n.forgetNote(seq)
	}
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
func (n *queueNode) putMeta(batch store.Batch, p queue.Past) {
	batch.PutMeta(n.id, metaOf(p))
	n.consumed, n.dirty = 0, p.Lease != n.machine.PastAtRest().Lease
}

func metaOf(p queue.Past) store.Meta {
	m := store.Meta{Head: uint64(p.Head), Last: uint64(p.Last)}
	for i, lease := range p.Lease {
		m.Lease[i] = uint64(lease)
	}
	return m
}

func pastOf(m store.Meta) queue.Past {
	p := queue.Past{Head: queue.Seq(m.Head), Last: queue.Seq(m.Last)}
	for i, lease := range m.Lease {
		p.Lease[i] = queue.Seq(lease)
	}
	return p
}

// close writes the exact head and lease, so that a start after a clean stop takes nothing for a redelivery that was
// never delivered.
func (n *queueNode) close() error {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.isVolatile() || !n.dirty {
		return nil
	}
	batch, err := n.broker.store.Begin()
	if err != nil {
		return err
	}
	n.putMeta(batch, n.machine.PastAtRest())
	batch.CommitLazy()
	return nil
}

// raiseLease asks the store for a higher lease when the machine wants one by itself, as for a backlog; in front of new
// messages Offer has raised it already. It is true when the lease is higher at once.
func (n *queueNode) raiseLease() bool {
	raise, wanted := n.machine.LeaseWanted()
	if !wanted {
		return false
	}
	if n.isVolatile() {
		n.machine.LeaseStored(raise)
		return true
	}
	batch, err := n.broker.store.Begin()
	if err != nil {
		return false // nothing is delivered that could not be recognised after a crash
	}
	n.raises++
	n.putMeta(batch, n.machine.Past())
	batch.Commit(leaseRaised{n}, uint64(raise))
	return false
}

// leaseRaised hears that a lease is on disk.
type leaseRaised struct{ node *queueNode }

func (l leaseRaised) Committed(raise uint64, err error) {
	l.node.mu.Lock()
	defer l.node.mu.Unlock()
	l.node.raises--
	if err != nil {
		return
	}
	l.node.machine.LeaseStored(queue.Raise(raise))
	l.node.handOut()
}
