package amqp

import (
	"bytes"

	"github.com/manifoldmq/manifold/router/amqp/engine"
	"github.com/manifoldmq/manifold/router/amqp/frame"
)

// peer is the connection as the engine's events find it.
type peer struct{ *conn }

var (
	_ engine.Handler  = peer{}
	_ engine.Farewell = peer{}
)

// Opened implements engine.Handler.
func (c peer) Opened(o *frame.Open) {
	user, err := c.enter(o)
	if err == nil {
		c.user = user.As(o.ContainerID)
		c.user.About = bytes.Clone(o.Properties)
		if !c.comeUnder(o) {
			c.disallow()
			return
		}
		c.visit, err = c.login.directory.Enter(c.login.visitor, c.user, c)
	}
	if err != nil {
		c.refuseOpen(err)
		return
	}
	c.isIn = true
	c.desk.Number = c.visit.ID()
	c.welcome(o)
}

// Closed implements engine.Handler.
func (c peer) Closed(why engine.Ending) {
	c.countOversize(why)
	if c.sole {
		c.server.containers.release(c.conn)
	}
}

// Begun implements engine.Handler.
func (c peer) Begun(*engine.Session) {}

// Ended implements engine.Handler.
func (c peer) Ended(*engine.Session, *frame.Error) {}

// Requested implements engine.Handler.
func (c peer) Requested(l *engine.Link) {
	if refusal := c.mayAttach(l); refusal != nil {
		l.Refuse(refusal)
		return
	}
	if !c.route(l) {
		c.attach(l)
	}
}

// attach answers a client that wants a link which is for the gateway itself.
func (c *conn) attach(l *engine.Link) {
	var err error
	switch {
	case c.isHeartbeat(l):
		c.attachHeartbeat(l)
	case l.Role() == frame.Sender:
		err = c.attachOutgoing(l)
	case l.Remote().Coordinator != nil && c.server.config.Manner.coordinates() != nil:
		l.Refuse(c.server.config.Manner.coordinates())
	case l.Remote().Coordinator != nil:
		c.attachCoordinator(l)
	default:
		err = c.attachIncoming(l)
	}
	if err != nil {
		l.Refuse(c.refused(l, err))
	}
}

// Attached implements engine.Handler; we attach no links of our own.
func (c peer) Attached(*engine.Link) {}

// Drained implements engine.Handler.
func (c peer) Drained(l *engine.Link) {
	if in, ok := l.Context.(*incoming); ok && in.sender != nil {
		in.drained()
	}
}

// receiving is a link on which the client sends.
type receiving interface{ received(*engine.Transfer) }

// linkEnd is what both kinds of links are told in the same way.
type linkEnd interface{ detached(engine.Detachment) }

// Farewell implements engine.Farewell.
func (c peer) Farewell(l *engine.Link, d engine.Detachment) *frame.Error {
	if out, ok := l.Context.(*outgoing); ok {
		return out.farewell(d)
	}
	return nil
}

// Detached implements engine.Handler.
func (c peer) Detached(l *engine.Link, d engine.Detachment) {
	if end, ok := l.Context.(linkEnd); ok {
		end.detached(d)
	}
}

// Sendable implements engine.Handler.
func (c peer) Sendable(l *engine.Link) {
	if out, ok := l.Context.(*outgoing); ok {
		out.creditChanged()
	}
}

// Received implements engine.Handler.
func (c peer) Received(l *engine.Link, t *engine.Transfer) { l.Context.(receiving).received(t) }

// Progressed implements engine.Handler.
func (c peer) Progressed(l *engine.Link, u engine.Update) {
	if out, ok := l.Context.(*outgoing); ok {
		out.progressed(u)
	}
}
