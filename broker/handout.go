package broker

import (
	"github.com/manifoldmq/manifold/broker/internal/queue"
	"github.com/manifoldmq/manifold/router"
)

// handOut assigns messages to consumers with credit, each in its turn. A consumer whose next body is on disk only waits
// for a reader, and all wait for the lease.
func (n *queueNode) handOut() {
	for len(n.consumers) > 0 {
		turn, ok := n.machine.Turn(n.isOpen)
		if n.raiseLease() {
			continue
		}
		if !ok {
			break
		}
		n.serve(turn)
	}
	n.schedule()
}

// serve gives a consumer its turn.
func (n *queueNode) serve(turn queue.Turn) {
	c := n.consumers[turn.Consumer]
	d, ok := n.body(c, turn.Seq)
	if !ok {
		n.fetch(c.feed, turn.Seq)
		return
	}
	if c.feed.apart && (d.Message.IsZero() || !c.wants(d)) {
		c.feed.drop(turn.Seq)
		n.machine.Pass(turn)
		return
	}
	a, ok := n.machine.Assign(turn)
	if !ok {
		return // until the lease is raised
	}
	switch {
	case c.feed.apart:
		c.feed.drop(turn.Seq)
		if a.Tag > 0 && !n.isVolatile() {
			n.feed.drop(a.Seq)
		}
	case !n.isVolatile():
		n.feed.take(a.Seq, d)
	}
	if !c.link.Take() { // it is closing
		if a.Tag > 0 {
			n.machine.Settle(0, a.Tag, queue.Release)
		}
		return
	}
	d.Attempts = uint32(a.Attempts)
	if a.Attempts > 0 && a.Tag > 0 {
		n.counters.Redelivered++
	}
	if note, ok := n.notes[a.Seq]; ok {
		d.Message = annotated(d.Message, note)
	}
	if c.identified {
		d.Message = n.identified(a.Seq, d.Message)
	}
	if a.Tag == 0 {
		c.link.Deliver(d)
		return
	}
	n.machine.Mark(a.Tag, uint32(c.link.Begin()))
	c.link.Deliver(d.From(n, uint64(a.Tag)))
}

// conclude carries out what the machine made of a settlement.
func (n *queueNode) conclude(s queue.Settled, o router.Outcome, done func(error)) {
	switch s.Effect {
	case queue.Removed:
		n.remove(s.Seq, done)
		return
	case queue.Dead:
		n.bury(s, o, done)
		return
	case queue.Requeued, queue.Delayed:
		n.note(s.Seq, o.Annotations)
		n.giveBack(s)
	}
	if done == nil {
		return
	}
	if s.Effect == queue.None {
		done(notHeld())
	} else {
		done(nil)
	}
}

// verdict puts an outcome in the machine's words.
func verdict(o router.Outcome) queue.Verdict {
	switch o.State {
	case router.Accepted:
		return queue.Accept
	case router.Released:
		return queue.Release
	case router.Rejected:
		return queue.Reject
	}
	v := queue.Fail
	if o.Reason != router.Failed { // nobody has tried
		v = queue.Release
	}
	if o.Elsewhere {
		v |= queue.Elsewhere
	}
	return v
}
