package broker

import (
	"bytes"
	"fmt"

	"github.com/manifoldmq/manifold/broker/internal/queue"
	"github.com/manifoldmq/manifold/broker/internal/store"
)

// recover rebuilds the nodes from the store.
func (b *Broker) recover() error {
	r := recovery{broker: b, nodes: make(map[store.QueueID]*queueNode), histories: make(histories)}
	if err := b.store.Catalogue(r.enter); isCorrupt(err) {
		b.setAside("entries of the catalogue are corrupt and are set aside, with the messages of their queues", err)
	} else if err != nil {
		return fmt.Errorf("recover the catalogue: %w", err)
	}
	err := b.store.EachHistory(func(id store.QueueID, seq uint64, value []byte) {
		r.histories[historyKey{id, seq}] = bytes.Clone(value)
	})
	if err != nil {
		b.setAside("how often messages were delivered cannot be read of all of them", err)
	}
	if err := b.store.Recover(&r); err != nil {
		return err
	}
	b.recoverMemories(r.nodes)
	for name, n := range b.queues {
		n.schedule()
		n.dropReplaced()
		n.recount()
		if name.Kind == subscriptionKind {
			b.topicsOf(name.Tenant).subscribe(n)
		}
	}
	return nil
}

// recovery is a store.Visitor that fills the nodes.
type recovery struct {
	broker *Broker
	nodes  map[store.QueueID]*queueNode

	histories histories
}

func (r *recovery) enter(name store.Name, id store.QueueID, description []byte) error {
	if name.Kind != subscriptionKind {
		r.nodes[id] = r.broker.add(name, id)
		return nil
	}
	source, err := parseDescription(name, description)
	if err != nil {
		return &store.CorruptError{What: "entry of the catalogue", Queue: id, Cause: err}
	}
	r.nodes[id] = r.broker.addSubscription(name, id, source)
	return nil
}

func (r *recovery) Queue(id store.QueueID, m store.Meta) {
	if n, ok := r.nodes[id]; ok {
		n.machine.Remember(pastOf(m))
		return
	}
	r.broker.setAside("the messages of a queue that is not in the catalogue are set aside", nil, "queue", uint64(id))
}

func (r *recovery) Message(id store.QueueID, seq uint64, flags byte, value []byte) {
	n, ok := r.nodes[id]
	if !ok {
		return
	}
	f, err := parseFacts(flags, value)
	if err != nil {
		n.unreadable(queue.Seq(seq), err)
		n.machine.Skip(queue.Seq(seq))
		return
	}
	r.histories.restore(n, queue.Seq(seq), f)
}

func (r *recovery) Corrupt(err *store.CorruptError) {
	r.broker.setAside("a stored message is corrupt and is set aside", err)
	if n, ok := r.nodes[err.Queue]; ok && err.Seq > 0 {
		n.machine.Skip(queue.Seq(err.Seq))
	}
}
