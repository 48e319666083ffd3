package broker

import (
	"errors"

	"github.com/manifoldmq/manifold/broker/internal/queue"
	"github.com/manifoldmq/manifold/broker/internal/store"
	"github.com/manifoldmq/manifold/router"
)

// handOut assigns ready messages to consumers with credit, in order. It stops at a message whose body is on disk only,
// asks a reader for it, and goes on when it has come; the same with the lease.
func (n *queueNode) handOut() {
	for len(n.consumers) > 0 {
		n.raiseLease()
		seq, ok := n.machine.Peek()
		if !ok {
			return
		}
		body, ok := n.window.get(seq)
		if !ok {
			n.fetch(seq)
			return
		}
		a, ok := n.machine.Next(n.take)
		if !ok {
			return
		}
		n.window.drop(seq)
		body.Attempts = uint32(a.Attempts)
		n.consumers[a.Consumer].Deliver(body.From(n, uint64(a.Tag)))
	}
}

// raiseLease asks the store for a higher lease when the machine wants one by itself, as for a backlog; in front of new
// messages Offer has raised it already.
func (n *queueNode) raiseLease() {
	lease, wanted := n.machine.LeaseWanted()
	if !wanted {
		return
	}
	batch, err := n.broker.store.Begin()
	if err != nil {
		return // nothing is delivered that could not be recognised after a crash
	}
	n.lease = lease
	n.putMeta(batch)
	batch.Commit(leaseRaised{n}, uint64(lease))
}

// leaseRaised hears that a lease is on disk.
type leaseRaised struct{ node *queueNode }

func (l leaseRaised) Committed(lease uint64, err error) {
	if err != nil {
		return
	}
	l.node.mu.Lock()
	defer l.node.mu.Unlock()
	l.node.machine.LeaseStored(queue.Seq(lease))
	l.node.handOut()
}

// fetch asks for the bodies from seq on, if a consumer could take one.
func (n *queueNode) fetch(seq queue.Seq) {
	if n.loading {
		return
	}
	for _, r := range n.consumers {
		if r.HasCredit() {
			n.loading = true
			n.broker.readers.ask(fetch{n, seq})
			return
		}
	}
}

// load reads bodies from the disk, in a reader's goroutine, without the node's lock.
func (n *queueNode) load(from queue.Seq) {
	var (
		bodies = make([]router.Delivery, 0, windowMessages/4)
		seqs   = make([]queue.Seq, 0, windowMessages/4)
		bytes  int
		bad    error
	)
	err := n.broker.store.Read(n.id, uint64(from), func(seq uint64, flags byte, value []byte) bool {
		d, err := parseRecord(flags, value)
		if err != nil {
			bad = &store.CorruptError{What: "message", Queue: n.id, Seq: seq, Cause: err}
			return false
		}
		bodies, seqs = append(bodies, kept(d)), append(seqs, queue.Seq(seq))
		bytes += d.Message.Len()
		return len(seqs) < cap(seqs) && bytes < windowBytes/2
	})
	n.loaded(from, seqs, bodies, errors.Join(err, bad))
}

// loaded takes bodies into the window and hands them out.
func (n *queueNode) loaded(from queue.Seq, seqs []queue.Seq, bodies []router.Delivery, err error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.loading = false
	if len(n.consumers) == 0 {
		return
	}
	if len(seqs) == 0 || seqs[0] != from {
		if err != nil && !isCorrupt(err) {
			n.broker.log.Error("stored messages cannot be read now",
				"tenant", n.name.Tenant, "address", n.name.Name, "seq", uint64(from), "err", err)
			return // the next credit tries again
		}
		n.discard(from, err)
	}
	for i, seq := range seqs {
		if n.machine.IsReady(seq) {
			n.window.put(seq, bodies[i])
		}
	}
	n.handOut()
}

func isCorrupt(err error) bool {
	_, ok := errors.AsType[*store.CorruptError](err)
	return ok
}

// discard gives up a message that cannot be read. It stays on disk, is reported, and no longer stands in the way.
func (n *queueNode) discard(seq queue.Seq, err error) {
	if !n.machine.IsReady(seq) {
		return
	}
	n.broker.log.Error("a stored message cannot be read and is set aside",
		"tenant", n.name.Tenant, "address", n.name.Name, "seq", uint64(seq), "err", err)
	n.machine.SetAside(seq)
}
