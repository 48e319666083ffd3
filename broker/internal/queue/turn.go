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
	l, seq := q.first()
	if seq == 0 && len(q.alone) == 0 {
		return Turn{}, false
	}
	if q.settings.SingleActive {
		q.elect()
	}
	for _, r := range q.ranks {
		for c := r.turn; ; {
			switch {
			case c.own == nil:
				if seq > 0 && q.isActive(c) && can(c.id) {
					return Turn{c.id, seq, c, l}, true
				}
			case q.isActive(c) && can(c.id):
				if l, seq := q.firstFor(c); seq > 0 {
					return Turn{c.id, seq, c, l}, true
				}
			}
			if c = c.next; c == r.turn {
				break
			}
		}
	}
	return Turn{}, false
}

// first finds the entry that a consumer gets that takes every message, or 0. One that waits for the lease is not overtaken
// by those of lower priorities.
func (q *Queue) first() (*line, Seq) {
	if q.sharing == 0 {
		return nil, 0
	}
	for _, l := range q.lines {
		e := l.shared.entry(l, inLine)
		switch {
		case e.state == gone:
		case e.seq <= l.lease.stored:
			return l, e.seq
		default:
			return nil, 0
		}
	}
	return nil, 0
}

// firstFor finds the entry that a consumer with a view of its own gets, or 0. A selecting one may look at an entry above
// the lease, unless that is being raised already.
func (q *Queue) firstFor(c *consumer) (*line, Seq) {
	reads, in := q.browses(c), q.sees(c)
	for _, l := range q.lines {
		at := &c.own[l.priority]
		e := at.entry(l, in)
		for e.state != gone && !reads && q.isKept(c, e) {
			at.pass(l, e.seq, in)
			e = at.entry(l, in)
		}
		switch {
		case e.state == gone:
		case reads, e.seq <= l.lease.stored, c.role.Selects && e.seq > l.lease.needed:
			return l, e.seq
		default:
			l.lease.needed = max(l.lease.needed, e.seq)
			return nil, 0
		}
	}
	return nil, 0
}

// isKept tells whether a consumer may not have an entry.
func (q *Queue) isKept(c *consumer, e entry) bool {
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
	if q.browses(c) {
		e := l.look(t.Seq)
		if e.state == gone {
			return Assignment{}, false
		}
		q.passOn(c, l, t.Seq)
		return Assignment{Seq: t.Seq, Consumer: c.id, Attempts: int(e.attempts)}, true
	}
	e := l.find(t.Seq)
	if e == nil || e.state != ready || c.own != nil && q.isKept(c, *e) {
		return Assignment{}, false
	}
	if e.seq > l.lease.stored {
		l.lease.needed = max(l.lease.needed, e.seq)
		return Assignment{}, false
	}
	q.passOn(c, l, t.Seq)
	q.own(c, e.bucket)
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
	c.cursor(l).pass(l, seq, q.sees(c))
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
	var seq Seq
	if c.own == nil {
		_, seq = q.first()
	} else {
		_, seq = q.firstFor(c)
	}
	return seq == 0
}

// isActive tells whether a consumer may get a turn.
func (q *Queue) isActive(c *consumer) bool {
	return !q.settings.SingleActive || c == q.active || q.browses(c)
}
