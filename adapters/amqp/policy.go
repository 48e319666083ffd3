package amqp

import (
	"cmp"
	"slices"
	"strings"

	"github.com/manifoldmq/manifold/addressing"
	"github.com/manifoldmq/manifold/router"
	codec "github.com/manifoldmq/manifold/router/amqp"
	"github.com/manifoldmq/manifold/router/amqp/engine"
	"github.com/manifoldmq/manifold/router/amqp/frame"
	"github.com/manifoldmq/manifold/router/transport/passage"
	"github.com/manifoldmq/manifold/tenancy/vhost"
)

// What clients are told of whom the policy refuses something, as Qpid Dispatch Router says it.
const (
	connectionDisallowed = "connection disallowed by local policy"
	linkDisallowed       = "link disallowed by local policy"
)

// oversize ends the connection of a client that has sent a larger message than its group may.
var oversize = &frame.Error{Condition: frame.ConnectionForced, Description: "Message size exceeded"}

// comeUnder has the client come in by the virtual host that it asks for, and gives its addresses a name space of their own if the
// entrance does so. It is false when the client may not come in.
func (c *conn) comeUnder(o *frame.Open) bool {
	e, host := &c.server.entrance, o.Hostname
	if policy := c.server.config.Policy; policy != nil {
		at := c.login.visitor.Address
		visit, err := policy.Enter(vhost.Arrival{
			Host: cmp.Or(e.VirtualHost, host), User: c.user.User, Address: at.Addr(), Connection: at.String(), Spaced: e.MultiTenant,
		})
		if err != nil {
			c.server.config.Log.Info("a connection is denied", "peer", at, "user", c.user.User, "vhost", cmp.Or(e.VirtualHost, host), "err", err)
			return false
		}
		c.user.Policy, host = visit, visit.Host()
		c.confine(visit)
	}
	if e.MultiTenant && host != "" {
		c.space = host + "/"
	}
	f, err := addressing.ParseFilter(c.space + "x")
	_, literal := f.Literal()
	return err == nil && literal // so that nobody's name space is a pattern of others'
}

// confine has the settings of a group hold in place of those of the entrance.
func (c *conn) confine(v *vhost.Visit) {
	limits, g := c.server.config.Limits.ConnectionLimits, v.Group()
	if g.MaxFrameSize > 0 {
		limits.MaxFrameSize = uint32(min(max(g.MaxFrameSize, frame.MinMaxSize), maxFrame))
	}
	if g.MaxSessions > 0 {
		limits.ChannelMax = uint16(min(g.MaxSessions, 1<<16) - 1)
	}
	if g.MaxSessionWindow > 0 {
		limits.IncomingBytes = g.MaxSessionWindow
		limits.IncomingWindow = uint32(max(2, g.MaxSessionWindow/int(limits.MaxFrameSize)))
	}
	if most := v.MaxMessageSize(); most > 0 {
		limits.MaxMessageSize, limits.TooLarge = min(limits.MaxMessageSize, uint64(most)), oversize
	}
	c.Limit(&limits)
}

// maxFrame is the largest frame that a group may allow.
const maxFrame = 16 << 20

// disallow answers the open of a client that may not come in.
func (c *conn) disallow() {
	c.Open(frame.Open{})
	c.Close(&frame.Error{Condition: frame.ResourceLimitExceeded, Description: connectionDisallowed})
}

// mayAttach tells why the policy refuses a link whatever its address is, which is for the router to look at; nil if it does not.
func (c *conn) mayAttach(l *engine.Link) *frame.Error {
	v := c.user.Policy
	if v == nil {
		return nil
	}
	sends := l.Role() == frame.Receiver
	switch {
	case !v.HasRoom(c.Links(l.Role())-1, sends):
		v.DeniesLink(sends)
		return &frame.Error{Condition: frame.ResourceLimitExceeded, Description: linkDisallowed}
	case !allows(v.Group(), l.Remote()):
		v.DeniesLink(sends)
		return &frame.Error{Condition: frame.UnauthorizedAccess, Description: linkDisallowed}
	}
	return nil
}

