package mqtt

import (
	"testing"

	"github.com/mochi-mqtt/server/v2/packets"

	"github.com/manifoldmq/manifold/addressing"
	"github.com/manifoldmq/manifold/router"
	"github.com/manifoldmq/manifold/router/routertest"
)

var gone = router.Errorf(router.Denied, "the home does not lend it any more")

// TestRevokedSubscriptionEndsTheConnectionAndNotTheSession, which goes on without it.
func TestRevokedSubscriptionEndsTheConnectionAndNotTheSession(t *testing.T) {
	runStored(t, func(h *stored) {
		made := h.links.Watch()
		c := h.connect(5, "device", lasting)
		c.subscribe("alerts/x", 1)
		c.subscribe("news/x", 1)
		for r := range made {
			if source := r.Source(); source.Subscription != "" && source.Filter.String() == "news/x" {
				r.Revoke(gone)
				break
			}
		}
		if p := c.receive(packets.Disconnect); p.ReasonCode != 0x87 || p.Properties.ReasonString != "news/x: "+gone.Text {
			t.Errorf("DISCONNECT %#x %q", p.ReasonCode, p.Properties.ReasonString)
		}
		c.ends()
		c, present := h.reconnect(5, "device", lasting)
		if !present {
			t.Fatal("the session has ended")
		}
		h.links.Sender("news/x").Send("revoked")
		h.links.Sender("alerts/x").Send("still there")
		if p := c.receive(packets.Publish); string(p.Payload) != "still there" {
			t.Errorf("got %q", p.Payload)
		}
	})
}

// TestSubscriptionOfSeveralKindsGoesOnWithoutItsTopics when those are not there any more, as one does that begins then.
func TestSubscriptionOfSeveralKindsGoesOnWithoutItsTopics(t *testing.T) {
	runStored(t, func(h *stored) {
		made := h.links.Watch()
		c := h.connect(5, "device", lasting)
		c.subscribe("#", 1)
		topics := <-made
		if topics.Kind() != addressing.Topic {
			t.Fatalf("the first link is of kind %v", topics.Kind())
		}
		topics.Revoke(router.Errorf(router.NotFound, "the home has no such topic any more"))
		h.links.Sender("alerts/x").Send("still there")
		if p := c.receive(packets.Publish); string(p.Payload) != "still there" {
			t.Errorf("got %q", p.Payload)
		}
	})
}

// TestSubscriptionBeginsWithAllThatIsKept, also when there is credit for a part of it only; then its link for that ends.
func TestSubscriptionBeginsWithAllThatIsKept(t *testing.T) {
	runStoredWith(t, func(c *Config) { c.Limits.SubscriptionCredit = 2 }, func(h *stored) {
		made := h.links.Watch()
		publisher := h.links.Sender("news/a")
		for _, topic := range []string{"news/a", "news/b", "news/c", "news/d"} {
			d := routertest.Text(topic)
			d.Retain = true
			publisher = h.links.Sender(topic)
			publisher.SendDelivery(d)
			publisher.Accepted(1)
		}
		c := h.connect(5, "device", lasting)
		c.subscribe("news/#", 0)
		c.subscribe("news/#", 1)
		seen := make(map[string]int)
		for range 8 {
			p := c.receive(packets.Publish)
			if seen[string(p.Payload)]++; !p.FixedHeader.Retain {
				t.Errorf("%q does not come as a retained message", p.Payload)
			}
			if p.FixedHeader.Qos > 0 {
				c.ack(p.PacketID)
			}
		}
		if len(seen) != 4 {
			t.Errorf("got %v", seen)
		}
		publisher.Send("new")
		p := c.receive(packets.Publish)
		if string(p.Payload) != "new" || p.FixedHeader.Retain {
			t.Errorf("got %q, retained %v", p.Payload, p.FixedHeader.Retain)
		}
		c.ack(p.PacketID)
		for len(made) > 0 {
			if r := <-made; r.Source().Kept {
				if _, open := h.links.Router.Link("default", r.Number()); open {
					t.Error("the link for what is kept has not ended")
				}
			}
		}
	})
}

// TestRefusedSubscriptionIsNotRevokedToo: the connection stays.
func TestRefusedSubscriptionIsNotRevokedToo(t *testing.T) {
	run(t, func(h *house) {
		h.links.Router.Serve(routertest.Fickle{Why: gone}, "fickle")
		c := h.connect(5, "device")
		if code := c.subscribe("fickle", 1); code != 0x87 {
			t.Errorf("SUBACK %#x", code)
		}
		if code := c.subscribe("alerts/x", 0); code != 0 {
			t.Errorf("SUBACK %#x", code)
		}
	})
}
