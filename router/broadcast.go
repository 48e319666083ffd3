package router

import (
	"sync"

	"github.com/manifoldmq/manifold/addressing"
)

// broadcast is the node of a broadcast definition: every receiver attached now that has credit gets each message. It
// is Accepted when it has been handed over, Released when nobody was there to take it.
type broadcast struct {
	mu        sync.RWMutex // guards everything below; a node's lock
	receivers addressing.Index[*Receiver]
}

var _ Node = (*broadcast)(nil)

func newBroadcast() *broadcast { return new(broadcast) }

func (b *broadcast) Join(s *Sender) error {
	s.Grant()
	return nil
}

func (b *broadcast) Leave(*Sender) {}

func (b *broadcast) Offer(d Delivery) {
	b.mu.RLock()
	defer b.mu.RUnlock()
	var scratch [16]*Receiver
	handed := false
	for _, r := range b.receivers.Match(d.To, scratch[:0]) {
		if r.Take() {
			r.Deliver(d.Unowned())
			handed = true
		} else {
			r.Drop()
		}
	}
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

func (b *broadcast) Detach(r *Receiver) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.receivers.Remove(r.source.Filter, r)
}
