package stomp

import (
	"context"
	"crypto/rand"
	"errors"
	"net"
	"sync"
	"time"

	"github.com/manifoldmq/manifold/adapters/stomp/internal/session"
	"github.com/manifoldmq/manifold/router"
	"github.com/manifoldmq/manifold/router/transport"
	"github.com/manifoldmq/manifold/tenancy"
)

// login is a client on its way in. Its password may take long to check, so that runs in a goroutine of its own, which
// leaves the verdict for the connection's owner.
type login struct {
	directory *tenancy.Directory
	visitor   tenancy.Visitor
	verdicts  transport.Mailbox[verdict]

	ctx      context.Context // of the check; ends with the connection
	cancel   context.CancelFunc
	checking sync.WaitGroup
}

// verdict is who a client turned out to be.
type verdict struct {
	user *tenancy.Principal
	err  error
}

// newLogin begins for a client whose connection has shaken hands, if it is one of TLS.
func (s *Server) newLogin(ctx context.Context, nc net.Conn) *login {
	l := &login{directory: s.config.Directory, visitor: tenancy.VisitorOn(nc).Through("STOMP")}
	l.ctx, l.cancel = context.WithCancel(ctx)
	return l
}

// end stops the check under way, if any, and waits for it.
func (l *login) end() {
	l.cancel()
	l.checking.Wait()
}

// Connect implements session.Handler.
func (c *conn) Connect(r *session.Connect) {
	c.clientID = r.ClientID
	l := c.login
	shown := tenancy.Credentials{Visitor: l.visitor.At(r.Host), User: r.Login, Password: []byte(r.Passcode), Client: r.ClientID}
	if token, ok := tenancy.BearerToken(r.Authorization); ok {
		shown.Token = token
	}
	l.checking.Go(func() {
		user, err := l.directory.Authenticate(l.ctx, shown)
		l.verdicts.Put(verdict{user, err})
	})
}

// answerLogin tells the client whether it is let in.
func (c *conn) answerLogin() {
	for _, v := range c.login.verdicts.Take() {
		switch {
		case errors.Is(v.err, tenancy.ErrBusy):
			c.session.Refuse(time.Now(), refusalOf(router.Errorf(router.Unroutable, "%v", tenancy.ErrBusy)))
		case v.err != nil:
			c.session.Refuse(time.Now(), refusalOf(router.Errorf(router.Unauthenticated, "login or passcode is wrong")))
		default:
			c.admit(v.user)
		}
	}
}

// admit lets the client in, if its tenant has room for it.
func (c *conn) admit(user *tenancy.Principal) {
	c.user = user.As(c.clientID)
	visit, err := c.login.directory.Enter(c.login.visitor, c.user, c)
	if err != nil {
		c.session.Refuse(time.Now(), refusalOf(err))
		return
	}
	c.visit = visit
	c.session.Accept(time.Now(), rand.Text(), "Manifold/"+c.server.config.Version)
}

// Dismiss implements tenancy.Connection.
func (c *conn) Dismiss(why tenancy.Dismissal) { c.mail.dismissals.Put(why) }

// sayDismissed ends the session of a client that is sent away.
func (c *conn) sayDismissed() {
	for _, why := range c.mail.dismissals.Take() {
		reason := router.Stopping
		if why == tenancy.NotWelcome {
			reason = router.Unauthenticated
		}
		c.session.Disconnect(time.Now(), &session.Refusal{Message: messages[reason], Detail: why.String()})
	}
}

// expiresAt is when the client has to leave; zero for never.
func (c *conn) expiresAt() time.Time {
	if c.user == nil || !c.session.Connected() {
		return time.Time{}
	}
	return c.user.Expires()
}
