package broker_test

import (
	"fmt"
	"log/slog"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/manifoldmq/manifold/addressing"
	"github.com/manifoldmq/manifold/broker"
	"github.com/manifoldmq/manifold/broker/brokertest"
	"github.com/manifoldmq/manifold/router"
	"github.com/manifoldmq/manifold/router/routertest"
)

// house is a broker behind a router, on a filesystem in memory.
type house struct {
	routertest.Links
	broker *broker.Broker
}

func open(t testing.TB, fs vfs.FS) *house {
	t.Helper()
	b, err := broker.Open(broker.Options{Dir: "data", FS: fs, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	return links(t, b)
}

func links(t testing.TB, b *broker.Broker) *house {
	t.Helper()
	return &house{broker: b, Links: routertest.Links{
		T: t,
		Router: router.New(router.Limits{}, map[addressing.Kind]router.Resolver{
			addressing.Queue: b, addressing.Topic: b,
		}),
		User: routertest.User(t, "default",
			routertest.Define(t, "jobs", addressing.Queue),
			routertest.Define(t, "telemetry/#", addressing.Topic),
			small(t),
		),
	}}
}

func small(t testing.TB) addressing.Definition {
	def := routertest.Define(t, "small", addressing.Queue)
	def.Queue.MaxMessages = 2
	return def
}

func (h *house) close(t testing.TB) {
	t.Helper()
	if err := h.broker.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestAcceptedIsHeardOnlyAfterTheSync(t *testing.T) {
	gate := brokertest.NewGate(vfs.NewMem())
	h := open(t, gate)
	defer h.close(t)
	p, c := h.Sender("jobs"), h.Receiver("jobs", 1)
	reached := gate.Hold()
	p.Send("hello")
	<-reached
	if p.Heard() || !c.Idle() {
		t.Error("a message was accepted or delivered before it was on disk")
	}
	gate.Release()
	p.Accepted(1)
	c.Expect("hello")
}

func TestMessagesWaitForAConsumerInOrder(t *testing.T) {
	h := open(t, vfs.NewMem())
	defer h.close(t)
	p := h.Sender("jobs")
	var want []string
	for i := range 3000 { // more than a window
		want = append(want, fmt.Sprint(i))
		p.Send(want[i])
	}
	p.Accepted(len(want))
	c := h.Receiver("jobs", len(want))
	for _, d := range c.Expect(want...) {
		d.Settle(router.Accept())
	}
}

func TestConsumersCompete(t *testing.T) {
	h := open(t, vfs.NewMem())
	defer h.close(t)
	a, b := h.Receiver("jobs", 2), h.Receiver("jobs", 2)
	p := h.Sender("jobs")
	for _, s := range []string{"1", "2", "3", "4"} {
		p.Send(s)
		p.Accepted(1)
	}
	a.Expect("1", "3")
	b.Expect("2", "4")
}

func TestWhatIsGivenBackComesAgainMarked(t *testing.T) {
	h := open(t, vfs.NewMem())
	defer h.close(t)
	p, c := h.Sender("jobs"), h.Receiver("jobs", 1)
	p.Send("again")
	first := c.Next()
	if first.Attempts != 0 {
		t.Errorf("attempts %d at the first delivery", first.Attempts)
	}
	first.Settle(router.Release())
	c.Link.Grant(1)
	second := c.Next()
	if second.Attempts != 0 {
		t.Errorf("attempts %d after a release, want 0", second.Attempts)
	}
	second.Settle(router.Fail())
	c.Link.Grant(1)
	third := c.Next()
	if third.Attempts != 1 {
		t.Errorf("attempts %d after a failure, want 1", third.Attempts)
	}
	c.Link.Close()
	fourth := h.Receiver("jobs", 1).Next()
	if fourth.Attempts != 2 {
		t.Errorf("attempts %d after the consumer was lost, want 2", fourth.Attempts)
	}
	third.Settle(router.Accept()) // late: it must not end the fourth
	done := make(chan error, 1)
	fourth.SettleThen(router.Accept(), func(err error) { done <- err })
	if err := <-done; err != nil {
		t.Errorf("the current holder was told %v", err)
	}
}

func TestSettlementIsConfirmedOnceAndSafe(t *testing.T) {
	gate := brokertest.NewGate(vfs.NewMem())
	h := open(t, gate)
	defer h.close(t)
	p, c := h.Sender("jobs"), h.Receiver("jobs", 1)
	p.Send("hello")
	d := c.Next()
	reached := gate.Hold()
	done := make(chan error, 2)
	d.SettleThen(router.Accept(), func(err error) { done <- err })
	<-reached
	if len(done) > 0 {
		t.Error("the settlement was confirmed before it was on disk")
	}
	gate.Release()
	if err := <-done; err != nil {
		t.Error(err)
	}
	d.SettleThen(router.Accept(), func(err error) { done <- err })
	if err := <-done; router.ReasonOf(err) != router.Conflict {
		t.Errorf("a second settlement was told %v, want a conflict", err)
	}
}

func TestFullQueueRefuses(t *testing.T) {
	h := open(t, vfs.NewMem())
	defer h.close(t)
	p := h.Sender("small")
	p.Send("1")
	p.Send("2")
	p.Accepted(2)
	p.Send("3")
	if got := p.Next().Outcome; got.State != router.Rejected || got.Reason != router.Quota {
		t.Errorf("the third message was %v (%v), want rejected for quota", got.State, got.Reason)
	}
}

func TestPowerCutLosesNothingAcceptedAndMarksWhatWasOut(t *testing.T) {
	fs := vfs.NewCrashableMem()
	h := open(t, fs)
	c := h.Receiver("jobs", 2)
	p := h.Sender("jobs")
	for i := range 5 {
		p.Send(fmt.Sprint(i))
	}
	p.Accepted(5)
	c.Expect("0", "1")
	cut := fs.CrashClone(vfs.CrashCloneCfg{})
	h.close(t)

	h = open(t, cut)
	defer h.close(t)
	for i, d := range h.Receiver("jobs", 5).Expect("0", "1", "2", "3", "4") {
		if i < 2 && d.Attempts == 0 {
			t.Errorf("message %d was out when the power was cut, and is not marked", i)
		}
	}
}

func TestCleanStopMarksOnlyWhatWasDelivered(t *testing.T) {
	fs := vfs.NewMem()
	h := open(t, fs)
	c := h.Receiver("jobs", 2)
	p := h.Sender("jobs")
	for i := range 4 {
		p.Send(fmt.Sprint(i))
	}
	p.Accepted(4)
	got := c.Expect("0", "1")
	got[0].Settle(router.Accept())
	c.Link.Close()
	h.close(t)

	h = open(t, fs)
	defer h.close(t)
	for i, d := range h.Receiver("jobs", 3).Expect("1", "2", "3") {
		if marked := d.Attempts > 0; marked != (i == 0) {
			t.Errorf("message %d: attempts %d", i+1, d.Attempts)
		}
	}
}

func TestTopicReachesThoseAttachedAndIsAcceptedWithoutThem(t *testing.T) {
	h := open(t, vfs.NewMem())
	defer h.close(t)
	p := h.Sender("telemetry/a/b")
	p.Send("nobody")
	p.Accepted(1)
	one, all, other := h.Receiver("telemetry/a/b", 5), h.Receiver("telemetry/#", 5), h.Receiver("telemetry/x", 5)
	p.Send("somebody")
	p.Accepted(1)
	one.Expect("somebody")
	if d := all.Next(); d.To != "telemetry/a/b" {
		t.Errorf("a wildcard receiver got address %q", d.To)
	}
	if !other.Idle() {
		t.Error("a receiver of another address got the message")
	}
}

func TestDurableSubscriptionKeepsWhileNobodyIsThere(t *testing.T) {
	fs := vfs.NewMem()
	h := open(t, fs)
	source := router.Source{Filter: routertest.Filter(t, "telemetry/*/b"), Subscription: "audit"}
	h.From(source, 0).Link.Close()
	p := h.Sender("telemetry/a/b")
	p.Send("kept")
	p.Accepted(1)
	h.close(t)

	h = open(t, fs)
	defer h.close(t)
	p = h.Sender("telemetry/c/b")
	p.Send("kept too")
	p.Accepted(1)
	c := h.From(source, 5)
	got := c.Expect("kept", "kept too")
	if got[1].To != "telemetry/c/b" {
		t.Errorf("address %q came back", got[1].To)
	}
	_, err := h.Router.Receiver(t.Context(), h.User, source, c)
	if router.ReasonOf(err) != router.Conflict {
		t.Errorf("a second consumer was told %v, want a conflict", err)
	}
}

func TestForgottenSubscriptionKeepsNothing(t *testing.T) {
	fs := vfs.NewMem()
	h := open(t, fs)
	source := router.Source{Filter: routertest.Filter(t, "telemetry/#"), Subscription: "audit"}
	c := h.From(source, 0)
	if err := h.Router.Forget(t.Context(), h.User, source); router.ReasonOf(err) != router.Conflict {
		t.Errorf("with a consumer: %v, want a conflict", err)
	}
	c.Link.Close()
	p := h.Sender("telemetry/a")
	p.Send("forgotten")
	p.Accepted(1)
	if err := h.Router.Forget(t.Context(), h.User, source); err != nil {
		t.Fatal(err)
	}
	if err := h.Router.Forget(t.Context(), h.User, source); router.ReasonOf(err) != router.NotFound {
		t.Errorf("a second time: %v, want not found", err)
	}
	h.close(t)

	h = open(t, fs)
	defer h.close(t)
	c = h.From(source, 5) // a new one of the same name
	p = h.Sender("telemetry/a")
	p.Send("new")
	p.Accepted(1)
	c.Expect("new")
}

func TestSubscriptionsAndQueuesAreLimited(t *testing.T) {
	b, err := broker.Open(broker.Options{
		Dir: "data", FS: vfs.NewMem(), Log: slog.New(slog.DiscardHandler), MaxQueues: 1, MaxSubscriptions: 1,
	})
	if err != nil {
		t.Fatal(err)
	}
	h := links(t, b)
	defer h.close(t)
	h.Sender("jobs")
	_, err = h.Router.Sender(t.Context(), h.User, router.Target{Address: "small"}, nil)
	if router.ReasonOf(err) != router.Quota {
		t.Errorf("a second queue: %v, want quota", err)
	}
	source := router.Source{Filter: routertest.Filter(t, "telemetry/#"), Subscription: "one"}
	h.From(source, 0)
	source.Subscription = "two"
	if _, err := h.Router.Receiver(t.Context(), h.User, source, nil); router.ReasonOf(err) != router.Quota {
		t.Errorf("a second subscription: %v, want quota", err)
	}
}

func TestTopicIsAcceptedWhenEverySubscriptionHasItOnDisk(t *testing.T) {
	gate := brokertest.NewGate(vfs.NewMem())
	h := open(t, gate)
	defer h.close(t)
	for _, name := range []string{"a", "b"} {
		h.From(router.Source{Filter: routertest.Filter(t, "telemetry/#"), Subscription: name}, 5)
	}
	p := h.Sender("telemetry/x")
	reached := gate.Hold()
	p.Send("twice")
	<-reached
	if p.Heard() {
		t.Error("accepted before it was on disk")
	}
	gate.Release()
	p.Accepted(1)
}

func TestRetainedMessageGreetsNewSubscribers(t *testing.T) {
	fs := vfs.NewMem()
	h := open(t, fs)
	retain := func(h *house, address, body string) {
		d := routertest.Text(body)
		d.Retain = true
		p := h.Sender(address)
		p.SendDelivery(d)
		p.Accepted(1)
	}
	retain(h, "telemetry/a", "old")
	retain(h, "telemetry/a", "new")
	retain(h, "telemetry/b", "gone")
	retain(h, "telemetry/b", "")
	h.close(t)

	h = open(t, fs)
	defer h.close(t)
	c := h.From(router.Source{Filter: routertest.Filter(t, "telemetry/#"), Retained: true}, 0)
	if !c.Idle() {
		t.Error("a retained message came without credit")
	}
	c.Link.Grant(5)
	if d := c.Expect("new")[0]; !d.Retained {
		t.Error("the retained message is not marked as such")
	}
	h.Sender("telemetry/a").Send("live")
	if d := c.Expect("live")[0]; d.Retained {
		t.Error("a live message is marked as retained")
	}
}

// TestNewSubscriptionIsOnDiskBeforeAnybodyHasIt: also for one who attaches while another is making it.
func TestNewSubscriptionIsOnDiskBeforeAnybodyHasIt(t *testing.T) {
	gate := brokertest.NewGate(vfs.NewMem())
	h := open(t, gate)
	defer h.close(t)
	source := router.Source{Filter: routertest.Filter(t, "telemetry/#"), Subscription: "new"}
	reached := gate.Hold()
	told := make(chan error, 2)
	attach := func() {
		_, err := h.Router.Receiver(t.Context(), h.User, source, consumerFunc(func(router.Delivery) {}))
		told <- err
	}
	go attach()
	<-reached
	go attach()
	select {
	case err := <-told:
		t.Errorf("somebody was told %v before the subscription was on disk", err)
		told <- err
	case <-time.After(50 * time.Millisecond): // the second has nothing that it could be seen to wait for
	}
	gate.Release()
	first, second := <-told, <-told
	if (first == nil) == (second == nil) {
		t.Errorf("told %v and %v, want one yes and one conflict", first, second)
	}
}

func TestFullSubscriptionMissesAndHarmsNobody(t *testing.T) {
	h := open(t, vfs.NewMem())
	defer h.close(t)
	def := routertest.Define(t, "news", addressing.Topic)
	def.Queue.MaxMessages = 1
	h.User = routertest.User(t, "default", def)
	full := h.From(router.Source{Filter: routertest.Filter(t, "news"), Subscription: "full"}, 0)
	live := h.Receiver("news", 5)
	p := h.Sender("news")
	p.Send("1")
	p.Send("2")
	p.Accepted(2)
	live.Expect("1", "2")
	full.Link.Grant(5)
	full.Expect("1")
	if got := h.Router.Counters("default").Kind(addressing.Topic).Dropped(); got != 1 {
		t.Errorf("%d counted as dropped, want 1", got)
	}
}

func TestRetainedMessageBeyondTheLimitIsRefusedAndNotDelivered(t *testing.T) {
	b, err := broker.Open(broker.Options{
		Dir: "data", FS: vfs.NewMem(), Log: slog.New(slog.DiscardHandler), MaxRetained: 1,
	})
	if err != nil {
		t.Fatal(err)
	}
	h := links(t, b)
	defer h.close(t)
	live := h.Receiver("telemetry/#", 5)
	d := routertest.Text("kept")
	d.Retain = true
	p := h.Sender("telemetry/a")
	p.SendDelivery(d)
	p.Accepted(1)
	live.Expect("kept")
	other := h.Sender("telemetry/b")
	other.SendDelivery(d)
	if got := other.Next().Outcome; got.Reason != router.Quota {
		t.Errorf("outcome %v, want a refusal for quota", got)
	}
	if !live.Idle() {
		t.Error("a message that was refused has been delivered")
	}
}

func TestRetainedMessageKeepsItsQualityOverARestart(t *testing.T) {
	fs := vfs.NewMem()
	h := open(t, fs)
	d := routertest.Text("once")
	d.Retain, d.Settled = true, true
	p := h.Sender("telemetry/a")
	p.SendDelivery(d)
	p.Accepted(1)
	h.close(t)

	h = open(t, fs)
	defer h.close(t)
	c := h.From(router.Source{Filter: routertest.Filter(t, "telemetry/a"), Retained: true}, 1)
	if got := c.Next(); !got.Settled || !got.Retained {
		t.Errorf("settled %v, retained %v, want both", got.Settled, got.Retained)
	}
}

func TestSlowSubscriberMissesAndDelaysNobody(t *testing.T) {
	h := open(t, vfs.NewMem())
	defer h.close(t)
	h.Receiver("telemetry/a", 1)
	quick := h.Receiver("telemetry/a", 10)
	p := h.Sender("telemetry/a")
	p.Send("1")
	p.Send("2")
	p.Accepted(2)
	quick.Expect("1", "2")
	if got := h.Router.Counters("default").Kind(addressing.Topic).Dropped(); got != 1 {
		t.Errorf("%d counted as dropped, want 1", got)
	}
}
