package datagram

import (
	"errors"
	"hash/maphash"
	"time"

	"github.com/plgd-dev/go-coap/v3/message"
	"github.com/plgd-dev/go-coap/v3/message/codes"

	"github.com/manifoldmq/manifold/adapters/coap/internal/block"
	"github.com/manifoldmq/manifold/adapters/coap/internal/option"
)

// Feed takes a datagram of the peer; it is borrowed until Feed returns.
func (s *Session) Feed(now time.Time, p []byte) {
	if s.over {
		return
	}
	s.hear(now, len(p))
	h, rest, err := parse(p)
	switch {
	case errors.Is(err, errForeign):
	case err != nil:
		s.reject(h)
	case h.kind == message.Acknowledgement:
		// One that carries a response answers a request, and there are no requests of ours.
		if h.code == codes.Empty {
			s.acknowledged(now, h.id)
		}
	case h.kind == message.Reset:
		if h.code == codes.Empty {
			s.reset(now, h.id)
		}
	case h.code != codes.Empty && class(h.code) == 0:
		s.receive(now, h, p, rest)
	default:
		// A ping (section 4.3), a response to nothing (section 4.2), or a reserved code.
		s.reject(h)
	}
}

// Stray answers a datagram of somebody with whom there is no session, so that only requests need one: it appends what is
// to be sent. It tells whether the datagram may be a request, which is not answered here.
func Stray(dst, p []byte) (answer []byte, request bool) {
	h, _, err := parse(p)
	switch {
	case errors.Is(err, errForeign) || h.kind != message.Confirmable && h.kind != message.NonConfirmable:
		return dst, false
	case err == nil && h.code != codes.Empty && class(h.code) == 0:
		return dst, true
	case h.kind == message.Confirmable:
		return appendMessage(dst, header{kind: message.Reset, id: h.id}, nil, nil), false
	}
	return dst, false
}

// Truncated takes the beginning of a datagram that was larger than the one who reads has room for.
func (s *Session) Truncated(now time.Time, head []byte) {
	if s.over {
		return
	}
	s.hear(now, len(head))
	h, _, err := parse(head)
	if err != nil || h.code == codes.Empty || class(h.code) != 0 {
		return
	}
	a := header{kind: message.Acknowledgement, code: codes.RequestEntityTooLarge, id: h.id, token: h.token}
	switch h.kind {
	case message.Confirmable:
	case message.NonConfirmable:
		a.kind, a.id = message.NonConfirmable, s.newID()
	default:
		return
	}
	// RFC 7959 section 2.9.3: a Block1 option tells the client to come again in blocks of that size.
	hint := block.Option{Size: block.SizeOf(s.shared.Limits.Block.BlockSize)}
	options := message.Options{{ID: message.Block1, Value: hint.Append(nil)}}
	s.transmit(appendMessage(s.carrier.Buffer(), a, options, nil))
}

// reject answers what has no meaning here: a confirmable message with a Reset, others with silence (sections 4.2 and 4.3).
func (s *Session) reject(h header) {
	if h.kind == message.Confirmable {
		s.transmit(appendMessage(s.carrier.Buffer(), header{kind: message.Reset, id: h.id}, nil, nil))
	}
}

// receive takes a request, unless it has come before.
func (s *Session) receive(now time.Time, h header, datagram, rest []byte) {
	digest := s.shared.digest(datagram)
	if m := s.past.find(now, h.id, digest); m != nil && !s.repeat(h, m) {
		return
	}
	options, payload, err := option.Decode(s.shared.options[:0], rest, maxOptions)
	if err != nil {
		s.reject(h)
		return
	}
	s.shared.options = options
	lifetime := s.shared.Limits.ExchangeLifetime
	if h.kind == message.NonConfirmable {
		lifetime = s.shared.Limits.NonLifetime
	}
	number := s.past.remember(now, h.id, digest, lifetime, s.shared.Limits.MaxRemembered)
	s.wake(s.past.deadline())
	e := &s.shared.exchange
	*e = exchange{token: h.token, messageID: h.id, code: h.code, confirmable: h.kind == message.Confirmable, number: number}
	s.begin(now, e, options, payload)
}

// digest is of all but the message id.
func (sh *Shared) digest(datagram []byte) uint64 {
	var d maphash.Hash
	d.SetSeed(sh.seed)
	d.Write(datagram[:2])
	d.Write(datagram[headerSize:])
	return d.Sum64()
}

// repeat answers a duplicate. It tells whether the request is to be handled anew, since its answer is forgotten.
func (s *Session) repeat(h header, m *memory) (anew bool) {
	if h.kind != message.Confirmable || m.size == 0 {
		return false
	}
	p, ok := s.past.replay(s.carrier.Buffer(), m)
	if ok {
		s.transmit(p)
	}
	// Section 4.5: a request that changes nothing may be handled as often as it comes.
	return !ok && (h.code == codes.GET || h.code == fetch)
}

// fetch is the method FETCH (RFC 8132 section 2).
const fetch codes.Code = 5

// newID gives the id of the next message of ours.
func (s *Session) newID() uint16 {
	s.lastID++
	return s.lastID
}
