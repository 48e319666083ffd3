package coap

import (
	"testing"
	"time"

	"github.com/plgd-dev/go-coap/v3/message"
	"github.com/plgd-dev/go-coap/v3/message/codes"

	"github.com/manifoldmq/manifold/router"
	"github.com/manifoldmq/manifold/router/routertest"
)

var observing = option(message.Observe)

func TestObservationBeginsWithWhatTheTopicHasKept(t *testing.T) {
	run(t, Config{}, func(h *house) {
		p := h.dial()
		if got := p.expect(codes.Content, codes.GET, "a/state", "", observing); len(got.Body) > 0 {
			t.Errorf("a topic without a message shows %q", got.Body)
		}
		p.expect(codes.Changed, codes.PUT, "a/state", "on")
		if n := p.notice(); string(n.Body) != "on" || !n.confirmable {
			t.Errorf("notification %q, confirmable %v", n.Body, n.confirmable)
		}
		p.acknowledge("t")
		if got := p.expect(codes.Content, codes.GET, "a/state", "", observing, token("u")); string(got.Body) != "on" {
			t.Errorf("it begins with %q", got.Body)
		}
		p.expect(codes.Changed, codes.POST, "a/state", "quick", unconfirmed)
		for range 2 {
			if n := p.notice(); string(n.Body) != "quick" || n.confirmable {
				t.Errorf("notification %q, confirmable %v", n.Body, n.confirmable)
			}
		}
	})
}

func TestOneNotificationIsUnderWayAtATime(t *testing.T) {
	run(t, Config{}, func(h *house) {
		p := h.dial()
		p.expect(codes.Content, codes.GET, "a/telemetry/#", "", observing)
		for _, body := range []string{"1", "2", "3"} {
			p.expect(codes.Changed, codes.POST, "a/telemetry/room", body)
		}
		for _, body := range []string{"1", "2", "3"} {
			n := p.notice()
			if string(n.Body) != body || value(n.Response, message.LocationPath) != "a/telemetry/room" {
				t.Errorf("got %q at %s", n.Body, value(n.Response, message.LocationPath))
			}
			if len(p.notices) > 0 {
				t.Fatal("another one before it was acknowledged")
			}
			p.acknowledge("t")
		}
	})
}

func TestObservedQueueIsSettledByAcknowledgements(t *testing.T) {
	run(t, Config{}, func(h *house) {
		p := h.dial()
		for _, body := range []string{"1", "2"} {
			p.expect(codes.Changed, codes.POST, "a/jobs", body)
		}
		p.expect(codes.Content, codes.GET, "a/jobs", "", observing)
		if n := p.notice(); string(n.Body) != "1" || !n.confirmable {
			t.Errorf("notification %q, confirmable %v", n.Body, n.confirmable)
		}
		p.acknowledge("t")
		p.notice()
		p.client.Forgotten(time.Now(), message.Token("t")) // what was under way was not delivered
		d := h.links.Receiver("jobs", 10).Next()
		if routertest.Body(d) != "2" || d.Attempts != 1 {
			t.Errorf("%q came back with %d attempts", routertest.Body(d), d.Attempts)
		}
		if !p.client.Idle() {
			t.Error("it is not idle")
		}
	})
}

func TestDurableSubscriptionGoesOnWhereItWas(t *testing.T) {
	run(t, Config{}, func(h *house) {
		p := h.dial()
		p.expect(codes.Content, codes.GET, "a/telemetry/#::mine", "", observing)
		p.client.Forgotten(time.Now(), message.Token("t"))
		p.expect(codes.Changed, codes.POST, "a/telemetry/room", "missed")
		p.expect(codes.Content, codes.GET, "a/telemetry/#::mine", "", observing)
		if n := p.notice(); string(n.Body) != "missed" || !n.confirmable {
			t.Errorf("notification %q, confirmable %v", n.Body, n.confirmable)
		}
	})
}

func TestAskingAgainKeepsTheObservation(t *testing.T) {
	run(t, Config{}, func(h *house) {
		p := h.dial()
		p.expect(codes.Content, codes.GET, "a/state", "", observing)
		p.expect(codes.Changed, codes.PUT, "a/state", "on")
		p.notice()
		p.acknowledge("t")
		if got := p.expect(codes.Content, codes.GET, "a/state", "", observing); string(got.Body) != "on" {
			t.Errorf("it is answered %q", got.Body)
		}
		if n := len(p.client.(*conn).subscriptions); n != 1 {
			t.Errorf("%d observations, want 1", n)
		}
	})
}

