package amqp

import (
	"slices"
	"strings"
	"testing"

	"github.com/manifoldmq/manifold/router"
	codec "github.com/manifoldmq/manifold/router/amqp"
	"github.com/manifoldmq/manifold/router/amqp/engine"
	"github.com/manifoldmq/manifold/router/amqp/frame"
	"github.com/manifoldmq/manifold/tenancy"
)

// asDispatch gives a test a house whose door has the manner of Qpid Dispatch Router.
func asDispatch(t *testing.T, test func(h *house)) {
	run(t, func(_ *testing.T, h *house) {
		h.server.config.Manner = DispatchManner
		test(h)
	})
}

func TestDispatchSaysThatANodeIsNotFound(t *testing.T) {
	asDispatch(t, func(h *house) {
		c := h.client(frame.Open{})
		l := c.sender("nowhere")
		if got := l.refusal(); got != frame.NotFound || l.detached.Error.Description != "Node not found" {
			t.Errorf("refused with %v", l.detached.Error)
		}
		relay := c.attach(frame.Attach{Name: "relay", Role: frame.Sender, Source: &frame.Source{}, Target: &frame.Target{}}, nil)
		properties := codec.Properties{To: "nowhere"}
		state := relay.answer(relay.send(engine.Delivery{Payload: append(properties.Append(nil), text("x")...)}))
		if state.Kind != frame.Rejected {
			t.Errorf("a message to nowhere is %v", state.Kind)
		}
	})
}

func TestDispatchOffersWhatRoutersDo(t *testing.T) {
	asDispatch(t, func(h *house) {
		c := h.client(frame.Open{})
		for _, capabilities := range [][]codec.Symbol{c.open.OfferedCapabilities, c.open.DesiredCapabilities} {
			if !slices.Contains(capabilities, relayCapability) || !slices.Contains(capabilities, streamingLinks) {
				t.Errorf("capabilities %v", capabilities)
			}
		}
	})
}

func TestDispatchCoordinatesNoTransactions(t *testing.T) {
	asDispatch(t, func(h *house) {
		l := h.client(frame.Open{}).attach(frame.Attach{
			Name: "txn", Role: frame.Sender, Source: &frame.Source{}, Coordinator: &frame.Coordinator{},
		}, nil)
		if got := l.refusal(); got != frame.PreconditionFailed {
			t.Errorf("refused with %v", got)
		}
	})
}

// TestDispatchLeavesModifiedWhatWasNotSettled, and takes for accepted what was settled without a word.
func TestDispatchLeavesModifiedWhatWasNotSettled(t *testing.T) {
	asDispatch(t, func(h *house) {
		c := h.client(frame.Open{})
		receiver := c.receiver("r", &frame.Source{Address: "commands/a", HasAddress: true})
		receiver.Grant(2)
		sender := c.sender("commands/a")
		first, second := sender.send(engine.Delivery{Payload: text("first")}), sender.send(engine.Delivery{Payload: text("second")})
		d := receiver.expect("first")
		receiver.expect("second")
		receiver.Settle(d.id, frame.State{})
		if got := sender.answer(first); got.Kind != frame.Accepted {
			t.Errorf("what was settled without a word is %v", got.Kind)
		}
		receiver.Close(nil)
		if got := sender.answer(second); got.Kind != frame.Modified || !got.DeliveryFailed {
			t.Errorf("what was not settled is %v", got.Kind)
		}
	})
}

// TestModifiedHasFailedForDispatchOnly, where its consumer has not said so.
func TestModifiedHasFailedForDispatchOnly(t *testing.T) {
	for manner, want := range map[Manner]bool{OwnManner: false, DispatchManner: true} {
		if got := manner.state(router.Outcome{State: router.Modified, Reason: router.Unroutable}); got.DeliveryFailed != want {
			t.Errorf("manner %d: %+v, want delivery-failed %v", manner, got, want)
		}
		if got := manner.state(router.Accept()); got.DeliveryFailed {
			t.Errorf("manner %d: accepted is %+v", manner, got)
		}
	}
}

