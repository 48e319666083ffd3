package stomp

import (
	"strings"

	"github.com/manifoldmq/manifold/addressing"
	"github.com/manifoldmq/manifold/router"
)

// place is what a destination header names.
type place struct {
	prefix       string          // of the destination, as it was written; may be empty
	name         string          // what follows it
	subscription string          // the durable subscription that "::" names; empty for none
	kind         addressing.Kind // that the prefix asserts
	own          bool            // it is a temporary address of the connection
}

// prefixes assert the kind of an address, or make a temporary one.
var prefixes = []place{
	{prefix: "/queue/", kind: addressing.Queue},
	{prefix: "/topic/", kind: addressing.Topic},
	{prefix: "/anycast/", kind: addressing.Anycast},
	{prefix: "/broadcast/", kind: addressing.Broadcast},
	{prefix: "/temp-queue/", kind: addressing.Queue, own: true},
	{prefix: "/temp-topic/", kind: addressing.Topic, own: true},
	{prefix: "/"},
}

// parseDestination takes a destination apart. One without a prefix is an address of whatever kind.
func parseDestination(text string) place {
	for _, p := range prefixes {
		if name, ok := strings.CutPrefix(text, p.prefix); ok {
			p.name = name
			return p
		}
	}
	return place{name: text}
}

// parseSource is parseDestination where "::" may follow, and the name of a durable subscription.
func parseSource(text string) place {
	p := parseDestination(text)
	if i := strings.LastIndex(p.name, "::"); i >= 0 && !p.own && !strings.Contains(p.name[i:], "/") {
		p.name, p.subscription = p.name[:i], p.name[i+len("::"):]
	}
	return p
}

// temporary is an address that lasts as long as the connection.
type temporary struct {
	address addressing.Address
	release func()
}

// temporary gives the address of a temporary queue or topic of the connection, a new one for a new name.
func (c *conn) temporary(p place) (addressing.Address, error) {
	key := p.prefix + p.name
	if t, ok := c.temporaries[key]; ok {
		return t.address, nil
	}
	if len(c.temporaries) >= c.server.config.Limits.MaxTemporaries {
		return "", router.Errorf(router.Quota,
			"the client has %d temporary destinations (stomp.maxTemporaries)", len(c.temporaries))
	}
	make := c.server.config.Router.Temporary
	if p.kind == addressing.Topic {
		make = c.server.config.Router.TemporaryTopic
	}
	var t temporary
	t.address, t.release = make(c.user)
	if c.temporaries == nil {
		c.temporaries = map[string]temporary{}
	}
	c.temporaries[key] = t
	return t.address, nil
}

// target gives what a destination means to a sender.
func (c *conn) target(destination string) (router.Target, error) {
	p := parseDestination(destination)
	t := router.Target{Kind: p.kind, Origin: c.origin()}
	var err error
	if p.own {
		t.Address, err = c.temporary(p)
		return t, err
	}
	if t.Address, err = addressing.ParseAddress(p.name); err != nil {
		return t, router.Errorf(router.Malformed, "destination: %v", err)
	}
	return t, nil
}

// filter gives what a destination means to a subscription: "*" is one level, "#" the rest.
func (c *conn) filter(p place) (addressing.Filter, error) {
	if p.own {
		a, err := c.temporary(p)
		return a.Filter(), err
	}
	f, err := addressing.ParseFilter(p.name)
	if err != nil {
		return f, router.Errorf(router.Malformed, "destination: %v", err)
	}
	return f, nil
}

// reference gives the address that a header such as reply-to refers to, for those who are not on this connection.
func (c *conn) reference(destination string) (string, error) {
	p := parseDestination(destination)
	if !p.own {
		return p.name, nil
	}
	a, err := c.temporary(p)
	return string(a), err
}

// origin names whose messages the client's are, for no-local.
func (c *conn) origin() any {
	if c.clientID != "" {
		return c.clientID
	}
	return &c.mail
}
