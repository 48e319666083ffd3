package queue

import "slices"

// Waiting adds to dst the numbers, in order, of up to limit entries from a number on that are on disk and nobody holds,
// be they due or not.
func (q *Queue) Waiting(from Seq, limit int, dst []Seq) []Seq {
	start := len(dst)
	for _, l := range q.lines {
		e := l.next(from, waiting)
		for n := 0; n < limit && e.state != gone; n++ {
			dst = append(dst, e.seq)
			e = l.next(e.seq+1, waiting)
		}
	}
	slices.Sort(dst[start:])
	return dst[:min(len(dst), start+limit)]
}

// SetAside takes a ready entry out of line, so that the shell can move it and then answers Remove, or PutBack. It is
// false for one that is not ready.
func (q *Queue) SetAside(seq Seq) bool {
	if !q.IsReady(seq) {
		return false
	}
	_, e := q.locate(seq)
	q.move(e, leaving)
	return true
}

// PutBack gives an entry that was set aside its place again. It is removed instead if a later one with its key has come.
func (q *Queue) PutBack(seq Seq) Effect {
	l, e := q.locate(seq)
	if e == nil || e.state != leaving {
		return None
	}
	return q.comeBack(l, e, 0)
}

// Dying tells whether a verdict on what is assigned under tag would leave it dead, as Settle would answer then.
func (q *Queue) Dying(tag Tag, v Verdict) (Settled, bool) {
	h := q.held.find(tag)
	if h == nil {
		return Settled{}, false
	}
	e := h.line.find(h.seq)
	s := Settled{Seq: e.seq, Effect: Dead, Attempts: int(e.attempts)}
	switch v &^ Elsewhere {
	case Reject:
		return s, true
	case Fail:
		s.Attempts = int(clampAttempts(s.Attempts + 1))
		return s, q.isDead(s.Attempts)
	}
	return Settled{}, false
}

// isDead tells whether an entry is dead after so many failed deliveries.
func (q *Queue) isDead(attempts int) bool {
	return q.settings.MaxDeliveries > 0 && attempts >= q.settings.MaxDeliveries
}
