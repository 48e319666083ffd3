package mqtt

import (
	"context"
	"crypto/rand"
	"errors"
	"net"
	"sync"

	"github.com/manifoldmq/manifold/adapters/mqtt/internal/session"
	"github.com/manifoldmq/manifold/router"
	"github.com/manifoldmq/manifold/router/transport"
	"github.com/manifoldmq/manifold/tenancy"
)

// login is a client on its way in. Its password may take long to check, so that runs in a goroutine of its own, which
// leaves the verdict for the connection's owner.
type login struct {
	directory *tenancy.Directory
	visitor   tenancy.Visitor
	request   *session.Connect // nil when nobody waits for a verdict
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
	l := &login{directory: s.config.Directory, visitor: tenancy.VisitorOn(nc)}
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
	l := c.login
	l.request = r
	l.checking.Go(func() {
		user, err := l.directory.Authenticate(l.ctx, tenancy.Credentials{
			Visitor: l.visitor, User: r.UserName, Password: r.Password,
		})
		l.verdicts.Put(verdict{user, err})
	})
}

// answerLogin tells the client whether it is let in.
func (c *conn) answerLogin() {
	for _, v := range c.login.verdicts.Take() {
		request := c.login.request
		c.login.request = nil
		switch {
		case errors.Is(v.err, tenancy.ErrBusy):
			c.session.RefuseConnect(reasons[router.Unroutable].connack)
		case v.err != nil:
			c.session.RefuseConnect(reasons[router.Unauthenticated].connack)
		default:
			c.enter(v.user, request)
		}
	}
}

// enter lets a client in, and ends the connection that it takes over from.
func (c *conn) enter(user *tenancy.Principal, r *session.Connect) {
	answer := session.Accept{
		OverrideExpiry: true, // sessions end with their connection
		Features:       session.Features{Retain: true, Wildcards: true, SubscriptionIDs: true},
	}
	id := r.ClientID
	if id == "" {
		id = "auto-" + rand.Text()
		answer.AssignedClientID = id
	}
	c.user, c.will = user, r.Will
	c.key = clientKey{user.Tenant.Name, id}
	if former := c.server.enter(c); former != nil {
		former.mail.evict()
	}
	c.session.AcceptConnect(answer)
}
