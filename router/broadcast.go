package router

import (
	"sync"

	"github.com/manifoldmq/manifold/addressing"
)

// broadcast is the node of a broadcast definition: every receiver attached now that has credit gets each message. It
// is Accepted when it has been handed over, Released when nobody was there to take it.
type broadcast struct {
	scratch sync.Pool // of *[]*Receiver

	mu        sync.RWMutex // guards everything below; a node's lock
	receivers addressing.Index[*Receiver]
}

var _ Node = (*broadcast)(nil)

func newBroadcast() *broadcast {
	return &broadcast{scratch: sync.Pool{New: func() any { return new([]*Receiver) }}}
}

func (b *broadcast) Join(s *Sender) error {
	s.Grant()
	return nil
}

func (b *broadcast) Leave(*Sender) {}

func (b *broadcast) Offer(d Delivery) {
	b.mu.RLock()
	defer b.mu.RUnlock()
	found := b.scratch.Get().(*[]*Receiver)
	defer b.scratch.Put(found)
	*found = b.receivers.Match(d.To, (*found)[:0])
	copied, handed := d.Unowned(), false
	for _, r := range *found {
		switch {
		case !r.Wants(d):
		case r.Take():
			r.Deliver(copied)
			handed = true
		default:
			r.Drop()
		}
	}
	clear(*found)
	if handed {
		d.Settle(Accept())
	} else {
		d.Settle(Release())
	}
}

func (b *broadcast) Attach(r *Receiver) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.receivers.Add(r.source.Filter, r)
	return nil
}

func (b *broadcast) Grant(*Receiver) {}

// Pending implements Node: nothing is kept here.
func (b *broadcast) Pending(*Receiver) bool { return false }

func (b *broadcast) Detach(r *Receiver) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.receivers.Remove(r.source.Filter, r)
}
