package network

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/manifoldmq/manifold/addressing"
	"github.com/manifoldmq/manifold/router"
	"github.com/manifoldmq/manifold/router/routertest"
)

// lastOf receives what nobody else wants of an address.
func (s *station) lastOf(t *testing.T, address string) *routertest.Consumer {
	return s.From(router.Source{Filter: routertest.Filter(t, address), Phase: new(addressing.Fallback)}, 100)
}

// TestFallbackIsAnywhere: sender, consumer and fallback may each be at any router; x and y are edge routers of a, z is one of b.
func TestFallbackIsAnywhere(t *testing.T) {
	for _, c := range []struct{ from, to, last string }{
		{"a", "b", "b"}, {"a", "b", "a"}, {"a", "a", "b"}, {"b", "a", "x"}, {"b", "x", "a"}, {"x", "a", "b"}, {"x", "x", "x"},
		{"x", "b", "x"}, {"x", "x", "b"}, {"x", "y", "z"}, {"x", "z", "y"}, {"a", "z", "x"}, {"x", "y", "x"},
	} {
		t.Run(c.from+" to "+c.to+" or else "+c.last, func(t *testing.T) {
			cross(t, func(t *testing.T, n *nets) {
				last := n.routers[c.last].lastOf(t, "spare")
				later(5 * time.Second)
				p := n.routers[c.from].Sender("spare")
				p.Send("at once")
				last.Expect("at once")[0].Settle(router.Accept())
				p.Accepted(1)
				consumer := n.routers[c.to].Receiver("spare", 100)
				later(5 * time.Second)
				for range 3 {
					p.Send("wanted")
					consumer.Expect("wanted")[0].Settle(router.Accept())
				}
				p.Accepted(3)
				consumer.Link.Close()
				later(5 * time.Second)
				p.Send("unwanted")
				d := last.Expect("unwanted")[0]
				if d.Message.MessageAnnotations().Len() > 0 {
					t.Error("the annotations of routers are there")
				}
				d.Settle(router.Reject(router.Quota, "full"))
				if o := p.Next().Outcome; o.State != router.Rejected || o.Reason != router.Quota {
					t.Errorf("what the fallback says is %+v for the sender", o)
				}
				if !last.Idle() {
					t.Error("the fallback has got what it should not")
				}
				last.Link.Close()
				later(5 * time.Second)
				p.Send("nobody")
				if o := p.Next().Outcome; o.State != router.Released {
					t.Errorf("when nobody is there: %+v", o)
				}
			}, "a-b", "x-a", "y-a", "z-b")
		})
	}
}

// TestFallbackPassesRoutersThatDoNotKnowOfIt: B declares nothing.
func TestFallbackPassesRoutersThatDoNotKnowOfIt(t *testing.T) {
	cross(t, func(t *testing.T, n *nets) {
		last := n.routers["c"].lastOf(t, "spare")
		later(5 * time.Second)
		p := n.routers["a"].Sender("spare")
		p.Send("one")
		last.Expect("one")[0].Settle(router.Accept())
		p.Accepted(1)
		if got := n.routers["a"].Router.Counters("default").Kind(addressing.Anycast).Redirected(); got != 1 {
			t.Errorf("%d are counted", got)
		}
	}, "a-B", "B-c")
}

func TestEdgeSendersGetCreditForTheSakeOfAFallback(t *testing.T) {
	cross(t, func(t *testing.T, n *nets) {
		x, p := n.routers["x"], paced{make(chan int, 10)}
		s, err := x.Router.Sender(context.Background(), x.User, router.Target{Address: "spare"}, p)
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		later(5 * time.Second)
		if len(p.credit) > 0 {
			t.Error("there is credit before anybody is there")
		}
		n.routers["b"].lastOf(t, "spare")
		later(5 * time.Second)
		if len(p.credit) != 1 {
			t.Errorf("credit was granted %d times", len(p.credit))
		}
	}, "x-a", "a-b")
}

// TestBrokerIsAFallback: it keeps what nobody wants, and gives it to whoever comes.
func TestBrokerIsAFallback(t *testing.T) {
	at(t, func(t *testing.T, s *site) {
		b := s.brokers["a:5672"]
		there, back := out("spare", "kept"), in("spare", "kept")
		there.Fallback, back.Fallback = true, true
		s.define(there, back)
		p := s.links.Sender("spare")
		p.Send("one")
		p.Send("two")
		p.Accepted(2)
		later(time.Minute)
		s.has(b, "kept", "one", "two")
		consumer := s.links.Receiver("spare", 10)
		for _, d := range consumer.Expect("one", "two") {
			d.Settle(router.Accept())
		}
		p.Send("three")
		consumer.Expect("three")[0].Settle(router.Accept())
		p.Accepted(1)
		synctest.Wait()
		s.has(b, "kept")
	})
}

// TestEdgeDoesNotAskForWhatItsFallbackTakes: before it is known whether anybody wants a message, it goes to the fallback here, as an interior
// router of Dispatch would not send it back.
func TestEdgeDoesNotAskForWhatItsFallbackTakes(t *testing.T) {
	cross(t, func(t *testing.T, n *nets) {
		p := n.routers["x"].Sender("spare")
		last := n.routers["x"].lastOf(t, "spare") // comes when the way up is there
		synctest.Wait()
		p.Send("one")
		last.Expect("one")[0].Settle(router.Accept())
		p.Accepted(1)
		if got := n.routers["a"].Router.Counters("default").Kind(addressing.Anycast).Delivered(); got != 0 {
			t.Errorf("%d messages went up", got)
		}
	}, "x-a")
}
