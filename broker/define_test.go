package broker_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/manifoldmq/manifold/addressing"
	"github.com/manifoldmq/manifold/router"
	"github.com/manifoldmq/manifold/router/routertest"
)

// redefine gives the queue "orders" other settings while the house is lived in.
func (h *house) redefine(t testing.TB, s addressing.QueueSettings) {
	t.Helper()
	orders := routertest.Define(t, "orders", addressing.Queue)
	orders.Queue = s
	tenant := routertest.User(t, "default", orders,
		routertest.Define(t, "dead", addressing.Queue), routertest.Define(t, "late", addressing.Queue)).Tenant
	h.Router.Define(tenant)
	h.broker.Define(tenant)
}

// TestExpiryHoldsFromTheStart: what has expired while the process was away leaves before anybody comes.
func TestExpiryHoldsFromTheStart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fs := vfs.NewMem()
		s := addressing.QueueSettings{Expiry: "late"}
		h := ruled(t, fs, s)
		p := h.Sender("orders")
		p.SendDelivery(in("1", 0, time.Minute))
		p.Accepted(1)
		h.close(t)
		time.Sleep(time.Hour)

		h = ruled(t, fs, addressing.QueueSettings{})
		defer h.close(t)
		h.redefine(t, s)
		letter(t, h.Receiver("late", 1).Expect("1")[0], "expired", 0)
	})
}

func TestSettingsChangeUnderThoseWhoAreThere(t *testing.T) {
	h := ruled(t, vfs.NewMem(), addressing.QueueSettings{})
	defer h.close(t)
	p := h.Sender("orders")
	for _, s := range []string{"1", "2"} {
		p.Send(s)
		p.Accepted(1)
	}
	h.redefine(t, addressing.QueueSettings{MaxMessages: 2})
	p.Send("3")
	if o := p.Next().Outcome; o.Reason != router.Quota {
		t.Errorf("beyond the new limit: %v", o)
	}
	before := links(t, h.broker) // which has not heard of it yet
	before.User = routertest.User(t, "default", routertest.Define(t, "orders", addressing.Queue))
	old := before.Sender("orders")
	old.Send("4")
	if o := old.Next().Outcome; o.Reason != router.Quota {
		t.Errorf("the old settings came back with a new link: %v", o)
	}
	h.redefine(t, addressing.QueueSettings{DeadLetter: "dead"})
	h.Receiver("orders", 1).Expect("1")[0].Settle(router.Reject(router.Malformed, ""))
	letter(t, h.Receiver("dead", 1).Expect("1")[0], "rejected", 0)
}

// TestGroupsBeginForWhatIsThere: with messages that were sent before and consumers that came before.
func TestGroupsBeginForWhatIsThere(t *testing.T) {
	h := ruled(t, vfs.NewMem(), addressing.QueueSettings{})
	defer h.close(t)
	p := h.Sender("orders")
	for _, body := range []string{"a1", "b1", "a2", "b2", "a3"} {
		p.SendDelivery(grouped(t, body, body[:1]))
	}
	p.Accepted(5)
	first, second := h.Receiver("orders", 0), h.Receiver("orders", 0)
	h.redefine(t, addressing.QueueSettings{Groups: true})
	first.Link.Grant(1)
	first.Expect("a1")
	second.Link.Grant(5)
	second.Expect("b1", "b2")
	first.Link.Grant(5)
	first.Expect("a2", "a3")
	if !second.Idle() {
		t.Error("a message of a group went to another consumer")
	}
	first.Link.Close()
	second.Expect("a1", "a2", "a3")
}

func TestNewAddressIsFoundByThoseWhoAreThere(t *testing.T) {
	h := ruled(t, vfs.NewMem(), addressing.QueueSettings{})
	defer h.close(t)
	tenant := routertest.User(t, "default", routertest.Define(t, "more", addressing.Queue)).Tenant
	h.Router.Define(tenant)
	h.broker.Define(tenant)
	h.Sender("more").Send("1")
	h.Receiver("more", 1).Expect("1")
	_, err := h.Router.Sender(context.Background(), h.User, router.Target{Address: "orders"}, nil)
	if router.ReasonOf(err) != router.NotFound {
		t.Errorf("an address that is declared no longer: %v", err)
	}
}
