package queue

// keep is how many spare elements an emptied collection may keep; a larger one gives its memory back.
const keep = 1024

// holding is one current assignment: an element of its consumer's list, oldest first.
type holding struct {
	tag        Tag
	mark       uint32 // see Mark
	seq        Seq
	line       *line
	by         *consumer
	prev, next *holding
}

// holdings are all current assignments of a queue. The low bits of a tag are its place in a table; a tag whose place is
// taken is passed over, and the table is never more than half full.
type holdings struct {
	last  Tag        // highest tag ever given
	table []*holding // its length is zero or a power of two
	n     int        // how many there are
	spare *holding   // ended ones, linked by next, for the next begin
	spent int        // how many are spare
}

// minTable is the smallest table of holdings.
const minTable = 8

func (s *holdings) place(tag Tag) **holding { return &s.table[tag&Tag(len(s.table)-1)] }

// find gives the assignment that a tag names, or nil when it is not current.
func (s *holdings) find(tag Tag) *holding {
	if s.n == 0 {
		return nil
	}
	if h := *s.place(tag); h != nil && h.tag == tag {
		return h
	}
	return nil
}

func (s *holdings) begin(c *consumer, l *line, seq Seq) *holding {
	if 2*(s.n+1) > len(s.table) {
		s.grow()
	}
	s.last++
	for *s.place(s.last) != nil {
		s.last++
	}
	h := s.spare
	if h == nil {
		h = new(holding)
	} else {
		s.spare = h.next
		s.spent--
	}
	oldest, newest := &c.held, c.held.prev
	h.tag, h.mark, h.seq, h.line, h.by = s.last, 0, seq, l, c
	h.prev, h.next = newest, oldest
	newest.next, oldest.prev = h, h
	*s.place(h.tag) = h
	s.n++
	return h
}

func (s *holdings) end(h *holding) {
	*s.place(h.tag) = nil
	s.n--
	prev, next := h.prev, h.next
	prev.next, next.prev = next, prev
	h.by, h.prev, h.next = nil, nil, s.spare
	s.spare = h
	s.spent++
	if s.n == 0 && s.spent > keep {
		*s = holdings{last: s.last}
	}
}

// grow doubles the table. Tags whose places differed differ in them still.
func (s *holdings) grow() {
	old := s.table
	s.table = make([]*holding, max(minTable, 2*len(old)))
	for _, h := range old {
		if h != nil {
			*s.place(h.tag) = h
		}
	}
}
