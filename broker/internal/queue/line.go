package queue

import "sort"

// line is the entries of one priority, in the order of their numbers: a row of chunks. The last chunk, which is open,
// takes the new ones. In a small line it is the only one, and has few slots; in a long one those that nobody has used
// for a while are packed.
//
// A caller may use an *entry until he calls find, push or remove again: they may pack or move others.
type line struct {
	priority uint8
	mortal   bool   // an entry that expires was pushed some time
	shared   cursor // of all consumers that take every message
	lease    lease
	agenda   *agenda
	grain    grain

	chunks []*chunk
	near   *chunk   // of the last entry looked for
	live   int      // entries
	slots  int      // of open chunks, in use or not
	last   Seq      // highest number ever pushed
	loose  []*chunk // the open ones but the last, in the order in which they were last filled or opened
	spare  *chunk   // for the next to begin or to be opened; may be nil
}

// grain is how a line is divided.
type grain struct {
	size int32 // slots of a chunk, at most chunkSize
	open int32 // how many open chunks a line has at least before any is packed
}

const (
	chunkSize  = 1024
	openChunks = 8
	minChunk   = 4 // slots that the first chunk of a line begins with
)

// line gives the line of a priority, which begins with its first message.
func (q *Queue) line(priority uint8) *line {
	for _, l := range q.lines {
		if l.priority == priority {
			return l
		}
	}
	return q.addLine(priority)
}

// addLine puts a new line where it belongs: the highest priority is first.
func (q *Queue) addLine(priority uint8) *line {
	added := &line{priority: priority, agenda: &q.agenda, grain: q.grain}
	added.near = &chunk{line: added}
	added.chunks = []*chunk{added.near}
	i := 0
	for i < len(q.lines) && q.lines[i].priority > priority {
		i++
	}
	lines := make([]*line, 0, len(q.lines)+1)
	lines = append(append(append(lines, q.lines[:i]...), added), q.lines[i:]...)
	q.lines = lines
	return added
}

// locate finds a live entry and its line, or gives nil.
func (q *Queue) locate(seq Seq) (*line, *entry) {
	for _, l := range q.lines {
		if e := l.find(seq); e != nil {
			return l, e
		}
	}
	return nil, nil
}

// look gives a copy of an entry, or none.
func (q *Queue) look(seq Seq) entry {
	for _, l := range q.lines {
		if e := l.look(seq); e.state != gone {
			return e
		}
	}
	return entry{}
}

// push adds an entry whose number is above all others.
func (l *line) push(e entry, expires int64) *entry {
	c := l.chunks[len(l.chunks)-1]
	if len(c.slots) == cap(c.slots) {
		c = l.makeSlot(c)
	}
	l.live++
	l.last = max(l.last, e.seq)
	if expires != 0 {
		l.expect(c, expires)
	}
	return c.push(e, expires)
}

// expect notes that an entry of a chunk expires.
func (l *line) expect(c *chunk, at int64) {
	l.mortal = true
	if at > 0 && (c.earliest == 0 || at < c.earliest) {
		l.agenda.set(c, at)
	}
}

// find gives the live entry seq, or nil. It opens the chunk that the entry is in.
func (l *line) find(seq Seq) *entry {
	if e := l.near.guess(seq); e != nil {
		return e
	}
	return l.search(seq)
}

func (l *line) search(seq Seq) *entry {
	if l.live == 0 || seq > l.last {
		return nil
	}
	c := l.at(seq)
	l.near = c
	if c.packed != nil {
		if c.look(seq).state == gone {
			return nil
		}
		l.open(c)
	}
	return c.find(seq)
}

// look gives a copy of the entry seq, or none.
func (l *line) look(seq Seq) entry {
	if e := l.near.guess(seq); e != nil {
		return *e
	}
	return l.at(seq).look(seq)
}

// next gives a copy of the first entry from a number on that is in one of some states; or none, with the number after
// the last.
func (l *line) next(from Seq, in states) entry {
	if e := l.near.guess(from); e != nil && in.has(e.state) {
		return *e
	}
	if l.live > 0 && from <= l.last {
		for _, c := range l.chunks[l.index(from):] {
			if e := c.next(from, in); e.state != gone {
				l.near = c
				return e
			}
		}
	}
	return entry{seq: l.last + 1}
}

// at gives the chunk that a number falls into.
func (l *line) at(seq Seq) *chunk {
	if c := l.near; uint64(seq-c.first) < uint64(len(c.slots)) {
		return c
	}
	return l.chunks[l.index(seq)]
}

// index gives the place of the chunk that a number falls into: the last that begins at or before it, or the first.
func (l *line) index(seq Seq) int {
	n := len(l.chunks)
	switch {
	case seq >= l.chunks[n-1].first:
		return n - 1
	case n == 1 || seq < l.chunks[1].first:
		return 0
	}
	return sort.Search(n, func(i int) bool { return l.chunks[i].first > seq }) - 1
}

// remove takes an entry out of the line.
func (l *line) remove(e *entry) {
	c := l.at(e.seq)
	c.remove(e)
	l.live--
	switch {
	case c.live > 0:
	case c == l.chunks[len(l.chunks)-1]:
		c.clear()
	default:
		l.end(c)
	}
	if 4*l.live <= l.slots && l.slots > minChunk {
		l.shrink()
	}
}
