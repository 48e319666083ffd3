package datagram

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"time"

	"github.com/plgd-dev/go-coap/v3/message"
	"github.com/plgd-dev/go-coap/v3/message/codes"

	"github.com/manifoldmq/manifold/adapters/coap/internal/option"
	"github.com/manifoldmq/manifold/adapters/coap/internal/session"
)

// A datagram says where it comes from, and may lie: what is sent there in return hits somebody else. So until a peer is known
// to be where it says, it gets little more than it has sent (RFC 9175 section 2.4, RFC 7252 section 11.3). It proves its
// address with an Echo value that was sent there, or by acknowledging a message of ours whose id nobody else knows.
//
// Not all clients know Echo. So an answer that is too large comes in small blocks first, which every client knows, and a
// registration is answered by a confirmable message, whose acknowledgement is a proof.

// manyBlocks is how many blocks of the allowed size a body may have to be sent so. A client that knows Echo gets a
// larger one sooner by that.
const manyBlocks = 16

// maxGuesses is how many acknowledgements of nothing are forgiven a peer that still has to prove its address. A message id
// has 16 bits, which may be guessed.
const maxGuesses = 16

// echoSize is the length of an Echo value: when it was made, in seconds, and the beginning of a MAC over that and the
// address.
const echoSize = 4 + 8

func (s *Session) hear(bytes int) {
	if !s.proven {
		s.heardBytes += bytes
	}
}

// allows tells whether so many bytes may be sent.
func (s *Session) allows(bytes int) bool {
	return s.proven || s.sentBytes+bytes <= s.shared.Limits.Amplification*s.heardBytes
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

// checkEcho looks for the proof of the peer's address in a request.
func (s *Session) checkEcho(now time.Time, e *exchange, options message.Options) {
	value, err := options.GetBytes(option.Echo)
	e.echoed = err == nil
	if e.echoed && !s.proven && s.shared.isFresh(now, s.carrier.Origin(), value) {
		s.proven = true
	}
}

// sizeOf is how many bytes the answer to a request takes; 0 when it does not matter.
func (s *Session) sizeOf(e *exchange, r session.Response, o observe) int {
	if s.proven {
		return 0
	}
	size := len(s.compose(s.carrier.Buffer(), header{token: e.token}, r, o))
	if s.proves(e, o) {
		size += headerSize // of the acknowledgement
	}
	return size
}

// proves tells whether an answer is to be acknowledged, so that the address is proven before the first notification.
func (s *Session) proves(e *exchange, o observe) bool { return !s.proven && o != plain }

// answerUnproven answers a request in blocks that are small enough for an address that is not proven, or asks for a proof.
func (s *Session) answerUnproven(now time.Time, e *exchange, r session.Response, o observe) {
	small := e.reply
	for small.Shrink() {
		cut := s.transfers.Cut(now, small, r)
		if !s.allows(s.sizeOf(e, cut, o)) {
			continue
		}
		if len(r.Body) <= manyBlocks*small.BlockBytes() || s.challenged && !e.echoed || !isSafe(e.code) {
			s.answer(now, e, cut, o)
			return
		}
		break
	}
	s.challenge(now, e)
	if o != plain {
		s.drop(now, e.token)
	}
}

// answerItself answers a request that the handler does not hear of. An address that is not proven gets no reason in words if
// there is no room for it, and no block.
func (s *Session) answerItself(now time.Time, e *exchange, r session.Response) {
	if s.allows(s.sizeOf(e, r, plain)) {
		s.answer(now, e, r, plain)
	} else if isSuccess(r.Code) {
		s.challenge(now, e)
	} else {
		s.answer(now, e, session.Response{Code: r.Code, Options: r.Options}, plain)
	}
}

// isSafe tells whether a request may be repeated without harm.
func isSafe(method codes.Code) bool { return method == codes.GET || method == fetch }

// challenge asks a client to repeat its request with an Echo value (RFC 9175 section 2.3).
func (s *Session) challenge(now time.Time, e *exchange) {
	s.challenged = true
	value := s.shared.echo(now.Unix(), s.carrier.Origin())
	options := message.Options{{ID: option.Echo, Value: value[:]}}
	s.answer(now, e, session.Response{Code: codes.Unauthorized, Options: options}, plain)
}

// echo makes the Echo value of a time, in seconds, and an address.
func (sh *Shared) echo(seconds int64, origin []byte) (value [echoSize]byte) {
	binary.BigEndian.PutUint32(value[:], uint32(seconds))
	mac := hmac.New(sha256.New, sh.EchoKey[:])
	mac.Write(value[:4])
	mac.Write(origin)
	copy(value[4:], mac.Sum(nil))
	return value
}

// isFresh tells whether an Echo value was made for an address, not long ago.
func (sh *Shared) isFresh(now time.Time, origin, value []byte) bool {
	if len(value) != echoSize {
		return false
	}
	age := uint32(now.Unix()) - binary.BigEndian.Uint32(value)
	want := sh.echo(now.Unix()-int64(age), origin)
	return hmac.Equal(value, want[:]) && time.Duration(age)*time.Second <= sh.Limits.EchoLifetime
}
