package amqp

import (
	"testing"

	codec "github.com/manifoldmq/manifold/router/amqp"
	"github.com/manifoldmq/manifold/router/amqp/engine"
	"github.com/manifoldmq/manifold/router/amqp/frame"
	"github.com/manifoldmq/manifold/tenancy/vhost"
)

// underPolicy gives a test a house whose door has a policy of one virtual host, where everybody is in one group.
func underPolicy(t *testing.T, g vhost.Group, test func(h *house)) {
	g.Name, g.RemoteHosts = vhost.Default, []string{vhost.Anybody}
	policy, err := vhost.NewRegister(vhost.Policy{Hosts: []vhost.Host{{Name: "shop", AllowUnknownUser: true, Groups: []vhost.Group{g}}}})
	if err != nil {
		t.Fatal(err)
	}
	asDispatch(t, func(h *house) {
		h.server.config.Policy = policy
		test(h)
	})
}

var inShop = frame.Open{Hostname: "shop"}

func TestPolicyDeniesConnections(t *testing.T) {
	underPolicy(t, vhost.Group{}, func(h *house) {
		elsewhere := h.client(frame.Open{Hostname: "elsewhere"})
		elsewhere.until("the close", func() bool { return elsewhere.closed != nil })
		if e := elsewhere.closed.Error; e == nil || e.Condition != frame.ResourceLimitExceeded || e.Description != connectionDisallowed {
			t.Errorf("closed with %v", e)
		}
		c := h.client(inShop)
		if s := h.server.config.Policy.Stats()[0]; s.ConnectionsCurrent != 1 {
			t.Errorf("a connection is counted as %+v", s)
		}
		c.conn.Close(nil)
		c.until("the close", c.conn.Closed)
		h.server.entrance.VirtualHost = "shop"
		h.client(frame.Open{Hostname: "elsewhere"}).sender("commands/x")
	})
}

func TestPolicyLimitsLinks(t *testing.T) {
	one, two := 1, 2
	underPolicy(t, vhost.Group{MaxSenders: &two, MaxReceivers: &one, Sources: []string{"*"}, Targets: []string{"*"}}, func(h *house) {
		c := h.client(inShop)
		first := c.sender("commands/a")
		c.sender("commands/b")
		c.receiver("r", &frame.Source{Address: "commands/a", HasAddress: true})
		for _, l := range []*link{c.sender("commands/c"), c.receiver("s", &frame.Source{Address: "commands/b", HasAddress: true})} {
			if got := l.refusal(); got != frame.ResourceLimitExceeded || l.detached.Error.Description != linkDisallowed {
				t.Errorf("%s is refused with %v", l.Name(), l.detached.Error)
			}
		}
		if s := h.server.config.Policy.Stats()[0]; s.SenderDenied != 1 || s.ReceiverDenied != 1 || h.server.config.Policy.Totals().LinksDenied != 2 {
			t.Errorf("counted %+v", s)
		}
		first.Close(nil)
		first.refusal()
		if again := c.sender("commands/d"); again.detached != nil {
			t.Errorf("a link in place of one that has ended is refused with %v", again.detached.Error)
		}
	})
}

