package session

import (
	"slices"
	"strconv"

	"github.com/go-stomp/stomp/v3/frame"
)

// Message is what a client gets (STOMP 1.2, "MESSAGE"), but for what the session itself has to say.
type Message struct {
	Header []string // names and values in turn; one that the version cannot write is left out
	Body   []byte
}

// held is a delivery that the client has to acknowledge.
type held struct {
	number       uint64
	subscription *Subscription
	token        any
}

// Room tells whether Deliver should be called now. It is true within Fill only.
func (s *Session) Room() bool { return s.state == connected && len(s.out) < maxUnflushed }

// Deliver writes a message to a subscription. The answer tells whether the client has to acknowledge it; if not, token is
// forgotten, as what is written counts as received.
func (s *Session) Deliver(sub *Subscription, m Message, token any) (isHeld bool) {
	s.delivered++
	id := s.deliveryID(sub, s.delivered)
	isHeld = sub.Mode != Auto
	v := s.version
	b := append(s.out, "MESSAGE\n"...)
	if sub.ID != "" {
		b = v.appendHeader(b, frame.Subscription, sub.ID)
	}
	b = v.appendHeader(b, frame.MessageId, id)
	if isHeld && v >= V12 {
		b = v.appendHeader(b, frame.Ack, id)
	}
	for i := 0; i+1 < len(m.Header); i += 2 {
		b = v.appendHeader(b, m.Header[i], m.Header[i+1])
	}
	b = append(append(b, frame.ContentLength...), ':')
	b = append(strconv.AppendInt(b, int64(len(m.Body)), 10), "\n\n"...)
	s.out = append(append(b, m.Body...), 0)
	if isHeld {
		sub.held = append(sub.held, &held{number: s.delivered, subscription: sub, token: token})
	}
	return isHeld
}

// deliveryID names a delivery for everybody, and says which it is: of the session, of its subscription, of its number.
func (s *Session) deliveryID(sub *Subscription, number uint64) string {
	b := append(make([]byte, 0, len(s.name)+16), s.name...)
	b = strconv.AppendUint(append(b, '-'), sub.number, 10)
	return string(strconv.AppendUint(append(b, '-'), number, 10))
}

// settleHeld reports that a subscription has ended and its held deliveries with it.
func (s *Session) settleHeld(sub *Subscription) {
	sub.ended = true
	for _, h := range sub.held {
		s.handler.Settled(h.token)
	}
	sub.held = nil
}

// settleAll reports all that is held, oldest subscription first.
func (s *Session) settleAll() {
	all := make([]*Subscription, 0, len(s.subscriptions))
	for _, sub := range s.subscriptions {
		all = append(all, sub)
	}
	slices.SortFunc(all, func(a, b *Subscription) int { return int(a.number) - int(b.number) })
	for _, sub := range all {
		s.settleHeld(sub)
	}
	for _, t := range s.transactions {
		t.restore(s)
	}
	s.subscriptions, s.numbered, s.transactions = nil, nil, nil
}
