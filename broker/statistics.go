package broker

import (
	"cmp"
	"slices"
	"time"

	"github.com/manifoldmq/manifold/broker/internal/queue"
)

// Counters count what has happened in a queue since the process was started.
type Counters struct {
	In           uint64 // messages stored
	Out          uint64 // accepted by consumers
	Redelivered  uint64 // handed out again
	DeadLettered uint64 // rejected, or failed too often
	Expired      uint64
	Dropped      uint64 // to make room, replaced by a later one of the same key, or missed by a full subscription
}

// Statistics is what there is to say about a queue or a subscription.
type Statistics struct {
	Counters
	Tenant         string
	Name           string // of a subscription, topic::name
	Messages       int    // whatever their state
	Bytes          int64
	Ready          int       // on disk, due, and held by nobody
	Unacknowledged int       // held by consumers
	Consumers      int       // browsers included
	Oldest         time.Time // when the message that is there longest came; zero when there is none, or it is not known

	head queue.Seq
	node *queueNode
}

// Statistics describes the queues and subscriptions of all tenants, the first that were made of them if there are more
// than limit, and tells how many are left out.
func (b *Broker) Statistics(limit int) (all []Statistics, more int) {
	nodes := b.nodes()
	more = max(0, len(nodes)-limit)
	for _, n := range nodes[:len(nodes)-more] {
		all = append(all, n.statistics())
	}
	for i := range all {
		all[i].Oldest = all[i].node.since(all[i].head)
	}
	return all, more
}

// Stored names the queues and subscriptions of a tenant, in order.
func (b *Broker) Stored(tenant string) (names []string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for name, n := range b.queues {
		if name.Tenant == tenant {
			names = append(names, n.displayName())
		}
	}
	slices.Sort(names)
	return names
}

// StatisticsOf describes a queue or a subscription by the name that people know it by; ok is false when there is none. Of
// when its messages came it says nothing.
func (b *Broker) StatisticsOf(tenant, name string) (s Statistics, ok bool) {
	n, err := b.find(tenant, name)
	if err != nil {
		return Statistics{}, false
	}
	return n.statistics(), true
}

// nodes gives all queues and subscriptions in the order in which they were made.
func (b *Broker) nodes() []*queueNode {
	b.mu.Lock()
	defer b.mu.Unlock()
	nodes := make([]*queueNode, 0, len(b.queues))
	for _, n := range b.queues {
		nodes = append(nodes, n)
	}
	slices.SortFunc(nodes, func(a, b *queueNode) int { return cmp.Compare(a.id, b.id) })
	return nodes
}

func (n *queueNode) statistics() Statistics {
	n.mu.Lock()
	defer n.mu.Unlock()
	return Statistics{
		Counters: n.counters,
		Tenant:   n.name.Tenant, Name: n.displayName(),
		Messages: n.machine.Len(), Bytes: n.machine.Bytes(),
		Ready: n.machine.Ready(), Unacknowledged: n.machine.Unsettled(), Consumers: n.machine.Consumers(),
		head: n.machine.Head(), node: n,
	}
}

// since tells when a message came, from its record; zero for none.
func (n *queueNode) since(seq queue.Seq) time.Time {
	flags, value, err := n.broker.store.LoadHead(n.id, uint64(seq), nil)
	if err != nil {
		return time.Time{}
	}
	if f, err := parseFacts(flags, value); err == nil && f.since > 0 {
		return time.UnixMilli(f.since)
	}
	return time.Time{}
}

// count follows what has become of a message that a consumer held.
func (n *queueNode) count(s queue.Settled, v queue.Verdict) {
	switch {
	case s.Effect == queue.Dead:
		n.counters.DeadLettered++
	case s.Effect == queue.Removed && v == queue.Accept:
		n.counters.Out++
	case s.Effect == queue.Removed:
		n.counters.Dropped++
	}
}
