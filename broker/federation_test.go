package broker_test

import (
	"bytes"
	"fmt"
	"slices"
	"sync"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/manifoldmq/manifold/addressing"
	"github.com/manifoldmq/manifold/broker"
	"github.com/manifoldmq/manifold/router"
	"github.com/manifoldmq/manifold/router/federation"
	"github.com/manifoldmq/manifold/router/routertest"
)

// TestMessagesWithoutIDAreKnownInAnotherQueue: by what their queue calls them, which is the same after a restart.
func TestMessagesWithoutIDAreKnownInAnotherQueue(t *testing.T) {
	fs := vfs.NewMem()
	settings := addressing.QueueSettings{Dedup: addressing.Dedup{Messages: 10}}
	h := ruled(t, fs, settings)
	p := h.Sender("dead")
	p.Send("x")
	p.Send("x")
	p.SendDelivery(named("named", "7"))
	p.Accepted(3)
	source := router.Source{Filter: routertest.Filter(t, "dead"), Identified: true}
	var ids [][]byte
	for range 2 {
		c := h.From(source, 3)
		for i, d := range c.Expect("x", "x", "named") {
			id := federation.Identity(d.Message)
			if (id == nil) != (i == 2) {
				t.Errorf("message %d is called % x", i, id)
			}
			ids = append(ids, id)
			d.Settle(router.Release())
		}
		c.Link.Close()
		h.close(t)
		h = ruled(t, fs, settings)
	}
	defer func() { h.close(t) }()
	if bytes.Equal(ids[0], ids[1]) || !bytes.Equal(ids[0], ids[3]) || !bytes.Equal(ids[1], ids[4]) {
		t.Errorf("they are called % x", ids)
	}
	for range 2 {
		there := h.Sender("orders")
		for _, d := range h.From(source, 3).Expect("x", "x", "named") {
			there.SendDelivery(router.Delivery{Message: d.Message})
		}
		there.Accepted(3)
		h.close(t)
		h = ruled(t, fs, settings)
	}
	c := h.Receiver("orders", 10)
	c.Expect("x", "x", "named")
	if !c.Idle() {
		t.Error("a message is stored twice")
	}
}

// watcher remembers what is subscribed to, and on whose behalf.
type watcher struct {
	mu   sync.Mutex
	seen map[string]int
}

func (w *watcher) Subscribed(tenant string, s *router.Source)   { w.count(tenant, s, 1) }
func (w *watcher) Unsubscribed(tenant string, s *router.Source) { w.count(tenant, s, -1) }

func (w *watcher) count(tenant string, s *router.Source, n int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	key := fmt.Sprint(tenant, " ", s.Filter, " ", s.Via.Tags())
	if w.seen[key] += n; w.seen[key] == 0 {
		delete(w.seen, key)
	}
}

// expect fails unless these are all.
func (w *watcher) expect(t *testing.T, want ...string) {
	t.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()
	var got []string
	for key, n := range w.seen {
		got = append(got, fmt.Sprint(n, " ", key))
	}
	slices.Sort(got)
	if !slices.Equal(got, want) {
		t.Errorf("it knows of %q, want %q", got, want)
	}
}

func TestWatcherHearsOfAllSubscriptions(t *testing.T) {
	fs := vfs.NewMem()
	w := &watcher{seen: make(map[string]int)}
	user := routertest.User(t, "default", routertest.Define(t, "news/#", addressing.Topic))
	begin := func() (routertest.Links, *broker.Broker) {
		b, err := broker.Open(broker.Options{Dir: "data", FS: fs, MinFree: -1, Watcher: w})
		if err != nil {
			t.Fatal(err)
		}
		r := router.New(router.Limits{}, map[addressing.Kind]router.Resolver{addressing.Topic: b})
		return routertest.Links{T: t, Router: r, User: user}, b
	}
	links, b := begin()
	all, one := routertest.Filter(t, "news/#"), routertest.Filter(t, "news/one")
	live := links.From(router.Source{Filter: all, Via: federation.PathOf("far")}, 1)
	kept := links.From(router.Source{Filter: one, Subscription: "s", Via: federation.PathOf("far", "near")}, 1)
	passing := links.From(router.Source{Filter: one, Subscription: "s", Volatile: true}, 1)
	w.expect(t, "1 default news/# [far]", "1 default news/one []", "1 default news/one [far near]")
	live.Link.Close()
	live.Link.Close()
	passing.Link.Close()
	kept.Link.Close()
	w.expect(t, "1 default news/one [far near]")
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	w.seen = make(map[string]int)
	links, b = begin()
	defer b.Close()
	w.expect(t, "1 default news/one [far near]")
	if err := links.Router.Forget(t.Context(), user, router.Source{Filter: one, Subscription: "s"}); err != nil {
		t.Fatal(err)
	}
	w.expect(t)
}
