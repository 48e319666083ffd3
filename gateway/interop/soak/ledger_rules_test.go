//go:build interop

package soak

import "testing"

// TestLedgerFindsWhatMustNotBe: each story of one letter, and what of it is counted.
func TestLedgerFindsWhatMustNotBe(t *testing.T) {
	const again = true
	for name, story := range map[string]struct {
		happen func(s *stream, l letter, first, last reader)
		want   party
		lost   int
	}{
		"nobody was told and nobody got it": {
			happen: func(*stream, letter, reader, reader) {},
		},
		"acknowledged and never delivered": {
			happen: func(s *stream, l letter, _, _ reader) { s.acknowledged(l) },
			want:   party{acknowledged: 1}, lost: 1,
		},
		"delivered and settled": {
			happen: func(s *stream, l letter, first, _ reader) {
				s.acknowledged(l)
				first.delivered(l, false)
				first.finish(l)
				first.confirmed(l)
			},
			want: party{acknowledged: 1, delivered: 1, confirmed: 1},
		},
		"held and never delivered again": {
			happen: func(_ *stream, l letter, first, _ reader) { first.delivered(l, false) },
			want:   party{delivered: 1}, lost: 1,
		},
		"repeated with a mark": {
			happen: func(_ *stream, l letter, first, _ reader) {
				first.delivered(l, false)
				first.delivered(l, again)
				first.finish(l)
			},
			want: party{delivered: 2, repeated: 1},
		},
		"repeated without a mark": {
			happen: func(_ *stream, l letter, first, _ reader) {
				first.delivered(l, false)
				first.delivered(l, false)
				first.finish(l)
			},
			want: party{delivered: 2, unmarked: 1},
		},
		"repeated after its settlement was confirmed": {
			happen: func(_ *stream, l letter, first, _ reader) {
				first.delivered(l, false)
				first.finish(l)
				first.confirmed(l)
				first.delivered(l, again)
			},
			want: party{delivered: 2, confirmed: 1, settled: 1},
		},
		"never sent": {
			happen: func(_ *stream, l letter, first, _ reader) { first.delivered(letter{l.stream, l.number + 1}, false) },
			want:   party{delivered: 1, phantoms: 1},
		},
		"moved and lost on the way": {
			happen: func(_ *stream, l letter, first, _ reader) {
				first.delivered(l, false)
				first.confirmed(l)
			},
			want: party{delivered: 1, confirmed: 1}, lost: 1,
		},
		"moved and back again": {
			happen: func(_ *stream, l letter, first, last reader) {
				first.delivered(l, false)
				last.delivered(l, false)
				last.finish(l)
				first.delivered(l, again)
			},
			want: party{delivered: 3, settled: 1},
		},
	} {
		t.Run(name, func(t *testing.T) {
			ledger := new(ledger)
			p, b := ledger.newParty("party"), ledger.newBook("book")
			s := ledger.newStream(p, false, b)
			story.happen(s, s.write(1)[0], ledger.newReader(p, b, false), ledger.newReader(p, b, true))
			story.want.name, story.want.sent = "party", 1
			if lost := ledger.lost(); *p != story.want || lost != story.lost {
				t.Errorf("counted %+v and %d lost, want %+v and %d", *p, lost, story.want, story.lost)
			}
		})
	}
}

// TestLedgerFindsTornTransactions: a letter is in one of two places that it was sent to at once.
func TestLedgerFindsTornTransactions(t *testing.T) {
	ledger := new(ledger)
	p, one, other := ledger.newParty("party"), ledger.newBook("one"), ledger.newBook("other")
	s := ledger.newStream(p, true, one, other)
	letters := s.write(3)
	for _, l := range letters[:2] {
		ledger.newReader(p, one, false).delivered(l, false)
	}
	ledger.newReader(p, other, false).delivered(letters[0], false)
	if torn := ledger.torn(); torn != 1 {
		t.Errorf("%d letters are torn, want 1", torn)
	}
}

func TestLetterIsReadAsItWasWritten(t *testing.T) {
	l := letter{stream: 3, number: 1700}
	if got, err := readLetter(l.text()); err != nil || got != l {
		t.Errorf("got %v and %v, want %v", got, err, l)
	}
	if got, err := readLetter(append(l.text(), '.')); err == nil {
		t.Errorf("a text that nobody sent is %v", got)
	}
}
