package queue

// cursor is how far somebody has come in a line: he has seen every entry before next, except those behind, which came
// back, or became due, after he had passed them.
type cursor struct {
	next   Seq
	behind heap
}

// view is a consumer's own cursors, by priority.
type view [Priorities]cursor

// entry gives the entry at the cursor, or nil at the end of the line. One that is still being stored ends the line for
// now. A browser (held) also sees what others hold.
func (c *cursor) entry(l *line, held bool) *entry {
	for !c.behind.empty() {
		if e := l.find(c.behind.top().seq); e != nil && (e.state == ready || held && e.state == assigned) {
			return e
		}
		c.behind.pop()
	}
	e := l.find(c.next)
	if e == nil || e.state != ready {
		e = c.fresh(l, held)
	}
	if e == nil || e.state == storing {
		return nil
	}
	return e
}

// fresh moves next to the first entry from it on that stands in line, be it still on its way to disk, and gives that
// entry, or nil.
func (c *cursor) fresh(l *line, held bool) *entry {
	for i := l.seek(c.next); i < l.n; i++ {
		if e := l.at(i); e.state == ready || e.state == storing || held && e.state == assigned {
			c.next = e.seq
			return e
		}
	}
	if l.n > 0 {
		c.next = max(c.next, l.at(l.n-1).seq+1)
	}
	return nil
}

// pass moves the cursor beyond the entry that it is at. When it is elsewhere by now, it stays.
func (c *cursor) pass(l *line, seq Seq, held bool) {
	switch {
	case seq == c.next:
		c.next++
	case !c.behind.empty() && c.behind.top().seq == seq:
		c.behind.popAll(seq)
	case seq < c.next:
		c.behind.drop(seq)
	default:
		if e := c.fresh(l, held); e != nil && e.seq == seq {
			c.next = seq + 1
		}
	}
}

// back tells the cursor that an entry is ready again, or at last. What it has not come to it will find by itself.
func (c *cursor) back(l *line, seq Seq) {
	if seq >= c.next {
		return
	}
	if c.behind.full() {
		c.behind.prune(func(a appointment) bool { return l.find(a.seq) != nil })
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