func TestPolicyAllowsKindsOfLinks(t *testing.T) {
	dynamic := frame.Attach{Name: "dynamic", Role: frame.Receiver, Source: &frame.Source{Dynamic: true}, Target: &frame.Target{}}
	relay := frame.Attach{Name: "relay", Role: frame.Sender, Source: &frame.Source{}, Target: &frame.Target{}}
	as := func(capability codec.Symbol) frame.Attach {
		return frame.Attach{Name: string(capability), Role: frame.Receiver, Target: &frame.Target{},
			Source: &frame.Source{Address: "commands/x", HasAddress: true, Capabilities: []codec.Symbol{capability}}}
	}
	waypoint, fallback := as("qd.waypoint_1"), as("qd.fallback")
	everywhere := vhost.Group{Sources: []string{"*"}, Targets: []string{"*"}}
	allowing := func(change func(*vhost.Group)) vhost.Group {
		g := everywhere
		change(&g)
		return g
	}
	for _, c := range []struct {
		what    string
		group   vhost.Group
		attach  frame.Attach
		refused bool
	}{
		{"dynamic", everywhere, dynamic, true},
		{"dynamic allowed", allowing(func(g *vhost.Group) { g.AllowDynamicSource = true }), dynamic, false},
		{"relay", everywhere, relay, true},
		{"relay allowed", allowing(func(g *vhost.Group) { g.AllowAnonymousSender = true }), relay, false},
		{"waypoint denied", allowing(func(g *vhost.Group) { g.DenyWaypointLinks = true }), waypoint, true},
		{"fallback denied", allowing(func(g *vhost.Group) { g.DenyFallbackLinks = true }), fallback, true},
		{"fallback beside waypoint", allowing(func(g *vhost.Group) { g.DenyFallbackLinks = true }), as("qd.other"), false},
		{"another source", vhost.Group{Sources: []string{"commands/x"}},
			frame.Attach{Name: "y", Role: frame.Receiver, Source: &frame.Source{Address: "commands/y", HasAddress: true}, Target: &frame.Target{}}, true},
		{"another target", vhost.Group{TargetPatterns: []string{"commands.*"}},
			frame.Attach{Name: "y", Role: frame.Sender, Source: &frame.Source{}, Target: &frame.Target{Address: "commands/a/b", HasAddress: true}}, true},
		{"this target", vhost.Group{TargetPatterns: []string{"commands.*"}},
			frame.Attach{Name: "y", Role: frame.Sender, Source: &frame.Source{}, Target: &frame.Target{Address: "commands/a", HasAddress: true}}, false},
	} {
		underPolicy(t, c.group, func(h *house) {
			l := h.client(inShop).attach(c.attach, nil)
			if !c.refused {
				if l.detached != nil {
					t.Errorf("%s is refused with %v", c.what, l.detached.Error)
				}
				return
			}
			if got := l.refusal(); got != frame.UnauthorizedAccess || l.detached.Error.Description != linkDisallowed {
				t.Errorf("%s is refused with %v", c.what, l.detached.Error)
			}
		})
	}
}

// TestMessageOfARelayIsJudged: it may not go where a link may not.
func TestMessageOfARelayIsJudged(t *testing.T) {
	underPolicy(t, vhost.Group{AllowAnonymousSender: true, Targets: []string{"commands/x"}}, func(h *house) {
		relay := h.client(inShop).attach(frame.Attach{Name: "relay", Role: frame.Sender, Source: &frame.Source{}, Target: &frame.Target{}}, nil)
		properties := codec.Properties{To: "commands/y"}
		state := relay.answer(relay.send(engine.Delivery{Payload: append(properties.Append(nil), text("x")...)}))
		if state.Kind != frame.Rejected || state.Error.Condition != frame.UnauthorizedAccess {
			t.Errorf("it is %v, %v", state.Kind, state.Error)
		}
	})
}

func TestOpenSaysTheLimitsOfTheGroup(t *testing.T) {
	underPolicy(t, vhost.Group{MaxFrameSize: 9000, MaxSessions: 3, MaxSessionWindow: 90_000}, func(h *house) {
		if open := h.client(inShop).open; open.MaxFrameSize != 9000 || open.ChannelMax != 2 {
			t.Errorf("frames of %d, sessions up to %d", open.MaxFrameSize, open.ChannelMax)
		}
	})
}

func TestOversizeEndsTheConnection(t *testing.T) {
	most := int64(1000)
	for _, frameSize := range []int{0, 512} { // in one frame, and in several
		underPolicy(t, vhost.Group{MaxFrameSize: frameSize, MaxMessageSize: &most, Sources: []string{"*"}, Targets: []string{"*"}}, func(h *house) {
			receiver := h.client(inShop).receiver("r", &frame.Source{Address: "commands/x", HasAddress: true})
			receiver.Grant(10)
			receiver.client.flush()
			c := h.client(inShop)
			l := c.sender("commands/x")
			l.Remote().MaxMessageSize = 0 // of which there are clients that take no note
			l.send(engine.Delivery{Payload: text(string(make([]byte, 900)))})
			c.flush()
			receiver.next()
			large := l.send(engine.Delivery{Payload: text(string(make([]byte, 1100)))})
			c.until("the close", func() bool { return c.closed != nil })
			if large.state.Kind != frame.Rejected || large.state.Error.Condition != frame.MessageSizeExceeded {
				t.Errorf("the message is %+v", large.state)
			}
			if e := c.closed.Error; e == nil || e.Condition != frame.ConnectionForced || e.Description != "Message size exceeded" {
				t.Errorf("closed with %v", e)
			}
			if s := h.server.config.Policy.Stats()[0]; s.SizeDenied != 1 {
				t.Errorf("counted %+v", s)
			}
		})
	}
}

