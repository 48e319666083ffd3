package amqp

import (
	"slices"
	"testing"
	"testing/synctest"

	codec "github.com/manifoldmq/manifold/router/amqp"
	"github.com/manifoldmq/manifold/router/amqp/frame"
)

// durable gives the source of a durable subscription, as Qpid JMS asks for it.
func durable(address string, capabilities ...codec.Symbol) *frame.Source {
	return &frame.Source{
		Address: address, Durable: frame.DurableUnsettled, ExpiryPolicy: frame.ExpireNever,
		DistributionMode: frame.DistributionCopy, Capabilities: append(capabilities, topicCapability),
	}
}

// TestSubscriptionIsNamedAsClientsMeanIt: the names of links are those that Qpid JMS gives them.
func TestSubscriptionIsNamedAsClientsMeanIt(t *testing.T) {
	volatile := func(capabilities ...codec.Symbol) *frame.Source {
		return &frame.Source{Address: "news/x", Capabilities: append(capabilities, topicCapability)}
	}
	for name, c := range map[string]struct {
		link             string
		source           *frame.Source
		want             string
		shared, volatile bool
	}{
		"no subscription":       {"link", volatile(), "", false, false},
		"durable":               {"audit", durable("news/x"), "client:audit", false, false},
		"durable with a bar":    {"audit|x", durable("news/x"), "client:audit|x", false, false},
		"shared durable, first": {"audit", durable("news/x", sharedCapability), "client:audit", true, false},
		"shared durable, other": {"audit|2", durable("news/x", sharedCapability), "client:audit", true, false},
		"global shared durable": {"audit|global", durable("news/x", sharedCapability, globalCapability), "audit", true, false},
		"global shared durable, other": {
			"audit|global2", durable("news/x", sharedCapability, globalCapability), "audit", true, false,
		},
		"shared": {"audit|volatile1", volatile(sharedCapability), "client:audit|volatile", true, true},
		"global shared": {
			"audit|global-volatile1", volatile(sharedCapability, globalCapability), "audit|volatile", true, true,
		},
		"named":            {"link", &frame.Source{Address: "news/x::audit"}, "audit", false, false},
		"named and shared": {"link", &frame.Source{Address: "news/x::audit", Capabilities: []codec.Symbol{sharedCapability}}, "audit", true, false},
		"durable on a queue": {
			"audit", &frame.Source{Address: "jobs", Durable: frame.DurableUnsettled, ExpiryPolicy: frame.ExpireNever}, "", false, false,
		},
	} {
		t.Run(name, func(t *testing.T) {
			run(t, func(t *testing.T, h *house) {
				l := h.client(frame.Open{}).receiver(c.link, c.source)
				if !l.attached {
					t.Fatalf("refused: %v", l.detached.Error)
				}
				got := h.store.attached[0].Source()
				if got.Subscription != c.want || got.Shared != c.shared || got.Volatile != c.volatile {
					t.Errorf("attached to %q (shared %v, volatile %v)", got.Subscription, got.Shared, got.Volatile)
				}
			})
		})
	}
}

// TestAnswerSaysWhatTheSourceIs: its capabilities and distribution mode are those it has.
func TestAnswerSaysWhatTheSourceIs(t *testing.T) {
	shared := []codec.Symbol{topicCapability, sharedCapability, globalCapability}
	for name, c := range map[string]struct {
		source       *frame.Source
		capabilities []codec.Symbol
		mode         codec.Symbol
	}{
		"queue":         {&frame.Source{Address: "jobs"}, []codec.Symbol{queueCapability}, frame.DistributionMove},
		"browsed queue": {&frame.Source{Address: "jobs", DistributionMode: frame.DistributionCopy}, []codec.Symbol{queueCapability}, frame.DistributionCopy},
		"topic":         {&frame.Source{Address: "news/x"}, []codec.Symbol{topicCapability}, frame.DistributionCopy},
		"subscription":  {durable("news/x", sharedCapability, globalCapability), shared, frame.DistributionCopy},
		"anycast":       {&frame.Source{Address: "commands/x", DistributionMode: frame.DistributionCopy}, nil, frame.DistributionMove},
		"broadcast":     {&frame.Source{Address: "alerts/x"}, nil, frame.DistributionCopy},
	} {
		t.Run(name, func(t *testing.T) {
			run(t, func(t *testing.T, h *house) {
				got := h.client(frame.Open{}).receiver("in", c.source).Remote().Source
				if !slices.Equal(got.Capabilities, c.capabilities) || got.DistributionMode != c.mode {
					t.Errorf("capabilities %q, mode %q", got.Capabilities, got.DistributionMode)
				}
				if browse := len(h.store.attached) > 0 && h.store.attached[0].Source().Browse; browse != (name == "browsed queue") {
					t.Errorf("browses: %v", browse)
				}
			})
		})
	}
}

