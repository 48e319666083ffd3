package broker_test

import (
	"fmt"
	"slices"
	"sync"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/manifoldmq/manifold/addressing"
	"github.com/manifoldmq/manifold/router"
	"github.com/manifoldmq/manifold/router/amqp"
	"github.com/manifoldmq/manifold/router/routertest"
	"github.com/manifoldmq/manifold/router/selector"
)

func selecting(t testing.TB, text string) *selector.Selector {
	t.Helper()
	s, err := selector.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// coloured gives a delivery of a message that has a colour, which is its body too.
func coloured(t testing.TB, colour string) router.Delivery {
	t.Helper()
	p := amqp.Properties{Subject: colour}
	m, err := amqp.ParseMessage(amqp.AppendData(p.Append(nil), []byte(colour)))
	if err != nil {
		t.Fatal(err)
	}
	return router.Delivery{Message: m}
}

// subscriptions gives those of a name.
func (h *house) subscriptions(name string) []router.Source {
	h.T.Helper()
	found, err := h.Router.Subscriptions(h.T.Context(), h.User, router.Source{Subscription: name})
	if err != nil {
		h.T.Fatal(err)
	}
	return found
}

func audit(t testing.TB) router.Source {
	return router.Source{Filter: routertest.Filter(t, "telemetry/#"), Subscription: "audit"}
}

// refusedWith links a receiver that must not be taken.
func (h *house) refusedWith(t testing.TB, source router.Source, want router.Reason) {
	t.Helper()
	_, err := h.Router.Receiver(t.Context(), h.User, source, consumerFunc(func(router.Delivery) {}))
	if got := router.ReasonOf(err); got != want {
		t.Errorf("the receiver was told %v (%v), want %v", got, err, want)
	}
}

func TestConsumersOfASharedSubscriptionCompete(t *testing.T) {
	for name, volatile := range map[string]bool{"durable": false, "volatile": true} {
		t.Run(name, func(t *testing.T) {
			h := open(t, vfs.NewMem())
			defer h.close(t)
			source := audit(t)
			source.Shared, source.Volatile = true, volatile
			a, b := h.From(source, 2), h.From(source, 2)
			p := h.Sender("telemetry/x")
			for _, body := range []string{"1", "2", "3", "4", "5"} {
				p.Send(body)
				p.Accepted(1)
			}
			a.Expect("1", "3")
			b.Expect("2", "4")
			a.Link.Close()
			b.Link.Grant(5)
			for i, d := range b.Expect("1", "3", "5") {
				if marked := d.Attempts > 0; marked != (i < 2) {
					t.Errorf("%d attempts of %s", d.Attempts, routertest.Body(d))
				}
			}
		})
	}
}

func TestSubscriptionIsSharedOrNotForGood(t *testing.T) {
	fs := vfs.NewMem()
	h := open(t, fs)
	shared, exclusive := audit(t), audit(t)
	shared.Shared = true
	h.From(shared, 0).Link.Close()
	h.refusedWith(t, exclusive, router.Conflict)
	h.close(t)

	h = open(t, fs)
	defer h.close(t)
	h.refusedWith(t, exclusive, router.Conflict)
	h.From(shared, 0)
	exclusive.Subscription, shared.Subscription = "other", "other"
	h.From(exclusive, 0)
	h.refusedWith(t, shared, router.Conflict)
}

func TestVolatileSubscriptionEndsWithItsLastConsumer(t *testing.T) {
	h := open(t, vfs.NewMem())
	defer h.close(t)
	source := audit(t)
	source.Shared, source.Volatile = true, true
	a, b := h.From(source, 0), h.From(source, 0)
	p := h.Sender("telemetry/x")
	p.Send("kept")
	p.Accepted(1)
	a.Link.Close()
	b.Link.Grant(1)
	b.Expect("kept")
	b.Link.Close()
	p.Send("missed")
	p.Accepted(1)
	c := h.From(source, 5)
	p.Send("seen")
	c.Expect("seen")
	durable := audit(t) // another one, of the same name
	h.From(durable, 0)
	if got := h.subscriptions("audit"); len(got) != 1 || got[0].Volatile {
		t.Errorf("subscriptions %+v, want the durable one", got)
	}
}

func TestVolatileSubscriptionTouchesNoDisk(t *testing.T) {
	h := open(t, vfs.NewMem())
	source := audit(t)
	source.Volatile = true
	c := h.From(source, 5)
	p := h.Sender("telemetry/x")
	if err := h.broker.Close(); err != nil {
		t.Fatal(err)
	}
	p.Send("1")
	p.Accepted(1)
	d := c.Expect("1")[0]
	done := make(chan error, 1)
	d.SettleThen(router.Accept(), func(err error) { done <- err })
	if err := <-done; err != nil {
		t.Error(err)
	}
}

func TestVolatileSubscriptionTakesPartInTransactions(t *testing.T) {
	h := open(t, vfs.NewMem())
	defer h.close(t)
	source := audit(t)
	source.Volatile = true
	c, p := h.From(source, 5), h.Sender("telemetry/x")
	p.Send("1")
	tx := h.Router.Begin()
	settle(t, tx, c.Expect("1")[0], router.Fail())
	send(t, tx, p, "2")
	committed(t, tx)
	got := c.Expect("1", "2")
	tx = h.Router.Begin()
	settle(t, tx, got[0], router.Accept())
	settle(t, tx, got[1], router.Accept())
	committed(t, tx)
	if reason := commit(tx); reason != router.Conflict {
		t.Errorf("the same again: %v, want a conflict", reason)
	}
}

func TestFullVolatileSubscriptionMissesAndHarmsNobody(t *testing.T) {
	h := open(t, vfs.NewMem())
	defer h.close(t)
	source := audit(t)
	source.Volatile = true
	h.From(source, 0)
	live := h.Receiver("telemetry/#", 100)
	p := h.Sender("telemetry/x")
	large := string(make([]byte, 1<<19))
	for range 40 { // 20 MiB
		p.Send(large)
	}
	p.Accepted(40)
	for range 40 {
		live.Next()
	}
	if got := h.Router.Counters("default").Kind(addressing.Topic).Dropped(); got < 8 || got > 9 {
		t.Errorf("%d counted as dropped, want what is beyond 16 MiB", got)
	}
}

// TestVolatileSubscriptionComesAndGoesAtOnce has consumers that join and leave the same subscription all the time: each
// of them gets what is sent while it is there.
func TestVolatileSubscriptionComesAndGoesAtOnce(t *testing.T) {
	h := open(t, vfs.NewMem())
	defer h.close(t)
	source := audit(t)
	source.Shared, source.Volatile = true, true
	var consumers sync.WaitGroup
	for range 4 {
		consumers.Go(func() {
			for range 200 {
				r, err := h.Router.Receiver(t.Context(), h.User, source, consumerFunc(func(router.Delivery) {}))
				if err != nil {
					t.Error(err)
					return
				}
				r.Close()
			}
		})
	}
	consumers.Wait()
	c := h.From(source, 1)
	h.Sender("telemetry/x").Send("last")
	c.Expect("last")
}

func TestSubscriptionKeepsOnlyWhatItsSelectorMatches(t *testing.T) {
	fs := vfs.NewMem()
	h := open(t, fs)
	source := audit(t)
	source.Selector = selecting(t, "JMSType = 'red'")
	h.From(source, 0).Link.Close()
	publish := func(h *house, colours ...string) {
		p := h.Sender("telemetry/x")
		for _, c := range colours {
			p.SendDelivery(coloured(t, c))
		}
		p.Accepted(len(colours))
	}
	publish(h, "red", "blue")
	h.close(t)

	h = open(t, fs)
	defer h.close(t)
	publish(h, "blue", "red")
	live := router.Source{Filter: source.Filter, Selector: source.Selector}
	other := h.From(live, 5)
	publish(h, "blue", "red")
	other.Expect("red")
	h.From(source, 5).Expect("red", "red", "red")
}

func TestAnotherSelectorMakesAnotherSubscription(t *testing.T) {
	fs := vfs.NewMem()
	h := open(t, fs)
	red, blue := audit(t), audit(t)
	red.Selector, blue.Selector = selecting(t, "JMSType = 'red'"), selecting(t, "JMSType = 'blue'")
	c := h.From(red, 0)
	h.refusedWith(t, blue, router.Conflict)
	p := h.Sender("telemetry/x")
	p.SendDelivery(coloured(t, "red"))
	p.Accepted(1)
	c.Link.Close()
	h.From(blue, 0).Link.Close()
	p.SendDelivery(coloured(t, "red"))
	p.SendDelivery(coloured(t, "blue"))
	p.Accepted(2)
	h.close(t)

	h = open(t, fs)
	defer h.close(t)
	h.From(blue, 5).Expect("blue")
}

func TestSubscriptionLeavesOutItsOwn(t *testing.T) {
	fs := vfs.NewMem()
	h := open(t, fs)
	source := audit(t)
	source.Except = "container"
	h.From(source, 0).Link.Close()
	h.close(t)

	h = open(t, fs)
	defer h.close(t)
	c := h.From(source, 5)
	p := h.Sender("telemetry/x")
	own, err := h.Router.Sender(t.Context(), h.User, router.Target{Address: "telemetry/x", Origin: "container"}, p)
	if err != nil {
		t.Fatal(err)
	}
	own.Send(1, routertest.Text("own"))
	tx := h.Router.Begin()
	if err := tx.Send(own, routertest.Text("own too")); err != nil {
		t.Fatal(err)
	}
	committed(t, tx)
	p.Send("another's")
	p.Accepted(2)
	c.Expect("another's")
}

func TestSubscriptionsAreFoundByName(t *testing.T) {
	fs := vfs.NewMem()
	h := open(t, fs)
	sources := []router.Source{audit(t), audit(t), audit(t)}
	sources[0].Selector = selecting(t, "a = 1")
	sources[1].Filter = routertest.Filter(t, "telemetry/x")
	sources[1].Shared = true
	sources[2].Subscription = "other"
	for _, s := range sources {
		h.From(s, 0).Link.Close()
	}
	check := func(h *house, want ...string) {
		t.Helper()
		var got []string
		for _, s := range h.subscriptions("audit") {
			got = append(got, fmt.Sprintf("%v %s %v %v", s.Filter, s.Subscription, s.Shared, s.Selector))
		}
		if slices.Sort(got); !slices.Equal(got, want) {
			t.Errorf("found %q, want %q", got, want)
		}
	}
	check(h, "telemetry/# audit false a = 1", "telemetry/x audit true ")
	h.close(t)

	h = open(t, fs)
	defer h.close(t)
	check(h, "telemetry/# audit false a = 1", "telemetry/x audit true ")
	if err := h.Router.Forget(t.Context(), h.User, sources[0]); err != nil {
		t.Fatal(err)
	}
	check(h, "telemetry/x audit true ")
}
