package datagram

import (
	"iter"
	"time"

	"github.com/plgd-dev/go-coap/v3/message"
	"github.com/plgd-dev/go-coap/v3/message/codes"

	"github.com/manifoldmq/manifold/adapters/coap/internal/block"
	"github.com/manifoldmq/manifold/adapters/coap/internal/option"
	"github.com/manifoldmq/manifold/adapters/coap/internal/session"
)

// exchange is a request that awaits its response.
type exchange struct {
	id          session.Exchange
	token       token
	messageID   uint16
	code        codes.Code
	confirmable bool
	acked       bool      // by an Empty message: the response will be a separate one (section 5.2.2)
	registers   bool      // the request has an Observe option that asks for an observation
	silence     uint8     // its No-Response option
	number      uint32    // in the past
	ackBy       time.Time // when it has to be acknowledged at the latest
	reply       block.Reply
}

// maxOptions is how many options a request may have; one that has more is malformed.
const maxOptions = 128

// begin takes a new request: refuses it, puts it to the blocks that came before, or hands it on.
func (s *Session) begin(now time.Time, e *exchange, options message.Options, payload []byte) {
	if silence, err := options.GetBytes(message.NoResponse); err == nil && len(silence) == 1 {
		e.silence = silence[0]
	}
	options, refusal := option.Screen(options)
	switch {
	case refusal.Code == codes.BadOption && !e.confirmable:
		return // section 5.4.1: such a request is rejected, which for this one is silence
	case refusal.Code != codes.Empty:
		s.refuse(now, e, refusal.Code, "option "+refusal.Option.String())
		return
	}
	s.checkEcho(now, options)
	switch {
	case s.draining:
		s.refuse(now, e, codes.ServiceUnavailable, "the server is stopping")
		return
	case len(s.exchanges) >= s.shared.Limits.MaxExchanges:
		s.refuse(now, e, codes.TooManyRequests, "too many requests await their response")
		return
	}
	r := s.transfers.Request(now, e.code, options, payload)
	s.wake(s.transfers.Deadline())
	if !r.Whole {
		s.answerItself(now, e, r.Answer)
		return
	}
	e.reply = r.Reply
	s.handOn(now, e, options, r.Body)
}

// handOn tells the handler of a whole request.
func (s *Session) handOn(now time.Time, e *exchange, options message.Options, body []byte) {
	s.observing(now, e, options)
	s.lastExchange++
	e.id = s.lastExchange
	r := &s.shared.request
	*r = session.Request{Exchange: e.id, Code: e.code, Token: e.token.bytes(), Options: option.Strip(options), Body: body,
		Waits: e.confirmable}
	s.current = e
	s.handler.Request(now, r)
	if s.current == nil || s.over {
		return
	}
	s.current = nil
	if s.exchanges == nil {
		s.exchanges = make(map[session.Exchange]*exchange)
	}
	kept := *e
	kept.ackBy = now.Add(s.shared.Limits.SeparateAfter)
	s.exchanges[e.id] = &kept
	if e.confirmable {
		s.wake(kept.ackBy)
	}
}

// take ends an exchange and gives it; nil when there is none.
func (s *Session) take(id session.Exchange) (e *exchange) {
	if s.current != nil && s.current.id == id {
		e, s.current = s.current, nil
		return e
	}
	e = s.exchanges[id]
	delete(s.exchanges, id)
	return e
}

// Respond implements session.Session.
func (s *Session) Respond(now time.Time, id session.Exchange, r session.Response) {
	if e := s.take(id); e != nil {
		s.respond(now, e, r, plain)
	}
}

// acknowledgeSlow acknowledges the requests whose response takes too long to go with it (section 5.2.2).
func (s *Session) acknowledgeSlow(now time.Time) {
	for e := range s.unacknowledged() {
		if !now.Before(e.ackBy) {
			s.acknowledge(e)
		}
	}
}

// unacknowledged gives the requests that have to be acknowledged: those without an answer, and those whose answer is held.
func (s *Session) unacknowledged() iter.Seq[*exchange] {
	return func(yield func(*exchange) bool) {
		for _, e := range s.exchanges {
			if e.confirmable && !e.acked && !yield(e) {
				return
			}
		}
		for i := range s.held {
			if e := &s.held[i].exchange; e.confirmable && !e.acked && !yield(e) {
				return
			}
		}
	}
}

// acknowledge sends an Empty acknowledgement, which is what the request's duplicates get too.
func (s *Session) acknowledge(e *exchange) {
	e.acked = true
	p := appendMessage(s.carrier.Buffer(), header{kind: message.Acknowledgement, id: e.messageID}, nil, nil)
	s.past.answered(e.number, p, s.shared.Limits.MaxAnswerBytes)
	s.transmit(p)
}

// refuse answers a request that is not handed on, with a reason in words (section 5.5.2).
func (s *Session) refuse(now time.Time, e *exchange, code codes.Code, reason string) {
	s.answerItself(now, e, session.Response{Code: code, Body: []byte(reason)})
}
