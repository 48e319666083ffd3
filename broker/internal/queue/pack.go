package queue

import "slices"

// loosen adds a chunk to the open ones, which was filled or opened now. Of those that are loose for longest it packs what
// can be packed: it looks at two, which keeps their number small without going through all those that cannot, because
// something in them is held or waits for its time. They have their turn again.
func (l *line) loosen(c *chunk) {
	for range min(2, len(l.loose)-int(l.grain.open)) {
		longest := l.loose[0]
		l.loose = slices.Delete(l.loose, 0, 1)
		if !l.close(longest) {
			l.loose = append(l.loose, longest)
		}
	}
	l.loose = append(l.loose, c)
}

// close packs a chunk if it can be, or gives back most of its slots if it is almost empty. Consumers are at work in the
// first two.
func (l *line) close(c *chunk) bool {
	switch {
	case c == l.chunks[0] || c == l.chunks[1]:
	case c.isPackable():
		l.pack(c)
		return true
	case 4*int(c.live) <= cap(c.slots):
		l.resize(c, l.fitting(int(c.live)))
	}
	return false
}

// pack gives up the slots of a chunk whose entries are ready or gone.
func (l *line) pack(c *chunk) {
	if int(c.live) < len(c.slots) {
		c.resize(cap(c.slots))
	}
	c.packed = pack(c.slots, c.expires)
	l.discard(&chunk{line: l, slots: c.slots, expires: c.expires})
	c.slots, c.expires = nil, nil
}

// open gives a packed chunk its slots back.
func (l *line) open(c *chunk) {
	to := l.unused()
	if cap(to.slots) == 0 {
		to.slots = make([]entry, 0, l.grain.size)
	}
	for e, expires := range c.packed.all() {
		to.push(e, expires)
	}
	c.slots, c.expires, c.packed = to.slots, to.expires, nil
	l.slots += cap(c.slots)
	l.loosen(c)
}