// allows tells whether a group may have links of the kind of one.
func allows(g *vhost.Group, a *frame.Attach) bool {
	if a.Role == frame.Receiver {
		switch s := a.Source; {
		case s == nil, s.Address == "" && !s.Dynamic:
			return false
		case s.Dynamic:
			return g.AllowDynamicSource
		default:
			return allowsAs(g, s.Capabilities)
		}
	}
	switch t := a.Target; {
	case a.Coordinator != nil, t == nil, t.Address == "" && !t.Dynamic:
		return g.AllowAnonymousSender
	default:
		return allowsAs(g, t.Capabilities)
	}
}

// Capabilities of a terminus by which a client says that it stores what is sent to an address, or takes what nobody else does.
const (
	waypointCapability = "qd.waypoint"
	fallbackCapability = "qd.fallback"
)

func allowsAs(g *vhost.Group, capabilities []codec.Symbol) bool {
	has := func(start string) bool {
		return slices.ContainsFunc(capabilities, func(s codec.Symbol) bool { return strings.HasPrefix(string(s), start) })
	}
	return !(g.DenyWaypointLinks && has(waypointCapability)) && !(g.DenyFallbackLinks && has(fallbackCapability))
}

// refused tells a client why it cannot have a link. Of one whose address the policy does not let it use that is counted.
func (c *conn) refused(l *engine.Link, err error) *frame.Error {
	if v := c.user.Policy; v != nil && router.ReasonOf(err) == router.Denied {
		v.DeniesLink(l.Role() == frame.Receiver)
		return &frame.Error{Condition: frame.UnauthorizedAccess, Description: linkDisallowed}
	}
	return c.server.config.Manner.refusal(err)
}

// countOversize counts the end of a connection whose client has sent a larger message than it may.
func (c *conn) countOversize(why engine.Ending) {
	if c.isIn && c.user.Policy != nil && why.By == engine.ByUs && why.Error == oversize {
		c.user.Policy.DeniesSize()
	}
}

// place gives an address as the router knows it that the client says: in the client's name space, unless it is in none.
func (c *conn) place(address string) string {
	if c.space == "" || address == "" {
		return address
	}
	if address = addressText(address); c.isBeyond(address) {
		return address
	}
	return c.space + address
}

// isBeyond tells whether an address is in no name space: of routers, or one that somebody has made for himself and told the client.
func (c *conn) isBeyond(address string) bool {
	return vhost.IsBeyond(address) || c.server.config.Router.IsTemporary(c.user, addressing.Address(address))
}

// bare gives an address as the client says it that is in its name space.
func (c *conn) bare(address string) string { return strings.TrimPrefix(address, c.space) }

// wish gives what a client's attach says, with the address as the router knows it.
func (c *conn) wish(a *frame.Attach) *frame.Attach {
	address, ok := passage.Address(a)
	if c.space == "" || !ok || a.Coordinator != nil || c.isBeyond(addressText(address)) {
		return a
	}
	placed := passage.Prefixed(*a, c.space)
	return &placed
}

// onward gives the way of a link whose address is in the client's name space, which the client does not say.
func (c *conn) onward(way passage.Way, a *frame.Attach) passage.Way {
	switch wished := c.wish(a); {
	case wished == a:
	case way.Remove == "":
		way.Add += c.space
	case len(way.Remove) >= len(c.space) && strings.HasPrefix(way.Remove, c.space):
		way.Remove = way.Remove[len(c.space):]
	case strings.HasPrefix(c.space, way.Remove):
		way.Remove, way.Add = "", way.Add+c.space[len(way.Remove):]
	default: // which is not at the front of the address
		way.Remove, way.Add = "", way.Add+c.space
	}
	return way
}
