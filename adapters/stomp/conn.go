package stomp

import (
	"time"

	"github.com/manifoldmq/manifold/adapters/stomp/internal/session"
	"github.com/manifoldmq/manifold/router"
	"github.com/manifoldmq/manifold/router/transport"
	"github.com/manifoldmq/manifold/tenancy"
)

// conn is one connection: the engine that transport drives, and the links of its client. The driver's lock guards
// everything but mail, where other goroutines leave things.
type conn struct {
	server   *Server
	session  *session.Session
	login    *login
	user     *tenancy.Principal // nil before it is known
	visit    *tenancy.Visit     // from when it was let in
	clientID string             // the client's name in durable subscriptions; empty for none
	refusal  *session.Refusal   // why the session ended, if it was not in order

	senders     map[string]*sender // by destination
	sending     map[*router.Sender]*sender
	temporaries map[string]temporary
	links       map[*subscription]bool // that are open
	ready       []*subscription        // with messages that may be written
	owing       []*subscription
	browsers    []*subscription // that have not come to their end
	lookAt      time.Time       // when to look whether they have; zero for never

	resumeAt time.Time // when it is read from again, whose tenant has sent too much; zero when it is

	mail mail
}

var (
	_ transport.Engine   = (*conn)(nil)
	_ session.Handler    = (*conn)(nil)
	_ tenancy.Connection = (*conn)(nil)
)

func newConn(s *Server, l *login, wake func(), now time.Time) *conn {
	c := &conn{server: s, login: l, links: make(map[*subscription]bool)}
	l.verdicts.Init(wake)
	c.mail.init(wake, s.config.Limits.MaxQueuedBytes)
	c.session = session.New(now, &s.config.Limits.SessionLimits, c)
	return c
}

// Feed implements transport.Engine.
func (c *conn) Feed(now time.Time, p []byte) error {
	c.session.Feed(now, p)
	return nil
}

// Ready implements transport.Engine.
func (c *conn) Ready() bool { return c.session.Ready() }

// Advance implements transport.Engine.
func (c *conn) Advance(now time.Time) error {
	if at := c.expiresAt(); !at.IsZero() && !now.Before(at) {
		c.session.Disconnect(now, refusalOf(router.Errorf(router.Unauthenticated, "the token has expired")))
	}
	if !c.resumeAt.IsZero() && !now.Before(c.resumeAt) {
		c.resumeAt = time.Time{}
		c.session.Resume()
	}
	c.session.Advance(now)
	return nil
}

// Deadline implements transport.Engine.
func (c *conn) Deadline() time.Time {
	d := c.session.Deadline()
	for _, at := range []time.Time{c.lookAt, c.expiresAt(), c.resumeAt} {
		if d.IsZero() || !at.IsZero() && at.Before(d) {
			d = at
		}
	}
	return d
}

// Flush implements transport.Engine: what has come for the client goes to the session, and out.
func (c *conn) Flush(dst []byte) []byte {
	c.answerLogin()
	for _, o := range c.mail.outcomes.Take() {
		c.answer(o)
	}
	for _, s := range c.mail.settlements.Take() {
		c.answerSettlement(s)
	}
	for _, m := range c.mail.commits.Take() {
		c.answerCommit(m)
	}
	c.sayStolen()
	c.sayRevoked()
	c.sayDismissed()
	dst = c.session.Flush(dst)
	c.repayCredit()
	return dst
}

// Closed implements transport.Engine.
func (c *conn) Closed() bool { return c.session.Closed() }

// Drain implements transport.Engine.
func (c *conn) Drain(now time.Time) {
	c.session.Disconnect(now, &session.Refusal{Message: messages[router.Stopping], Detail: "the server is stopping"})
}

// refuse ends the session because of a request.
func (c *conn) refuse(r session.Receipt, err error) { c.session.Fail(time.Now(), r, refusalOf(err)) }

// Disconnected implements session.Handler. It gives back everything before the client is told goodbye: what was never
// written is released, what the client may have seen comes back to its node marked.
func (c *conn) Disconnected(why *session.Refusal) {
	c.refusal = why
	for s := range c.links {
		s.ended = true
	}
	c.takeArrivals()
	for s := range c.links {
		c.releaseWaiting(s)
		c.disown(s)
		s.link.Close()
	}
	for _, s := range c.senders {
		s.link.Close()
	}
	for _, t := range c.temporaries {
		t.release()
	}
	c.links, c.senders, c.sending, c.temporaries = nil, nil, nil, nil
}

// end is called when the connection is over. Nothing comes any more but what was already on its way.
func (c *conn) end() {
	c.session.Lost()
	c.takeArrivals()
	c.visit.Leave()
}
