package datagram

import (
	"bytes"
	"slices"
	"time"

	"github.com/plgd-dev/go-coap/v3/message"
	"github.com/plgd-dev/go-coap/v3/message/codes"

	"github.com/manifoldmq/manifold/adapters/coap/internal/session"
)

// A datagram says where it comes from, and may lie: what is sent there in return hits somebody else. So until a peer is known
// to be where it says, it gets little more than it has sent (RFC 9175 section 2.4, RFC 7252 section 11.3).
//
// An answer that is too large is held meanwhile, and the peer is sent a ping, which every client answers (section 4.3). It goes
// with the acknowledgement all the same if that is soon enough: libcoap 4.3.1 loses a separate response in blocks. Who
// answers a message of ours has seen its id, of 16 bits: once is enough for one datagram, twice for all. A peer that has
// guessed too often has to show an Echo value instead, which cannot be guessed.

// The bounds of what is done for a peer that is not proven.
const (
	maxGuesses = 16      // answers to nothing that are forgiven
	maxHeld    = 4       // answers that wait for a proof
	earned     = 2 << 10 // bytes that the first answer to a message of ours allows, besides those for what was received
	manyProofs = 2       // such answers after which the peer is where it says
)

// pingTimeout is how long the answer to a ping is waited for at first that is to prove an address. libcoap answers none in its first quarter of a second, and
// the answer that is held is to go with the acknowledgement.
const pingTimeout = 300 * time.Millisecond

// held is an answer that waits until the peer has proven its address.
type held struct {
	exchange exchange
	response session.Response
	observe  observe
	cut      bool // into blocks: it is sent as it is
}

func (s *Session) hear(now time.Time, bytes int) {
	s.heard = now
	if !s.proven {
		s.heardBytes += bytes
	}
}

// allows tells whether so many bytes may be sent.
func (s *Session) allows(bytes int) bool {
	return s.proven || s.sentBytes+bytes <= s.shared.Limits.Amplification*s.heardBytes+int(s.proofs)*earned
}

// transmit sends a datagram, if it may be sent.
func (s *Session) transmit(p []byte) {
	if !s.allows(len(p)) {
		return
	}
	if !s.proven {
		s.sentBytes += len(p)
	}
	s.carrier.Send(p)
}

// sizeOf is how many bytes the answer to a request takes; 0 when it does not matter.
func (s *Session) sizeOf(e *exchange, r session.Response, o observe) int {
	if s.proven {
		return 0
	}
	size := len(s.compose(s.carrier.Buffer(), header{token: e.token}, r, o))
	if s.proves(o) {
		size += headerSize // of the acknowledgement
	}
	return size
}

// proves tells whether an answer is to be acknowledged, so that the address is proven before the first notification.
func (s *Session) proves(o observe) bool { return !s.proven && o != plain }

// hold keeps an answer that may not be sent yet, and asks the peer for a proof.
func (s *Session) hold(now time.Time, h held) {
	e := &h.exchange
	if s.guesses >= maxGuesses || len(s.held) >= maxHeld || !s.shared.Budget.Take(len(h.response.Body)) {
		s.challenge(now, e)
		if h.observe != plain {
			s.drop(now, e.token)
		}
		return
	}
	h.response.Options = slices.Clone(h.response.Options)
	for i := range h.response.Options {
		o := &h.response.Options[i]
		o.Value = bytes.Clone(o.Value)
	}
	if e.confirmable && !e.acked {
		e.ackBy = now.Add(s.shared.Limits.SeparateAfter)
		s.wake(e.ackBy)
	}
	s.held = append(s.held, h)
	s.ping(now, pingTimeout)
}

// ping asks the peer for a sign of life, unless it is to answer something anyway. The first timeout is as usual if it is 0.
func (s *Session) ping(now time.Time, timeout time.Duration) {
	if len(s.posts) > 0 {
		return
	}
	h := header{kind: message.Confirmable, id: s.newID()}
	s.post(now, &post{id: h.id, datagram: appendMessage(nil, h, nil, nil), timeout: timeout})
}

// prove notes that the peer has answered a message of ours.
func (s *Session) prove(now time.Time) {
	switch {
	case s.proven:
		return
	case s.guesses >= maxGuesses:
		s.letGo()
		return
	}
	s.proofs++
	s.proven = s.proofs >= manyProofs
	s.release(now)
}

// release sends the answers that wait, as far as they may be sent by now.
func (s *Session) release(now time.Time) {
	for len(s.held) > 0 {
		h := s.held[0]
		r := h.response
		if !h.cut {
			r = s.transfers.Cut(now, h.exchange.reply, r)
			s.wake(s.transfers.Deadline())
		}
		if !s.allows(s.sizeOf(&h.exchange, r, h.observe)) {
			s.ping(now, pingTimeout)
			return
		}
		s.held = s.held[1:]
		s.shared.Budget.Give(len(h.response.Body))
		s.answer(now, &h.exchange, r, h.observe)
	}
	s.held = nil
}

// letGo forgets the answers that wait.
func (s *Session) letGo() {
	for _, h := range s.held {
		s.shared.Budget.Give(len(h.response.Body))
	}
	s.held = nil
}

// answerItself answers a request that the handler does not hear of. An address that is not proven gets no reason in words if
// there is no room for it.
func (s *Session) answerItself(now time.Time, e *exchange, r session.Response) {
	switch {
	case s.allows(s.sizeOf(e, r, plain)):
		s.answer(now, e, r, plain)
	case isSuccess(r.Code):
		s.hold(now, held{*e, r, plain, true})
	default:
		s.answer(now, e, session.Response{Code: r.Code, Options: r.Options}, plain)
	}
}

// isSafe tells whether a request may be repeated without harm.
func isSafe(method codes.Code) bool { return method == codes.GET || method == fetch }
