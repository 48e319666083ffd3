package queue

// cursor is how far somebody has come in a line: he has seen every entry before next, except those behind, which came
// back, or became due, after he had passed them.
type cursor struct {
	next   Seq
	behind appointments
}

// view is a consumer's own cursors, by priority.
type view [Priorities]cursor

// entry gives the entry at the cursor, or none at the end of the line. One that is still being stored ends the line for
// now. In are the states that are to be seen: inLine, and inSight by a browser.
func (c *cursor) entry(l *line, in states) entry {
	for !c.behind.empty() {
		if e := l.look(c.behind.top().seq); in.has(e.state) {
			return e
		}
		c.behind.pop()
	}
	e := c.fresh(l, in)
	if e.state == storing {
		return entry{}
	}
	return e
}

// fresh moves next to the first entry from it on that stands in line, be it still on its way to disk, and gives that
// entry, or none.
func (c *cursor) fresh(l *line, in states) entry {
	e := l.next(c.next, in)
	c.next = e.seq
	return e
}

// pass moves the cursor beyond the entry that it is at. When it is elsewhere by now, it stays.
func (c *cursor) pass(l *line, seq Seq, in states) {
	if seq == c.next {
		c.next++
	} else {
		c.passAside(l, seq, in)
	}
}

func (c *cursor) passAside(l *line, seq Seq, in states) {
	switch {
	case !c.behind.empty() && c.behind.top().seq == seq:
		c.behind.popAll(seq)
	case seq < c.next:
		c.behind.drop(seq)
	default:
		if c.fresh(l, in).seq == seq {
			c.next = seq + 1
		}
	}
}

// back tells the cursor that an entry is ready again, or at last. What it has not come to it will find by itself.
func (c *cursor) back(l *line, seq Seq) {
	if seq < c.next {
		c.fallBack(l, seq)
	}
}

func (c *cursor) fallBack(l *line, seq Seq) {
	if c.behind.full() {
		c.behind.prune(func(a appointment) bool { return l.look(a.seq).state != gone })
	}
	c.behind.push(appointment{seq: seq})
}

// fork gives a consumer that begins where the others are his own cursors.
func (q *Queue) fork() *view {
	v := new(view)
	for _, l := range q.lines {
		v[l.priority] = cursor{next: l.shared.next, behind: l.shared.behind.clone()}
	}
	return v
}
