package broker_test

import (
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/manifoldmq/manifold/addressing"
	"github.com/manifoldmq/manifold/router"
	"github.com/manifoldmq/manifold/router/routertest"
)

// ends is a producer and a consumer that hand on what they hear, and nothing more.
type ends struct {
	settled chan router.State
	got     chan router.Delivery
}

func (e *ends) Settled(_ *router.Sender, _ uint64, o router.Outcome) { e.settled <- o.State }
func (e *ends) Credit(*router.Sender, int)                           {}
func (e *ends) Deliver(_ *router.Receiver, d router.Delivery)        { e.got <- d }

func (h *house) ends(b *testing.B, address addressing.Address, window int) (*ends, *router.Sender, *router.Receiver) {
	b.Helper()
	e := &ends{settled: make(chan router.State, window), got: make(chan router.Delivery, window)}
	s, err := h.Router.Sender(b.Context(), h.User, router.Target{Address: address}, e)
	if err != nil {
		b.Fatal(err)
	}
	r, err := h.Router.Receiver(b.Context(), h.User, router.Source{Filter: address.Filter()}, e)
	if err != nil {
		b.Fatal(err)
	}
	r.Grant(window)
	return e, s, r
}

// BenchmarkQueue is one message through a queue on a filesystem in memory, accepted and consumed, 1,000 in flight.
func BenchmarkQueue(b *testing.B) {
	h := open(b, vfs.NewMem())
	defer h.close(b)
	const window = 1000
	e, s, r := h.ends(b, "jobs", window)
	d := routertest.Text(string(make([]byte, 256)))
	inFlight := 0
	finish := func() {
		if state := <-e.settled; state != router.Accepted {
			b.Fatal(state)
		}
		(<-e.got).Settle(router.Accept())
		r.Grant(1)
		inFlight--
	}
	b.ReportAllocs()
	for b.Loop() {
		if inFlight == window {
			finish()
		}
		s.Send(1, d)
		inFlight++
	}
	for inFlight > 0 {
		finish()
	}
}

// BenchmarkTopic is one message from a publisher to one subscriber of a topic.
func BenchmarkTopic(b *testing.B) {
	h := open(b, vfs.NewMem())
	defer h.close(b)
	e, s, r := h.ends(b, "telemetry/a/b/c", 1)
	d := routertest.Text(string(make([]byte, 256)))
	b.ReportAllocs()
	for b.Loop() {
		s.Send(1, d)
		<-e.settled
		<-e.got
		r.Grant(1)
	}
}
