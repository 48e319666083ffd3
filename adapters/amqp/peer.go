package amqp

import (
	"github.com/manifoldmq/manifold/router"
	codec "github.com/manifoldmq/manifold/router/amqp"
	"github.com/manifoldmq/manifold/router/amqp/engine"
	"github.com/manifoldmq/manifold/router/amqp/frame"
)

// peer is the connection as the engine's events find it.
type peer struct{ *conn }

var _ engine.Handler = peer{}

// Authenticate implements engine.Handler. Credentials of a tenant that only open will name are judged there.
func (c peer) Authenticate(a engine.Authentication) {
	if a.Mechanism == engine.Plain {
		plain, err := engine.ParsePlain(a.Response)
		if err != nil {
			c.Deny(frame.SASLAuth)
			return
		}
		c.shown.User = plain.User
	}
	c.shown.Tenant = c.server.tenantOf(a.Hostname)
	if _, err := c.server.config.Directory.Authenticate(c.shown); err != nil {
		c.Deny(frame.SASLAuth)
		return
	}
	c.Admit(nil)
}

// relayCapability tells that a sender may leave its target's address out and say "to" in each message.
const relayCapability codec.Symbol = "ANONYMOUS-RELAY"

// Opened implements engine.Handler.
func (c peer) Opened(o *frame.Open) {
	if tenant := c.server.tenantOf(o.Hostname); tenant != "" {
		if c.shown.Tenant != "" && c.shown.Tenant != tenant {
			c.refuseOpen()
			return
		}
		c.shown.Tenant = tenant
	}
	user, err := c.server.config.Directory.Authenticate(c.shown)
	if err != nil {
		c.refuseOpen()
		return
	}
	c.user = user
	properties := codec.BeginFields(nil)
	properties.String("product", "manifold")
	properties.String("version", c.server.config.Version)
	c.Open(frame.Open{OfferedCapabilities: []codec.Symbol{relayCapability}, Properties: properties.End()})
}

func (c *conn) refuseOpen() {
	c.Open(frame.Open{})
	c.Close(&frame.Error{
		Condition: conditions[router.Unauthenticated], Description: "credentials are required or wrong",
	})
}

// Closed implements engine.Handler.
func (c peer) Closed(engine.Ending) {}

// Begun implements engine.Handler.
func (c peer) Begun(*engine.Session) {}

// Ended implements engine.Handler.
func (c peer) Ended(*engine.Session, *frame.Error) {}

// Requested implements engine.Handler.
func (c peer) Requested(l *engine.Link) {
	var err error
	if l.Role() == frame.Receiver {
		err = c.attachIncoming(l)
	} else {
		err = c.attachOutgoing(l)
	}
	if err != nil {
		l.Refuse(errorOf(err))
	}
}

// Attached implements engine.Handler; we attach no links of our own.
func (c peer) Attached(*engine.Link) {}

// Drained implements engine.Handler; we drain nobody.
func (c peer) Drained(*engine.Link) {}

// linkEnd is what both kinds of links are told in the same way.
type linkEnd interface{ detached(engine.Detachment) }

// Detached implements engine.Handler.
func (c peer) Detached(l *engine.Link, d engine.Detachment) {
	if end, ok := l.Context.(linkEnd); ok {
		end.detached(d)
	}
}

// Sendable implements engine.Handler.
func (c peer) Sendable(l *engine.Link) { l.Context.(*outgoing).creditChanged() }

// Received implements engine.Handler.
func (c peer) Received(l *engine.Link, t *engine.Transfer) { l.Context.(*incoming).received(t) }

// Progressed implements engine.Handler.
func (c peer) Progressed(l *engine.Link, u engine.Update) {
	if out, ok := l.Context.(*outgoing); ok {
		out.progressed(u)
	}
}
