package broker

import (
	"cmp"
	"context"
	"slices"
	"sort"

	"github.com/manifoldmq/manifold/broker/internal/queue"
	"github.com/manifoldmq/manifold/router"
)

// Page describes the first queues and subscriptions of a tenant behind a name, in the order of names, at most so many. It
// costs little however many there are.
func (b *Broker) Page(tenant, after string, most int) []Statistics {
	all := make([]Statistics, 0, most)
	for _, n := range b.nodesBehind(tenant, after, most) {
		s := n.statistics()
		s.Oldest = n.since(s.head)
		all = append(all, s)
	}
	return all
}

// nodesBehind gives the nodes whose names come first behind another one. It keeps those in order that it may need.
func (b *Broker) nodesBehind(tenant, after string, most int) (first []*queueNode) {
	b.mu.Lock()
	defer b.mu.Unlock()
	var names []string
	for key, n := range b.queues {
		if key.Tenant != tenant {
			continue
		}
		name := n.displayName()
		if name <= after || len(names) == most && name > names[most-1] {
			continue
		}
		i := sort.SearchStrings(names, name)
		names, first = slices.Insert(names, i, name), slices.Insert(first, i, n)
		if len(names) > most {
			names, first = names[:most], first[:most]
		}
	}
	return first
}

// Peeked is a message that was looked at.
type Peeked struct {
	Position uint64 // in its queue, where they rise
	Delivery router.Delivery
}

// Peek looks at messages of a queue or subscription that are behind a position and held by nobody, in their order, at most
// so many, and takes none. next is the position behind which it would go on; 0 when nothing is left.
func (b *Broker) Peek(ctx context.Context, tenant, name string, after uint64, s Selection) (all []Peeked, next uint64, err error) {
	n, err := b.find(tenant, name)
	if err != nil {
		return nil, 0, err
	}
	for from := queue.Seq(after + 1); ; {
		if err := ctx.Err(); err != nil {
			return nil, 0, err
		}
		seqs := n.waiting(from)
		if len(seqs) == 0 {
			return all, 0, nil
		}
		slices.SortFunc(seqs, cmp.Compare)
		for _, f := range s.choose(n, seqs, seqs[len(seqs)-1], true) {
			if len(all) == s.Max {
				return all, all[len(all)-1].Position, nil
			}
			all = append(all, Peeked{uint64(f.seq), f.delivery})
		}
		from = seqs[len(seqs)-1] + 1
	}
}

// RemoveAt drops one message of a queue or subscription that nobody holds. The error is one of Purge, NotFound if there is
// no such message.
func (b *Broker) RemoveAt(tenant, name string, position uint64) error {
	n, err := b.find(tenant, name)
	if err != nil {
		return err
	}
	done, err := n.purge([]finding{{seq: queue.Seq(position)}})
	if err == nil && done == 0 {
		return router.Errorf(router.NotFound, "there is no message at that position, or somebody holds it")
	}
	return err
}
