package mqtt

import (
	"context"
	"crypto/rand"
	"errors"
	"net"
	"sync"
	"time"

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
	method    string           // of enhanced authentication; empty without
	exchange  tenancy.Exchange // the one under way, or the last
	verdicts  transport.Mailbox[verdict]

	ctx      context.Context // of the check; ends with the connection
	cancel   context.CancelFunc
	checking sync.WaitGroup
}

// verdict is who a client turned out to be. With neither a user nor an error it is not known yet: the client has to answer
// the challenge.
type verdict struct {
	user      *tenancy.Principal
	challenge []byte // or what the mechanism adds for a user who is let in
	err       error
}

// newLogin begins for a client whose connection has shaken hands, if it is one of TLS.
func (s *Server) newLogin(ctx context.Context, nc net.Conn) *login {
	l := &login{directory: s.config.Directory, visitor: tenancy.VisitorOn(nc).Through("MQTT")}
	l.ctx, l.cancel = context.WithCancel(ctx)
	return l
}

// end stops the check under way, if any, and waits for it.
func (l *login) end() {
	l.cancel()
	l.checking.Wait()
}

// endLogin lets go of what the connection needed to let its client in.
func (c *conn) endLogin() {
	if c.login != nil {
		c.login.end()
		c.login = nil
	}
}

// Connect implements session.Handler.
func (c *conn) Connect(r *session.Connect) {
	l := c.login
	c.request = r
	if !c.mayEnter(r) {
		return
	}
	if r.AuthMethod != "" {
		if !l.begin(r.AuthMethod, r.AuthData) {
			c.session.RefuseConnect(session.Notice{Code: session.BadAuthentication})
		}
		return
	}
	l.checking.Go(func() {
		user, err := l.directory.Authenticate(l.ctx, tenancy.Credentials{
			Visitor: l.visitor, User: r.UserName, Password: r.Password, Client: r.ClientID,
		})
		l.verdicts.Put(verdict{user: user, err: err})
	})
}

// mayEnter refuses a client before anybody looks at its password: it comes while too many do, or its will can never be
// published.
func (c *conn) mayEnter(r *session.Connect) bool {
	if limit := c.server.connects; limit != nil && !limit.AllowN(time.Now(), 1) {
		c.session.RefuseConnect(c.server.elsewhere(session.RateExceeded))
		return false
	}
	if r.Will == nil {
		return true
	}
	if err := c.server.config.Limits.checkLevels(r.Will.Topic); err != nil {
		c.session.RefuseConnect(session.Notice{Code: session.TopicNameInvalid, Text: "will: " + err.Error()})
		return false
	}
	return true
}

// answerLogin hears whether the client may come in, and lets it in when its client id is free.
func (c *conn) answerLogin() {
	for _, v := range c.login.verdicts.Take() {
		switch {
		case c.over:
		case c.user != nil:
			c.judgeAgain(v)
		case errors.Is(v.err, tenancy.ErrBusy):
			c.session.RefuseConnect(c.server.elsewhere(reasons[router.Unroutable].connack))
		case v.err != nil:
			c.session.RefuseConnect(session.Notice{Code: reasons[router.Unauthenticated].connack})
		case v.user == nil:
			c.session.Challenge(v.challenge)
		default:
			c.proof = v.challenge
			c.claim(v.user)
		}
	}
	if c.client == nil && c.seated.Load() && !c.over {
		c.enter()
	}
}

// claim asks for the client's seat: who has it leaves it.
func (c *conn) claim(user *tenancy.Principal) {
	c.id = c.request.ClientID
	if c.id == "" {
		c.id = "auto-" + rand.Text()
	}
	c.user = user.As(c.id)
	c.server.claim(c)
}

// key names the client.
func (c *conn) key() clientKey { return clientKey{c.user.Tenant.Name, c.id} }

// enter begins or goes on with the session of the client id [3.1.2.4]. Another user's is not gone on with.
func (c *conn) enter() {
	visit, err := c.login.directory.Enter(c.login.visitor, c.user, c)
	if err != nil {
		c.session.RefuseConnect(noticeOf(err))
		return
	}
	c.visit = visit
	r, owner := c.request, c.server.sessionAt(c.key())
	present := owner != nil && !r.CleanStart && owner.user.User == c.user.User
	if !present {
		if owner != nil {
			owner.endForGood()
		}
		owner = newClient(c.server, c.key(), c.user)
		c.server.setSession(c.key(), owner)
	}
	owner.user, owner.will = c.user.Lasting(), r.Will
	owner.expiry = c.server.config.Limits.expiry(r.SessionExpiry)
	if err := owner.count(); err != nil {
		owner.expiry = 0
		c.session.RefuseConnect(noticeOf(err))
		return
	}
	wake := c.wake
	owner.mail.waker.Store(&wake)
	c.client = owner
	if !owner.outlives() {
		c.admit(present)
		return
	}
	owner.keepRecord(func(c *conn, err error) {
		if err != nil {
			c.session.RefuseConnect(session.Notice{Code: session.ServerUnavailable})
			return
		}
		c.admit(present)
	})
}

// admit tells the client that it is let in, and goes on where its last connection ended.
func (c *conn) admit(present bool) {
	r := c.request
	if c.over || r == nil {
		return
	}
	c.request = nil
	answer := session.Accept{
		SessionPresent: present,
		OverrideExpiry: r.SessionExpiry != c.expiry,
		SessionExpiry:  c.expiry,
		Features:       session.Features{Retain: true, Wildcards: true, SubscriptionIDs: true, SharedSubscriptions: true},
		Memory:         c.memory,
		AuthData:       c.proof,
	}
	if r.WantsResponses {
		answer.ResponseInformation = c.responseInformation()
	}
	if r.ClientID == "" {
		answer.AssignedClientID = c.id
	}
	c.firstReceipt = c.memory.NextReceipt
	c.memory = session.Memory{}
	c.proof = nil
	c.session.AcceptConnect(answer)
	if r.AuthMethod == "" {
		c.endLogin()
	}
	if !c.over {
		c.resend()
		c.reopen()
	}
}

// reopen links the subscriptions of a session that goes on to where their messages come from.
func (c *conn) reopen() {
	for _, s := range c.subscriptions {
		if s.system {
			c.server.addWatcher(c)
			continue
		}
		s.resumes = true
		if err := s.open(c.client, false); err != nil {
			c.server.config.Log.Warn("a subscription cannot be gone on with", "tenant", c.client.key.tenant, "client", c.id,
				"filter", s.options.text(), "err", err)
		}
	}
}
