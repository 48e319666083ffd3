package coap

import (
	"strings"
	"testing"
	"time"

	"github.com/plgd-dev/go-coap/v3/message"
	"github.com/plgd-dev/go-coap/v3/message/codes"

	"github.com/manifoldmq/manifold/router/routertest"
)

func TestLockIsAcceptedFromAnywhere(t *testing.T) {
	run(t, Config{}, func(h *house) {
		p := h.dial()
		p.expect(codes.Changed, codes.POST, "a/jobs", "x")
		got := p.expect(codes.Content, codes.POST, "q/jobs/head", "")
		location := value(got, message.LocationPath)
		if string(got.Body) != "x" || !strings.HasPrefix(location, "l/") {
			t.Fatalf("got %q at %s", got.Body, location)
		}
		other := h.dial() // its client has another port now
		other.expect(codes.Deleted, codes.DELETE, location, "")
		other.expect(codes.NotFound, codes.DELETE, location, "")
		p.expect(codes.Changed, codes.POST, "a/jobs", "y")
		p.expect(codes.Deleted, codes.DELETE, value(p.expect(codes.Content, codes.POST, "q/jobs/head", ""), message.LocationPath), "")
		if !other.client.Idle() {
			t.Error("who settled is not idle")
		}
		if got := p.expect(codes.Changed, codes.POST, "q/jobs/head?timeout=0", ""); len(got.Body) > 0 {
			t.Errorf("got %q again", got.Body)
		}
	})
}

func TestLockEndsAsItsClientSays(t *testing.T) {
	for _, c := range []struct {
		method    codes.Code
		path      string
		attempts  uint32
		goesAgain bool
	}{
		{codes.PUT, "", 0, true}, {codes.PUT, "?failed", 1, true}, {codes.POST, "/reject?reason=no", 0, false},
	} {
		run(t, Config{}, func(h *house) {
			p := h.dial()
			p.expect(codes.Changed, codes.POST, "a/jobs", "x")
			location := value(p.expect(codes.Content, codes.POST, "q/jobs/head", ""), message.LocationPath)
			p.expect(codes.Changed, c.method, location+c.path, "")
			got := p.ask(codes.POST, "q/jobs/head?timeout=0&meta", "")
			if again := got.Code == codes.Content; again != c.goesAgain {
				t.Errorf("%v %s: it comes again is %v", c.method, c.path, again)
			}
			if attempts := value(got, message.LocationQuery); strings.HasSuffix(attempts, "/attempts=1") != (c.attempts == 1) {
				t.Errorf("%v %s: %q", c.method, c.path, attempts)
			}
		})
	}
}

func TestLockExpiresUnlessItIsRenewed(t *testing.T) {
	run(t, Config{}, func(h *house) {
		p := h.dial()
		p.expect(codes.Changed, codes.POST, "a/jobs", "x")
		location := value(p.expect(codes.Content, codes.POST, "q/jobs/head?lock=10", ""), message.LocationPath)
		begun := time.Now()
		p.expect(codes.Changed, codes.POST, location+"/renew?lock=20", "")
		p.expect(codes.BadRequest, codes.POST, location+"/renew?lock=9999", "")
		p.expect(codes.Content, codes.POST, "q/jobs/head?timeout=60", "")
		if took := time.Since(begun); took < 20*time.Second || took > 21*time.Second {
			t.Errorf("it expired after %v, want 20s", took)
		}
		p.expect(codes.NotFound, codes.DELETE, location, "")
	})
}

func TestLockOutlivesItsSession(t *testing.T) {
	run(t, Config{}, func(h *house) {
		p, other := h.dial(), h.dial()
		var locations []string
		for range 3 {
			p.expect(codes.Changed, codes.POST, "a/jobs", "x")
			got := p.expect(codes.Content, codes.POST, "q/jobs/head?lock=10", "")
			locations = append(locations, value(got, message.LocationPath))
		}
		p.client.Disconnected(time.Now())
		begun := time.Now()
		other.expect(codes.Deleted, codes.DELETE, locations[0], "")
		other.expect(codes.Changed, codes.POST, locations[1]+"/renew?lock=20", "")
		for _, want := range []time.Duration{10 * time.Second, 20 * time.Second} {
			other.expect(codes.Content, codes.POST, "q/jobs/head?timeout=60&lock=600", "")
			if took := time.Since(begun); took < want || took > want+time.Second {
				t.Errorf("one expired after %v, want %v", took, want)
			}
		}
		other.expect(codes.Changed, codes.POST, "q/jobs/head?timeout=0", "")
		if n := len(h.server.locks.byToken); n != 2 {
			t.Errorf("there are %d locks, want 2", n)
		}
	})
}

func TestReceiveWaitsForAMessage(t *testing.T) {
	run(t, Config{}, func(h *house) {
		p := h.dial()
		waits := p.send(newRequest(codes.DELETE, "q/jobs/head?timeout=30", "", token("w")))
		p.expect(codes.Changed, codes.POST, "a/jobs", "late")
		if got := p.answer(waits); string(got.Body) != "late" || value(got, message.LocationPath) != "" {
			t.Errorf("got %s %q", dotted(got.Code), got.Body)
		}
		p.expect(codes.BadRequest, codes.POST, "q/jobs/head?timeout=3600", "")
		p.expect(codes.NotFound, codes.POST, "q/nowhere/head", "")
		p.expect(codes.NotFound, codes.POST, "q/jobs", "")
		p.expect(codes.MethodNotAllowed, codes.GET, "q/jobs/head", "")
		if !p.client.Idle() {
			t.Error("it is not idle")
		}
	})
}

func TestMessageOfAnotherFormatStaysInItsQueue(t *testing.T) {
	run(t, Config{}, func(h *house) {
		p := h.dial()
		p.expect(codes.Changed, codes.POST, "a/jobs", "{}", option(message.ContentFormat, 50))
		p.expect(codes.NotAcceptable, codes.POST, "q/jobs/head", "", option(message.Accept, 60))
		if d := h.links.Receiver("jobs", 1).Next(); routertest.Body(d) != "{}" || d.Attempts != 0 {
			t.Errorf("%q with %d attempts", routertest.Body(d), d.Attempts)
		}
	})
}

func TestLocksOfAUserAreBounded(t *testing.T) {
	run(t, with(func(l *Limits) { l.MaxLocks = 1 }), func(h *house) {
		p := h.dial()
		p.expect(codes.Changed, codes.POST, "q/jobs/head?timeout=0", "") // what brings nothing takes no room
		p.expect(codes.Changed, codes.POST, "a/jobs", "1")
		p.expect(codes.Changed, codes.POST, "a/jobs", "2")
		location := value(p.expect(codes.Content, codes.POST, "q/jobs/head", ""), message.LocationPath)
		p.expect(codes.TooManyRequests, codes.POST, "q/jobs/head", "")
		p.expect(codes.Deleted, codes.DELETE, location, "")
		p.expect(codes.Content, codes.POST, "q/jobs/head", "")
	})
}
