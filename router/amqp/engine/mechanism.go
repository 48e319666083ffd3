package engine

import (
	"bytes"
	"errors"
	"unicode/utf8"

	"github.com/manifoldmq/manifold/router/amqp"
)

// Names of SASL mechanisms that this package can take apart.
const (
	Anonymous amqp.Symbol = "ANONYMOUS" // RFC 4505
	Plain     amqp.Symbol = "PLAIN"     // RFC 4616
	External  amqp.Symbol = "EXTERNAL"  // RFC 4422, appendix A
)

// A Mechanism is the client's half of one SASL mechanism, used for one connection.
type Mechanism interface {
	Name() amqp.Symbol
	// Start gives the initial response; nil for none.
	Start() ([]byte, error)
	// Respond answers a challenge, which is borrowed.
	Respond(challenge []byte) ([]byte, error)
	// Verify judges what the server adds to its success, so that a server can prove itself too.
	Verify(additional []byte) error
}

// errChallenge is for mechanisms of one step.
var errChallenge = errors.New("server asks for more than the mechanism has")

// oneStep is a mechanism that says all it has to say at once.
type oneStep struct {
	name    amqp.Symbol
	initial []byte
}

var _ Mechanism = oneStep{}

func (m oneStep) Name() amqp.Symbol              { return m.name }
func (m oneStep) Start() ([]byte, error)         { return m.initial, nil }
func (m oneStep) Respond([]byte) ([]byte, error) { return nil, errChallenge }
func (m oneStep) Verify([]byte) error            { return nil }

// WithAnonymous authenticates as nobody; trace may say who for people to read.
func WithAnonymous(trace string) Mechanism { return oneStep{Anonymous, []byte(trace)} }

// WithPlain authenticates with a name and a password, which travel as they are.
func WithPlain(user, password string) Mechanism {
	return oneStep{Plain, []byte("\x00" + user + "\x00" + password)}
}

// WithExternal authenticates with what the layer below has shown, such as a certificate; identity may ask for another
// one than that.
func WithExternal(identity string) Mechanism { return oneStep{External, []byte(identity)} }

// PlainCredentials are what a client says with PLAIN.
type PlainCredentials struct{ Identity, User, Password string }

// ParsePlain takes the response of PLAIN apart.
func ParsePlain(response []byte) (PlainCredentials, error) {
	parts := bytes.Split(response, []byte{0})
	if len(parts) != 3 || len(parts[1]) == 0 || !utf8.Valid(response) {
		return PlainCredentials{}, errors.New("response is not of the form of PLAIN")
	}
	return PlainCredentials{Identity: string(parts[0]), User: string(parts[1]), Password: string(parts[2])}, nil
}

// ParseIdentity takes the response of EXTERNAL or ANONYMOUS: an identity that is asked for, or a trace; empty for none.
func ParseIdentity(response []byte) (string, error) {
	if !utf8.Valid(response) || bytes.IndexByte(response, 0) >= 0 {
		return "", errors.New("response is not UTF-8 text")
	}
	return string(response), nil
}