// TestDispatchTakesCreditBack when something has come in vain, and gives it to whom a receiver comes for.
func TestDispatchTakesCreditBack(t *testing.T) {
	for _, size := range []int{10, 10_000} {
		asDispatch(t, func(h *house) {
			h.server.config.Limits.MaxFrameSize = 1024 // so that the second comes in several frames
			takesCreditBack(t, h, strings.Repeat("x", size))
		})
	}
}

func takesCreditBack(t *testing.T, h *house, body string) {
	c := h.client(frame.Open{})
	first := c.receiver("first", &frame.Source{Address: "commands/a", HasAddress: true})
	sender := c.sender("commands/a")
	c.until("credit", func() bool { return sender.Credit() == 10 })
	first.Close(nil)
	c.until("the end of the receiver", func() bool { return first.detached != nil })
	if got := sender.answer(sender.send(engine.Delivery{Payload: text(body)})); got.Kind != frame.Released {
		t.Errorf("what came in vain is %v", got.Kind)
	}
	c.until("a drain", sender.Draining)
	sender.Drained()
	second := c.receiver("second", &frame.Source{Address: "commands/a", HasAddress: true})
	second.Grant(1)
	c.until("credit again", func() bool { return sender.Credit() == 10 })
	sender.send(engine.Delivery{Payload: text(body)})
	second.expect(body)
}

// stamped is what an entrance does with messages, for a test.
type stamped struct{}

func (stamped) In(m router.Message) (router.Message, error) {
	if _, ok := m.MessageAnnotations().Lookup("bad"); ok {
		return m, router.Errorf(router.Malformed, "bad")
	}
	return m, nil
}

func (stamped) Out(d *router.Delivery) router.Message {
	m, err := codec.ParseMessage(text("out"))
	if err != nil {
		panic(err)
	}
	return m
}

// TestEntrancesHaveTheirOwnSettings, and share the house.
func TestEntrancesHaveTheirOwnSettings(t *testing.T) {
	run(t, func(t *testing.T, h *house) {
		door := h.server
		limits := DefaultLimits()
		limits.MaxFrameSize, limits.ChannelMax = 2048, 9
		h.server = door.At(Entrance{Limits: limits, Mechanisms: []string{"ANONYMOUS"}, LinkCredit: 3, Annotations: stamped{}})
		c := h.client(frame.Open{})
		if c.open.MaxFrameSize != 2048 || c.open.ChannelMax != 9 {
			t.Errorf("opened with %+v", c.open)
		}
		receiver := c.receiver("r", &frame.Source{Address: "commands/a", HasAddress: true})
		receiver.Grant(1)
		sender := c.sender("commands/a")
		c.until("credit", func() bool { return sender.Credit() > 0 })
		if sender.Credit() != 3 {
			t.Errorf("credit %d, want 3", sender.Credit())
		}
		annotations := codec.BeginMessageAnnotations(nil)
		annotations.String("bad", "yes")
		bad := sender.send(engine.Delivery{Payload: append(annotations.End(), text("x")...)})
		if got := sender.answer(bad); got.Kind != frame.Rejected || got.Error.Condition != frame.InvalidField {
			t.Errorf("a bad message is %v", got)
		}
		sender.send(engine.Delivery{Payload: text("in")})
		receiver.expect("out")
		if door.Connections() != 0 || h.server.Connections() != 1 {
			t.Errorf("%d and %d connections", door.Connections(), h.server.Connections())
		}
	})
}

// TestDispatchSaysThatManagementHasClosed: and what it says of other ends is the door's own.
func TestDispatchSaysThatManagementHasClosed(t *testing.T) {
	for why, differs := range map[tenancy.Dismissal]bool{tenancy.ByAdministrator: true, tenancy.NotWelcome: false} {
		if own := OwnManner.dismissal(why); own != why.String() || (DispatchManner.dismissal(why) != own) != differs {
			t.Errorf("%v: %q, as Dispatch %q", why, own, DispatchManner.dismissal(why))
		}
	}
}
