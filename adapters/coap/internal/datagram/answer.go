package datagram

import (
	"time"

	"github.com/plgd-dev/go-coap/v3/message"

	"github.com/manifoldmq/manifold/adapters/coap/internal/option"
	"github.com/manifoldmq/manifold/adapters/coap/internal/session"
)

// observe is the value of the Observe option of a message of ours.
type observe int64

// plain is for one that has none.
const plain observe = -1

// respond answers a request with what its handler says.
func (s *Session) respond(now time.Time, e *exchange, r session.Response, o observe) {
	if s.suppresses(e, r) {
		return
	}
	cut := s.transfers.Cut(now, e.reply, r)
	s.wake(s.transfers.Deadline())
	if s.allows(s.sizeOf(e, cut, o)) {
		s.answer(now, e, cut, o)
		return
	}
	s.hold(now, held{*e, r, o, false})
}

// suppresses tells whether the client has no interest in a response; its request is acknowledged all the same (RFC 7967).
func (s *Session) suppresses(e *exchange, r session.Response) bool {
	if !option.Suppresses(e.silence, r.Code) {
		return false
	}
	if e.confirmable && !e.acked {
		s.acknowledge(e)
	}
	return true
}

// answer sends the message that answers a request: with its acknowledgement, or on its own (section 5.2).
func (s *Session) answer(now time.Time, e *exchange, r session.Response, o observe) {
	if s.suppresses(e, r) {
		return
	}
	h := header{code: r.Code, token: e.token}
	switch {
	case s.proves(o) || e.confirmable && e.acked:
		if e.confirmable && !e.acked {
			s.acknowledge(e)
		}
		h.kind, h.id = message.Confirmable, s.newID()
		s.post(now, &post{id: h.id, token: e.token, datagram: s.compose(nil, h, r, o)})
	case e.confirmable:
		h.kind, h.id = message.Acknowledgement, e.messageID
		p := s.compose(s.carrier.Buffer(), h, r, o)
		s.past.answered(e.number, p, s.shared.Limits.MaxAnswerBytes)
		s.transmit(p)
	default:
		h.kind, h.id = message.NonConfirmable, s.newID()
		s.transmit(s.compose(s.carrier.Buffer(), h, r, o))
	}
}

// compose makes a message of a response.
func (s *Session) compose(dst []byte, h header, r session.Response, o observe) []byte {
	options := message.Options(r.Options)
	if o == plain {
		return appendMessage(dst, h, options, r.Body)
	}
	value := [3]byte{byte(o >> 16), byte(o >> 8), byte(o)}
	short := value[:]
	for len(short) > 0 && short[0] == 0 {
		short = short[1:]
	}
	all := append(s.shared.spare[:0], options...)
	all = all.Add(message.Option{ID: message.Observe, Value: short})
	s.shared.spare = all[:0]
	return appendMessage(dst, h, all, r.Body)
}