// TestUnsubscribe is what a JMS client does: it attaches the link without saying its source, and closes it.
func TestUnsubscribe(t *testing.T) {
	for name, c := range map[string]struct {
		link    string
		source  *frame.Source
		desired []codec.Symbol
	}{
		"durable":        {"audit", durable("news/x"), nil},
		"shared durable": {"audit", durable("news/x", sharedCapability), nil},
		"global": {
			"audit|global", durable("news/x", sharedCapability, globalCapability),
			[]codec.Symbol{sharedCapability, globalCapability},
		},
	} {
		t.Run(name, func(t *testing.T) {
			run(t, func(t *testing.T, h *house) {
				cl := h.client(frame.Open{})
				lookUp := frame.Attach{Name: c.link, Role: frame.Receiver, Target: &frame.Target{}, DesiredCapabilities: c.desired}
				if got := cl.attach(lookUp, nil).refusal(); got != frame.NotFound {
					t.Errorf("before there is one: condition %q", got)
				}
				c.source.Filter = filterSet(t, selectorFilter, "a = 1")
				in := cl.receiver(c.link, c.source)
				in.Detach()
				in.refusal()
				if len(h.store.subscriptions) != 1 {
					t.Fatalf("a detached link left %d subscriptions", len(h.store.subscriptions))
				}
				found := cl.attach(lookUp, nil)
				if !found.attached || found.Remote().Source == nil {
					t.Fatal("the subscription is not found")
				}
				got := found.Remote().Source
				f, err := readFilters(got.Filter)
				if got.Address != "news/x" || !isDurable(got) || err != nil || f.selector.String() != "a = 1" {
					t.Errorf("found %+v with the selector %q", got, f.selector)
				}
				found.Close(nil)
				if got := found.refusal(); got != "" {
					t.Errorf("the close was answered with %q", got)
				}
				if len(h.store.subscriptions) != 0 {
					t.Error("the subscription is still there")
				}
			})
		})
	}
}

// TestSubscriptionInUseIsNotEnded by a client that looks it up.
func TestSubscriptionInUseIsNotEnded(t *testing.T) {
	run(t, func(t *testing.T, h *house) {
		c, other := h.client(frame.Open{}), h.client(frame.Open{})
		in := c.receiver("audit", durable("news/x"))
		lookUp := frame.Attach{Name: "audit", Role: frame.Receiver, Target: &frame.Target{}}
		if got := other.attach(lookUp, nil).refusal(); got != frame.ResourceLocked {
			t.Errorf("condition %q, want resource-locked", got)
		}
		if in.detached != nil {
			t.Error("the link was taken away from who uses it")
		}
	})
}

// TestSharedSubscriptionInUseIsNotEnded: who looked it up hears so when he closes it.
func TestSharedSubscriptionInUseIsNotEnded(t *testing.T) {
	run(t, func(t *testing.T, h *house) {
		c, other := h.client(frame.Open{}), h.client(frame.Open{ContainerID: "other"})
		c.receiver("audit|global", durable("news/x", sharedCapability, globalCapability))
		found := other.attach(frame.Attach{
			Name: "audit|global", Role: frame.Receiver, Target: &frame.Target{},
			DesiredCapabilities: []codec.Symbol{sharedCapability, globalCapability},
		}, nil)
		found.Close(nil)
		if got := found.refusal(); got != frame.ResourceLocked {
			t.Errorf("the close was answered with %q, want resource-locked", got)
		}
		if len(h.store.subscriptions) != 1 {
			t.Error("the subscription is gone")
		}
	})
}

// TestDurableSubscriptionOfSomethingElseIsAnother: with another topic or selector, JMS has the former one end.
func TestDurableSubscriptionOfSomethingElseIsAnother(t *testing.T) {
	selects := durable("news/x")
	selects.Filter = filterSet(t, selectorFilter, "a = 1")
	for name, second := range map[string]*frame.Source{"topic": durable("news/y"), "shared": durable("news/x", sharedCapability), "selector": selects} {
		t.Run(name, func(t *testing.T) {
			run(t, func(t *testing.T, h *house) {
				c := h.client(frame.Open{})
				in := c.receiver("audit", durable("news/x"))
				in.Detach()
				in.refusal()
				if in = c.receiver("audit", second); !in.attached {
					t.Fatal("refused")
				}
				if got := h.store.subscriptions; len(got) != 1 || got[0].Filter.String() != second.Address {
					t.Errorf("the subscriptions are %+v", got)
				}
			})
		})
	}
}

// TestDurableLinkIsTakenOver by the same link on another connection, even when it wants something else now.
func TestDurableLinkIsTakenOver(t *testing.T) {
	for name, second := range map[string]*frame.Source{"the same": durable("news/x"), "another topic": durable("news/y")} {
		t.Run(name, func(t *testing.T) {
			run(t, func(t *testing.T, h *house) {
				in := h.client(frame.Open{}).receiver("audit", durable("news/x"))
				if again := h.client(frame.Open{}).receiver("audit", second); !again.attached {
					t.Fatalf("refused: %v", again.detached.Error)
				}
				if got := in.refusal(); got != frame.Stolen {
					t.Errorf("the former link ended with %q", got)
				}
				synctest.Wait()
				if len(h.store.subscriptions) != 1 {
					t.Errorf("the subscriptions are %+v", h.store.subscriptions)
				}
			})
		})
	}
}
