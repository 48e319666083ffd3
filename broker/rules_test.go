package broker_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"pgregory.net/rapid"

	"github.com/manifoldmq/manifold/addressing"
	"github.com/manifoldmq/manifold/router"
	"github.com/manifoldmq/manifold/router/amqp"
	"github.com/manifoldmq/manifold/router/routertest"
)

// ruled is a house whose queue "orders" has these settings, with two queues for its dead and expired messages.
func ruled(t testing.TB, fs vfs.FS, s addressing.QueueSettings) *house {
	t.Helper()
	h := open(t, fs)
	orders := routertest.Define(t, "orders", addressing.Queue)
	orders.Queue = s
	h.User = routertest.User(t, "default", orders,
		routertest.Define(t, "dead", addressing.Queue), routertest.Define(t, "late", addressing.Queue))
	return h
}

// letter checks what a moved message says of its death.
func letter(t testing.TB, d router.Delivery, reason string, count uint32) {
	t.Helper()
	got := make(map[string]any)
	for k, v := range d.Message.MessageAnnotations().All() {
		text, _ := k.Text()
		got[string(text)] = v.Value()
	}
	if got["x-opt-death-queue"] != "orders" || got["x-opt-death-reason"] != reason ||
		got["x-opt-death-count"] != count || got["x-opt-death-time"] == nil {
		t.Errorf("annotations %v, want orders, %s, %d", got, reason, count)
	}
}

func TestRejectedMessageGoesToTheDeadLetterQueue(t *testing.T) {
	fs := vfs.NewCrashableMem()
	h := ruled(t, fs, addressing.QueueSettings{DeadLetter: "dead"})
	p, c := h.Sender("orders"), h.Receiver("orders", 5)
	p.Send("1")
	p.Send("2")
	got := c.Expect("1", "2")
	done := make(chan error, 1)
	got[0].SettleThen(router.Reject(router.Malformed, "no JSON"), func(err error) { done <- err })
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	tx := h.Router.Begin()
	settle(t, tx, got[1], router.Reject(router.Malformed, strings.Repeat("ä", 1024)))
	committed(t, tx)
	dead := h.Receiver("dead", 5)
	for i, d := range dead.Expect("1", "2") {
		letter(t, d, "rejected", 0)
		said, _ := d.Message.MessageAnnotations().Lookup("x-opt-death-text")
		if want := []string{"no JSON", strings.Repeat("ä", 512)}[i]; said.Value() != want {
			t.Errorf("message %d says %v, want %q", i, said.Value(), want)
		}
	}
	cut := fs.CrashClone(vfs.CrashCloneCfg{})
	h.close(t)

	h = ruled(t, cut, addressing.QueueSettings{DeadLetter: "dead"})
	defer h.close(t)
	h.Sender("orders").Send("3")
	h.Receiver("orders", 5).Expect("3")
	h.Receiver("dead", 5).Expect("1", "2")
}

func TestMessageIsDeadAfterItsLastTry(t *testing.T) {
	h := ruled(t, vfs.NewMem(), addressing.QueueSettings{DeadLetter: "dead", MaxDeliveries: 3})
	defer h.close(t)
	p := h.Sender("orders")
	p.Send("1")
	p.Send("2")
	for range 2 {
		h.Receiver("orders", 1).Expect("1")[0].Settle(router.Fail())
	}
	c := h.Receiver("orders", 1)
	c.Expect("1")
	c.Link.Close()
	letter(t, h.Receiver("dead", 5).Expect("1")[0], "maxDeliveries", 3)
}

// TestTriesAreCountedOverAPowerCut: as far as the disk has them, which the next confirmed write sees to.
func TestTriesAreCountedOverAPowerCut(t *testing.T) {
	fs := vfs.NewCrashableMem()
	s := addressing.QueueSettings{DeadLetter: "dead", MaxDeliveries: 4}
	h := ruled(t, fs, s)
	p := h.Sender("orders")
	p.Send("1")
	p.Accepted(1)
	h.Receiver("orders", 1).Next().Settle(router.Fail())
	h.Receiver("orders", 1).Next().Settle(router.Fail())
	gone := h.Receiver("orders", 1)
	gone.Next()
	gone.Link.Close()
	p.Send("2")
	p.Accepted(1)
	cut := fs.CrashClone(vfs.CrashCloneCfg{})
	h.close(t)

	h = ruled(t, cut, s)
	defer h.close(t)
	c := h.Receiver("orders", 1)
	if d := c.Expect("1")[0]; d.Attempts != 3 {
		t.Errorf("%d attempts, want 3", d.Attempts)
	}
	c.Link.Close()
	letter(t, h.Receiver("dead", 5).Expect("1")[0], "maxDeliveries", 4)
	h.Receiver("orders", 1).Expect("2")
}

