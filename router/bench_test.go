package router_test

import (
	"fmt"
	"testing"

	"github.com/manifoldmq/manifold/addressing"
	"github.com/manifoldmq/manifold/router"
)

// deaf is a producer that does not listen.
type deaf struct{}

func (deaf) Settled(*router.Sender, uint64, router.Outcome) {}
func (deaf) Credit(*router.Sender, int)                     {}

// slot is a consumer that keeps the last delivery.
type slot struct{ last router.Delivery }

func (s *slot) Deliver(_ *router.Receiver, d router.Delivery) { s.last = d }

// BenchmarkDirect is the way of one message through the router: sent, delivered, settled, its sender told.
func BenchmarkDirect(b *testing.B) {
	for _, c := range []struct {
		name    string
		address addressing.Address
		settled bool
	}{
		{"anycast/unsettled", "commands/a", false},
		{"anycast/settled", "commands/a", true},
		{"broadcast", "alerts/a", false},
	} {
		b.Run(c.name, func(b *testing.B) {
			h := newHouse(b)
			box := new(slot)
			r, err := h.router.Receiver(b.Context(), h.user, router.Source{Filter: c.address.Filter()}, box)
			if err != nil {
				b.Fatal(err)
			}
			s := h.sender(string(c.address), deaf{})
			d := text("a message of some bytes, which the router never looks into")
			d.Settled = c.settled
			b.ReportAllocs()
			for b.Loop() {
				r.Grant(1)
				s.Send(1, d)
				box.last.Settle(router.Accept())
			}
		})
	}
}

// BenchmarkRetry has one way lead elsewhere while messages wait at so many addresses of its node: it is to take no longer with many.
func BenchmarkRetry(b *testing.B) {
	for _, addresses := range []int{1, 1000, 10_000} {
		b.Run(fmt.Sprint(addresses), func(b *testing.B) {
			h := newHouse(b)
			var way *router.Receiver
			for i := range addresses {
				a := fmt.Sprint("commands/", i)
				way, _ = h.way(a, "b", 1, 0)
				h.sender(a, deaf{}).Send(1, text("waits"))
			}
			b.ReportAllocs()
			for b.Loop() {
				way.Retry()
			}
		})
	}
}
