package broker_test

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/manifoldmq/manifold/addressing"
	"github.com/manifoldmq/manifold/broker"
	"github.com/manifoldmq/manifold/router"
	"github.com/manifoldmq/manifold/router/routertest"
	"github.com/manifoldmq/manifold/router/selector"
)

// administered is a ruled house whose broker knows its definitions, with n messages in "orders".
func administered(t testing.TB, fs vfs.FS, s addressing.QueueSettings, n int) *house {
	t.Helper()
	h := ruled(t, fs, s)
	h.broker.Define(h.User.Tenant)
	p := h.Sender("orders")
	for i := range n {
		p.Send(fmt.Sprint(i))
	}
	p.Accepted(n)
	return h
}

// count checks what an operation answers.
func count(t testing.TB, want int) func(int, error) {
	return func(n int, err error) {
		t.Helper()
		if n != want || err != nil {
			t.Errorf("%d messages and %v, want %d", n, err, want)
		}
	}
}

func numbers(from, to int) (bodies []string) {
	for i := from; i < to; i++ {
		bodies = append(bodies, fmt.Sprint(i))
	}
	return bodies
}

func TestPurgeLeavesWhatIsHeld(t *testing.T) {
	fs := vfs.NewCrashableMem()
	ctx := context.Background()
	h := administered(t, fs, addressing.QueueSettings{}, 300)
	c := h.Receiver("orders", 2)
	c.Expect("0", "1")
	count(t, 3)(h.broker.Purge(ctx, "default", "orders", broker.Selection{Max: 3}))
	count(t, 295)(h.broker.Purge(ctx, "default", "orders", broker.Selection{}))
	cut := fs.CrashClone(vfs.CrashCloneCfg{})
	c.Link.Close()
	h.Receiver("orders", 5).Expect("0", "1")
	h.close(t)

	h = administered(t, cut, addressing.QueueSettings{}, 1)
	defer h.close(t)
	c = h.Receiver("orders", 5)
	c.Expect("0", "1", "0")
	if !c.Idle() {
		t.Error("a purged message came again after a power cut")
	}
}

func TestPurgeChooses(t *testing.T) {
	h := administered(t, vfs.NewMem(), addressing.QueueSettings{}, 1)
	defer h.close(t)
	p := h.Sender("orders")
	for _, sensor := range []string{"a", "b", "a", "c"} {
		p.SendDelivery(keyed(sensor, sensor))
	}
	p.Accepted(4)
	s, err := selector.Parse("sensor = 'a'")
	if err != nil {
		t.Fatal(err)
	}
	count(t, 2)(h.broker.Purge(context.Background(), "default", "orders", broker.Selection{Selector: s}))
	h.Receiver("orders", 5).Expect("0", "b", "c")
}

func TestMoveAndCopy(t *testing.T) {
	fs := vfs.NewCrashableMem()
	ctx := context.Background()
	h := administered(t, fs, addressing.QueueSettings{}, 150)
	h.Sender("orders").SendDelivery(in("later", time.Hour, 0))
	count(t, 150)(h.broker.Copy(ctx, "default", "orders", "late", broker.Selection{Max: 150}))
	count(t, 150)(h.broker.Move(ctx, "default", "orders", "dead", broker.Selection{}))
	cut := fs.CrashClone(vfs.CrashCloneCfg{})
	for _, d := range h.Receiver("dead", 200).Expect(numbers(0, 150)...) {
		if d.To != "dead" {
			t.Fatalf("a moved message is for %q", d.To)
		}
	}
	h.close(t)

	h = administered(t, cut, addressing.QueueSettings{}, 0)
	defer h.close(t)
	h.Receiver("dead", 200).Expect(numbers(0, 150)...)
	h.Receiver("late", 200).Expect(numbers(0, 150)...)
	h.Sender("orders").Send("new")
	h.Receiver("orders", 5).Expect("new")
}

func TestMoveStopsWhereThereIsNoRoom(t *testing.T) {
	h := administered(t, vfs.NewMem(), addressing.QueueSettings{}, 100)
	defer h.close(t)
	ctx := context.Background()
	small := routertest.Define(t, "small", addressing.Queue)
	small.Queue.MaxMessages = 70
	h.User = routertest.User(t, "default", routertest.Define(t, "orders", addressing.Queue), small)
	h.broker.Define(h.User.Tenant)
	n, err := h.broker.Move(ctx, "default", "orders", "small", broker.Selection{})
	if n != 64 || router.ReasonOf(err) != router.Quota {
		t.Errorf("%d messages and %v", n, err)
	}
	h.Receiver("orders", 100).Expect(numbers(64, 100)...)
	_, err = h.broker.Move(ctx, "default", "orders", "nowhere", broker.Selection{})
	if router.ReasonOf(err) != router.NotFound {
		t.Errorf("to nowhere: %v", err)
	}
	if _, err = h.broker.Copy(ctx, "default", "small", "small", broker.Selection{}); router.ReasonOf(err) != router.Conflict {
		t.Errorf("to itself: %v", err)
	}
	gone, cancel := context.WithCancel(ctx)
	cancel()
	if _, err = h.broker.Purge(gone, "default", "small", broker.Selection{}); err != context.Canceled {
		t.Errorf("when nobody waits: %v", err)
	}
}

