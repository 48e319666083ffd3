package broker

import (
	"fmt"

	"github.com/manifoldmq/manifold/addressing"
	"github.com/manifoldmq/manifold/broker/internal/queue"
	"github.com/manifoldmq/manifold/broker/internal/store"
)

// recover rebuilds the nodes from the store.
func (b *Broker) recover() error {
	r := recovery{broker: b, nodes: make(map[store.QueueID]*queueNode)}
	if err := b.store.Catalogue(r.enter); err != nil {
		return fmt.Errorf("recover the catalogue: %w", err)
	}
	if err := b.store.Recover(&r); err != nil {
		return err
	}
	for name, n := range b.queues {
		if name.Kind == subscriptionKind {
			b.topicsOf(name.Tenant).subscribe(r.filters[n.id], n)
		}
	}
	return nil
}

// recovery is a store.Visitor that fills the nodes.
type recovery struct {
	broker  *Broker
	nodes   map[store.QueueID]*queueNode
	filters map[store.QueueID]addressing.Filter // of subscriptions
}

func (r *recovery) enter(name store.Name, id store.QueueID, description []byte) error {
	if name.Kind == subscriptionKind {
		f, err := addressing.ParseFilter(string(description))
		if err != nil {
			return fmt.Errorf("the filter of subscription %q: %w", name.Name, err)
		}
		if r.filters == nil {
			r.filters = make(map[store.QueueID]addressing.Filter)
		}
		r.filters[id] = f
	}
	r.nodes[id] = r.broker.add(name, id)
	return nil
}

func (r *recovery) Queue(id store.QueueID, m store.Meta) {
	if n, ok := r.nodes[id]; ok {
		n.machine = queue.Recover(queue.Settings{}, queue.Past{Head: queue.Seq(m.Head), Lease: queue.Seq(m.Lease)})
		n.lease = queue.Seq(m.Lease)
	}
}

func (r *recovery) Message(id store.QueueID, seq uint64, flags byte, value []byte) {
	n, ok := r.nodes[id]
	if !ok {
		r.broker.log.Error("a stored message belongs to no known queue", "queue", uint64(id), "seq", seq)
		return
	}
	d, err := parseRecord(flags, value)
	if err != nil {
		r.broker.log.Error("a stored message cannot be read and is set aside",
			"tenant", n.name.Tenant, "address", n.name.Name, "seq", seq, "err", err)
		n.machine.Skip(queue.Seq(seq))
		return
	}
	n.machine.Restore(queue.Seq(seq), d.Message.Len(), 0)
}

func (r *recovery) Corrupt(err *store.CorruptError) {
	r.broker.log.Error("a stored message is corrupt and is set aside", "err", err)
	if n, ok := r.nodes[err.Queue]; ok && err.Seq > 0 {
		n.machine.Skip(queue.Seq(err.Seq))
	}
}
