package mqtt

import (
	"net"
	"sync/atomic"
	"time"

	"github.com/manifoldmq/manifold/adapters/mqtt/internal/session"
	"github.com/manifoldmq/manifold/router/transport"
	"github.com/manifoldmq/manifold/tenancy"
)

// conn is one connection: the engine that transport drives and, once it is let in, the session of its client id. The
// driver's lock guards everything but the flags, which other goroutines raise.
type conn struct {
	server  *Server
	session *session.Session
	login   *login // nil once the client is in, unless it may have to show again who it is
	nc      net.Conn
	wake    func()

	*client                         // nil until it has its seat
	user         *tenancy.Principal // nil until it is known who it is
	visit        *tenancy.Visit     // from when it was let in
	id           string             // the client id, from then on
	request      *session.Connect   // from then until the client is let in
	proof        []byte             // what enhanced authentication adds to CONNACK
	firstReceipt session.Receipt    // of this connection
	subscribing  int                // SUBSCRIBEs without their SUBACK: what they bring waits for that
	over         bool               // the engine has said its last word
	withheld     withheld           // what it does not write yet
	giveUpAt     time.Time          // when a client that cannot be told no is disconnected; zero for never
	hurryAt      time.Time          // while it waits for its seat: when the one that has it is cut off
	pace         *pace              // at which it is read from; nil for any
	resumeAt     time.Time          // when it is read from again because it was too fast; zero when it is

	dismissed atomic.Uint32 // a tenancy.Dismissal: why it is sent away; 0 while it is not

	evicted atomic.Bool // the client id has gone to another connection
	seated  atomic.Bool // it is this connection's turn to have it
	reports atomic.Bool // there are new figures for the topics below $SYS
}

var (
	_ transport.Engine   = (*conn)(nil)
	_ session.Handler    = (*conn)(nil)
	_ tenancy.Connection = (*conn)(nil)
)

func newConn(s *Server, nc net.Conn, l *login, wake func(), now time.Time) *conn {
	c := &conn{server: s, nc: nc, login: l, wake: wake, pace: newPace(&s.config.Limits)}
	l.verdicts.Init(wake)
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
		c.session.Disconnect(session.Notice{Code: session.QuotaExceeded})
	}
	if !c.hurryAt.IsZero() && !now.Before(c.hurryAt) {
		c.hurryAt = time.Time{}
		c.server.hurry(c)
	}
	if at := c.expiresAt(); !at.IsZero() && !now.Before(at) {
		c.session.Disconnect(session.Notice{Code: session.NotAuthorized, Text: "the token has expired"})
	}
	if !c.resumeAt.IsZero() && !now.Before(c.resumeAt) {
		c.resumeAt = time.Time{}
		c.session.Resume()
	}
	return c.session.Advance(now)
}

// Deadline implements transport.Engine.
func (c *conn) Deadline() time.Time {
	next := earlier(earlier(c.session.Deadline(), c.resumeAt), earlier(c.giveUpAt, c.hurryAt))
	return earlier(next, c.expiresAt())
}

// expiresAt is when the client has to leave, unless it shows again who it is; zero for never.
func (c *conn) expiresAt() time.Time {
	if c.user == nil || c.over {
		return time.Time{}
	}
	return c.user.Expires()
}

// Flush implements transport.Engine: what has come for the client goes to the session, and out.
func (c *conn) Flush(dst []byte) []byte {
	if c.evicted.Load() {
		c.session.Disconnect(session.Notice{Code: session.SessionTakenOver})
	}
	if why := c.dismissed.Load(); why != 0 {
		c.sayDismissed(tenancy.Dismissal(why))
	}
	if c.login != nil {
		c.answerLogin()
	}
	if c.client == nil || c.over {
		return c.session.Flush(dst)
	}
	for _, run := range c.mail.errands.Take() {
		run(c)
	}
	if c.request != nil {
		return c.session.Flush(dst)
	}
	for _, o := range c.mail.outcomes.Take() {
		c.answer(o)
	}
	if c.subscribing == 0 {
		c.deliverArrivals()
	}
	c.takeRevocations()
	if c.reports.Load() && c.reports.CompareAndSwap(true, false) {
		c.report(false)
	}
	dst = c.flush(dst)
	c.repayCredit()
	return dst
}

// Closed implements transport.Engine.
func (c *conn) Closed() bool { return c.session.Closed() }

// Drain implements transport.Engine.
func (c *conn) Drain(time.Time) { c.session.Disconnect(c.server.elsewhere(session.ServerShuttingDown)) }

// Dismiss implements tenancy.Connection.
func (c *conn) Dismiss(why tenancy.Dismissal) {
	c.dismissed.Store(uint32(why))
	c.wake()
}

// sayDismissed disconnects a client that is sent away (section 3.14.2.1).
func (c *conn) sayDismissed(why tenancy.Dismissal) {
	code := session.AdministrativeAction
	if why == tenancy.NotWelcome {
		code = session.NotAuthorized
	}
	c.session.Disconnect(session.Notice{Code: code, Text: why.String()})
}

// Disconnected implements session.Handler.
func (c *conn) Disconnected(d session.Disconnected) {
	c.over = true
	if c.client == nil {
		return
	}
	if c.request != nil { // it was never let in
		c.will = nil
		return
	}
	c.memory = d.Memory
	c.expiry = c.server.config.Limits.expiry(d.SessionExpiry)
	if !d.Will {
		c.will = nil
	}
}

// end is called when the connection is over. A session that outlives it is parked at its seat, any other one is ended: what
// was never written is released, what the client may have seen comes back to its node marked, and the will is published.
func (c *conn) end() {
	c.endLogin()
	c.session.Lost()
	c.visit.Leave()
	if c.user == nil {
		return
	}
	if c.client != nil {
		c.mail.waker.Store(nil)
		c.server.removeWatcher(c)
		c.part(time.Now())
	}
	c.server.leave(c.key(), c)
}

// part leaves the session as it is to be without a connection.
func (c *conn) part(now time.Time) {
	owner := c.client
	if !owner.outlives() {
		owner.end()
		if owner.will != nil {
			owner.publishWill()
		}
		return
	}
	owner.park()
	if owner.will != nil && owner.will.Delay == 0 {
		owner.publishWill()
	}
	owner.schedule(now)
	owner.keepParted(now)
}

// raise raises a flag and tells the connection.
func (c *conn) raise(flag *atomic.Bool) {
	flag.Store(true)
	c.wake()
}
