package queue

// keep is how many spare elements an emptied collection may keep; a larger one gives its memory back.
const keep = 1024

// holding is one current assignment: an element of its consumer's list, oldest first.
type holding struct {
	tag        Tag
	seq        Seq
	prev, next *holding
}

// holdings are all current assignments of a queue.
type holdings struct {
	last  Tag // highest tag ever given
	byTag map[Tag]*holding
	spare *holding // ended ones, linked by next, for the next begin
	spent int      // how many are spare
}

func (s *holdings) begin(c *consumer, seq Seq) *holding {
	h := s.spare
	if h == nil {
		h = new(holding)
	} else {
		s.spare = h.next
		s.spent--
	}
	s.last++
	*h = holding{tag: s.last, seq: seq, prev: c.held.prev, next: &c.held}
	h.prev.next, h.next.prev = h, h
	if s.byTag == nil {
		s.byTag = make(map[Tag]*holding)
	}
	s.byTag[h.tag] = h
	return h
}

func (s *holdings) end(h *holding) {
	delete(s.byTag, h.tag)
	h.prev.next, h.next.prev = h.next, h.prev
	*h = holding{next: s.spare}
	s.spare = h
	s.spent++
	if len(s.byTag) == 0 && s.spent > keep {
		*s = holdings{last: s.last}
	}
}
