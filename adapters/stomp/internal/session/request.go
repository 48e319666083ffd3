package session

import (
	"time"

	"github.com/go-stomp/stomp/v3/frame"
)

// Send is a message of the client (STOMP 1.2, "SEND").
type Send struct {
	Receipt     Receipt
	Asked       bool // the client waits for RECEIPT
	Transaction *Transaction
	Destination string
	Header      *frame.Header
	Body        []byte
}

// handle hands a frame to what it is for. scanFrame has judged its command.
func (s *Session) handle(now time.Time, f *frame.Frame) *Refusal {
	switch f.Command {
	case frame.CONNECT, frame.STOMP:
		return s.connect(f)
	case frame.SEND:
		return s.send(f)
	case frame.SUBSCRIBE:
		return s.subscribe(f)
	case frame.UNSUBSCRIBE:
		return s.unsubscribe(f)
	case frame.ACK, frame.NACK:
		return s.settle(f)
	case frame.BEGIN:
		return s.begin(f)
	case frame.COMMIT, frame.ABORT:
		return s.discharge(f)
	default:
		return s.disconnect(now, f)
	}
}

// send reads SEND.
func (s *Session) send(f *frame.Frame) *Refusal {
	destination, refusal := required(f, frame.Destination)
	if refusal != nil {
		return refusal
	}
	transaction, refusal := s.transactionOf(f)
	if refusal != nil {
		return refusal
	}
	r, asked := s.open(f)
	s.handler.Send(Send{
		Receipt: r, Asked: asked, Transaction: transaction,
		Destination: destination, Header: f.Header, Body: f.Body,
	})
	return nil
}

// required gives a header that a frame must have.
func required(f *frame.Frame, name string) (value string, refusal *Refusal) {
	value = f.Header.Get(name)
	if value == "" {
		return "", refuse(Malformed, "%s without the header %s", f.Command, name)
	}
	return value, nil
}
