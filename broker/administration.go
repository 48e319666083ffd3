package broker

import (
	"context"
	"strings"

	"github.com/manifoldmq/manifold/addressing"
	"github.com/manifoldmq/manifold/broker/internal/queue"
	"github.com/manifoldmq/manifold/broker/internal/store"
	"github.com/manifoldmq/manifold/router"
	"github.com/manifoldmq/manifold/router/selector"
)

// Selection says which of a queue's messages an operation is about. The zero Selection is all of them.
type Selection struct {
	Selector *selector.Selector // that match it; nil for all
	Max      int                // the first so many; 0 is no limit
}

// Purge drops messages of a queue and tells how many are gone, on disk too.
//
// Like all operations here it takes the name of a queue, or of a durable subscription as "topic::name", and is about what
// is in it at the beginning and held by nobody. It goes in steps, each of them safe for itself: when it fails in between,
// or ctx ends it, the count is of what has been done. The error is a *Error with reason NotFound, Quota (there is no room
// where messages are to go) or Internal, or that of ctx.
func (b *Broker) Purge(ctx context.Context, tenant, name string, s Selection) (int, error) {
	n, err := b.find(tenant, name)
	if err != nil {
		return 0, err
	}
	return s.walk(ctx, n, s.Selector != nil, n.purge)
}

// Move takes messages that are due out of a queue and puts them into another one, and tells how many. Each is in one of
// the two at any time.
func (b *Broker) Move(ctx context.Context, tenant, from, to string, s Selection) (int, error) {
	return b.transfer(ctx, tenant, from, to, s, (*queueNode).relocate)
}

// Copy puts copies of a queue's messages into another one, and tells how many.
func (b *Broker) Copy(ctx context.Context, tenant, from, to string, s Selection) (int, error) {
	return b.transfer(ctx, tenant, from, to, s, (*queueNode).replicate)
}

// Replay takes messages out of a queue of dead or expired ones and puts each back to where it came from, and tells how
// many. Those stay that come from nowhere or from a queue that is no more.
func (b *Broker) Replay(ctx context.Context, tenant, name string, s Selection) (int, error) {
	n, err := b.find(tenant, name)
	if err != nil {
		return 0, err
	}
	return s.walk(ctx, n, true, func(found []finding) (int, error) {
		var back []finding
		for _, f := range found {
			queue, address := originOf(f.delivery.Message)
			to, err := b.destination(tenant, queue)
			if err != nil || to == n {
				continue
			}
			f.to, f.delivery.To = to, addressing.Address(address)
			f.delivery.Message = withoutDeath(f.delivery.Message)
			back = append(back, f)
		}
		return n.relocate(back)
	})
}

// transfer walks over a queue and does something with what is to go to another one.
func (b *Broker) transfer(
	ctx context.Context, tenant, from, to string, s Selection, do func(*queueNode, []finding) (int, error),
) (int, error) {
	source, err := b.find(tenant, from)
	if err != nil {
		return 0, err
	}
	target, err := b.destination(tenant, to)
	if err != nil {
		return 0, err
	}
	if source == target {
		return 0, router.Errorf(router.Conflict, "%s is where the messages are already", to)
	}
	return s.walk(ctx, source, true, func(found []finding) (int, error) {
		for i := range found {
			found[i].to = target
			if !target.isSubscription() {
				found[i].delivery.To = addressing.Address(target.name.Name)
			}
		}
		return do(source, found)
	})
}

// finding is a message that an operation has come upon.
type finding struct {
	seq      queue.Seq
	delivery router.Delivery // when it has been read
	to       *queueNode      // where it is to go
}

// walk goes over a queue in steps and has each step's messages done with; do tells with how many it was. What comes
// meanwhile is not among them.
func (s Selection) walk(
	ctx context.Context, n *queueNode, read bool, do func([]finding) (int, error),
) (done int, err error) {
	last := n.last()
	for from := queue.Seq(1); s.Max == 0 || done < s.Max; {
		if err := ctx.Err(); err != nil {
			return done, err
		}
		seqs := n.waiting(from)
		if len(seqs) == 0 || seqs[0] > last {
			return done, nil
		}
		from = seqs[len(seqs)-1] + 1
		found := s.choose(n, seqs, last, read)
		if s.Max > 0 {
			found = found[:min(len(found), s.Max-done)]
		}
		count, err := do(found)
		done += count
		if err != nil {
			return done, err
		}
	}
	return done, nil
}

