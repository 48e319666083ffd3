package amqp

import (
	"time"

	"github.com/manifoldmq/manifold/router/amqp/engine"
	"github.com/manifoldmq/manifold/router/transport"
	"github.com/manifoldmq/manifold/router/transport/passage"
	"github.com/manifoldmq/manifold/router/wire"
	"github.com/manifoldmq/manifold/tenancy"
)

// conn is one connection: the engine that transport drives, and the links of its client. The driver's lock guards
// everything but mail, where other goroutines leave things.
type conn struct {
	*engine.Conn
	server   *Server
	login    *login
	user     *tenancy.Principal // nil before it is known
	visit    *tenancy.Visit     // from when it was let in
	isIn     bool               // it was let in
	space    string             // what addresses begin with at the router, and the client does not say
	expired  bool               // it has been told to leave
	draining []*outgoing        // links whose receiver waits for what is left
	drainAt  time.Time          // when to look again; zero for nobody
	creditAt time.Time          // when the client gets credit again, whose tenant has sent too much; zero when it does
	silentAt time.Time          // when the connection ends, unless its client says that it is there; zero for never
	stillAt  time.Time          // when to look for messages that have stopped half-way; zero while nobody has half of one
	mail     mail

	transactions map[string]*transaction // that are open, by their ids
	declared     uint64                  // transactions so far
	expireAt     time.Time               // when to look for one that is open for too long; zero for never
	delayed      []arrival               // that are not due yet, the first first
	sole         bool                    // it is the only connection of its container

	uploads wire.Uploads
	wake    func()
	desk    *passage.Desk // for links that lead on, or come from elsewhere
	guest   Guest         // what the network does over the connection; nil unless the client is a container
}

var (
	_ transport.Engine   = (*conn)(nil)
	_ tenancy.Connection = (*conn)(nil)
)

func newConn(s *Server, l *login, wake func(), now time.Time) *conn {
	c := &conn{server: s, login: l, wake: wake}
	l.verdicts.Init(wake)
	c.mail.init(wake, s.config.Limits.MaxQueuedBytes)
	var h engine.Handler = peer{c}
	if s.entrance.Containers != "" {
		h = hosting{peer{c}}
	}
	c.Conn = engine.NewServer(now, &s.config.Limits.ConnectionLimits, l.hello(s.config.ContainerID), passage.Handler(h))
	c.desk = passage.NewDesk(c.Conn, wake)
	c.SetTrace(s.config.Frames.Of(l.visitor.Address.String(), func() uint64 { return c.desk.Number }))
	return c
}

// Advance implements transport.Engine.
func (c *conn) Advance(now time.Time) error {
	if !c.drainAt.IsZero() && !now.Before(c.drainAt) {
		c.drainAt = time.Time{} // Flush, which follows, looks again
	}
	if !c.expireAt.IsZero() && !now.Before(c.expireAt) {
		c.expire(now)
	}
	if !c.stillAt.IsZero() && !now.Before(c.stillAt) {
		c.standstill()
	}
	if !c.creditAt.IsZero() && !now.Before(c.creditAt) {
		c.creditAt = time.Time{} // Flush, which follows, looks again
	}
	if !c.silentAt.IsZero() && !now.Before(c.silentAt) {
		c.fallSilent()
	}
	if at := c.expiresAt(); !at.IsZero() && !now.Before(at) {
		c.sayExpired()
	}
	if c.guest != nil {
		c.guest.Advance(now)
	}
	return c.Conn.Advance(now)
}

// Deadline implements transport.Engine.
func (c *conn) Deadline() time.Time {
	next := earliest(earliest(c.Conn.Deadline(), c.drainAt), earliest(c.expireAt, c.dueAt()))
	if c.guest != nil {
		next = earliest(next, c.guest.Deadline())
	}
	return earliest(earliest(next, c.creditAt), earliest(earliest(c.silentAt, c.stillAt), c.expiresAt()))
}

// earliest gives the earlier of two instants, of which one that is zero never comes.
func earliest(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}

// Flush implements transport.Engine: what has come for the client goes to the engine, and out.
func (c *conn) Flush(dst []byte) []byte {
	c.answerLogin()
	c.desk.Work()
	if c.guest != nil {
		c.guest.Work()
	}
	for _, f := range c.mail.findings.Take() {
		c.resume(f)
	}
	c.sendDue()
	for _, o := range c.mail.outcomes.Take() {
		o.link.answer(o)
	}
	for _, s := range c.mail.settlements.Take() {
		s.link.settled(s)
	}
	for _, x := range c.mail.commits.Take() {
		x.committed()
	}
	c.takeBack()
	c.passOnCredit()
	if len(c.mail.evictions.Take()) > 0 {
		c.leave()
	}
	c.sayStolen()
	c.sayDismissed()
	c.sendArrivals()
	c.sayRevoked()
	for _, out := range c.mail.streams.Take() {
		out.download.Continue()
	}
	c.uploads.Continue(c.mail.rooms.Take())
	c.watchStreams()
	c.finishDrains()
	dst = c.Conn.Flush(dst)
	c.visit.Note()
	c.desk.Written()
	return dst
}

// end gives back everything when the connection is over.
func (c *conn) end() {
	c.Lost()
	c.desk.Close()
	if c.guest != nil {
		c.guest.Leave()
	}
	c.sendArrivals()
	c.visit.Leave()
	if c.user != nil {
		c.user.Policy.Leave()
	}
	c.server.config.Frames.Forget(c.desk.Number)
}
