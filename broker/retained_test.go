package broker_test

import (
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/manifoldmq/manifold/addressing"
	"github.com/manifoldmq/manifold/broker"
	"github.com/manifoldmq/manifold/router"
	"github.com/manifoldmq/manifold/router/routertest"
)

// retain publishes a message that a topic is to keep for so long, 0 for ever, and gives the reason of the outcome.
func (h *house) retain(t *testing.T, body string, to string, ttl time.Duration) router.Reason {
	t.Helper()
	d := routertest.Text(body)
	d.Retain = true
	if ttl > 0 {
		d.Expires = time.Now().Add(ttl).UnixMilli()
	}
	p := h.Sender(to)
	p.SendDelivery(d)
	return p.Next().Outcome.Reason
}

// TestExpiredRetainedMessageMakesRoom: nobody gets it any more, it counts for nothing, and it is gone after a restart.
func TestExpiredRetainedMessageMakesRoom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fs := vfs.NewMem()
		begin := func() *house {
			b, err := broker.Open(broker.Options{Dir: "data", FS: fs, Log: slog.New(slog.DiscardHandler), MaxRetained: 2})
			if err != nil {
				t.Fatal(err)
			}
			return links(t, b)
		}
		greeted := func(h *house, bodies ...string) {
			t.Helper()
			c := h.From(router.Source{Filter: routertest.Filter(t, "telemetry/#"), Retained: true}, 5)
			c.Expect(bodies...)
			if !c.Idle() {
				t.Error("there is more that is retained")
			}
			c.Link.Close()
		}
		h := begin()
		h.retain(t, "short", "telemetry/a", time.Second)
		h.retain(t, "long", "telemetry/b", time.Minute)
		if got := h.retain(t, "beyond", "telemetry/c", 0); got != router.Quota {
			t.Errorf("beyond the limit: %v", got)
		}
		time.Sleep(2 * time.Second)
		greeted(h, "long")
		if got := h.retain(t, "instead", "telemetry/c", time.Hour); got != router.OK {
			t.Errorf("when there is room again: %v", got)
		}
		h.close(t)
		time.Sleep(2 * time.Minute)
		h = begin()
		if n := h.broker.Retained("default"); n != 1 {
			t.Errorf("after the restart there are %d", n)
		}
		greeted(h, "instead")
		if got := h.retain(t, "another", "telemetry/d", 0); got != router.OK {
			t.Errorf("after the restart: %v", got)
		}
		h.close(t)
	})
}

// TestWhatIsRetainedIsAlsoForWhoHasSentIt, although he leaves out what he sends: nobody knows any more who it was, nor did before.
func TestWhatIsRetainedIsAlsoForWhoHasSentIt(t *testing.T) {
	b, err := broker.Open(broker.Options{Dir: "data", FS: vfs.NewMem(), Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	topic := routertest.Define(t, "state", addressing.Topic)
	topic.Home = addressing.Here
	l := routertest.Links{T: t, User: routertest.User(t, "default", topic), Router: router.New(router.Limits{}, map[addressing.Kind]router.Resolver{
		addressing.Topic: b,
	})}
	p := routertest.NewProducer(t)
	if p.Link, err = l.Router.Sender(t.Context(), l.User, router.Target{Address: "state", Origin: "me"}, p); err != nil {
		t.Fatal(err)
	}
	for _, retain := range []bool{true, false} {
		c := l.From(router.Source{Filter: routertest.Filter(t, "state"), Except: "me", Retained: true}, 5)
		d := routertest.Text("on")
		d.Retain = retain
		p.SendDelivery(d)
		p.Accepted(1)
		if !retain {
			c.Expect("on")
		}
		if !c.Idle() {
			t.Error("what he sends comes back to him")
		}
		c.Link.Close()
	}
	if err := b.Close(); err != nil {
		t.Error(err)
	}
}
