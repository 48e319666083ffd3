package queue

import "sort"

// state is where an entry stands.
type state uint8

const (
	gone      state = iota // removed; its slot waits to be reclaimed
	storing                // on its way to disk
	premature              // on its way to disk, and not due yet
	late                   // on its way to disk, and due since
	scheduled              // on disk, not due yet, never ready before
	ready                  // on disk, held by nobody
	assigned               // held by a consumer
	delayed                // came back, and is not due again yet
	leaving                // dead or expired: out of line until the shell has removed it
	states
)

// entry is all that is kept of most messages: 16 bytes.
type entry struct {
	seq      Seq
	size     uint32
	attempts uint16
	bucket   bucket
	state    state
}

// minRing is the smallest ring in entries.
const minRing = 4

// entries holds entries in the order of their numbers, in a ring that doubles when full and halves when three
// quarters empty. A removed entry inside the line leaves its slot behind, so that positions still follow numbers;
// slots are reclaimed at the front at once and elsewhere when the ring is full or resized.
type entries struct {
	ring  []entry // its length is zero or a power of two
	first int     // index in ring of position 0
	n     int     // positions in use
	holes int     // of them, gone
}

func (s *entries) len() int         { return s.n }
func (s *entries) live() int        { return s.n - s.holes }
func (s *entries) at(i int) *entry  { return &s.ring[(s.first+i)&(len(s.ring)-1)] }
func (s *entries) shouldHalf() bool { return len(s.ring) > minRing && s.live() <= len(s.ring)/4 }

// push adds an entry whose number is above all others.
func (s *entries) push(e entry) *entry {
	switch {
	case s.n < len(s.ring):
	case s.holes > s.n/4:
		s.compact()
	default:
		s.resize(max(minRing, 2*len(s.ring)))
	}
	s.n++
	at := s.at(s.n - 1)
	*at = e
	return at
}

// find gives the live entry seq, or nil. Numbers rise by at least one per position, so that in a line without gaps the
// first guess is right; otherwise the position is below the guess.
func (s *entries) find(seq Seq) *entry {
	if s.n == 0 {
		return nil
	}
	guess := uint64(seq - s.ring[s.first].seq)
	if guess < uint64(s.n) {
		if e := s.at(int(guess)); e.seq == seq {
			return e.alive()
		}
	}
	if i := s.seek(seq); i < s.n && s.at(i).seq == seq {
		return s.at(i).alive()
	}
	return nil
}

func (e *entry) alive() *entry {
	if e.state == gone {
		return nil
	}
	return e
}

// seek gives the position of the first slot whose number is at least seq.
func (s *entries) seek(seq Seq) int {
	if s.n == 0 || seq <= s.at(0).seq {
		return 0
	}
	n := int(min(uint64(seq-s.at(0).seq), uint64(s.n)))
	if s.at(n-1).seq < seq {
		return n
	}
	return sort.Search(n, func(i int) bool { return s.at(i).seq >= seq })
}

// remove takes an entry out of the line.
func (s *entries) remove(e *entry) {
	e.state = gone
	s.holes++
	for s.n > 0 && s.at(0).state == gone {
		s.first = (s.first + 1) & (len(s.ring) - 1)
		s.n--
		s.holes--
	}
	if s.shouldHalf() {
		s.resize(len(s.ring) / 2)
	}
}

// compact closes the holes in place.
func (s *entries) compact() {
	n := 0
	for i := range s.n {
		if e := *s.at(i); e.state != gone {
			*s.at(n) = e
			n++
		}
	}
	s.n, s.holes = n, 0
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
