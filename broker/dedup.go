package broker

import (
	"crypto/sha256"
	"encoding/binary"

	"github.com/manifoldmq/manifold/addressing"
	"github.com/manifoldmq/manifold/broker/internal/queue"
	"github.com/manifoldmq/manifold/broker/internal/store"
	"github.com/manifoldmq/manifold/router"
	"github.com/manifoldmq/manifold/router/amqp"
	"github.com/manifoldmq/manifold/router/federation"
)

// identity is a message-id [AMQP 1.0, 3.2.11] as a queue remembers it: a hash of it and its type, so that all are of one
// size. For a message without one that comes from a queue of another network it is what that queue calls it. On disk it stands after the time (8 bytes, Unix milliseconds).
type identity [16]byte

// arrival is a message whose identity is remembered.
type arrival struct {
	id  identity
	seq queue.Seq
	at  int64 // Unix ms
}

// memory is which messages a queue has taken in, within its window, whether they are still in it or not.
type memory struct {
	window addressing.Dedup
	known  map[identity]arrival
	order  []arrival // the oldest first
}

// identify gives the identity of a message; false when it has none, or nobody asks for it.
func (m *memory) identify(msg router.Message) (id identity, ok bool) {
	if m.window.Messages == 0 {
		return id, false
	}
	raw := msg.Property(amqp.PropertyMessageID)
	sum := sha256.New()
	if !federation.HasMessageID(msg) {
		elsewhere := federation.Identity(msg)
		if len(elsewhere) == 0 {
			return id, false
		}
		sum.Write([]byte{1}) // no message-id begins like this
		sum.Write(elsewhere)
	} else if text, ok := raw.Text(); ok { // which has several encodings
		sum.Write([]byte{0})
		sum.Write(text)
	} else {
		sum.Write(raw)
	}
	copy(id[:], sum.Sum(nil))
	return id, true
}

// has tells whether a message has been taken in before, as far as the window goes.
func (m *memory) has(id identity, at int64) bool {
	a, ok := m.known[id]
	return ok && !m.isOver(a, at)
}

// isOver tells whether the time is over for which a message is remembered.
func (m *memory) isOver(a arrival, at int64) bool {
	return m.window.Time > 0 && at-a.at >= m.window.Time.Milliseconds()
}

// add remembers a message, the latest of all.
func (m *memory) add(a arrival) {
	if m.known == nil {
		m.known = make(map[identity]arrival)
	}
	m.known[a.id] = a
	m.order = append(m.order, a)
}

// shrink forgets what is beyond the window and calls forgotten for each.
func (m *memory) shrink(at int64, forgotten func(queue.Seq)) {
	for len(m.order) > 0 && (len(m.order) > m.window.Messages || m.isOver(m.order[0], at)) {
		a := m.order[0]
		m.order = m.order[1:]
		if m.known[a.id].seq == a.seq {
			delete(m.known, a.id)
		}
		forgotten(a.seq)
	}
	if len(m.order) == 0 {
		m.order, m.known = nil, nil
	}
}

// identified gives a message of the queue with what the queue calls it, if it has no message-id: the same each time, and
// not that of any other message, of whatever store.
func (n *queueNode) identified(seq queue.Seq, m router.Message) router.Message {
	if n.isVolatile() || federation.HasMessageID(m) || federation.Identity(m) != nil {
		return m
	}
	sum := sha256.New()
	var numbers [24]byte
	binary.BigEndian.PutUint64(numbers[0:], n.broker.store.Birthmark())
	binary.BigEndian.PutUint64(numbers[8:], uint64(n.id))
	binary.BigEndian.PutUint64(numbers[16:], uint64(seq))
	sum.Write(numbers[:])
	sum.Write(m.Sections().Bare()) // a store that was restored gives some numbers again
	return federation.Identified(m, sum.Sum(nil)[:len(identity{})])
}

// isAgain tells whether a message has been taken in before.
func (n *queueNode) isAgain(m router.Message) bool {
	id, ok := n.memory.identify(m)
	return ok && n.memory.has(id, now())
}

// acceptAgain accepts a message that is not stored again, as soon as its first copy is on disk: batches are answered in
// their order.
func (n *queueNode) acceptAgain(d router.Delivery) {
	if len(n.storing) == 0 {
		d.Settle(router.Accept())
		return
	}
	batch, err := n.broker.store.Begin()
	if err != nil {
		d.Settle(storeFailed())
		return
	}
	batch.Commit(confirmation(func(err error) {
		if err != nil {
			d.Settle(storeFailed())
			return
		}
		d.Settle(router.Accept())
	}), 0)
}

// memorise adds to a batch that a message has been taken in.
func (n *queueNode) memorise(batch store.Batch, seq queue.Seq, m router.Message) {
	id, ok := n.memory.identify(m)
	if !ok {
		return
	}
	a := arrival{id, seq, now()}
	n.memory.add(a)
	n.memory.shrink(a.at, func(old queue.Seq) { batch.DeleteIdentity(n.id, uint64(old)) })
	value := binary.BigEndian.AppendUint64(nil, uint64(a.at))
	batch.PutIdentity(n.id, uint64(seq), append(value, id[:]...))
}

// setWindow gives the memory another window. What is not on disk is not looked for either.
func (n *queueNode) setWindow(w addressing.Dedup) {
	if n.isVolatile() || w == n.memory.window && (w.Messages > 0 || len(n.memory.order) == 0) {
		return
	}
	n.memory.window = w
	batch, err := n.broker.store.Begin()
	if err != nil {
		return // nothing is taken in any more
	}
	n.memory.shrink(now(), func(old queue.Seq) { batch.DeleteIdentity(n.id, uint64(old)) })
	batch.CommitLazy()
}

// recoverMemories reads from the disk what queues remember of messages.
func (b *Broker) recoverMemories(nodes map[store.QueueID]*queueNode) {
	err := b.store.EachIdentity(func(id store.QueueID, seq uint64, value []byte) {
		n, ok := nodes[id]
		if !ok || len(value) != 8+len(identity{}) {
			return
		}
		a := arrival{seq: queue.Seq(seq), at: int64(binary.BigEndian.Uint64(value))}
		copy(a.id[:], value[8:])
		n.memory.add(a)
	})
	if err != nil {
		b.log.Error("some messages will not be known when they are sent again", "err", err)
	}
}
