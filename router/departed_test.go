package router_test

import (
	"runtime"
	"testing"
	"weak"

	"github.com/manifoldmq/manifold/addressing"
	"github.com/manifoldmq/manifold/router"
)

// TestWhatWaitsKeepsNoSender: messages stay for which nobody waits, but not the connection that they came over.
func TestWhatWaitsKeepsNoSender(t *testing.T) {
	for _, c := range []struct {
		address          addressing.Address
		settled, lingers bool
	}{{"commands/a", true, false}, {"commands/a", false, true}, {"alerts/a", true, false}, {"alerts/a", false, false}} {
		h := newHouse(t)
		way, there := h.way(string(c.address), "b", 1, 0)
		gone := func() weak.Pointer[outcomes] {
			p := new(outcomes)
			s, err := h.router.Sender(t.Context(), h.user, router.Target{Address: c.address, Lingers: c.lingers}, p)
			if err != nil {
				t.Fatal(err)
			}
			d := text("last words")
			d.Settled = c.settled
			s.Send(1, d)
			s.Close()
			return weak.Make(p)
		}()
		runtime.GC()
		if gone.Value() != nil {
			t.Errorf("%+v: the sender's connection is kept", c)
		}
		way.Grant(1)
		there.expect(t, 1)
		there.got[0].Settle(router.Accept())
		counted := h.router.Counters("default")
		if n := counted.Kind(addressing.Anycast).Ended(router.Accepted) + counted.Kind(addressing.Broadcast).Ended(router.Accepted); n != 1 {
			t.Errorf("%+v: %d are counted as accepted, want 1", c, n)
		}
		runtime.KeepAlive(h)
	}
}