func TestDeadMessageIsDroppedWithoutADeadLetterQueue(t *testing.T) {
	h := ruled(t, vfs.NewMem(), addressing.QueueSettings{MaxDeliveries: 1})
	defer h.close(t)
	p, c := h.Sender("orders"), h.Receiver("orders", 5)
	p.Send("1")
	p.Send("2")
	c.Next().Settle(router.Fail())
	c.Expect("2")
	if !c.Idle() {
		t.Error("a message came again after its last try")
	}
}

func TestExpiredMessagesGoToTheirQueue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := ruled(t, vfs.NewMem(), addressing.QueueSettings{
			Expiry: "late",
			TTL:    addressing.TTL{Default: time.Hour, Min: time.Minute, Max: 2 * time.Hour},
		})
		defer h.close(t)
		p := h.Sender("orders")
		p.SendDelivery(in("default", 0, 0))
		p.SendDelivery(in("min", 0, time.Second))
		p.SendDelivery(in("max", 0, 24*time.Hour))
		for range 200 {
			p.SendDelivery(in("many", 0, 90*time.Minute))
		}
		p.Accepted(203)
		late := h.Receiver("late", 500)
		after := func(d time.Duration, bodies ...string) {
			t.Helper()
			time.Sleep(d - time.Second)
			synctest.Wait()
			if !late.Idle() {
				t.Error("a message expired too early")
			}
			time.Sleep(2 * time.Second)
			for _, d := range late.Expect(bodies...) {
				letter(t, d, "expired", 0)
				if d.Expires != 0 {
					t.Error("an expired message expires again")
				}
			}
		}
		many := make([]string, 200)
		for i := range many {
			many[i] = "many"
		}
		after(time.Minute, "min")
		after(time.Hour-time.Minute-time.Second, "default")
		after(30*time.Minute-time.Second, many...)
		after(30*time.Minute-time.Second, "max")
	})
}

func TestFailedMessageWaitsLongerEachTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := ruled(t, vfs.NewMem(), addressing.QueueSettings{
			Redelivery: addressing.Backoff{Initial: time.Second, Multiplier: 3, Max: 5 * time.Second},
		})
		defer h.close(t)
		p, c := h.Sender("orders"), h.Receiver("orders", 10)
		p.Send("1")
		for _, seconds := range []int{0, 1, 3, 5, 5} {
			before := time.Now()
			d := c.Next()
			if waited := time.Since(before).Round(100 * time.Millisecond); waited != time.Duration(seconds)*time.Second {
				t.Errorf("attempt %d after %v, want %d s", d.Attempts, waited, seconds)
			}
			d.Settle(router.Fail())
		}
	})
}

func TestOldestMessagesMakeRoom(t *testing.T) {
	fs := vfs.NewMem()
	s := addressing.QueueSettings{MaxMessages: 3, Overflow: addressing.DropHead}
	h := ruled(t, fs, s)
	p := h.Sender("orders")
	for i := range 10 {
		p.Send(fmt.Sprint(i))
	}
	p.Accepted(10)
	h.close(t)

	h = ruled(t, fs, s)
	defer h.close(t)
	c := h.Receiver("orders", 10)
	c.Expect("7", "8", "9")
	if !c.Idle() {
		t.Error("more is there than the queue may hold")
	}
}

func TestConsumersAreLimited(t *testing.T) {
	h := ruled(t, vfs.NewMem(), addressing.QueueSettings{MaxConsumers: 1})
	defer h.close(t)
	source := router.Source{Filter: routertest.Filter(t, "orders")}
	c := h.From(source, 0)
	h.refusedWith(t, source, router.Conflict)
	browser := source
	browser.Browse = true
	h.From(browser, 0)
	c.Link.Close()
	h.From(source, 0)
}

// TestFullDeadLetterQueueLosesNothing: what cannot be moved is there after the next start.
func TestFullDeadLetterQueueLosesNothing(t *testing.T) {
	fs := vfs.NewMem()
	full := func() *house {
		h := ruled(t, fs, addressing.QueueSettings{DeadLetter: "dead"})
		orders, dead := routertest.Define(t, "orders", addressing.Queue), routertest.Define(t, "dead", addressing.Queue)
		orders.Queue.DeadLetter, dead.Queue.MaxMessages = "dead", 1
		h.User = routertest.User(t, "default", orders, dead)
		h.Sender("dead")
		return h
	}
	h := full()
	p, c := h.Sender("orders"), h.Receiver("orders", 5)
	p.Send("1")
	p.Send("2")
	for i, d := range c.Expect("1", "2") {
		done := make(chan error, 1)
		d.SettleThen(router.Reject(router.Malformed, ""), func(err error) { done <- err })
		if reason := router.ReasonOf(<-done); (reason == router.Quota) != (i == 1) {
			t.Errorf("rejecting message %d: %v", i+1, reason)
		}
	}
	c.Link.Close()
	h.close(t)

	h = full()
	defer h.close(t)
	if d := h.Receiver("orders", 5).Expect("2")[0]; d.Attempts == 0 {
		t.Error("the message is not marked as delivered before")
	}
}