// choose gives those messages up to the last one that are selected. One that is gone meanwhile is passed over.
func (s Selection) choose(n *queueNode, seqs []queue.Seq, last queue.Seq, read bool) (found []finding) {
	for _, seq := range seqs {
		f := finding{seq: seq}
		if seq > last {
			break
		}
		if read {
			var err error
			if f.delivery, err = n.read(seq); err != nil || !s.Selector.Matches(f.delivery.Message) {
				continue
			}
		}
		found = append(found, f)
	}
	return found
}

// last gives the highest number that the queue has given.
func (n *queueNode) last() queue.Seq {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.machine.Past().Last
}

// waiting gives the numbers of the next messages that nobody holds.
func (n *queueNode) waiting(from queue.Seq) []queue.Seq {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.machine.Waiting(from, departureStep, nil)
}

// purge drops messages, as far as nobody has come to hold them.
func (n *queueNode) purge(found []finding) (int, error) {
	gone, err := n.removeAll(found)
	if err != nil || gone == nil {
		return 0, err
	}
	return len(gone.seqs), gone.wait(context.Background())
}

// removal is messages on their way off the disk.
type removal struct {
	*synced
	seqs []queue.Seq
}

func (n *queueNode) removeAll(found []finding) (*removal, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	r := &removal{synced: newSynced()}
	for _, f := range found {
		if n.machine.Remove(f.seq) {
			r.seqs = append(r.seqs, f.seq)
		}
	}
	if len(r.seqs) == 0 {
		return nil, nil
	}
	batch, err := n.broker.store.Begin()
	if err != nil {
		return nil, storeError()
	}
	n.deleteAll(batch, r.seqs)
	batch.Commit(r, 0)
	n.schedule()
	return r, nil
}

// relocate moves messages to where they are to go.
func (n *queueNode) relocate(found []finding) (int, error) {
	aside := n.setAside(found)
	t := &transaction{inside: true}
	for _, f := range aside {
		t.leaving = append(t.leaving, leaver{n, f.seq})
	}
	err := t.bring(aside)
	if err != nil {
		n.putBack(aside)
		return 0, err
	}
	return len(aside), nil
}

// replicate brings copies of messages to where they are to go.
func (n *queueNode) replicate(found []finding) (int, error) {
	if err := (&transaction{inside: true}).bring(found); err != nil {
		return 0, err
	}
	return len(found), nil
}

// bring takes messages to where they are to go, and waits until they are on disk.
func (t *transaction) bring(found []finding) error {
	if len(found) == 0 {
		return nil
	}
	for _, f := range found {
		t.work.Offers = append(t.work.Offers, router.Offer{Node: f.to, Delivery: f.delivery})
	}
	ended := make(chan error, 1)
	t.done = func(err error) { ended <- err }
	b := found[0].to.broker
	if err := b.admit(); err != nil {
		return err
	}
	if err := t.begin(b.store); err != nil {
		return err
	}
	return <-ended
}

// setAside takes those messages out of line that are ready.
func (n *queueNode) setAside(found []finding) (aside []finding) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, f := range found {
		if n.machine.SetAside(f.seq) {
			aside = append(aside, f)
		}
	}
	return aside
}

// putBack puts messages back into line.
func (n *queueNode) putBack(aside []finding) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, f := range aside {
		if n.machine.PutBack(f.seq) == queue.Removed {
			n.drop([]queue.Seq{f.seq})
		}
	}
	n.handOut()
}

// find gives the node of a queue or a durable subscription by the name that people know it by.
func (b *Broker) find(tenant, name string) (*queueNode, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if n, ok := b.queues[nameOf(tenant, name)]; ok {
		return n, nil
	}
	return nil, router.Errorf(router.NotFound, "there is no queue or subscription %q", name)
}

// destination is find for messages that are to go there: a queue that is declared, but has not been used yet, is made.
func (b *Broker) destination(tenant, name string) (*queueNode, error) {
	n, err := b.find(tenant, name)
	if err == nil {
		return n, nil
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	t := b.defined[tenant]
	if t == nil {
		return nil, err
	}
	def, ok := t.Addresses.Lookup(addressing.Address(name))
	if !ok || def.Kind != addressing.Queue {
		return nil, err
	}
	return b.open(t, def, addressing.Address(name))
}

// nameOf gives the name in the catalogue of what people know by another.
func nameOf(tenant, name string) store.Name {
	filter, subscription, ok := strings.Cut(name, "::")
	if !ok {
		return store.Name{Tenant: tenant, Kind: queueKind, Name: name}
	}
	return store.Name{Tenant: tenant, Kind: subscriptionKind, Name: filter + "\x00" + subscription}
}
