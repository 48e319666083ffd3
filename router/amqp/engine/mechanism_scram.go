package engine

import (
	"errors"

	"github.com/xdg-go/scram"

	"github.com/manifoldmq/manifold/router/amqp"
)

// WithSCRAMSHA256 proves that both sides know a password, without sending it (RFC 5802, RFC 7677). nonce is random text
// of the caller's, printable ASCII without commas, and new for each connection. Answering the server's challenge takes
// milliseconds. The error says that a name or password cannot be prepared (RFC 4013).
func WithSCRAMSHA256(user, password, nonce string) (Mechanism, error) {
	return withSCRAM("SCRAM-SHA-256", scram.SHA256, user, password, nonce)
}

// WithSCRAMSHA512 is WithSCRAMSHA256 with another hash function.
func WithSCRAMSHA512(user, password, nonce string) (Mechanism, error) {
	return withSCRAM("SCRAM-SHA-512", scram.SHA512, user, password, nonce)
}

func withSCRAM(name amqp.Symbol, hash scram.HashGeneratorFcn, user, password, nonce string) (Mechanism, error) {
	client, err := hash.NewClient(user, password, "")
	if err != nil {
		return nil, err
	}
	client.WithNonceGenerator(func() string { return nonce })
	return &scramMechanism{name, client.NewConversation()}, nil
}

// scramMechanism is a client that also wants the server to prove itself: in what it adds to its success, or in a
// challenge before that (RFC 5802 section 5).
type scramMechanism struct {
	name         amqp.Symbol
	conversation *scram.ClientConversation
}

var _ Mechanism = (*scramMechanism)(nil)

func (m *scramMechanism) Name() amqp.Symbol { return m.name }

func (m *scramMechanism) Start() ([]byte, error) { return m.Respond(nil) }

func (m *scramMechanism) Respond(challenge []byte) ([]byte, error) {
	response, err := m.conversation.Step(string(challenge))
	return []byte(response), err
}

// errUnproven is for a server that says yes and has not shown that it knows the password.
var errUnproven = errors.New("server did not prove that it knows the password")

func (m *scramMechanism) Verify(additional []byte) error {
	if !m.conversation.Done() {
		if _, err := m.conversation.Step(string(additional)); err != nil {
			return errUnproven
		}
	}
	if !m.conversation.Valid() {
		return errUnproven
	}
	return nil
}
