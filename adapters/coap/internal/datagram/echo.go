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

// echoSize is the length of an Echo value: when it was made, in seconds, and the beginning of a MAC over that and the
// address.
const echoSize = 4 + 8

// checkEcho looks for the proof of the peer's address in a request.
func (s *Session) checkEcho(now time.Time, options message.Options) {
	value, err := options.GetBytes(option.Echo)
	if err == nil && !s.proven && s.shared.isFresh(now, s.carrier.Origin(), value) {
		s.proven = true
		s.release(now)
	}
}

// challenge asks a client to repeat its request with an Echo value (RFC 9175 section 2.3).
func (s *Session) challenge(now time.Time, e *exchange) {
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
