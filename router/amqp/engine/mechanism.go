package engine

import (
	"errors"

	"github.com/manifoldmq/manifold/router/amqp"
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

// WithAnonymous authenticates as nobody (RFC 4505); trace may say who for people to read.
func WithAnonymous(trace string) Mechanism { return oneStep{"ANONYMOUS", []byte(trace)} }

// WithPlain authenticates with a name and a password, which travel as they are (RFC 4616).
func WithPlain(user, password string) Mechanism {
	return oneStep{"PLAIN", []byte("\x00" + user + "\x00" + password)}
}

// WithExternal authenticates with what the layer below has shown, such as a certificate (RFC 4422, appendix A);
// identity may ask for another one than that.
func WithExternal(identity string) Mechanism { return oneStep{"EXTERNAL", []byte(identity)} }
