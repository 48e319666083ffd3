package broker_test

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/manifoldmq/manifold/addressing"
	"github.com/manifoldmq/manifold/router"
	"github.com/manifoldmq/manifold/router/routertest"
)

// TestRejectionInATransactionMovesWithIt: in the same write, so that a power cut after it finds the message moved, once.
func TestRejectionInATransactionMovesWithIt(t *testing.T) {
	fs := vfs.NewCrashableMem()
	s := addressing.QueueSettings{DeadLetter: "dead", MaxDeliveries: 1}
	h := ruled(t, fs, s)
	p, c := h.Sender("orders"), h.Receiver("orders", 5)
	p.Send("1")
	p.Send("2")
	p.Accepted(2)
	got := c.Expect("1", "2")
	tx := h.Router.Begin()
	settle(t, tx, got[0], router.Reject(router.Malformed, ""))
	settle(t, tx, got[1], router.Fail())
	var cut vfs.FS
	ended := make(chan error, 1)
	tx.Commit(func(err error) {
		cut = fs.CrashClone(vfs.CrashCloneCfg{}) // before anything else can be written
		ended <- err
	})
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
	h.close(t)

	h = ruled(t, cut, s)
	defer h.close(t)
	dead := h.Receiver("dead", 5).Expect("1", "2")
	letter(t, dead[0], "rejected", 0)
	letter(t, dead[1], "maxDeliveries", 1)
	h.Sender("orders").Send("3")
	h.Receiver("orders", 5).Expect("3")
}

// TestDeadMessageWaitsForRoom where it is to go, alone, with others, and from a transaction.
func TestDeadMessageWaitsForRoom(t *testing.T) {
	h := open(t, vfs.NewMem())
	defer h.close(t)
	orders, dead := routertest.Define(t, "orders", addressing.Queue), routertest.Define(t, "dead", addressing.Queue)
	orders.Queue.DeadLetter, dead.Queue.MaxMessages = "dead", 1
	h.User = routertest.User(t, "default", orders, dead)
	p, c := h.Sender("orders"), h.Receiver("orders", 5)
	for _, s := range []string{"1", "2", "3"} {
		p.Send(s)
	}
	rejected := router.Reject(router.Malformed, "")
	got := c.Expect("1", "2", "3")
	done := make(chan error, 1)
	got[0].SettleThen(rejected, func(err error) { done <- err })
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	tx := h.Router.Begin()
	settle(t, tx, got[1], rejected)
	committed(t, tx)
	got[2].SettleThen(rejected, func(err error) { done <- err })
	if err := <-done; router.ReasonOf(err) != router.Quota {
		t.Errorf("without room a rejection was answered with %v", err)
	}
	letters := h.Receiver("dead", 5)
	letters.Expect("1")[0].Settle(router.Accept())
	letters.Expect("2")[0].Settle(router.Accept())
	letters.Expect("3")[0].Settle(router.Accept())
}

// TestDeadMessagesWaitForALargerQueue: more room by a new setting is as good as room by consuming.
func TestDeadMessagesWaitForALargerQueue(t *testing.T) {
	h := open(t, vfs.NewMem())
	defer h.close(t)
	define := func(most int64) {
		orders, dead := routertest.Define(t, "orders", addressing.Queue), routertest.Define(t, "dead", addressing.Queue)
		orders.Queue.DeadLetter, dead.Queue.MaxMessages = "dead", most
		h.User = routertest.User(t, "default", orders, dead)
		h.broker.Define(h.User.Tenant)
	}
	define(1)
	p, c := h.Sender("orders"), h.Receiver("orders", 5)
	p.Send("1")
	p.Send("2")
	p.Send("3")
	done := make(chan error, 1)
	for _, d := range c.Expect("1", "2", "3") {
		d.SettleThen(router.Reject(router.Malformed, ""), func(err error) { done <- err })
		<-done
	}
	define(3)
	h.Receiver("dead", 5).Expect("1", "2", "3")
}

// TestManyExpiredMessagesGoIntoASmallQueue, which never has room for all of them together.
func TestManyExpiredMessagesGoIntoASmallQueue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := open(t, vfs.NewMem())
		defer h.close(t)
		orders, late := routertest.Define(t, "orders", addressing.Queue), routertest.Define(t, "late", addressing.Queue)
		orders.Queue.Expiry, late.Queue.MaxMessages = "late", 3
		h.User = routertest.User(t, "default", orders, late)
		p := h.Sender("orders")
		for i := range 100 {
			p.SendDelivery(in(fmt.Sprint(i), 0, time.Minute))
		}
		p.Accepted(100)
		time.Sleep(time.Minute)
		c := h.Receiver("late", 1000)
		seen := make(map[string]bool)
		for len(seen) < 100 {
			d := c.Next()
			seen[routertest.Body(d)] = true
			d.Settle(router.Accept())
		}
	})
}
