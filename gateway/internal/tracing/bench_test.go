package tracing

import (
	"context"
	"log/slog"
	"testing"
	"time"

	"github.com/manifoldmq/manifold/addressing"
	"github.com/manifoldmq/manifold/router"
	"github.com/manifoldmq/manifold/router/routertest"
)

// deaf is a producer that does not listen.
type deaf struct{}

func (deaf) Settled(*router.Sender, uint64, router.Outcome) {}
func (deaf) Credit(*router.Sender, int)                     {}

// slot is a consumer that keeps the last delivery.
type slot struct{ last router.Delivery }

func (s *slot) Deliver(_ *router.Receiver, d router.Delivery) { s.last = d }

// BenchmarkRouter is the way of one message through the router, without a tracer and with one.
func BenchmarkRouter(b *testing.B) {
	for _, c := range []struct {
		name    string
		traced  bool
		message router.Delivery
	}{
		{"untraced", false, message(b, "zone", "north")},
		{"traced, without a trace", true, message(b, "zone", "north")},
		{"traced, not sampled", true, message(b, router.TraceParent, sampled[:53]+"00")},
		{"traced, sampled", true, message(b, router.TraceParent, sampled)},
	} {
		b.Run(c.name, func(b *testing.B) {
			direct := router.NewDirect(router.Limits{})
			r := router.New(router.Limits{}, map[addressing.Kind]router.Resolver{addressing.Anycast: direct})
			if c.traced {
				t, err := Open(Settings{
					Endpoint: "http://127.0.0.1:1", MaxRate: 1 << 30, MaxQueued: 1, Interval: time.Hour, Log: slog.New(slog.DiscardHandler),
				})
				if err != nil {
					b.Fatal(err)
				}
				defer t.Close()
				r.Trace(t)
			}
			user := routertest.User(b, "acme", routertest.Define(b, "commands/a", addressing.Anycast))
			box := new(slot)
			out, err := r.Receiver(context.Background(), user, router.Source{Filter: routertest.Filter(b, "commands/a")}, box)
			if err != nil {
				b.Fatal(err)
			}
			in, err := r.Sender(context.Background(), user, router.Target{Address: "commands/a"}, deaf{})
			if err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			for b.Loop() {
				out.Grant(1)
				in.Send(1, c.message)
				box.last.Settle(router.Accept())
			}
		})
	}
}
