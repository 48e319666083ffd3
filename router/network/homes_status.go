package network

import (
	"cmp"
	"slices"
)

// LoanStatus tells of the receivers that clients here have from another router; see ADR 0026.
type LoanStatus struct {
	Home    string // which router lends them
	Open    int    // that it has lent
	Waiting int    // that it is asked for, or will be when there is a way to it
}

// Loans tells what is borrowed from each router that has been asked, in the order of their ids.
func (h *Homes) Loans() []LoanStatus {
	h.mu.Lock()
	defer h.mu.Unlock()
	all := make([]LoanStatus, 0, len(h.borrowers))
	for _, b := range h.borrowers {
		all = append(all, b.status())
	}
	slices.SortFunc(all, func(a, b LoanStatus) int { return cmp.Compare(a.Home, b.Home) })
	return all
}

func (b *borrower) status() LoanStatus {
	b.mu.Lock()
	defer b.mu.Unlock()
	s := LoanStatus{Home: b.home}
	for _, l := range b.loans {
		open, waiting := l.state()
		s.Open += open
		s.Waiting += waiting
	}
	return s
}

// state counts a loan as open, as waiting or, when nothing more comes of it, as neither.
func (l *loan) state() (open, waiting int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case l.over:
		return 0, 0
	case l.at != nil && l.at.open:
		return 1, 0
	default:
		return 0, 1
	}
}
