package amqp

import (
	"time"

	"github.com/manifoldmq/manifold/router/amqp/engine"
	"github.com/manifoldmq/manifold/router/transport"
	"github.com/manifoldmq/manifold/tenancy"
)

// conn is one connection: the engine that transport drives, and the links of its client. The driver's lock guards
// everything but mail, where other goroutines leave things.
type conn struct {
	*engine.Conn
	server   *Server
	shown    tenancy.Credentials // by SASL
	user     *tenancy.Principal
	draining []*outgoing // links whose receiver waits for what is left
	drainAt  time.Time   // when to look again; zero for nobody
	mail     mail
}

var _ transport.Engine = (*conn)(nil)

func newConn(s *Server, wake func(), now time.Time) *conn {
	c := &conn{server: s}
	c.mail.init(wake, s.config.Limits.MaxQueuedBytes)
	c.Conn = engine.NewServer(now, &s.config.Limits.ConnectionLimits, s.hello, peer{c})
	return c
}

// Advance implements transport.Engine.
func (c *conn) Advance(now time.Time) error {
	if !c.drainAt.IsZero() && !now.Before(c.drainAt) {
		c.drainAt = time.Time{} // Flush, which follows, looks again
	}
	return c.Conn.Advance(now)
}

// Deadline implements transport.Engine.
func (c *conn) Deadline() time.Time {
	d := c.Conn.Deadline()
	if !c.drainAt.IsZero() && (d.IsZero() || c.drainAt.Before(d)) {
		return c.drainAt
	}
	return d
}

// Flush implements transport.Engine: what has come for the client goes to the engine, and out.
func (c *conn) Flush(dst []byte) []byte {
	for _, o := range c.mail.outcomes.Take() {
		o.link.answer(o)
	}
	for _, s := range c.mail.settlements.Take() {
		s.link.settled(s)
	}
	for _, in := range c.mail.credits.Take() {
		in.link.Grant(int(in.credit.Swap(0)))
	}
	c.sayStolen()
	c.sendArrivals()
	c.finishDrains()
	return c.Conn.Flush(dst)
}

// end gives back everything when the connection is over.
func (c *conn) end() {
	c.Lost()
	c.sendArrivals()
}
