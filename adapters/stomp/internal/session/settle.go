package session

import (
	"slices"
	"strconv"
	"strings"

	"github.com/go-stomp/stomp/v3/frame"
)

// Settle is what the client says of deliveries that it held: ACK or NACK (STOMP 1.2, "ACK"). In a transaction it holds
// them until that is committed.
type Settle struct {
	Receipt     Receipt
	Asked       bool // the client waits for RECEIPT
	Transaction *Transaction
	Accepted    bool  // ACK; otherwise NACK
	Tokens      []any // as given to Deliver, oldest first; never empty
}

// settle reads ACK and NACK.
func (s *Session) settle(f *frame.Frame) *Refusal {
	transaction, refusal := s.transactionOf(f)
	if refusal != nil {
		return refusal
	}
	sub, i, refusal := s.find(f)
	if refusal != nil {
		return refusal
	}
	first := i
	if sub.Mode == Cumulative {
		first = 0
	}
	settled := sub.held[first : i+1]
	tokens := make([]any, len(settled))
	for j, h := range settled {
		tokens[j] = h.token
	}
	if transaction != nil {
		transaction.pledged = append(transaction.pledged, settled...)
	}
	if first == 0 {
		sub.held = sub.held[i+1:]
	} else {
		sub.held = slices.Delete(sub.held, first, i+1)
	}
	r, asked := s.open(f)
	s.handler.Settle(Settle{
		Receipt: r, Asked: asked, Transaction: transaction, Accepted: f.Command == frame.ACK, Tokens: tokens,
	})
	return nil
}

// find gives the delivery that an ACK or NACK names: by id since STOMP 1.2, by message-id before.
func (s *Session) find(f *frame.Frame) (sub *Subscription, i int, refusal *Refusal) {
	id := first(f.Header, frame.Id, frame.MessageId)
	if s.version < V12 {
		id = first(f.Header, frame.MessageId, frame.Id)
	}
	if id == "" {
		return nil, 0, refuse(Malformed, "%s does not say which message it is for", f.Command)
	}
	number, delivery, ok := s.parseDeliveryID(id)
	sub = s.numbered[number]
	if !ok || sub == nil {
		return nil, 0, refuse(Conflict, "%s of a message that is not held", f.Command)
	}
	if named, ok := f.Header.Contains(frame.Subscription); ok && named != sub.ID {
		return nil, 0, refuse(Malformed, "%s of a message of another subscription", f.Command)
	}
	i, ok = slices.BinarySearchFunc(sub.held, delivery, func(h *held, n uint64) int {
		switch {
		case h.number < n:
			return -1
		case h.number > n:
			return 1
		}
		return 0
	})
	if !ok {
		return nil, 0, refuse(Conflict, "%s of a message that is not held", f.Command)
	}
	return sub, i, nil
}

// parseDeliveryID takes apart what deliveryID made.
func (s *Session) parseDeliveryID(id string) (subscription, delivery uint64, ok bool) {
	rest, ours := strings.CutPrefix(id, s.name+"-")
	first, second, _ := strings.Cut(rest, "-")
	subscription, err1 := strconv.ParseUint(first, 10, 64)
	delivery, err2 := strconv.ParseUint(second, 10, 64)
	return subscription, delivery, ours && err1 == nil && err2 == nil
}
