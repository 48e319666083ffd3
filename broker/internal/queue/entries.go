package queue

import "sort"

// state is where an entry stands.
type state uint8

const (
	gone     state = iota // removed; its slot waits to be reclaimed
	storing               // on its way to disk
	ready                 // on disk, held by nobody
	assigned              // held by a consumer
)

// entry is all that is kept of a message: 16 bytes.
type entry struct {
	seq      Seq
	size     uint32
	attempts uint16
	state    state
}

// minRing is the smallest ring in entries.
const minRing = 4

// entries holds the entries in the order of their numbers, in a ring that doubles when full and halves when three
// quarters empty. A removed entry inside the line leaves its slot behind, so that positions still follow numbers;
// slots are reclaimed at the front at once and elsewhere when the ring is full or resized.
type entries struct {
	ring  []entry // its length is zero or a power of two
	first int     // index in ring of position 0
	n     int     // positions in use
	holes int     // of them, gone
	fresh int     // every position before it has been assigned or removed; none from it on has been assigned
}

func (s *entries) len() int         { return s.n }
func (s *entries) live() int        { return s.n - s.holes }
func (s *entries) at(i int) *entry  { return &s.ring[(s.first+i)&(len(s.ring)-1)] }
func (s *entries) shouldHalf() bool { return len(s.ring) > minRing && s.live() <= len(s.ring)/4 }

// push adds an entry whose number is above all others.
func (s *entries) push(e entry) {
	switch {
	case s.n < len(s.ring):
	case s.holes > s.n/4:
		s.compact()
	default:
		s.resize(max(minRing, 2*len(s.ring)))
	}
	s.n++
	*s.at(s.n - 1) = e
}

// find gives the position of the live entry seq. Numbers rise by at least one per position, so that in a line
// without gaps the first guess is right; otherwise the position is below the guess.
func (s *entries) find(seq Seq) (int, bool) {
	if s.n == 0 || seq < s.at(0).seq {
		return 0, false
	}
	i := int(min(uint64(seq-s.at(0).seq), uint64(s.n-1)))
	if s.at(i).seq > seq {
		i = sort.Search(i, func(i int) bool { return s.at(i).seq >= seq })
	}
	e := s.at(i)
	return i, e.seq == seq && e.state != gone
}

// firstFresh gives the lowest entry that was never assigned, or nil.
func (s *entries) firstFresh() *entry {
	for s.fresh < s.n {
		if e := s.at(s.fresh); e.state != gone {
			return e
		}
		s.fresh++
	}
	return nil
}

// remove takes the entry at position i out of the line.
func (s *entries) remove(i int) {
	s.at(i).state = gone
	s.holes++
	for s.n > 0 && s.at(0).state == gone {
		s.first = (s.first + 1) & (len(s.ring) - 1)
		s.n--
		s.holes--
		s.fresh = max(s.fresh-1, 0)
	}
	if s.shouldHalf() {
		s.resize(len(s.ring) / 2)
	}
}

// compact closes the holes in place.
func (s *entries) compact() {
	n, fresh := 0, s.fresh
	for i := range s.n {
		if e := *s.at(i); e.state != gone {
			*s.at(n) = e
			n++
		} else if i < s.fresh {
			fresh--
		}
	}
	s.n, s.holes, s.fresh = n, 0, fresh
}

// resize moves the live entries into a ring of the given size.
func (s *entries) resize(size int) {
	s.compact()
	ring := make([]entry, size)
	for i := range s.n {
		ring[i] = *s.at(i)
	}
	s.ring, s.first = ring, 0
}
