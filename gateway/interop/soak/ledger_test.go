//go:build interop

package soak

import (
	"fmt"
	"sync"
)

// flags is what is known of a letter in a book.
type flags byte

const (
	acknowledged flags = 1 << iota // its publisher was told that it is safe
	seenFirst                      // a consumer of the first station has read it
	seenLast                       // likewise of the last station
	goneFirst                      // it is confirmed that it has left the first station
	goneLast                       // likewise
	finished                       // a consumer has begun to settle it for good
)

// owed tells whether a letter has still to be delivered, for the first time or once more.
func (f flags) owed() bool { return f&finished == 0 && f&(acknowledged|seenFirst|seenLast) != 0 }

// book has the letters of one place that stores messages: a queue, or a subscription. They may go on from there to a
// second queue, in a transaction or as dead letters; that one is then the last station.
type book struct {
	name    string
	letters [][]flags // by stream and number
	owed    int       // how many letters are
}

// find gives the flags of a letter; nil if it was never sent.
func (b *book) find(l letter) *flags {
	if int(l.stream) >= len(b.letters) || int(l.number) >= len(b.letters[l.stream]) {
		return nil
	}
	return &b.letters[l.stream][l.number]
}

// add sets flags of a letter, and keeps count of what is owed.
func (b *book) add(f *flags, more flags) {
	before := f.owed()
	*f |= more
	switch after := f.owed(); {
	case after && !before:
		b.owed++
	case before && !after:
		b.owed--
	}
}

// party is the clients of one protocol, and what they have counted.
type party struct {
	name                 string
	sent, acknowledged   int
	delivered, confirmed int // letters read, and settlements that were confirmed
	repeated             int // read before, and marked
	unmarked             int // read before, and not marked
	settled              int // read though it was confirmed that it was gone
	phantoms             int // never sent
}

// ledger knows what became of each letter, and finds what must not be. Its memory is a byte for each letter and book.
type ledger struct {
	mu      sync.Mutex // guards everything below, and all books, parties and streams
	books   []*book
	parties []*party
	streams []*stream
	faults  int
	words   []string // the first failures
}

func (l *ledger) newBook(name string) *book {
	b := &book{name: name}
	l.books = append(l.books, b)
	return b
}

func (l *ledger) newParty(name string) *party {
	p := &party{name: name}
	l.parties = append(l.parties, p)
	return p
}

// stream is the letters of one publisher.
type stream struct {
	ledger *ledger
	party  *party
	id     byte
	books  []*book // where each letter has to arrive
	whole  bool    // each letter arrives in all of them or in none, also if its publisher was told nothing
	next   uint32
}

func (l *ledger) newStream(p *party, whole bool, books ...*book) *stream {
	s := &stream{ledger: l, party: p, id: byte(len(l.streams)), books: books, whole: whole}
	l.streams = append(l.streams, s)
	return s
}

// write notes new letters that are about to be published.
func (s *stream) write(n int) []letter {
	s.ledger.mu.Lock()
	defer s.ledger.mu.Unlock()
	letters := make([]letter, n)
	for i := range letters {
		letters[i] = letter{s.id, s.next}
		s.next++
	}
	s.party.sent += n
	for _, b := range s.books {
		for len(b.letters) <= int(s.id) {
			b.letters = append(b.letters, nil)
		}
		b.letters[s.id] = append(b.letters[s.id], make([]flags, n)...)
	}
	return letters
}

// crowded tells whether more letters are waiting for consumers than a publisher should add to.
func (s *stream) crowded() bool {
	s.ledger.mu.Lock()
	defer s.ledger.mu.Unlock()
	for _, b := range s.books {
		if b.owed > backlog {
			return true
		}
	}
	return false
}

// acknowledged notes that the gateway said yes.
func (s *stream) acknowledged(l letter) {
	s.ledger.mu.Lock()
	defer s.ledger.mu.Unlock()
	s.party.acknowledged++
	for _, b := range s.books {
		b.add(b.find(l), acknowledged)
	}
}

// reader is a consumer at a station of a book.
type reader struct {
	ledger     *ledger
	party      *party
	book       *book
	seen, gone flags
}

func (l *ledger) newReader(p *party, b *book, last bool) reader {
	if last {
		return reader{l, p, b, seenLast, goneLast}
	}
	return reader{l, p, b, seenFirst, goneFirst}
}

// delivered notes what has been read; marked says that it may have been delivered before.
func (r reader) delivered(l letter, marked bool) {
	r.ledger.mu.Lock()
	defer r.ledger.mu.Unlock()
	r.party.delivered++
	f := r.book.find(l)
	if f == nil {
		r.party.phantoms++
		r.fail(l, "was never sent")
		return
	}
	left := *f&r.gone != 0 || r.seen == seenFirst && *f&seenLast != 0
	switch before := *f&r.seen != 0; {
	case left:
		r.party.settled++
		r.fail(l, "was gone")
	case before && !marked:
		r.party.unmarked++
		r.fail(l, "came again without a mark")
	case before:
		r.party.repeated++
	}
	r.book.add(f, r.seen)
}

// finish notes that a letter is about to be settled for good.
func (r reader) finish(l letter) { r.note(l, finished) }

// confirmed notes that it is safe that a letter is gone from the station.
func (r reader) confirmed(l letter) {
	r.note(l, r.gone)
	r.ledger.mu.Lock()
	defer r.ledger.mu.Unlock()
	r.party.confirmed++
}

func (r reader) note(l letter, more flags) {
	r.ledger.mu.Lock()
	defer r.ledger.mu.Unlock()
	if f := r.book.find(l); f != nil {
		r.book.add(f, more)
	}
}

// fail keeps the words for a delivery that must not be. The caller holds ledger.mu.
func (r reader) fail(l letter, why string) {
	station := "first"
	if r.seen == seenLast {
		station = "last"
	}
	r.ledger.say("%s, %s station, by %s: letter %d of publisher %d %s",
		r.book.name, station, r.party.name, l.number, l.stream, why)
}

// fault notes something that went wrong beside the counts.
func (l *ledger) fault(err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.faults++
	l.say("%v", err)
}

// say keeps the words for the first failures. The caller holds l.mu.
func (l *ledger) say(format string, args ...any) {
	if len(l.words) < 30 {
		l.words = append(l.words, fmt.Sprintf(format, args...))
	}
}