func TestObservationsAreBounded(t *testing.T) {
	run(t, with(func(l *Limits) { l.MaxObservations = 1 }), func(h *house) {
		p := h.dial()
		p.expect(codes.Content, codes.GET, "a/state", "", observing)
		p.expect(codes.TooManyRequests, codes.GET, "a/state", "", observing, token("u"))
		p.expect(codes.NotFound, codes.GET, "a/nowhere", "", observing)
	})
}

func TestSelectorOfAFetchSelects(t *testing.T) {
	run(t, Config{}, func(h *house) {
		p := h.dial()
		p.expect(codes.Content, codeFETCH, "a/telemetry/#", "colour = 'red'", observing)
		p.expect(codes.Changed, codes.POST, "a/telemetry/a?property=colour=blue", "no")
		p.expect(codes.Changed, codes.POST, "a/telemetry/a?property=colour=red", "yes")
		if n := p.notice(); string(n.Body) != "yes" {
			t.Errorf("got %q", n.Body)
		}
		p.expect(codes.BadRequest, codeFETCH, "a/state", "colour = ", observing)
		p.expect(codes.UnsupportedMediaType, codeFETCH, "a/state", "x", observing, option(message.ContentFormat, 60))
	})
}

func TestMessageOfAnotherFormatEndsAnObservation(t *testing.T) {
	run(t, Config{}, func(h *house) {
		p := h.dial()
		p.expect(codes.Content, codes.GET, "a/state", "", observing, option(message.Accept, 60))
		p.expect(codes.Changed, codes.PUT, "a/state", "{}", option(message.ContentFormat, 50))
		if n := p.notice(); n.Code != codes.NotAcceptable {
			t.Errorf("got %s", dotted(n.Code))
		}
		if !p.client.Idle() {
			t.Error("it is not idle")
		}
	})
}

func TestDrainTellsWhoeverWaits(t *testing.T) {
	run(t, Config{}, func(h *house) {
		p := h.dial()
		p.expect(codes.Content, codes.GET, "a/state", "", observing)
		waits := p.send(newRequest(codes.POST, "q/jobs/head?timeout=30", "", token("u")))
		p.client.Drain(time.Now())
		if got := p.answer(waits); got.Code != codes.ServiceUnavailable {
			t.Errorf("a receive is answered %s", dotted(got.Code))
		}
		if n := p.notice(); n.Code != codes.ServiceUnavailable || number(n.Response, message.MaxAge) != 1 {
			t.Errorf("an observer hears %s", dotted(n.Code))
		}
		p.expect(codes.ServiceUnavailable, codes.POST, "a/jobs", "x")
		if !p.client.Idle() {
			t.Error("it is not idle")
		}
	})
}

func TestWhatAPeerDoesNotTakeIsDroppedBeyondItsBytes(t *testing.T) {
	run(t, with(func(l *Limits) { l.MaxQueuedBytes = 2000 }), func(h *house) {
		p := h.dial()
		p.expect(codes.Content, codes.GET, "a/telemetry/a", "", observing)
		body := string(make([]byte, 900))
		for range 5 {
			p.expect(codes.Changed, codes.POST, "a/telemetry/a", body)
		}
		for range 2 {
			p.notice()
			p.acknowledge("t")
		}
		p.client.Collect(time.Now())
		if len(p.notices) > 0 {
			t.Error("more than fits has come")
		}
		p.expect(codes.Changed, codes.POST, "a/telemetry/a", "small")
		if n := p.notice(); string(n.Body) != "small" {
			t.Errorf("got %d bytes", len(n.Body))
		}
	})
}

func TestLostPeerGivesBackWhatItHeld(t *testing.T) {
	run(t, Config{}, func(h *house) {
		p := h.dial()
		for _, body := range []string{"1", "2", "3"} {
			p.expect(codes.Changed, codes.POST, "a/jobs", body)
		}
		p.expect(codes.Content, codes.POST, "q/jobs/head?lock=5", "") // which lasts for its time all the same
		p.expect(codes.Content, codes.GET, "a/jobs", "", observing)
		p.notice()
		p.client.Disconnected(time.Now())
		seen := map[string]uint32{}
		consumer := h.links.Receiver("jobs", 10)
		for range 3 {
			d := consumer.Next()
			seen[routertest.Body(d)] = d.Attempts
			d.Settle(router.Accept())
		}
		if seen["1"] != 1 || seen["2"] != 1 || seen["3"] != 0 || len(seen) != 3 {
			t.Errorf("attempts %v", seen)
		}
		if h.server.Connections() != 0 {
			t.Errorf("%d peers", h.server.Connections())
		}
	})
}
