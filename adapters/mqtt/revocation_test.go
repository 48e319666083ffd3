package mqtt

import (
	"context"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/mochi-mqtt/server/v2/packets"

	"github.com/manifoldmq/manifold/addressing"
	"github.com/manifoldmq/manifold/router"
	"github.com/manifoldmq/manifold/router/routertest"
	"github.com/manifoldmq/manifold/tenancy"
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
		var publisher *routertest.Producer
		for _, topic := range []string{"news/a", "news/b", "news/c", "news/d"} {
			d := routertest.Text(topic)
			d.Retain = true
			publisher = h.links.Sender(topic)
			publisher.SendDelivery(d)
			publisher.Accepted(1)
		}
		c := h.connect(5, "device", lasting)
		c.subscribe("news/#", 1)
		seen := make(map[string]bool)
		for range 4 {
			p := c.receive(packets.Publish)
			if seen[string(p.Payload)] = true; !p.FixedHeader.Retain {
				t.Errorf("%q does not come as a retained message", p.Payload)
			}
			c.ack(p.PacketID)
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
		synctest.Wait()
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

// fetching has what topics have kept come later, as from another router.
type fetching struct {
	router.Resolver
	routertest.Fickle
	made chan *router.Receiver
	over atomic.Bool
}

func (f *fetching) Resolve(ctx context.Context, t *tenancy.Tenant, def *addressing.Definition, s router.Source) (router.Node, error) {
	if s.Kept {
		return f, nil
	}
	return f.Resolver.Resolve(ctx, t, def, s)
}

func (f *fetching) Attach(r *router.Receiver) error {
	f.made <- r
	return nil
}

func (f *fetching) Pending(*router.Receiver) bool { return !f.over.Load() }

// TestSubscriptionWaitsForWhatIsKeptElsewhere until it hears that it has had all of it.
func TestSubscriptionWaitsForWhatIsKeptElsewhere(t *testing.T) {
	runStored(t, func(h *stored) {
		f := &fetching{Resolver: h.broker, made: make(chan *router.Receiver, 1)}
		h.server.config.Router = router.New(router.Limits{}, map[addressing.Kind]router.Resolver{addressing.Topic: f})
		c := h.connect(5, "device", lasting)
		c.subscribe("news/#", 1)
		r := <-f.made
		for _, want := range []string{"one", "two"} {
			synctest.Wait()
			if _, open := h.server.config.Router.Link("default", r.Number()); !open {
				t.Fatalf("the link ends before %q", want)
			}
			d := routertest.Text(want)
			d.To, d.Retained = "news/a", true
			r.Take()
			r.Deliver(d)
			if p := c.receive(packets.Publish); string(p.Payload) != want || !p.FixedHeader.Retain {
				t.Errorf("got %q, retained %v", p.Payload, p.FixedHeader.Retain)
			}
		}
		f.over.Store(true)
		r.Revoke(nil)
		synctest.Wait()
		if _, open := h.server.config.Router.Link("default", r.Number()); open {
			t.Error("the link has not ended")
		}
	})
}
