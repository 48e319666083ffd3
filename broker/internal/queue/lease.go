package queue

// leaseStep is how far a raised lease reaches beyond the next entry to be assigned. It is raised again when half
// of it is used, so that consumers seldom wait for the disk; after a crash up to leaseStep messages that nobody
// saw are marked as redelivered.
const leaseStep = 1024

// Raise names a raise of leases; later ones are higher.
type Raise uint64

// lease bounds what may be delivered of a line: a message above the stored lease was never delivered. Writing it ahead
// of delivery, in steps, makes redeliveries recognisable after a crash without a write per delivery. Each priority has
// its own, so that a message is not taken for delivered because later ones of a higher priority were.
type lease struct {
	stored    Seq   // on disk
	wanted    Seq   // asked of the shell, at least stored
	needed    Seq   // what was to be assigned to a consumer with a view of its own
	delivered Seq   // highest number ever assigned
	raise     Raise // the last one that it was part of
}

// LeaseWanted asks the shell to store raised leases, which Past then has, and to answer with LeaseStored. Each raise is
// asked for once. It is wanted only while a consumer is attached and an entry waits for its first delivery: asked after
// Append it joins that message's write, after Attach it is needed for a backlog, and after Turn it runs ahead of a
// drain.
func (q *Queue) LeaseWanted() (Raise, bool) {
	if q.takers == 0 {
		return 0, false
	}
	wanted := false
	for _, l := range q.lines {
		if q.last+leaseStep/2 <= l.lease.wanted {
			continue
		}
		need := l.lease.needed
		if q.sharing > 0 {
			need = max(need, l.frontier())
		}
		if need > 0 && need+leaseStep/2 > l.lease.wanted {
			l.lease.wanted, l.lease.raise = need+leaseStep, q.raise+1
			wanted = true
		}
	}
	if wanted {
		q.raise++
	}
	return q.raise, wanted
}

// frontier is the number that the consumers that take every message need the lease for, or 0.
func (l *line) frontier() Seq {
	if e := l.shared.fresh(l, inLine); e.state != gone {
		return e.seq
	}
	if !l.shared.behind.empty() {
		return l.shared.behind.top().seq
	}
	return 0
}

// LeaseStored says that what a raise asked for is on disk, and every raise before it.
func (q *Queue) LeaseStored(r Raise) {
	for _, l := range q.lines {
		if l.lease.raise <= r {
			l.lease.stored = l.lease.wanted
		}
	}
}

// Past is what the store is to remember of the queue besides its messages. The shell stores it for a raised lease, now
// and then as messages are removed, and together with the removal of a message that was never assigned (expired,
// dropped, replaced, purged): nothing else keeps its number from being given again.
func (q *Queue) Past() Past {
	p := Past{Head: q.Head(), Last: q.last}
	for _, l := range q.lines {
		p.Lease[l.priority] = l.lease.wanted
	}
	return p
}

// PastAtRest is the Past of a clean stop, with exact leases: only what was delivered is then taken for a redelivery.
func (q *Queue) PastAtRest() Past {
	p := q.Past()
	for _, l := range q.lines {
		p.Lease[l.priority] = l.lease.delivered
	}
	return p
}
