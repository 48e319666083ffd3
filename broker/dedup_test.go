package broker_test

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/manifoldmq/manifold/addressing"
	"github.com/manifoldmq/manifold/broker/brokertest"
	"github.com/manifoldmq/manifold/router"
	"github.com/manifoldmq/manifold/router/amqp"
)

// named gives a message with an id.
func named(body string, id any) router.Delivery {
	p := amqp.Properties{MessageID: id}
	return router.Delivery{Message: amqp.Trusted(amqp.AppendData(p.Append(nil), []byte(body)))}
}

func TestDuplicateIsAcceptedAndNotStoredAgain(t *testing.T) {
	h := ruled(t, vfs.NewMem(), addressing.QueueSettings{Dedup: addressing.Dedup{Messages: 10}})
	defer h.close(t)
	p, c := h.Sender("orders"), h.Receiver("orders", 20)
	p.SendDelivery(named("text", "7"))
	p.SendDelivery(named("number", uint64(7)))
	p.SendDelivery(named("binary", []byte("7")))
	p.SendDelivery(named("again", "7"))
	p.Send("no id")
	p.Send("no id")
	p.Accepted(6)
	for _, d := range c.Expect("text", "number", "binary", "no id", "no id") {
		d.Settle(router.Accept())
	}
	p.SendDelivery(named("after it was consumed", "7"))
	p.Accepted(1)
	p.SendDelivery(named("other", "8"))
	c.Expect("other")
}

// TestDuplicateIsAcceptedWithItsFirst: not before that is on disk.
func TestDuplicateIsAcceptedWithItsFirst(t *testing.T) {
	gate := brokertest.NewGate(vfs.NewMem())
	h := ruled(t, gate, addressing.QueueSettings{Dedup: addressing.Dedup{Messages: 10}})
	defer h.close(t)
	p := h.Sender("orders")
	p.Send("so that the queue is there")
	p.Accepted(1)
	reached := gate.Hold()
	p.SendDelivery(named("1", "a"))
	<-reached
	p.SendDelivery(named("1", "a"))
	if p.Heard() {
		t.Error("accepted before the first was on disk")
	}
	gate.Release()
	p.Accepted(2)
}

func TestDuplicatesAreKnownAfterAPowerCut(t *testing.T) {
	fs := vfs.NewCrashableMem()
	s := addressing.QueueSettings{Dedup: addressing.Dedup{Messages: 3}}
	h := ruled(t, fs, s)
	p := h.Sender("orders")
	for i := range 5 {
		p.SendDelivery(named(fmt.Sprint(i), uint64(i)))
	}
	p.Accepted(5)
	cut := fs.CrashClone(vfs.CrashCloneCfg{})
	h.close(t)

	h = ruled(t, cut, s)
	p = h.Sender("orders")
	for i := range 5 {
		p.SendDelivery(named("again "+fmt.Sprint(i), uint64(i)))
	}
	p.Accepted(5)
	// 0 and 1 were beyond the window; each pushes out one that was in it, so that all come again.
	h.Receiver("orders", 20).Expect("0", "1", "2", "3", "4", "again 0", "again 1", "again 2", "again 3", "again 4")
	h.close(t)

	h = ruled(t, cut, s)
	p = h.Sender("orders")
	p.SendDelivery(named("again", uint64(4)))
	p.Accepted(1)
	h.redefine(t, addressing.QueueSettings{})
	h.close(t)

	h = ruled(t, cut, s) // without a window in between nothing is remembered
	defer h.close(t)
	p = h.Sender("orders")
	p.SendDelivery(named("new", uint64(4)))
	p.Accepted(1)
	c := h.Receiver("orders", 20)
	for range 10 {
		c.Next()
	}
	c.Expect("new")
}

func TestDedupWindowEndsWithItsTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := ruled(t, vfs.NewMem(), addressing.QueueSettings{
			Dedup: addressing.Dedup{Messages: 10, Time: time.Minute},
		})
		defer h.close(t)
		p, c := h.Sender("orders"), h.Receiver("orders", 10)
		send := func(body string) {
			p.SendDelivery(named(body, "a"))
			p.Accepted(1)
		}
		send("1")
		time.Sleep(59 * time.Second)
		send("2")
		time.Sleep(time.Second)
		send("3")
		time.Sleep(59 * time.Second)
		send("4")
		c.Expect("1", "3")
		synctest.Wait()
		if !c.Idle() {
			t.Error("a duplicate was stored")
		}
	})
}

func TestDuplicateInATransactionTakesNoRoom(t *testing.T) {
	h := ruled(t, vfs.NewMem(), addressing.QueueSettings{MaxMessages: 2, Dedup: addressing.Dedup{Messages: 10}})
	defer h.close(t)
	p := h.Sender("orders")
	p.SendDelivery(named("1", "a"))
	p.Accepted(1)
	tx := h.Router.Begin()
	for _, d := range []router.Delivery{named("1", "a"), named("2", "b")} {
		if err := tx.Send(p.Link, d); err != nil {
			t.Fatal(err)
		}
	}
	committed(t, tx)
	c := h.Receiver("orders", 5)
	c.Expect("1", "2")
	if !c.Idle() {
		t.Error("a duplicate was stored")
	}
}
