package broker

import "github.com/manifoldmq/manifold/broker/internal/queue"

// What cannot be trusted is set aside: an operator hears of it, nobody is given it, it stays on disk as it is, and what
// is beside it goes on.

// SetAside is how often something on disk could not be trusted since Open; the log says what.
func (b *Broker) SetAside() int64 { return b.aside.Load() }

// setAside reports what is set aside, and why. The pairs say more, as in a log.
func (b *Broker) setAside(what string, err error, pairs ...any) {
	b.aside.Add(1)
	if err != nil {
		pairs = append(pairs, "err", err)
	}
	b.log.Error(what, pairs...)
}

// unreadable reports a message that is set aside.
func (n *queueNode) unreadable(seq queue.Seq, err error) {
	n.broker.aside.Add(1)
	n.log("a stored message cannot be read and is set aside", seq, err)
}
