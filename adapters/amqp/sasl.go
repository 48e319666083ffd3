package amqp

import (
	"bytes"
	"context"
	"errors"
	"net"
	"slices"
	"sync"
	"time"

	"github.com/manifoldmq/manifold/router"
	"github.com/manifoldmq/manifold/router/amqp/engine"
	"github.com/manifoldmq/manifold/router/amqp/frame"
	"github.com/manifoldmq/manifold/router/transport"
	"github.com/manifoldmq/manifold/router/wire"
	"github.com/manifoldmq/manifold/tenancy"
)

// login is a client on its way in: what is known of it, and its authentication [5.3]. A step of that may take long, so
// each runs in a goroutine of its own, one at a time, and leaves its verdict for the connection's owner.
type login struct {
	directory *tenancy.Directory
	entrance  *Entrance
	visitor   tenancy.Visitor
	exchange  tenancy.Exchange // nil before sasl-init
	verdicts  transport.Mailbox[verdict]

	ctx    context.Context // of the steps; ends with the connection
	cancel context.CancelFunc
	steps  sync.WaitGroup
}

// verdict is what a step of an authentication came to.
type verdict struct {
	challenge []byte
	user      *tenancy.Principal // nil for a client that has to say more
	err       error
}

// newLogin begins for a client whose connection has shaken hands, if it is one of TLS.
func (s *Server) newLogin(ctx context.Context, nc net.Conn) *login {
	l := &login{directory: s.config.Directory, entrance: &s.entrance, visitor: tenancy.VisitorOn(nc).Through("AMQP")}
	l.visitor.Tenant, l.visitor.UserOf = s.entrance.Tenant, s.entrance.UserOf
	l.visitor.Private = l.visitor.Private || s.config.PlainWithoutTLS
	l.ctx, l.cancel = context.WithCancel(ctx)
	return l
}

// end stops the step under way, if any, and waits for it.
func (l *login) end() {
	l.cancel()
	l.steps.Wait()
}

// hello gives what the server says before anybody is known. Without SASL a client is anonymous, so that it may leave
// SASL out only where ANONYMOUS is offered.
func (l *login) hello(containerID string) engine.Server {
	offered := l.entrance.offered(l.directory.Mechanisms(l.visitor))
	return engine.Server{
		ContainerID: containerID, Mechanisms: offered, Optional: slices.Contains(offered, tenancy.MechanismAnonymous),
	}
}

// step goes on with what the client says.
func (l *login) step(a engine.Authentication) {
	if a.First {
		l.visitor = l.visitor.At(a.Hostname)
		l.exchange = l.directory.Begin(string(a.Mechanism), l.visitor)
	}
	response := bytes.Clone(a.Response)
	l.steps.Go(func() {
		challenge, user, err := l.exchange.Step(l.ctx, response)
		l.verdicts.Put(verdict{challenge, user, err})
	})
}

// Authenticate implements engine.Handler.
func (c peer) Authenticate(a engine.Authentication) { c.login.step(a) }

// answerLogin tells the client what became of the last step.
func (c *conn) answerLogin() {
	for _, v := range c.login.verdicts.Take() {
		switch {
		case errors.Is(v.err, tenancy.ErrBusy):
			c.Deny(frame.SASLSystemTemp)
		case v.err != nil:
			c.Deny(frame.SASLAuth)
		case v.user == nil:
			c.Challenge(v.challenge)
		default:
			c.user, c.login.exchange = v.user, nil
			c.Admit(v.challenge)
		}
	}
}

// enter finds out who opens the connection: who SASL has found, in the tenant that open names too if it names one.
// Whoever is anonymous, and has named no other tenant than the default one, may name it only here.
func (c *conn) enter(o *frame.Open) (*tenancy.Principal, error) {
	visitor := c.login.visitor.At(o.Hostname)
	if c.user == nil || c.user.User == "" && c.user.Tenant.Name == tenancy.DefaultTenant {
		return c.login.directory.Anonymous(visitor, "")
	}
	if tenant := c.login.directory.TenantOf(o.Hostname); tenant != "" && tenant != c.user.Tenant.Name {
		return nil, tenancy.ErrCredentials
	}
	return c.user, nil
}

// sayExpired ends the connection of a client whose token is not good any more.
func (c *conn) sayExpired() {
	c.expired = true
	c.Close(&frame.Error{Condition: wire.Condition(router.Unauthenticated), Description: "the token has expired"})
}

// expiresAt is when the client has to leave; zero for never.
func (c *conn) expiresAt() time.Time {
	if !c.isIn || c.expired {
		return time.Time{}
	}
	return c.user.Expires()
}

// refuseOpen answers an open with ours and a close [2.4.1].
func (c *conn) refuseOpen(err error) {
	c.Open(frame.Open{})
	e := wire.Error(err)
	if router.ReasonOf(err) == router.Unauthenticated { // which of the errors it was is nobody's business
		e.Description = "credentials are required or wrong"
	}
	c.Close(e)
}

// Dismiss implements tenancy.Connection.
func (c *conn) Dismiss(why tenancy.Dismissal) { c.mail.dismissals.Put(why) }

// sayDismissed ends the connection of a client that is sent away.
func (c *conn) sayDismissed() {
	for _, why := range c.mail.dismissals.Take() {
		reason := router.Stopping // amqp:connection:forced
		if why == tenancy.NotWelcome {
			reason = router.Unauthenticated
		}
		c.Close(&frame.Error{Condition: wire.Condition(reason), Description: c.server.config.Manner.dismissal(why)})
	}
}
