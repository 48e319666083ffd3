package network

import (
	"time"

	"github.com/manifoldmq/manifold/addressing"
	"github.com/manifoldmq/manifold/router"
)

// respite is how a way of a queue rests. A queue gives out again at once what is released, as it is when its last consumer at
// the other end has gone and this router has not heard of that yet. So that it does not go to and fro meanwhile, the first
// release takes the way's credit back from the queue for a while; if nothing is accepted in between, for twice as long each
// time, as an automatic link does from a broker.
type respite struct {
	last    time.Duration // the latest one; 0 after a message that was accepted
	resting bool
}

// ended hears how a message ends, before the queue does.
func (w *way) ended(o router.Outcome) {
	if w.receiver.Kind() != addressing.Queue {
		return
	}
	w.vacate()
	switch {
	case o.State == router.Accepted:
		w.respite.last = 0
	case o.State == router.Released && !w.respite.resting && !w.leaving:
		w.rest()
	}
}

// rest takes back what credit the queue has.
func (w *way) rest() {
	p := &w.respite
	p.resting, p.last = true, min(max(2*p.last, shortestPause), longestPause)
	for w.receiver.TakeBack() {
		w.taken++
	}
	time.AfterFunc(p.last, func() { w.neighbor.mail.orders.Put(w.resume) })
}

// resume gives it again.
func (w *way) resume() {
	w.respite.resting = false
	w.regrant()
}
