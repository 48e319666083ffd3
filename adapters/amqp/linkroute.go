package amqp

import (
	"strings"
	"time"

	"github.com/manifoldmq/manifold/addressing"
	"github.com/manifoldmq/manifold/router"
	"github.com/manifoldmq/manifold/router/amqp/engine"
	"github.com/manifoldmq/manifold/router/amqp/frame"
	"github.com/manifoldmq/manifold/router/transport/passage"
	"github.com/manifoldmq/manifold/tenancy"
)

// Network is where links lead that are not for the gateway itself.
type Network interface {
	// RouteLink tells along which way a link goes that a client of a tenant wants, but for its name and owner there, or
	// why the client cannot have it. routed is false when it is for the gateway itself.
	RouteLink(tenant string, a *frame.Attach) (way passage.Way, refusal *frame.Error, routed bool)
	// Inquire has the network find out whether a link leads on that a client of a tenant wants, where RouteLink does not know.
	// It is false when there is nothing to find out. Otherwise done is called once, from any goroutine, with the way as of
	// RouteLink; it must not block.
	Inquire(tenant string, a *frame.Attach, done func(way passage.Way, leads bool)) bool
	// Host begins to use the connection of a client of a tenant that is a container, at an entrance for such. wake has Work
	// called.
	Host(entrance, tenant string, c *engine.Conn, desk *passage.Desk, wake func()) Guest
}

// Guest is what the network does over the connection of a container. It hears of the links that it attaches. The
// connection's owner calls its methods.
type Guest interface {
	engine.Handler
	Work()                 // before Flush
	Advance(now time.Time) // before the connection's
	Deadline() time.Time   // of Advance; zero for never
	Leave()                // when the connection is over
}

// Desk is where links lead on to the client, or come from it.
func (c *conn) Desk() *passage.Desk { return c.desk }

// route has a link go on along its way, if it has one, or be looked at again when that is known. It is false when the link is
// for the gateway itself.
func (c *conn) route(l *engine.Link) bool {
	if c.server.config.Network == nil {
		return false
	}
	tenant := c.user.Tenant.Name
	way, refusal, routed := c.server.config.Network.RouteLink(tenant, c.wish(l.Remote()))
	switch {
	case !routed:
		return c.inquire(l)
	case refusal != nil:
		l.Refuse(refusal)
	default:
		c.lead(l, way)
	}
	return true
}

// lead has a link go on along its way, if its client may have one.
func (c *conn) lead(l *engine.Link, way passage.Way) {
	if refusal := c.mayRoute(l); refusal != nil {
		l.Refuse(refusal)
		return
	}
	way = c.onward(way, l.Remote())
	meter, err := newFare(c.user)
	if err != nil {
		l.Refuse(c.server.config.Manner.refusal(err))
		return
	}
	tenant := c.user.Tenant.Name
	way.Name, way.Owner, way.Meter = nameThere(l.Name(), c.Remote().ContainerID, tenant), tenant, meter
	c.desk.Pass(l, way)
}

// nameThere gives the name of a link where it leads on. That of another tenant than the default one ends with the tenant's, and
// no other does: what the container at the end keeps for a link by its name is never found by another tenant's client.
func nameThere(name, container, tenant string) string {
	const mark = "@@"
	name += "@" + container
	if tenant == tenancy.DefaultTenant && !strings.Contains(name, mark) {
		return name
	}
	return name + mark + tenant
}

// mayRoute tells why the client may not have a link that leads on; nil if it may. Who may attach one to an address may do
// what the container at its end lets it; a coordinator changes nothing by itself.
func (c *conn) mayRoute(l *engine.Link) *frame.Error {
	a := l.Remote()
	address, _ := passage.Address(a)
	right := tenancy.Receive
	if a.Role == frame.Sender {
		right = tenancy.Send
	}
	if a.Coordinator != nil {
		return nil
	}
	f, err := addressing.ParseFilter(addressText(c.place(address)))
	if err != nil || !c.user.May(right, f) {
		if c.user.Policy != nil {
			return c.refused(l, router.Errorf(router.Denied, linkDisallowed))
		}
		return &frame.Error{Condition: frame.UnauthorizedAccess, Description: "no right to " + right.String() + " there"}
	}
	return nil
}

// hosting is the connection of a container as the engine's events find it: those of links that its client has not attached
// are the guest's.
type hosting struct{ peer }

var _ engine.Handler = hosting{}

// Opened implements engine.Handler.
func (c hosting) Opened(o *frame.Open) {
	c.peer.Opened(o)
	if c.isIn {
		c.guest = c.server.config.Network.Host(c.server.entrance.Containers, c.user.Tenant.Name, c.Conn, c.desk, c.wake)
	}
}

// ours tells whether a link is the door's.
func (c hosting) ours(l *engine.Link) bool {
	_, ok := l.Context.(linkEnd)
	return ok
}

// Attached implements engine.Handler.
func (c hosting) Attached(l *engine.Link) { c.guest.Attached(l) }

// Drained implements engine.Handler.
func (c hosting) Drained(l *engine.Link) { c.guest.Drained(l) }

// Detached implements engine.Handler.
func (c hosting) Detached(l *engine.Link, d engine.Detachment) {
	if c.ours(l) {
		c.peer.Detached(l, d)
	} else {
		c.guest.Detached(l, d)
	}
}

// Sendable implements engine.Handler.
func (c hosting) Sendable(l *engine.Link) {
	if c.ours(l) {
		c.peer.Sendable(l)
	} else {
		c.guest.Sendable(l)
	}
}

// Received implements engine.Handler.
func (c hosting) Received(l *engine.Link, t *engine.Transfer) {
	if c.ours(l) {
		c.peer.Received(l, t)
	} else {
		c.guest.Received(l, t)
	}
}

// Progressed implements engine.Handler.
func (c hosting) Progressed(l *engine.Link, u engine.Update) {
	if c.ours(l) {
		c.peer.Progressed(l, u)
	} else {
		c.guest.Progressed(l, u)
	}
}
