package load

import "slices"

// ledger checks what one subscriber receives from one publisher: each sequence number once, in order, from 0 on.
// It is a pure value without a lock; its subscriber owns it.
type ledger struct {
	next    uint64 // one past the highest number seen
	missing []span // the gaps below next, ascending and disjoint

	unique     uint64
	duplicated uint64
	misordered uint64
}

// span is the half-open range [from, to) of sequence numbers.
type span struct{ from, to uint64 }

// note enters one received sequence number and says whether it came for the first time.
func (l *ledger) note(s uint64) bool {
	if s == l.next {
		l.next++
		l.unique++
		return true
	}
	if s > l.next {
		l.missing = append(l.missing, span{l.next, s})
		l.next = s + 1
		l.unique++
		return true
	}
	return l.noteLate(s)
}

// noteLate takes s out of the gaps: it is late when it was missing, else it came twice.
func (l *ledger) noteLate(s uint64) bool {
	i, found := slices.BinarySearchFunc(l.missing, s, func(g span, s uint64) int {
		switch {
		case g.to <= s:
			return -1
		case g.from > s:
			return 1
		}
		return 0
	})
	if !found {
		l.duplicated++
		return false
	}
	gap := l.missing[i]
	rest := make([]span, 0, 2)
	if gap.from < s {
		rest = append(rest, span{gap.from, s})
	}
	if s+1 < gap.to {
		rest = append(rest, span{s + 1, gap.to})
	}
	l.missing = slices.Replace(l.missing, i, i+1, rest...)
	l.misordered++
	l.unique++
	return true
}

// lost counts what never came, given that sent messages were written.
func (l *ledger) lost(sent uint64) uint64 {
	var n uint64
	for _, g := range l.missing {
		n += g.to - g.from
	}
	if sent > l.next {
		n += sent - l.next
	}
	return n
}
