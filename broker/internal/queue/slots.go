package queue

import "slices"

// makeSlot gives the last chunk, once it has room for one more.
func (l *line) makeSlot(c *chunk) *chunk {
	switch n := cap(c.slots); {
	case n-int(c.live) > n/4:
		c.resize(n)
	case n < int(l.grain.size):
		l.resize(c, min(max(minChunk, 2*n), int(l.grain.size)))
	default:
		l.loosen(c)
		return l.begin(n)
	}
	return c
}

// begin adds a chunk behind the others, with so many slots if there is no spare one.
func (l *line) begin(n int) *chunk {
	c := l.unused()
	if cap(c.slots) == 0 {
		c.slots = make([]entry, 0, n)
	}
	l.slots += cap(c.slots)
	l.chunks = append(l.chunks, c)
	return c
}

// unused gives a chunk to begin with, or for its slots.
func (l *line) unused() *chunk {
	c := l.spare
	if c == nil {
		return &chunk{line: l}
	}
	l.spare = nil
	return c
}

// discard keeps a chunk for later, or its slots.
func (l *line) discard(c *chunk) {
	l.slots -= cap(c.slots)
	c.clear()
	if cap(c.slots) == int(l.grain.size) {
		l.spare = c
	}
}

// end takes a chunk out that is empty. That is mostly the first; a long row is not moved for it.
func (l *line) end(c *chunk) {
	i := l.index(c.first)
	if i == 0 && len(l.chunks) > keep/16 {
		l.chunks[0] = nil
		l.chunks = l.chunks[1:]
	} else {
		l.chunks = slices.Delete(l.chunks, i, i+1)
	}
	if at := slices.Index(l.loose, c); at >= 0 {
		l.loose = slices.Delete(l.loose, at, at+1)
	}
	l.agenda.set(c, 0)
	l.discard(c)
}

// resize gives a chunk another number of slots.
func (l *line) resize(c *chunk, n int) {
	l.slots += n - cap(c.slots)
	c.resize(n)
}

// shrink moves the entries, which are few, together into new chunks.
func (l *line) shrink() {
	old, n := l.chunks, l.fitting(l.live)
	l.chunks, l.loose, l.spare, l.live, l.slots = nil, nil, nil, 0, 0
	l.near = l.begin(n)
	for _, c := range old {
		l.agenda.set(c, 0)
		for e, expires := range c.all() {
			l.push(e, expires)
		}
	}
}

// fitting gives how many slots a chunk has that so many entries fill half at least.
func (l *line) fitting(entries int) int {
	n := minChunk
	for n < 2*entries {
		n *= 2
	}
	return min(n, int(l.grain.size))
}
