package session

import (
	"github.com/go-stomp/stomp/v3/frame"
)

// Subscription is one that the client has (STOMP 1.2, "SUBSCRIBE").
type Subscription struct {
	ID          string // as the client named it; empty if it did not, as in STOMP 1.0
	Destination string
	Mode        AckMode
	Context     any // the owner's

	key    string
	number uint64
	held   []*held // what the client has not acknowledged, oldest first, but for what it did in a transaction
	ended  bool
}

// AckMode is how a client acknowledges what a subscription brings.
type AckMode byte

// The modes.
const (
	Auto       AckMode = iota // not at all: what is written counts as received
	Cumulative                // an ACK covers everything before it too
	Individual                // each message by itself
)

var ackModes = map[string]AckMode{
	"": Auto, frame.AckAuto: Auto, frame.AckClient: Cumulative, frame.AckClientIndividual: Individual,
}

// Subscribe asks for a subscription; Done says that it is live.
type Subscribe struct {
	Receipt      Receipt
	Subscription *Subscription
	Header       *frame.Header
}

// Unsubscribe ends a subscription. What it held has been reported to Settled already.
type Unsubscribe struct {
	Receipt      Receipt
	Subscription *Subscription // nil if the client has none of that id; there may still be a durable one
	Header       *frame.Header
}

// subscribe reads SUBSCRIBE.
func (s *Session) subscribe(f *frame.Frame) *Refusal {
	destination, refusal := required(f, frame.Destination)
	if refusal != nil {
		return refusal
	}
	mode, known := ackModes[f.Header.Get(frame.Ack)]
	if !known {
		return refuse(Malformed, "ack is none of auto, client, client-individual")
	}
	key, refusal := s.keyOf(f)
	switch {
	case refusal != nil:
		return refusal
	case s.subscriptions[key] != nil:
		return refuse(Conflict, "there is a subscription of this id already")
	case len(s.subscriptions) >= s.limits.MaxSubscriptions:
		return refuse(Quota, "the client has %d subscriptions (stomp.maxSubscriptions)", len(s.subscriptions))
	}
	s.number++
	sub := &Subscription{
		ID: f.Header.Get(frame.Id), Destination: destination, Mode: mode, key: key, number: s.number,
	}
	if s.subscriptions == nil {
		s.subscriptions = make(map[string]*Subscription)
		s.numbered = make(map[uint64]*Subscription)
	}
	s.subscriptions[key], s.numbered[sub.number] = sub, sub
	r, _ := s.open(f)
	s.handler.Subscribe(Subscribe{Receipt: r, Subscription: sub, Header: f.Header})
	return nil
}

// keyOf gives what names a subscription: its id or, where STOMP 1.0 needs none, its destination.
func (s *Session) keyOf(f *frame.Frame) (key string, refusal *Refusal) {
	if id := f.Header.Get(frame.Id); id != "" {
		return "id " + id, nil
	}
	if s.version > V10 {
		return "", refuse(Malformed, "%s without the header id", f.Command)
	}
	destination, refusal := required(f, frame.Destination)
	return "destination " + destination, refusal
}

// unsubscribe reads UNSUBSCRIBE.
func (s *Session) unsubscribe(f *frame.Frame) *Refusal {
	key, refusal := s.keyOf(f)
	if refusal != nil {
		return refusal
	}
	sub := s.subscriptions[key]
	if sub != nil {
		delete(s.subscriptions, key)
		delete(s.numbered, sub.number)
		s.settleHeld(sub)
	}
	r, _ := s.open(f)
	s.handler.Unsubscribe(Unsubscribe{Receipt: r, Subscription: sub, Header: f.Header})
	return nil
}
