package session

import (
	"cmp"
	"slices"

	"github.com/go-stomp/stomp/v3/frame"
)

// Transaction is one that the client has begun and neither committed nor aborted (STOMP 1.2, "BEGIN").
type Transaction struct {
	Name    string
	Context any // the owner's

	pledged []*held // settled in it
}

// Transacting begins or ends a transaction. After Commit and Abort it is open no more; what was settled in one that is
// aborted is held as before.
type Transacting struct {
	Receipt     Receipt
	Transaction *Transaction
}

// begin reads BEGIN.
func (s *Session) begin(f *frame.Frame) *Refusal {
	name, refusal := required(f, frame.Transaction)
	switch {
	case refusal != nil:
		return refusal
	case s.transactions[name] != nil:
		return refuse(Conflict, "there is a transaction of this name already")
	case len(s.transactions) >= s.limits.MaxTransactions:
		return refuse(Quota, "the client has %d transactions open (stomp.maxTransactions)", len(s.transactions))
	}
	if s.transactions == nil {
		s.transactions = make(map[string]*Transaction)
	}
	t := &Transaction{Name: name}
	s.transactions[name] = t
	r, _ := s.open(f)
	s.handler.Begin(Transacting{Receipt: r, Transaction: t})
	return nil
}

// discharge reads COMMIT and ABORT.
func (s *Session) discharge(f *frame.Frame) *Refusal {
	if _, refusal := required(f, frame.Transaction); refusal != nil {
		return refusal
	}
	t, refusal := s.transactionOf(f)
	if refusal != nil {
		return refusal
	}
	delete(s.transactions, t.Name)
	r, _ := s.open(f)
	if f.Command == frame.COMMIT {
		s.handler.Commit(Transacting{Receipt: r, Transaction: t})
		return nil
	}
	t.restore(s)
	s.handler.Abort(Transacting{Receipt: r, Transaction: t})
	return nil
}

// transactionOf gives the transaction that a frame is part of; nil for none.
func (s *Session) transactionOf(f *frame.Frame) (t *Transaction, refusal *Refusal) {
	name, named := f.Header.Contains(frame.Transaction)
	if !named {
		return nil, nil
	}
	if t = s.transactions[name]; t == nil {
		return nil, refuse(NotFound, "there is no transaction of this name")
	}
	return t, nil
}

// restore has the client hold again what it settled in the transaction, or reports that where the subscription has ended.
func (t *Transaction) restore(s *Session) {
	for _, h := range t.pledged {
		sub := h.subscription
		if sub.ended {
			s.handler.Settled(h.token)
			continue
		}
		i, _ := slices.BinarySearchFunc(sub.held, h, func(a, b *held) int { return cmp.Compare(a.number, b.number) })
		sub.held = slices.Insert(sub.held, i, h)
	}
	t.pledged = nil
}
