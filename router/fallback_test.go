package router_test

import (
	"testing"

	"github.com/manifoldmq/manifold/addressing"
	"github.com/manifoldmq/manifold/router"
	"github.com/manifoldmq/manifold/router/routertest"
)

// spare is an address with a fallback, at a router of its own.
func spare(t *testing.T, change func(*addressing.Definition)) routertest.Links {
	def := routertest.Define(t, "spare/#", addressing.Anycast)
	def.Fallback = true
	if change != nil {
		change(&def)
	}
	direct := router.NewDirect(router.Limits{})
	return routertest.Links{
		T: t, User: routertest.User(t, "default", def, routertest.Define(t, "news", addressing.Broadcast)),
		Router: router.New(router.Limits{}, map[addressing.Kind]router.Resolver{
			addressing.Anycast: direct, addressing.Broadcast: direct,
		}),
	}
}

// last is a source that gets what nobody else wants.
func last(t *testing.T, filter string) router.Source {
	return router.Source{Filter: routertest.Filter(t, filter), Phase: new(addressing.Fallback)}
}

func TestFallbackGetsWhatNobodyElseWants(t *testing.T) {
	for _, filter := range []string{"spare/x", "spare/*"} {
		l := spare(t, nil)
		store, sender := l.From(last(t, filter), 10), l.Sender("spare/x")
		sender.Send("one")
		store.Expect("one")[0].Settle(router.Reject(router.Quota, "full"))
		if o := sender.Next().Outcome; o.State != router.Rejected || o.Reason != router.Quota {
			t.Errorf("%s: what the fallback says is %+v for the sender", filter, o)
		}
		consumer := l.Receiver("spare/x", 1)
		sender.Send("two")
		sender.Send("three") // for which the consumer has no credit
		two := consumer.Expect("two")[0]
		if !store.Idle() {
			t.Errorf("%s: the fallback gets what another wants", filter)
		}
		two.Settle(router.Accept())
		consumer.Link.Close()
		store.Expect("three")[0].Settle(router.Accept())
		sender.Accepted(2)
		if got := l.Router.Counters("default").Kind(addressing.Anycast).Redirected(); got != 2 {
			t.Errorf("%s: %d are counted as redirected", filter, got)
		}
	}
}

func TestWhatWaitsForTheFallbackGoesToWhoComesBefore(t *testing.T) {
	l := spare(t, nil)
	store, sender := l.From(last(t, "spare/x"), 0), l.Sender("spare/x")
	sender.Send("one")
	consumer := l.Receiver("spare/x", 1)
	consumer.Expect("one")[0].Settle(router.Accept())
	sender.Accepted(1)
	store.Link.Grant(1)
	if !store.Idle() {
		t.Error("the fallback has got it too")
	}
}

func TestFallbackIsForAddressesThatHaveOne(t *testing.T) {
	l := spare(t, func(d *addressing.Definition) { d.Fallback = false })
	store, sender := l.From(last(t, "spare/x"), 10), l.Sender("spare/x")
	sender.Send("one")
	if o := sender.Next().Outcome; o.State != router.Released {
		t.Errorf("got %+v", o)
	}
	only := sent(t, l, router.Target{Address: "spare/x", Phase: new(addressing.Fallback)})
	only.s.Send(1, routertest.Text("another router has found that nobody wants it"))
	store.Next()
}

// sent is a sender to a target, and the credit that it has got.
func sent(t *testing.T, l routertest.Links, target router.Target) *credited {
	c := &credited{}
	var err error
	if c.s, err = l.Router.Sender(t.Context(), l.User, target, c); err != nil {
		t.Fatal(err)
	}
	return c
}

// credited counts credit and remembers the last outcome.
type credited struct {
	s       *router.Sender
	credit  int
	outcome router.Outcome
}

func (c *credited) Credit(_ *router.Sender, n int)                       { c.credit += n }
func (c *credited) Settled(_ *router.Sender, _ uint64, o router.Outcome) { c.outcome = o }

func TestWhatComesFromTheFallbackDoesNotGoThereAgain(t *testing.T) {
	l := spare(t, nil)
	store := l.From(last(t, "spare/x"), 10)
	client := sent(t, l, router.Target{Address: "spare/x", Window: 5})
	back := sent(t, l, router.Target{Address: "spare/x", Window: 5, Returned: true})
	only := sent(t, l, router.Target{Address: "spare/x", Window: 5, Phase: new(addressing.Fallback)})
	if client.credit != 5 || back.credit != 0 || only.credit != 5 {
		t.Errorf("with the fallback alone there: credit of %d, %d and %d", client.credit, back.credit, only.credit)
	}
	back.s.Send(1, routertest.Text("again"))
	if back.outcome.State != router.Released || !store.Idle() {
		t.Errorf("it is %+v", back.outcome)
	}
	consumer := l.Receiver("spare/x", 10)
	if back.credit != 5+1 {
		t.Errorf("with a consumer it has a credit of %d", back.credit)
	}
	back.s.Send(2, routertest.Text("for the consumer"))
	consumer.Expect("for the consumer")[0].Settle(router.Accept())
	only.s.Send(1, routertest.Text("for the fallback"))
	store.Expect("for the fallback")[0].Settle(router.Accept())
	if !consumer.Idle() {
		t.Error("the consumer gets what is for the fallback")
	}
}

func TestFallbackIsBesideEveryPhase(t *testing.T) {
	l := spare(t, func(d *addressing.Definition) { d.Egress = 1 })
	store := l.From(last(t, "spare/x"), 10)
	l.Sender("spare/x").Send("not brought on")
	store.Expect("not brought on")
	through := sent(t, l, router.Target{Address: "spare/x", Phase: new(uint8(1))})
	through.s.Send(1, routertest.Text("brought on"))
	store.Expect("brought on")
	l.Receiver("spare/x", 10)
	l.Sender("spare/x").Send("still not")
	store.Expect("still not")
}

func TestOnlyAnycastHasAFallback(t *testing.T) {
	l := spare(t, nil)
	if _, err := l.Router.Receiver(t.Context(), l.User, last(t, "news"), nil); router.ReasonOf(err) != router.Unsupported {
		t.Errorf("receiving: %v", err)
	}
	_, err := l.Router.Sender(t.Context(), l.User, router.Target{Address: "news", Phase: new(addressing.Fallback)}, &credited{})
	if router.ReasonOf(err) != router.NotFound {
		t.Errorf("sending: %v", err)
	}
}

// TestStreamsFallBack: a message that still comes in goes to the fallback as it is.
func TestStreamsFallBack(t *testing.T) {
	l := spare(t, nil)
	source := last(t, "spare/x")
	source.Streams = true
	store := l.From(source, 10)
	client := sent(t, l, router.Target{Address: "spare/x"})
	if _, r := client.s.SendStream(1, routertest.Text("head"), []byte("begun"), func() {}); r != router.Taken {
		t.Errorf("it is %v", r)
	}
	if d := store.Next(); d.Stream == nil {
		t.Error("it has come whole")
	}
}
