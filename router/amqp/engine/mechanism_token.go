package engine

import (
	"errors"
	"strings"

	"github.com/manifoldmq/manifold/router/amqp"
)

// WithOAuthBearer authenticates with a bearer token (RFC 7628); user may ask for an identity, and is empty to leave that
// to the token.
func WithOAuthBearer(user, token string) (Mechanism, error) {
	header := "n,,"
	if user != "" {
		header = "n,a=" + strings.NewReplacer("=", "=3D", ",", "=2C").Replace(user) + ","
	}
	return withToken("OAUTHBEARER", header+"\x01auth=Bearer "+token+"\x01\x01", user, token, []byte{1})
}

// WithXOAuth2 authenticates with a bearer token as Google has it; see
// https://developers.google.com/workspace/gmail/imap/xoauth2-protocol.
func WithXOAuth2(user, token string) (Mechanism, error) {
	return withToken("XOAUTH2", "user="+user+"\x01auth=Bearer "+token+"\x01\x01", user, token, []byte{})
}

func withToken(name amqp.Symbol, initial, user, token string, farewell []byte) (Mechanism, error) {
	if token == "" || strings.ContainsFunc(token, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return nil, errors.New("token is not of the form of a bearer token")
	}
	if strings.ContainsAny(user, "\x00\x01") {
		return nil, errors.New("user name has control characters")
	}
	return &tokenMechanism{oneStep: oneStep{name, []byte(initial)}, farewell: farewell}, nil
}

// tokenMechanism says its token at once. A server that does not like it tells why in a challenge, and refuses when that
// has been answered (RFC 7628 section 3.2.3).
type tokenMechanism struct {
	oneStep
	farewell []byte
	refused  bool
}

var _ Mechanism = (*tokenMechanism)(nil)

func (m *tokenMechanism) Respond([]byte) ([]byte, error) {
	if m.refused {
		return nil, errChallenge
	}
	m.refused = true
	return m.farewell, nil
}

// errRefused is for a server that refused the token and then says yes.
var errRefused = errors.New("server refused the token")

func (m *tokenMechanism) Verify([]byte) error {
	if m.refused {
		return errRefused
	}
	return nil
}
