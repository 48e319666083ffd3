package load

import "sync"

// tally checks what several subscribers together receive from one publisher, each of them some of it: each sequence
// number once.
type tally struct {
	meter *meter

	mu         sync.Mutex // guards everything below
	seen       []uint64   // a bit for each sequence number
	unique     uint64
	finished   uint64 // of unique
	duplicated uint64
}

// note enters one received sequence number and says whether it came for the first time.
func (t *tally) note(s uint64) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	word, bit := s/64, uint64(1)<<(s%64)
	if missing := int(word) + 1 - len(t.seen); missing > 0 {
		t.seen = append(t.seen, make([]uint64, missing)...)
	}
	if t.seen[word]&bit != 0 {
		t.duplicated++
		return false
	}
	t.seen[word] |= bit
	t.unique++
	return true
}

// advance lets the publisher go on: a subscriber has finished with n messages more.
func (t *tally) advance(n uint64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.finished += n
	t.meter.advance(t.finished)
}

// share is what one subscriber receives of a tally: in order, as far as it goes.
type share struct {
	tally      *tally
	next       uint64 // one past the highest number seen
	fresh      uint64 // messages that came for the first time since the last advance
	misordered uint64
}

// note enters one received sequence number and says whether it came for the first time.
func (s *share) note(number uint64) bool {
	isNew := s.tally.note(number)
	if isNew {
		s.fresh++
	}
	switch {
	case number >= s.next:
		s.next = number + 1
	case isNew:
		s.misordered++
	}
	return isNew
}

// advance lets the publisher go on.
func (s *share) advance() {
	s.tally.advance(s.fresh)
	s.fresh = 0
}
