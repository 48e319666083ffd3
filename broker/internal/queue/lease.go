package queue

// leaseStep is how far a raised lease reaches beyond the next entry to be assigned. It is raised again when half
// of it is used, so that consumers seldom wait for the disk; after a crash up to leaseStep messages that nobody
// saw are marked as redelivered.
const leaseStep = 1024

// lease bounds what may be delivered: a message above the stored lease was never delivered. Writing it ahead of
// delivery, in steps, makes redeliveries recognisable after a crash without a write per delivery.
type lease struct {
	stored Seq // on disk
	wanted Seq // asked of the shell, at least stored
}

// LeaseWanted asks the shell to store a higher lease, and answer with LeaseStored. Each raise is asked for once.
// It is wanted only while a consumer is attached and an entry waits for its first delivery: asked after Append it
// joins that message's write, after Attach it is needed for a backlog, and after Next it runs ahead of a drain.
func (q *Queue) LeaseWanted() (Seq, bool) {
	if q.consumers.len() == 0 {
		return 0, false
	}
	e := q.entries.firstFresh()
	if e == nil || e.seq+leaseStep/2 <= q.lease.wanted {
		return 0, false
	}
	q.lease.wanted = e.seq + leaseStep
	return q.lease.wanted, true
}

// LeaseStored says that the lease is on disk at least up to seq.
func (q *Queue) LeaseStored(seq Seq) { q.lease.stored = max(q.lease.stored, seq) }

// Delivered is the highest number ever assigned: the exact lease, to be written by a clean stop.
func (q *Queue) Delivered() Seq { return q.delivered }