// TestNameSpacesOfHosts: a client says addresses of its own, which others find behind the name of the host, and no others.
func TestNameSpacesOfHosts(t *testing.T) {
	asDispatch(t, func(h *house) {
		h.server.entrance.MultiTenant = true
		inside := h.client(frame.Open{Hostname: "commands"})
		h.server.entrance.MultiTenant = false
		outside := h.client(frame.Open{Hostname: "commands"})
		receiver := outside.receiver("r", &frame.Source{Address: "commands/x", HasAddress: true})
		receiver.Grant(10)
		outside.flush()
		l := inside.sender("x")
		if l.detached != nil || l.Remote().Target.Address != "x" {
			t.Fatalf("it is told of %+v, %v", l.Remote().Target, l.detached)
		}
		l.send(engine.Delivery{Payload: text("by link"), Settled: true})
		inside.flush()
		receiver.expect("by link")
		relay := inside.attach(frame.Attach{Name: "relay", Role: frame.Sender, Source: &frame.Source{}, Target: &frame.Target{}}, nil)
		properties := codec.Properties{To: "x"}
		relay.send(engine.Delivery{Payload: append(properties.Append(nil), text("by relay")...), Settled: true})
		inside.flush()
		receiver.expect("by relay")
		apart := outside.receiver("apart", &frame.Source{Address: "alerts/x", HasAddress: true})
		apart.Grant(10)
		outside.flush()
		properties.To = "alerts/x"
		relay.answer(relay.send(engine.Delivery{Payload: append(properties.Append(nil), text("elsewhere")...)}))
		if n := apart.drainAll(); n != 0 {
			t.Errorf("%d messages have left the name space", n)
		}
	})
}

// TestTemporaryAddressesAreInNoNameSpace: who is told of one reaches it by that name, as long as it is there.
func TestTemporaryAddressesAreInNoNameSpace(t *testing.T) {
	g := vhost.Group{AllowDynamicSource: true, AllowAnonymousSender: true, Sources: []string{"*"}, Targets: []string{"*"}}
	underPolicy(t, g, func(h *house) {
		h.server.entrance.MultiTenant = true
		asker, server := h.client(inShop), h.client(inShop)
		answers := asker.attach(frame.Attach{Name: "answers", Role: frame.Receiver, Source: &frame.Source{Dynamic: true}, Target: &frame.Target{}}, nil)
		answers.Grant(10)
		asker.flush()
		address := answers.Remote().Source.Address
		server.sender(address).send(engine.Delivery{Payload: text("by link"), Settled: true})
		server.flush()
		answers.expect("by link")
		relay := server.attach(frame.Attach{Name: "relay", Role: frame.Sender, Source: &frame.Source{}, Target: &frame.Target{}}, nil)
		properties := codec.Properties{To: address}
		relay.send(engine.Delivery{Payload: append(properties.Append(nil), text("by relay")...), Settled: true})
		server.flush()
		answers.expect("by relay")
		usual := server.receiver("usual", &frame.Source{Address: "temp/x", HasAddress: true})
		if got := usual.refusal(); got != frame.NotFound { // shop/temp/x, which nobody has declared
			t.Errorf("what is called like one is reached: %v", usual.detached)
		}
	})
}

// TestHostThatIsAPatternHasNoNameSpace: it would reach into those of others.
func TestHostThatIsAPatternHasNoNameSpace(t *testing.T) {
	for _, name := range []string{"*", "#", "a/*"} {
		asDispatch(t, func(h *house) {
			h.server.entrance.MultiTenant = true
			c := h.client(frame.Open{Hostname: name})
			c.until("the close", func() bool { return c.closed != nil })
			if e := c.closed.Error; e == nil || e.Description != connectionDisallowed {
				t.Errorf("%q: closed with %v", name, e)
			}
		})
	}
}
