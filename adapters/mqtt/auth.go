package mqtt

import (
	"slices"

	"github.com/manifoldmq/manifold/adapters/mqtt/internal/session"
	"github.com/manifoldmq/manifold/router"
)

// Enhanced authentication [4.12] with the mechanisms of SASL, as tenancy has them: with SCRAM a password is proved and never
// sent.

// begin starts an exchange by the method that the client names.
func (l *login) begin(method string, data []byte) bool {
	if !slices.Contains(l.directory.Mechanisms(l.visitor), method) {
		return false
	}
	l.method, l.exchange = method, l.directory.Begin(method, l.visitor)
	l.step(data)
	return true
}

// step hands to the exchange what the client says.
func (l *login) step(data []byte) {
	exchange := l.exchange
	l.checking.Go(func() {
		challenge, user, err := exchange.Step(l.ctx, data)
		l.verdicts.Put(verdict{user: user, challenge: challenge, err: err})
	})
}

// Auth implements session.Handler.
func (c *conn) Auth(a session.Auth) {
	if a.Again {
		c.login.begin(c.login.method, a.Data)
	} else {
		c.login.step(a.Data)
	}
}

// judgeAgain answers a client that is connected and shows again who it is. It may not have become somebody else.
func (c *conn) judgeAgain(v verdict) {
	switch {
	case v.err != nil || v.user != nil && (v.user.User != c.user.User || v.user.Tenant.Name != c.user.Tenant.Name):
		c.session.Disconnect(session.Notice{Code: reasons[router.Denied].connack})
	case v.user == nil:
		c.session.Challenge(v.challenge)
	default:
		c.user = v.user.As(c.id)
		c.client.user = c.user.Lasting()
		c.session.Authenticated(v.challenge)
	}
}
