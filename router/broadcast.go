package router

import (
	"sync"

	"github.com/manifoldmq/manifold/addressing"
)

// broadcast is the node of a broadcast definition: every receiver attached now that has credit gets each message. It
// is Accepted when it has been handed over, Released when nobody was there to take it. What a receiver has no credit for it
// misses, unless it is a Way: for that a message waits, and so does its sender for the outcome.
type broadcast struct {
	scratch sync.Pool // of *[]*Receiver

	mu        sync.RWMutex // guards everything below; a node's lock
	tenure    tenure
	receivers addressing.Index[*Receiver]
	onward    *Onward
}

var _ Node = (*broadcast)(nil)

func newBroadcast(maxWaiting int, stays tenure) *broadcast {
	return &broadcast{
		scratch: sync.Pool{New: func() any { return new([]*Receiver) }},
		onward:  NewOnward(maxWaiting),
		tenure:  stays,
	}
}

func (b *broadcast) Join(s *Sender) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if err := b.tenure.begin(s); err != nil {
		return err
	}
	s.Grant()
	return nil
}

func (b *broadcast) Leave(s *Sender) {
	b.onward.leave(s)
	b.mu.Lock()
	defer b.mu.Unlock()
	b.tenure.end(s)
}

func (b *broadcast) Offer(d Delivery) {
	b.mu.RLock()
	defer b.mu.RUnlock()
	found := b.scratch.Get().(*[]*Receiver)
	defer b.scratch.Put(found)
	*found = b.receivers.Match(d.To, (*found)[:0])
	copied, handed := d.Unowned(), false
	var late *awaited
	for _, r := range *found {
		switch {
		case !r.Wants(d):
		case r.way != nil:
			var now bool
			now, late = b.onward.give(r, d, late)
			handed = handed || now
		case r.Take():
			r.Deliver(copied)
			handed = true
		default:
			r.Drop()
		}
	}
	clear(*found)
	switch {
	case late != nil:
		b.onward.began(late, handed)
	case handed:
		d.Settle(Accept())
	default:
		d.Settle(Release())
	}
}

func (b *broadcast) Attach(r *Receiver) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if err := b.tenure.begin(r); err != nil {
		return err
	}
	b.receivers.Add(r.source.Filter, r)
	return nil
}

func (b *broadcast) Grant(r *Receiver) {
	if r.way != nil {
		b.onward.Granted(r)
	}
}

// Pending implements Node: nothing is kept here that there is credit for.
func (b *broadcast) Pending(*Receiver) bool { return false }

func (b *broadcast) Detach(r *Receiver) {
	b.mu.Lock()
	b.receivers.Remove(r.source.Filter, r)
	b.tenure.end(r)
	b.mu.Unlock()
	if r.way != nil {
		b.onward.End(r)
	}
}
