package broker_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/manifoldmq/manifold/addressing"
	"github.com/manifoldmq/manifold/broker/archive"
	"github.com/manifoldmq/manifold/router"
	"github.com/manifoldmq/manifold/router/routertest"
)

// TestAnExportCarriesWhatIsRememberedOfMessages moves a queue to another folder, and sees that a message that is sent again
// there is still known, that one that failed before is dead after its second failure, and that a large one is whole.
func TestAnExportCarriesWhatIsRememberedOfMessages(t *testing.T) {
	orders, dead := routertest.Define(t, "orders", addressing.Queue), routertest.Define(t, "dead", addressing.Queue)
	orders.Queue.Dedup.Messages = 10
	orders.Queue.MaxDeliveries = 2
	orders.Queue.DeadLetter = "dead"
	user := routertest.User(t, "default", orders, dead)
	large := strings.Repeat("large", 2000)

	here, there := vfs.NewMem(), vfs.NewMem()
	h := open(t, here)
	h.User = user
	p := h.Sender("orders")
	p.SendDelivery(named("fails", "1"))
	p.SendDelivery(named(large, "2"))
	p.Accepted(2)
	c := h.Receiver("orders", 1)
	c.Next().Settle(router.Fail())
	c.Link.Close()
	h.close(t)

	var lines bytes.Buffer
	if _, err := (archive.Directory{Dir: "data", FS: here}).Export(&lines); err != nil {
		t.Fatal(err)
	}
	if _, err := (archive.Directory{Dir: "data", FS: there}).Import(&lines); err != nil {
		t.Fatal(err)
	}

	h = open(t, there)
	h.User = user
	defer h.close(t)
	p = h.Sender("orders")
	p.SendDelivery(named("again", "1"))
	p.SendDelivery(named("again", "2"))
	p.Accepted(2)
	c = h.Receiver("orders", 2)
	got := c.Expect("fails", large)
	if got[0].Attempts != 1 {
		t.Errorf("it failed %d times before", got[0].Attempts)
	}
	got[0].Settle(router.Fail())
	h.Receiver("dead", 1).Expect("fails")
	if !c.Idle() {
		t.Errorf("there is %q besides", routertest.Body(c.Next()))
	}
}
