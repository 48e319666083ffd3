package amqp

import (
	"testing"

	"github.com/manifoldmq/manifold/router"
	codec "github.com/manifoldmq/manifold/router/amqp"
	"github.com/manifoldmq/manifold/router/amqp/engine"
	"github.com/manifoldmq/manifold/router/amqp/frame"
	"github.com/manifoldmq/manifold/router/routertest"
)

// saying gives a source with capabilities.
func saying(address string, capabilities ...codec.Symbol) *frame.Source {
	return &frame.Source{Address: address, HasAddress: true, Capabilities: capabilities}
}

func TestClientMayBeAFallback(t *testing.T) {
	run(t, func(t *testing.T, h *house) {
		c := h.client(frame.Open{})
		last := c.receiver("last", saying("spare", "qd.fallback"))
		if got := last.Remote().Source.Capabilities; len(got) != 1 || got[0] != "qd.fallback" {
			t.Errorf("it is answered with %q", got)
		}
		last.Grant(10)
		sender, back := c.sender("spare"), c.sender("spare", "qd.fallback")
		sender.send(engine.Delivery{Payload: text("unwanted")})
		last.Settle(last.expect("unwanted").id, frame.State{Kind: frame.Accepted})
		if back.Credit() > 0 {
			t.Error("who brings back has credit where there is the fallback alone")
		}
		consumer := c.receiver("consumer", saying("spare"))
		consumer.Grant(10)
		back.send(engine.Delivery{Payload: text("back")})
		consumer.expect("back")
		sender.send(engine.Delivery{Payload: text("wanted")})
		consumer.expect("wanted")
		if n := last.drainAll(); n > 0 {
			t.Errorf("the fallback has got %d more", n)
		}
	})
}

func TestClientsAreWaypointsForDispatch(t *testing.T) {
	asDispatch(t, func(h *house) {
		c := h.client(frame.Open{})
		consumer, sender := c.receiver("consumer", saying("way")), c.sender("way")
		first, onward := c.receiver("first", saying("way", "qd.waypoint")), c.sender("way", "qd.waypoint.1")
		second, last := c.receiver("second", saying("way", "qd.waypoint.2")), c.sender("way", "qd.waypoint.2")
		for _, l := range []*link{consumer, first, second} {
			l.Grant(10)
		}
		sender.send(engine.Delivery{Payload: text("at 0")})
		first.expect("at 0")
		onward.send(engine.Delivery{Payload: text("at 1")})
		second.expect("at 1")
		last.send(engine.Delivery{Payload: text("at 2")})
		consumer.expect("at 2")
		c.receiver("not at a phase", saying("commands/a", "qd.waypoint.x")).Grant(1)
	})
}

// TestNobodyIsAWaypointOfHisOwnAccord: what a waypoint has accepted is stored by a broker.
func TestNobodyIsAWaypointOfHisOwnAccord(t *testing.T) {
	run(t, func(t *testing.T, h *house) {
		c := h.client(frame.Open{})
		curious := c.receiver("curious", saying("way", "qd.waypoint"))
		curious.Grant(10)
		broker := h.links.From(router.Source{Filter: routertest.Filter(t, "way"), Phase: new(uint8)}, 10)
		c.sender("way", "qd.waypoint.1").send(engine.Delivery{Payload: text("one")})
		c.flush()
		broker.Expect("one")
		if n := curious.drainAll(); n > 0 {
			t.Errorf("somebody else has got %d", n)
		}
	})
}

// TestCreditComesBackAtOnceWithWhatCameToNothing: who sent it may wait for that before it tries again.
func TestCreditComesBackAtOnceWithWhatCameToNothing(t *testing.T) {
	run(t, func(t *testing.T, h *house) {
		consumer := h.links.Receiver("commands/a", 10)
		c := h.client(frame.Open{})
		sender := c.sender("commands/a")
		c.until("credit", func() bool { return sender.Credit() == 10 })
		for range 3 {
			x := sender.send(engine.Delivery{Payload: text("one")})
			c.flush()
			consumer.Next().Settle(router.Release())
			sender.answer(x)
			c.until("credit again", func() bool { return sender.Credit() == 10 })
		}
	})
}

// TestDispatchTellsCreditWithEachOutcome: there are clients that send one message each time they hear of credit.
func TestDispatchTellsCreditWithEachOutcome(t *testing.T) {
	asDispatch(t, func(h *house) {
		consumer := h.links.Receiver("commands/a", 10)
		c := h.client(frame.Open{})
		sender := c.sender("commands/a")
		c.until("credit", func() bool { return sender.Credit() == 10 })
		sender.send(engine.Delivery{Payload: text("one")})
		c.flush()
		consumer.Next().Settle(router.Accept())
		c.until("credit again", func() bool { return sender.Credit() == 10 })
	})
}
