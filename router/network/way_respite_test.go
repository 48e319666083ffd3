package network

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/manifoldmq/manifold/addressing"
	"github.com/manifoldmq/manifold/router"
	"github.com/manifoldmq/manifold/router/routertest"
)

// TestWayOfAQueueRestsAfterARelease, twice as long each time, until a message is accepted.
func TestWayOfAQueueRestsAfterARelease(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		links, _ := interested(t, new(announced), stored(t, "ours", addressing.Queue, addressing.Here))
		w := &way{neighbor: new(neighbor)}
		orders := &w.neighbor.mail.orders
		orders.Init(func() {})
		phase := uint8(1)
		source := router.Source{Filter: routertest.Filter(t, "ours"), Phase: &phase}
		var err error
		if w.receiver, err = links.Router.Receiver(t.Context(), links.User, source, w); err != nil {
			t.Fatal(err)
		}
		w.receiver.Grant(10)
		for range 4 {
			w.receiver.Take()
		}
		released := func(want time.Duration) {
			t.Helper()
			w.ended(router.Release())
			w.ended(router.Release()) // what is on its way comes back too
			w.neighbor.regrant()
			if w.receiver.HasCredit() {
				t.Error("the queue still has credit")
			}
			begun := time.Now()
			var due []func()
			for len(due) == 0 {
				time.Sleep(time.Millisecond)
				synctest.Wait()
				due = orders.Take()
			}
			if got := time.Since(begun); got != want {
				t.Errorf("it rested for %v, want %v", got, want)
			}
			for _, order := range due {
				order()
			}
			if !w.receiver.HasCredit() {
				t.Error("the queue has no credit again")
			}
		}
		released(10 * time.Millisecond)
		released(20 * time.Millisecond)
		w.ended(router.Accept())
		released(10 * time.Millisecond)
		credit := 0
		for w.receiver.Take() {
			credit++
		}
		if credit != 10+7-4 { // with what it got back for each that has ended
			t.Errorf("it has %d credit", credit)
		}
	})
}
