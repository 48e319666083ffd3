package session

import (
	"time"

	"github.com/go-stomp/stomp/v3/frame"
)

// Receipt names a request until it has been answered.
type Receipt uint64

// request is a frame of the client that the owner has not answered.
type request struct {
	receipt string // as the client named it
	asked   bool   // the client wants a RECEIPT
	size    int    // of the body
}

// open makes a request of a frame.
func (s *Session) open(f *frame.Frame) (r Receipt, asked bool) {
	text, asked := f.Header.Contains(frame.Receipt)
	if s.requests == nil {
		s.requests = make(map[Receipt]request)
	}
	s.receipt++
	s.requests[s.receipt] = request{receipt: text, asked: asked, size: len(f.Body)}
	s.inflight += len(f.Body)
	return s.receipt, asked
}

// close ends a request; ok is false for one that has been answered already.
func (s *Session) close(r Receipt) (q request, ok bool) {
	q, ok = s.requests[r]
	delete(s.requests, r)
	s.inflight -= q.size
	return q, ok
}

// Done answers a request with yes: the client hears RECEIPT if it asked for that (STOMP 1.2, "RECEIPT").
func (s *Session) Done(r Receipt) {
	q, ok := s.close(r)
	if ok && q.asked && s.state != ended {
		s.out = append(s.out, "RECEIPT\n"...)
		s.out = s.version.appendHeader(s.out, frame.ReceiptId, q.receipt)
		s.out = append(s.out, "\n\x00"...)
	}
	s.goWhenDone()
}

// Fail answers a request with no: the session leaves with an ERROR that names the request's receipt.
func (s *Session) Fail(now time.Time, r Receipt, why *Refusal) {
	if q, ok := s.close(r); ok {
		s.leave(now, q.receipt, why)
	}
	s.goWhenDone()
}
