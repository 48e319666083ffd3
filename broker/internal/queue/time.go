package queue

// Advance says what time it is, in Unix milliseconds: entries that are due become ready, and those that have expired are
// answered. They are out of line: the caller moves or drops each and answers Remove. One that a consumer holds is left
// to him; if he gives it back, a later Advance answers it. The slice is valid until the next call of Append or Advance.
func (q *Queue) Advance(now int64) []Seq {
	q.now = max(q.now, now)
	q.beginReport()
	for !q.expiries.empty() && q.expiries.top().at <= q.now {
		seq := q.expiries.top().seq
		q.expiries.pop()
		q.expire(seq)
	}
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
	case q.dues.empty() && q.expiries.empty():
		return 0, false
	case q.dues.empty():
		return q.expiries.top().at, true
	case q.expiries.empty():
		return q.dues.top().at, true
	}
	return min(q.dues.top().at, q.expiries.top().at), true
}

func (q *Queue) expire(seq Seq) {
	_, e := q.locate(seq)
	if e == nil {
		return
	}
	switch e.state {
	case ready, scheduled, delayed:
		q.move(e, leaving)
		q.report = append(q.report, seq)
	case storing, premature, late, assigned, leaving:
		if q.overdue == nil {
			q.overdue = make(map[Seq]struct{})
		}
		q.overdue[seq] = struct{}{}
	}
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
func (q *Queue) hasExpired(e *entry) bool {
	if len(q.overdue) == 0 {
		return false
	}
	if _, ok := q.overdue[e.seq]; !ok {
		return false
	}
	q.move(e, delayed)
	q.await(&q.expiries, q.now, e.seq)
	return true
}

// await makes an appointment. Those of entries that are no longer in the queue are bounded.
func (q *Queue) await(h *heap, at int64, seq Seq) {
	if h.full() {
		h.prune(func(a appointment) bool {
			_, e := q.locate(a.seq)
			return e != nil
		})
	}
	h.push(appointment{at, seq})
}

// forgetTimes drops appointments with nobody when the queue is empty.
func (q *Queue) forgetTimes() {
	if q.Len() == 0 {
		q.expiries.clear()
		q.dues.clear()
	}
}
