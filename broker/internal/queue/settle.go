package queue

// Tag names one assignment of one entry to one consumer.
type Tag uint64

// Verdict is the consumer's answer to an assignment.
type Verdict uint8

const (
	Accept  Verdict = iota // done: the entry is removed
	Release                // back to its place, as if never delivered
	Fail                   // back to its place, one failed delivery more
	Reject                 // cannot be processed: the entry is dead

	// Elsewhere is added to Release or Fail when the consumer is not to get the entry again.
	Elsewhere Verdict = 0x80
)

// Effect is what a settlement did to the entry.
type Effect uint8

const (
	None     Effect = iota // the tag was not current: nothing happened
	Removed                // gone from the state; the caller makes that durable
	Requeued               // ready again
	Delayed                // back, but not ready before a later Advance
	Dead                   // out of line: the caller moves it to where dead letters go, or drops it, and answers Remove
)

// Settled answers a settlement. It is zero when Effect is None.
type Settled struct {
	Seq      Seq
	Effect   Effect
	Attempts int // failed deliveries up to now
}

// Redelivery is how long a message waits after a failed delivery, in milliseconds: Initial after the first, Multiplier
// times as long after each further one, at most Max. A Multiplier below 1 counts as 1, a Max of 0 as no bound.
type Redelivery struct {
	Initial    int64
	Multiplier float64
	Max        int64
}

// longest bounds a delay whose setting has no bound.
const longest = 1 << 40

// after gives the delay after so many failed deliveries.
func (r Redelivery) after(attempts int) int64 {
	limit := float64(longest)
	if r.Max > 0 {
		limit = float64(r.Max)
	}
	delay := float64(r.Initial)
	for n := 1; r.Multiplier > 1 && n < attempts && delay < limit; n++ {
		delay *= r.Multiplier
	}
	return int64(min(delay, limit))
}

// Settle ends the assignment that tag names. A tag that is not current (settled before, or its consumer detached)
// has no effect, whoever holds the entry now. From now, in Unix milliseconds, redelivery delays are counted; a time
// before the latest known counts as that.
func (q *Queue) Settle(now int64, tag Tag, v Verdict) Settled {
	h := q.held.find(tag)
	if h == nil {
		return Settled{}
	}
	s := q.settle(now, h, v)
	q.held.end(h)
	return s
}

// Held gives the size of the entry that is assigned under tag; false when the tag is not current.
func (q *Queue) Held(tag Tag) (size int, ok bool) {
	h := q.held.find(tag)
	if h == nil {
		return 0, false
	}
	return int(h.line.find(h.seq).size), true
}

// Mark notes something of the caller's with an assignment, if the tag is current. Holder gives it back.
func (q *Queue) Mark(tag Tag, mark uint32) {
	if h := q.held.find(tag); h != nil {
		h.mark = mark
	}
}

// Holder gives the consumer that an entry is assigned to under tag, and its mark; false when the tag is not current.
func (q *Queue) Holder(tag Tag) (id ConsumerID, mark uint32, ok bool) {
	h := q.held.find(tag)
	if h == nil {
		return 0, 0, false
	}
	return h.by.id, h.mark, true
}

func (q *Queue) settle(now int64, h *holding, v Verdict) Settled {
	l := h.line
	e := l.find(h.seq)
	s := Settled{Seq: e.seq, Effect: Removed, Attempts: int(e.attempts)}
	if v == Accept {
		q.remove(l, e)
		return s
	}
	q.now = max(q.now, now)
	if v&Elsewhere != 0 {
		q.shun(h.by, e.seq)
	}
	switch v &^ Elsewhere {
	case Release:
		s.Effect = q.comeBack(l, e, 0)
	case Fail:
		e.attempts = clampAttempts(int(e.attempts) + 1)
		s.Attempts = int(e.attempts)
		if q.isDead(s.Attempts) {
			q.move(e, leaving)
			s.Effect = Dead
			break
		}
		s.Effect = q.comeBack(l, e, q.settings.Redelivery.after(s.Attempts))
	case Reject:
		q.move(e, leaving)
		s.Effect = Dead
	default:
		panic("queue: unknown verdict")
	}
	return s
}

// comeBack puts an assigned entry back to its place, at once or after a delay.
func (q *Queue) comeBack(l *line, e *entry, delay int64) Effect {
	switch {
	case q.values.isSuperseded(e.seq):
		q.remove(l, e)
		return Removed
	case q.hasExpired(l, e):
		return Delayed
	case delay > 0:
		q.move(e, delayed)
		q.await(q.now+delay, e.seq)
		return Delayed
	}
	q.enter(l, e)
	return Requeued
}

// shun keeps an entry from a consumer for good.
func (q *Queue) shun(c *consumer, seq Seq) {
	if c.own == nil {
		v := q.fork()
		q.unseat(c)
		q.seatAlone(c, v)
	}
	if c.never == nil {
		c.never = make(map[Seq]struct{})
	}
	if len(c.never) >= max(c.pruneNever, minHeap) {
		for seq := range c.never {
			if q.look(seq).state == gone {
				delete(c.never, seq)
			}
		}
		c.pruneNever = 2 * len(c.never)
	}
	c.never[seq] = struct{}{}
}