func grouped(t testing.TB, s, group string) router.Delivery {
	t.Helper()
	p := amqp.Properties{GroupID: group}
	m, err := amqp.ParseMessage(amqp.AppendData(p.Append(nil), []byte(s)))
	if err != nil {
		t.Fatal(err)
	}
	return router.Delivery{Message: m}
}

func TestGroupStaysWithItsConsumer(t *testing.T) {
	fs := vfs.NewMem()
	s := addressing.QueueSettings{Groups: true}
	h := ruled(t, fs, s)
	p := h.Sender("orders")
	for i := range 1000 {
		p.SendDelivery(grouped(t, fmt.Sprint(i), []string{"x", "y"}[i%2]))
	}
	p.Accepted(1000)
	h.close(t)

	h = ruled(t, fs, s)
	defer h.close(t)
	a := h.Receiver("orders", 1)
	a.Expect("0")[0].Settle(router.Accept())
	b := h.Receiver("orders", 1)
	b.Expect("1")
	for i := 2; i <= 900; i += 2 {
		a.Link.Grant(1)
		a.Expect(fmt.Sprint(i))[0].Settle(router.Accept())
	}
	a.Link.Close()
	b.Link.Grant(2)
	b.Expect("3", "5")
	b.Link.Grant(1000)
	for got := ""; got != "902"; {
		got = routertest.Body(b.Next())
	}
}

func TestSingleActiveConsumerGetsEverythingUntilItLeaves(t *testing.T) {
	h := ruled(t, vfs.NewMem(), addressing.QueueSettings{SingleActive: true})
	defer h.close(t)
	a, b := h.Receiver("orders", 2), h.Receiver("orders", 5)
	p := h.Sender("orders")
	for _, body := range []string{"1", "2", "3"} {
		p.Send(body)
	}
	p.Accepted(3)
	a.Expect("1", "2")
	if !b.Idle() || b.Link.Pending() {
		t.Error("a consumer that is not the active one got a message, or waits for one")
	}
	a.Link.Close()
	b.Expect("1", "2", "3")
}

// TestSubscriptionIsLimitedBeforeItsConsumerComesBack: also after a restart.
func TestSubscriptionIsLimitedBeforeItsConsumerComesBack(t *testing.T) {
	fs := vfs.NewMem()
	source := router.Source{Filter: routertest.Filter(t, "news"), Subscription: "full"}
	limited := func() *house {
		h := open(t, fs)
		def := routertest.Define(t, "news", addressing.Topic)
		def.Queue.MaxMessages = 1
		h.User = routertest.User(t, "default", def)
		return h
	}
	h := limited()
	h.From(source, 0)
	h.close(t)

	h = limited()
	defer h.close(t)
	p := h.Sender("news")
	p.Send("1")
	p.Send("2")
	p.Accepted(2)
	c := h.From(source, 5)
	c.Expect("1")
	p.Send("3")
	if got := h.Router.Counters("default").Kind(addressing.Topic).Dropped(); got != 2 {
		t.Errorf("%d counted as dropped, want 2", got)
	}
}

// TestAPowerCutLeavesDeadLettersInOneQueue rejects messages, cuts the power after a random number of answers, keeps a
// random part of what was not synced, and finds each message in one queue and not in the other.
func TestAPowerCutLeavesDeadLettersInOneQueue(t *testing.T) {
	const messages = 20
	s := addressing.QueueSettings{DeadLetter: "dead"}
	rapid.Check(t, func(rt *rapid.T) {
		answers := rapid.IntRange(1, messages).Draw(rt, "answers")
		unsynced := rapid.IntRange(0, 100).Draw(rt, "unsyncedPercent")
		seed := rapid.Uint64().Draw(rt, "seed")

		disk := vfs.NewCrashableMem()
		h := ruled(t, disk, s)
		p, c := h.Sender("orders"), h.Receiver("orders", messages)
		for i := range messages {
			p.Send(fmt.Sprint(i))
		}
		p.Accepted(messages)
		done := make(chan error, messages)
		for range messages {
			c.Next().SettleThen(router.Reject(router.Malformed, ""), func(err error) { done <- err })
		}
		for range answers {
			if err := <-done; err != nil {
				rt.Fatal(err)
			}
		}
		cut := disk.CrashClone(vfs.CrashCloneCfg{UnsyncedDataPercent: unsynced, RNG: rand.New(rand.NewPCG(seed, seed))})
		h.close(t)

		h = ruled(t, cut, s)
		defer h.close(t)
		found := make(map[string]int)
		for _, address := range []string{"orders", "dead"} {
			h.Sender(address).Send("end")
			c := h.Receiver(address, messages+1)
			count := 0
			for body := routertest.Body(c.Next()); body != "end"; body = routertest.Body(c.Next()) {
				found[body]++
				count++
			}
			if address == "dead" && count < answers {
				rt.Errorf("%d were acknowledged as dead, %d are", answers, count)
			}
		}
		for i := range messages {
			if n := found[fmt.Sprint(i)]; n != 1 {
				rt.Errorf("message %d is there %d times", i, n)
			}
		}
	})
}
