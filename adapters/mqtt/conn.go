package mqtt

import (
	"context"
	"time"

	"github.com/manifoldmq/manifold/adapters/mqtt/internal/session"
	"github.com/manifoldmq/manifold/router/transport"
	"github.com/manifoldmq/manifold/tenancy"
)

// conn is one connection: the engine that transport drives, and the links of its client. The driver's lock guards
// everything but mail, where other goroutines leave things.
type conn struct {
	server  *Server
	session *session.Session
	login   *login
	key     clientKey
	user    *tenancy.Principal // nil before it is known

	senders       map[string]*sender // by topic name
	subscriptions map[string]*subscription
	inbox         []arrival // taken from arrivals and not yet given to the session
	owing         []*subscription
	giveUpAt      time.Time // when a client that cannot be told no is disconnected; zero for never
	will          *session.Will

	mail mail
}

var (
	_ transport.Engine = (*conn)(nil)
	_ session.Handler  = (*conn)(nil)
)

func newConn(s *Server, l *login, wake func(), now time.Time) *conn {
	c := &conn{server: s, login: l}
	l.verdicts.Init(wake)
	c.mail.init(wake, s.config.Limits.MaxQueuedBytes)
	c.session = session.New(now, &s.config.Limits.SessionLimits, c)
	return c
}

// Feed implements transport.Engine.
func (c *conn) Feed(now time.Time, p []byte) error { return c.session.Feed(now, p) }

// Ready implements transport.Engine.
func (c *conn) Ready() bool { return c.session.Ready() }

// Advance implements transport.Engine.
func (c *conn) Advance(now time.Time) error {
	if !c.giveUpAt.IsZero() && !now.Before(c.giveUpAt) {
		c.giveUpAt = time.Time{}
		c.session.Disconnect(session.QuotaExceeded)
	}
	return c.session.Advance(now)
}

// Deadline implements transport.Engine.
func (c *conn) Deadline() time.Time {
	d := c.session.Deadline()
	if !c.giveUpAt.IsZero() && (d.IsZero() || c.giveUpAt.Before(d)) {
		return c.giveUpAt
	}
	return d
}

// Flush implements transport.Engine: what has come for the client goes to the session, and out.
func (c *conn) Flush(dst []byte) []byte {
	c.answerLogin()
	if c.mail.evicted.Load() {
		c.session.Disconnect(session.SessionTakenOver)
	}
	for _, o := range c.mail.outcomes.Take() {
		c.answer(o)
	}
	c.deliverArrivals()
	dst = c.session.Flush(dst)
	c.repayCredit()
	return dst
}

// Closed implements transport.Engine.
func (c *conn) Closed() bool { return c.session.Closed() }

// Drain implements transport.Engine.
func (c *conn) Drain(time.Time) { c.session.Disconnect(session.ServerShuttingDown) }

// Disconnected implements session.Handler.
func (c *conn) Disconnected(d session.Disconnected) {
	if !d.Will {
		c.will = nil
	}
}

// end gives back everything when the connection is over: what was never written is released, what the client may have
// seen comes back to its node marked, and the will is published.
func (c *conn) end() {
	c.session.Lost()
	c.server.leave(c)
	for _, s := range c.subscriptions {
		s.ended = true
	}
	c.deliverArrivals()
	for _, s := range c.subscriptions {
		s.link.Close()
	}
	for _, s := range c.senders {
		s.link.Close()
	}
	if c.will != nil {
		c.publishWill(context.Background())
	}
}
