package queue

// Turn proposes that a consumer gets an entry next. The shell fetches the body, looks whether it is what a selecting
// consumer wants, and answers Assign or Pass. It may take its time: a Turn that no longer holds does nothing.
type Turn struct {
	Consumer ConsumerID
	Seq      Seq

	consumer *consumer
	line     *line
}

// Assignment says that a consumer now holds an entry until the tag is settled or the consumer detaches. With tag 0 the
// consumer only reads, and there is nothing to settle.
type Assignment struct {
	Tag      Tag
	Seq      Seq
	Consumer ConsumerID
	Attempts int // failed deliveries before this one; above zero means redelivered
}

// Turn finds the next consumer in turn for which can is true, and the entry that it would get. False means that there
// is no such pair now, or that the lease has to be raised first: ask LeaseWanted after it. can must not call the queue;
// it is false for a consumer without credit, and for one whose next body is still being fetched.
func (q *Queue) Turn(can func(ConsumerID) bool) (Turn, bool) {
	l, e := q.first()
	if e == nil && len(q.alone) == 0 {
		return Turn{}, false
	}
	if q.settings.SingleActive {
		q.elect()
	}
	for _, r := range q.ranks {
		for c := r.turn; ; {
			switch {
			case c.own == nil:
				if e != nil && q.isActive(c) && can(c.id) {
					return Turn{c.id, e.seq, c, l}, true
				}
			case q.isActive(c) && can(c.id):
				if l, e := q.firstFor(c); e != nil {
					return Turn{c.id, e.seq, c, l}, true
				}
			}
			if c = c.next; c == r.turn {
				break
			}
		}
	}
	return Turn{}, false
}

// first finds the entry that a consumer gets that takes every message, or nil.
func (q *Queue) first() (*line, *entry) {
	if q.sharing == 0 {
		return nil, nil
	}
	for _, l := range q.lines {
		if e := l.shared.entry(l, false); e != nil && e.seq <= l.lease.stored {
			return l, e
		}
	}
	return nil, nil
}

// firstFor finds the entry that a consumer with a view of its own gets, or nil. A selecting one may look at an entry
// above the lease, unless that is being raised already.
func (q *Queue) firstFor(c *consumer) (*line, *entry) {
	reads := q.browses(c)
	for _, l := range q.lines {
		at := &c.own[l.priority]
		e := at.entry(l, reads)
		for e != nil && !reads && q.isKept(c, e) {
			at.pass(l, e.seq, false)
			e = at.entry(l, false)
		}
		switch {
		case e == nil:
		case reads, e.seq <= l.lease.stored, c.role.Selects && e.seq > l.lease.needed:
			return l, e
		default:
			l.lease.needed = max(l.lease.needed, e.seq)
		}
	}
	return nil, nil
}

// isKept tells whether a consumer may not have an entry.
func (q *Queue) isKept(c *consumer, e *entry) bool {
	if q.isOthers(c, e) {
		return true
	}
	_, never := c.never[e.seq]
	return never
}

// Assign carries a turn out. False means that it no longer holds, or has to wait for the lease.
func (q *Queue) Assign(t Turn) (Assignment, bool) {
	c, l := t.consumer, t.line
	if c.detached || !q.isActive(c) {
		return Assignment{}, false
	}
	e := l.find(t.Seq)
	if e == nil {
		return Assignment{}, false
	}
	if q.browses(c) {
		q.passOn(c, l, t.Seq)
		return Assignment{Seq: t.Seq, Consumer: c.id, Attempts: int(e.attempts)}, true
	}
	if e.state != ready || c.own != nil && q.isKept(c, e) {
		return Assignment{}, false
	}
	if e.seq > l.lease.stored {
		l.lease.needed = max(l.lease.needed, e.seq)
		return Assignment{}, false
	}
	q.passOn(c, l, t.Seq)
	q.own(c, e)
	q.move(e, assigned)
	l.lease.delivered = max(l.lease.delivered, e.seq)
	h := q.held.begin(c, l, e.seq)
	return Assignment{Tag: h.tag, Seq: e.seq, Consumer: c.id, Attempts: int(e.attempts)}, true
}

// Pass says that the consumer does not want the entry; the turn goes to the next.
func (q *Queue) Pass(t Turn) {
	if !t.consumer.detached {
		q.passOn(t.consumer, t.line, t.Seq)
	}
}

func (q *Queue) passOn(c *consumer, l *line, seq Seq) {
	c.rank.turn = c.next
	c.cursor(l).pass(l, seq, q.browses(c))
}

// AtEnd tells whether a consumer has seen everything that it could get now. A browser is then done.
func (q *Queue) AtEnd(id ConsumerID) bool {
	c := q.consumers[id]
	if c == nil {
		return true
	}
	if q.settings.SingleActive {
		q.elect()
	}
	if !q.isActive(c) {
		return true
	}
	var e *entry
	if c.own == nil {
		_, e = q.first()
	} else {
		_, e = q.firstFor(c)
	}
	return e == nil
}

// isActive tells whether a consumer may get a turn.
func (q *Queue) isActive(c *consumer) bool {
	return !q.settings.SingleActive || c == q.active || q.browses(c)
}
