package broker_test

import (
	"context"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/manifoldmq/manifold/addressing"
	"github.com/manifoldmq/manifold/router"
	"github.com/manifoldmq/manifold/router/amqp"
	"github.com/manifoldmq/manifold/router/routertest"
)

// keyed gives a message with an application property "sensor".
func keyed(body, sensor string) router.Delivery {
	w := amqp.BeginApplicationProperties(nil)
	w.String("sensor", sensor)
	return router.Delivery{Message: amqp.Trusted(amqp.AppendData(w.End(), []byte(body)))}
}

func TestOnlyTheLastMessageOfAKeyIsKept(t *testing.T) {
	fs := vfs.NewCrashableMem()
	s := addressing.QueueSettings{LastValueKey: "sensor"}
	h := ruled(t, fs, s)
	p := h.Sender("orders")
	send := func(ds ...router.Delivery) {
		t.Helper()
		for _, d := range ds {
			p.SendDelivery(d)
		}
		p.Accepted(len(ds))
	}
	send(keyed("a1", "a"), keyed("b1", "b"), keyed("a2", "a"), routertest.Text("none"), routertest.Text("none"))
	c := h.Receiver("orders", 1)
	held := c.Expect("b1")[0]
	send(keyed("b2", "b"))
	held.Settle(router.Release()) // a later one has come: it is not wanted any more
	c.Link.Close()
	cut := fs.CrashClone(vfs.CrashCloneCfg{})
	h.close(t)

	h = ruled(t, cut, s)
	p = h.Sender("orders")
	send(keyed("a3", "a"))
	h.Receiver("orders", 10).Expect("none", "none", "b2", "a3")
	if got, _ := h.broker.Statistics(10); got[0].Messages != 4 {
		t.Errorf("%d messages are kept", got[0].Messages)
	}
	h.close(t)
}

// TestMessageThatWasHeldGivesWayAfterAPowerCut: until then it stays, although a later one of its key has come.
func TestMessageThatWasHeldGivesWayAfterAPowerCut(t *testing.T) {
	fs := vfs.NewCrashableMem()
	s := addressing.QueueSettings{LastValueKey: "sensor"}
	h := ruled(t, fs, s)
	p, c := h.Sender("orders"), h.Receiver("orders", 1)
	p.SendDelivery(keyed("a1", "a"))
	c.Expect("a1")
	p.SendDelivery(keyed("a2", "a"))
	p.Accepted(2)
	cut := fs.CrashClone(vfs.CrashCloneCfg{})
	h.close(t)

	for _, kept := range []int{1, 0} {
		h = ruled(t, cut, s)
		if got, _ := h.broker.Statistics(10); got[0].Messages != kept {
			t.Errorf("%d messages are kept, want %d", got[0].Messages, kept)
		}
		if kept > 0 {
			done := make(chan error, 1)
			h.Receiver("orders", 5).Expect("a2")[0].SettleThen(router.Accept(), func(err error) { done <- err })
			if err := <-done; err != nil {
				t.Error(err)
			}
		}
		h.close(t)
	}
}

func TestConsumersOfANonDestructiveQueueTakeNothing(t *testing.T) {
	h := ruled(t, vfs.NewMem(), addressing.QueueSettings{})
	defer h.close(t)
	p := h.Sender("orders")
	for _, s := range []string{"1", "2", "3"} {
		p.Send(s)
	}
	p.Accepted(3)
	before := h.Receiver("orders", 1)
	held := before.Expect("1")[0]
	h.redefine(t, addressing.QueueSettings{NonDestructive: true})
	before.Link.Grant(2)
	before.Expect("1", "2") // from the beginning, as everybody now
	for range 2 {
		for _, d := range h.Receiver("orders", 3).Expect("1", "2", "3") {
			d.Settle(router.Accept())
		}
	}
	held.Settle(router.Accept())
	late := h.Receiver("orders", 5)
	late.Expect("2", "3")
	p.Send("4")
	late.Expect("4")
	h.redefine(t, addressing.QueueSettings{})
	h.Receiver("orders", 1).Next().Settle(router.Accept())
}

func TestExclusiveConsumerLetsNobodyIn(t *testing.T) {
	h := ruled(t, vfs.NewMem(), addressing.QueueSettings{Exclusive: true})
	defer h.close(t)
	h.Sender("orders").Send("1")
	only := h.Receiver("orders", 1)
	only.Expect("1")
	source := router.Source{Filter: routertest.Filter(t, "orders")}
	if _, err := h.Router.Receiver(context.Background(), h.User, source, only); router.ReasonOf(err) != router.Conflict {
		t.Errorf("a second consumer: %v", err)
	}
	source.Browse = true
	h.From(source, 1).Expect("1")
	only.Link.Close()
	h.Receiver("orders", 1).Expect("1")
}

func TestNobodySendsToAConsumeOnlyQueue(t *testing.T) {
	h := ruled(t, vfs.NewMem(), addressing.QueueSettings{})
	defer h.close(t)
	p := h.Sender("orders")
	p.Send("1")
	p.Accepted(1)
	tx := h.Router.Begin()
	if err := tx.Send(p.Link, routertest.Text("2")); err != nil {
		t.Fatal(err)
	}
	h.redefine(t, addressing.QueueSettings{ConsumeOnly: true})
	p.Send("3")
	if o := p.Next().Outcome; o.Reason != router.Denied {
		t.Errorf("who was there before: %v", o)
	}
	if reason := commit(tx); reason != router.Denied {
		t.Errorf("in a transaction: %v", reason)
	}
	_, err := h.Router.Sender(context.Background(), h.User, router.Target{Address: "orders"}, p)
	if router.ReasonOf(err) != router.Denied {
		t.Errorf("a new sender: %v", err)
	}
	h.Receiver("orders", 5).Expect("1")
}

func TestConsumeOnlyQueueTakesDeadLettersIn(t *testing.T) {
	h := open(t, vfs.NewMem())
	defer h.close(t)
	orders, dead := routertest.Define(t, "orders", addressing.Queue), routertest.Define(t, "dead", addressing.Queue)
	orders.Queue.DeadLetter, dead.Queue.ConsumeOnly = "dead", true
	h.User = routertest.User(t, "default", orders, dead)
	h.broker.Define(h.User.Tenant)
	h.Sender("orders").Send("1")
	h.Receiver("orders", 1).Next().Settle(router.Reject(router.Malformed, ""))
	h.Receiver("dead", 1).Expect("1")
}

func TestConsumerOfHigherPriorityIsServedFirst(t *testing.T) {
	h := ruled(t, vfs.NewMem(), addressing.QueueSettings{})
	defer h.close(t)
	orders := routertest.Filter(t, "orders")
	low := h.From(router.Source{Filter: orders, Priority: -1}, 5)
	usual := h.From(router.Source{Filter: orders}, 5)
	high := h.From(router.Source{Filter: orders, Priority: 7}, 2)
	p := h.Sender("orders")
	for _, s := range []string{"1", "2", "3"} {
		p.Send(s)
		p.Accepted(1)
	}
	high.Expect("1", "2")
	usual.Expect("3")
	if !low.Idle() {
		t.Error("the consumer of the lowest priority was served while others had credit")
	}
}