// TestReplayPutsDeadLettersBack to the queue or the subscription that they come from, as they were.
func TestReplayPutsDeadLettersBack(t *testing.T) {
	h := open(t, vfs.NewMem())
	defer h.close(t)
	orders, news := routertest.Define(t, "orders", addressing.Queue), routertest.Define(t, "news/#", addressing.Topic)
	orders.Queue.DeadLetter, news.Queue.DeadLetter = "dead", "dead"
	h.User = routertest.User(t, "default", orders, news, routertest.Define(t, "dead", addressing.Queue))
	h.broker.Define(h.User.Tenant)
	subscription := router.Source{Filter: routertest.Filter(t, "news/*"), Subscription: "s"}
	reader, c := h.From(subscription, 1), h.Receiver("orders", 1)
	h.Sender("orders").SendDelivery(keyed("order", "a"))
	h.Sender("news/today").Send("news")
	h.Sender("dead").Send("of its own")
	rejected := router.Reject(router.Malformed, "")
	for _, d := range []router.Delivery{c.Next(), reader.Next()} {
		done := make(chan error, 1)
		d.SettleThen(rejected, func(err error) { done <- err })
		if err := <-done; err != nil {
			t.Fatal(err)
		}
	}
	count(t, 2)(h.broker.Replay(context.Background(), "default", "dead", broker.Selection{}))
	c.Link.Grant(1)
	reader.Link.Grant(1)
	for _, back := range []struct {
		d  router.Delivery
		to addressing.Address
	}{{c.Expect("order")[0], "orders"}, {reader.Expect("news")[0], "news/today"}} {
		if back.d.To != back.to || back.d.Message.MessageAnnotations().Len() > 0 || back.d.Attempts > 0 {
			t.Errorf("%q came back to %s with %d annotations, tried %d times", routertest.Body(back.d), back.d.To,
				back.d.Message.MessageAnnotations().Len(), back.d.Attempts)
		}
	}
	h.Receiver("dead", 5).Expect("of its own")
}

func TestStatisticsFollowAQueue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := administered(t, vfs.NewMem(), addressing.QueueSettings{
			DeadLetter: "dead", MaxMessages: 5, Overflow: addressing.DropHead,
		}, 3)
		defer h.close(t)
		began := time.Now().UnixMilli()
		time.Sleep(time.Minute)
		p, c := h.Sender("orders"), h.Receiver("orders", 2)
		got := c.Expect("0", "1")
		got[0].Settle(router.Accept())
		got[1].Settle(router.Fail())
		c.Link.Grant(1)
		again := c.Expect("1")[0]
		p.SendDelivery(in("late", 0, time.Second))
		p.Accepted(1)
		time.Sleep(2 * time.Second)
		synctest.Wait()
		all, more := h.broker.Statistics(1)
		if len(all) != 1 || more != 1 { // "dead" is left out
			t.Fatalf("%d of %d queues", len(all), len(all)+more)
		}
		s := all[0]
		want := broker.Counters{In: 4, Out: 1, Redelivered: 1, Expired: 1}
		if s.Counters != want || s.Name != "orders" || s.Tenant != "default" || s.Messages != 2 || s.Ready != 1 ||
			s.Unacknowledged != 1 || s.Consumers != 1 || s.Bytes == 0 || s.Oldest.UnixMilli() != began {
			t.Errorf("%+v", s)
		}
		one, ok := h.broker.StatisticsOf("default", "orders")
		if _, others := h.broker.StatisticsOf("other", "orders"); !ok || others || one.Counters != want || one.Messages != 2 {
			t.Errorf("%+v, %v, in another tenant %v", one, ok, others)
		}
		if names := h.broker.Stored("default"); !slices.Equal(names, []string{"dead", "orders"}) || h.broker.Stored("other") != nil {
			t.Errorf("there are %v", names)
		}
		again.Settle(router.Reject(router.Malformed, ""))
		synctest.Wait()
		for range 5 {
			p.Send("x")
		}
		p.Accepted(5)
		synctest.Wait()
		all, _ = h.broker.Statistics(10)
		want = broker.Counters{In: 9, Out: 1, Redelivered: 1, Expired: 1, DeadLettered: 1, Dropped: 1}
		if all[0].Counters != want || all[1].Name != "dead" || all[1].Messages != 1 || all[1].In != 1 {
			t.Errorf("%+v", all)
		}
	})
}
