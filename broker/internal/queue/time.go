package queue

import "slices"

// Advance says what time it is, in Unix milliseconds: entries that are due become ready, and those that have expired are
// answered, in the order of their numbers. They are out of line: the caller moves or drops each and answers Remove. One
// that a consumer holds is left to him; if he gives it back, a later Advance answers it. The slice is valid until the
// next call of Append or Advance.
func (q *Queue) Advance(now int64) []Seq {
	q.now = max(q.now, now)
	q.beginReport()
	for len(q.agenda) > 0 && q.agenda[0].earliest <= q.now {
		q.expire(q.agenda[0])
	}
	slices.Sort(q.report)
	for !q.dues.empty() && q.dues.top().at <= q.now {
		seq := q.dues.top().seq
		q.dues.pop()
		q.due(seq)
	}
	return q.report
}

// Deadline is when to call Advance next, which may be a past time, or false if there is nothing to wait for. It may be
// early: not every message that is waited for still is in the queue.
func (q *Queue) Deadline() (int64, bool) {
	switch {
	case len(q.agenda) == 0 && q.dues.empty():
		return 0, false
	case len(q.agenda) == 0:
		return q.dues.top().at, true
	case q.dues.empty():
		return q.agenda[0].earliest, true
	}
	return min(q.agenda[0].earliest, q.dues.top().at), true
}

// expire takes what has expired in a chunk out of line. What is being stored or held is marked, for when it comes back.
func (q *Queue) expire(c *chunk) {
	if c.packed != nil {
		c.line.open(c)
	}
	next := int64(0)
	for i := int(c.head); i < len(c.expires); i++ {
		e, at := &c.slots[i], c.expires[i]
		switch {
		case e.state == gone || at <= 0:
		case at > q.now:
			next = sooner(next, at)
		case waiting.has(e.state):
			q.move(e, leaving)
			q.report = append(q.report, e.seq)
			c.expires[i] = 0
		default:
			c.expires[i] = overdue
		}
	}
	q.agenda.set(c, next)
}

// sooner gives the earlier of two times, of which 0 is never.
func sooner(a, b int64) int64 {
	if a == 0 || b < a {
		return b
	}
	return a
}

func (q *Queue) due(seq Seq) {
	l, e := q.locate(seq)
	if e == nil {
		return
	}
	switch e.state {
	case premature:
		q.move(e, late)
	case scheduled, delayed:
		q.enter(l, e)
	}
}

// enter makes an entry ready. Who only reads is told of it if it was not in line before.
func (q *Queue) enter(l *line, e *entry) {
	anew := e.state == late || e.state == scheduled
	q.move(e, ready)
	l.shared.back(l, e.seq)
	for _, c := range q.alone {
		if anew || !q.browses(c) {
			c.own[l.priority].back(l, e.seq)
		}
	}
}

// hasExpired lets an entry that expired while it was being stored or held wait for the next Advance.
func (q *Queue) hasExpired(l *line, e *entry) bool { return l.mortal && q.putOff(l, e) }

func (q *Queue) putOff(l *line, e *entry) bool {
	c := l.at(e.seq)
	if len(c.expires) == 0 {
		return false
	}
	i := c.seek(e.seq)
	if c.expires[i] != overdue {
		return false
	}
	q.move(e, delayed)
	c.expires[i] = q.now
	q.agenda.set(c, q.now)
	return true
}

// await makes an appointment with an entry. Those of entries that are no longer in the queue are bounded.
func (q *Queue) await(due int64, seq Seq) {
	if q.dues.full() {
		q.dues.prune(func(a appointment) bool { return q.look(a.seq).state != gone })
	}
	q.dues.push(appointment{due, seq})
}
