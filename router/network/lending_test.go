package network

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/manifoldmq/manifold/addressing"
	store "github.com/manifoldmq/manifold/broker"
	"github.com/manifoldmq/manifold/router"
	"github.com/manifoldmq/manifold/router/routertest"
	"github.com/manifoldmq/manifold/tenancy"
)

// shared gives what the router a stores for all, as a router declares it.
func shared(t *testing.T, router string) []addressing.Definition {
	defs := []addressing.Definition{
		routertest.Define(t, "jobs/#", addressing.Queue), routertest.Define(t, "events/#", addressing.Topic),
	}
	for i := range defs {
		defs[i].Home = addressing.Here
		if router != "a" {
			defs[i].Home, defs[i].Keeper = addressing.Elsewhere, "a"
		}
	}
	return append(defs, routertest.Define(t, "private/#", addressing.Topic))
}

// store gives a router a store in memory.
func (n *nets) store(s *station) {
	b, err := store.Open(store.Options{Dir: "data", FS: vfs.NewMem(), Log: slog.New(slog.DiscardHandler), MinFree: -1})
	if err != nil {
		n.t.Fatal(err)
	}
	s.homes = NewHomes(b, router.Limits{})
	n.closing = append(n.closing, func() {
		if err := b.Close(); err != nil {
			n.t.Error(err)
		}
	})
}

// busy finds what is stored as soon as its router is not busy.
type busy struct {
	*Homes
	station *station
}

// Resolve implements router.Resolver.
func (b busy) Resolve(
	ctx context.Context, t *tenancy.Tenant, def *addressing.Definition, source router.Source,
) (router.Node, error) {
	if until := b.station.busy.Load(); until != nil {
		<-*until
	}
	return b.Homes.Resolve(ctx, t, def, source)
}

// lend runs a test with routers of which a stores queues and topics for all.
func lend(t *testing.T, test func(*testing.T, *nets), links ...string) {
	crossWith(t, &nets{stores: true}, test, links...)
}

// subscription is the source of a durable subscription.
func subscription(t *testing.T, filter, name string) router.Source {
	return router.Source{Filter: routertest.Filter(t, filter), Subscription: name}
}

// client is a consumer who can be told that nothing more comes.
type revocable struct {
	*routertest.Consumer
	why chan *router.Error
}

func (c revocable) Revoked(_ *router.Receiver, why *router.Error) { c.why <- why }

// receive links a consumer who can be told that nothing more comes.
func (s *station) receive(source router.Source, credit int) revocable {
	s.T.Helper()
	c := revocable{routertest.NewConsumer(s.T), make(chan *router.Error, 10)}
	var err error
	if c.Link, err = s.Router.Receiver(s.T.Context(), s.User, source, c); err != nil {
		s.T.Fatal(err)
	}
	c.Link.Grant(credit)
	return c
}

// redefine declares the addresses of a router anew.
func (s *station) redefine(defs ...addressing.Definition) {
	t := *s.User.Tenant
	var err error
	if t.Addresses, err = addressing.NewSpace(defs); err != nil {
		s.T.Fatal(err)
	}
	s.Router.Define(&t)
}

// TestLoanThatIsRefusedForGoodEndsItsLink: what was lent is not declared any more when it is asked for again, and its client
// is told so.
func TestLoanThatIsRefusedForGoodEndsItsLink(t *testing.T) {
	lend(t, func(t *testing.T, n *nets) {
		var all []revocable
		for i := range 5 {
			all = append(all, n.routers["c"].receive(subscription(t, "events/a", fmt.Sprint(i)), 10))
		}
		n.routers["a"].redefine()
		n.routers["b"].breakOff()
		later(time.Minute)
		for i, c := range all {
			select {
			case why := <-c.why:
				if why == nil || why.Reason != router.NotFound {
					t.Errorf("client %d is told %v", i, why)
				}
			default:
				t.Errorf("client %d is not told", i)
			}
		}
		if l := n.routers["c"].homes.Loans(); len(l) != 1 || l[0].Open+l[0].Waiting != 0 {
			t.Errorf("the loans are %+v", l)
		}
		for _, c := range all {
			c.Link.Close()
		}
	}, "b-a", "c-b")
}

// TestLoanOfWhoCannotBeToldIsTriedAgain, as a webhook's, who goes on trying by himself.
func TestLoanOfWhoCannotBeToldIsTriedAgain(t *testing.T) {
	lend(t, func(t *testing.T, n *nets) {
		a, c := n.routers["a"], n.routers["c"]
		source := subscription(t, "events/a", "audit")
		got := c.From(source, 10)
		a.redefine()
		n.routers["b"].breakOff()
		later(time.Minute)
		a.redefine(shared(t, "a")...)
		later(time.Minute)
		a.Sender("events/a").Send("one")
		synctest.Wait()
		got.Expect("one")[0].Settle(router.Accept())
		got.Link.Close()
	}, "b-a", "c-b")
}

// TestLoanThatSomebodyElseHasIsWaitedFor as long as the home may take him for the client by a way that is lost.
func TestLoanThatSomebodyElseHasIsWaitedFor(t *testing.T) {
	lend(t, func(t *testing.T, n *nets) {
		a, c := n.routers["a"], n.routers["c"]
		source := subscription(t, "events/a", "audit")
		first, second := c.receive(source, 10), c.receive(subscription(t, "events/b", "audit"), 10)
		n.routers["b"].breakOff()
		synctest.Wait()
		thief, keeper := a.From(source, 10), a.From(subscription(t, "events/b", "audit"), 10)
		later(eviction / 2)
		thief.Link.Close()
		later(eviction)
		a.Sender("events/a").Send("one")
		synctest.Wait()
		first.Expect("one")[0].Settle(router.Accept())
		if len(first.why) > 0 {
			t.Errorf("who waited for long enough is told %v", <-first.why)
		}
		if len(second.why) == 0 {
			t.Error("who waits in vain is not told")
		} else if why := <-second.why; why.Reason != router.Conflict {
			t.Errorf("who waits in vain is told %v", why)
		}
		keeper.Link.Close()
		first.Link.Close()
		second.Link.Close()
	}, "b-a", "c-b")
}

// TestSilentHomeIsWaitedForOnce: it has a path, and does not answer. Who comes later is told so at once, until it is heard again.
func TestSilentHomeIsWaitedForOnce(t *testing.T) {
	lend(t, func(t *testing.T, n *nets) {
		c := n.routers["c"]
		busy := make(chan struct{})
		n.routers["a"].busy.Store(&busy)
		try := func(name string) (time.Duration, error) {
			began := time.Now()
			r, err := c.Router.Receiver(t.Context(), c.User, subscription(t, "events/a", name), routertest.NewConsumer(t))
			if err == nil {
				r.Close()
			}
			return time.Since(began), err
		}
		for i, want := range []time.Duration{attachPatience, 0, 0, 0} {
			if took, err := try("audit"); router.ReasonOf(err) != router.Unroutable || took != want {
				t.Errorf("attach %d has %v after %v, want after %v", i, err, took, want)
			}
		}
		if k := c.mesh.path("b"); len(k.borrowings) > 1 {
			t.Errorf("%d questions wait for the home", len(k.borrowings))
		}
		close(busy)
		later(time.Second)
		if _, err := try("audit"); err != nil {
			t.Errorf("when the home is heard again: %v", err)
		}
	}, "b-a", "c-b")
}

// TestRouterThatStopsLendsNothingMore: credit that its neighbour has given before is not used.
func TestRouterThatStopsLendsNothingMore(t *testing.T) {
	lend(t, func(t *testing.T, n *nets) {
		a, c := n.routers["a"], n.routers["c"]
		reader := c.From(subscription(t, "events/a", "audit"), 10)
		p := a.Sender("events/a")
		p.Send("one")
		synctest.Wait()
		reader.Expect("one") // which it does not settle, so that the connections stay for a while
		n.serving.Go(a.stop)
		synctest.Wait()
		p.Send("two")
		synctest.Wait()
		if !reader.Idle() {
			t.Error("a router that stops goes on lending")
		}
		reader.Link.Close()
	}, "a-b", "c-b")
}

// TestLongListOfSubscriptionsComesInPages: it does not fit into one frame.
func TestLongListOfSubscriptionsComesInPages(t *testing.T) {
	const many = 500
	lend(t, func(t *testing.T, n *nets) {
		c := n.routers["c"]
		for i := range many {
			source := subscription(t, fmt.Sprintf("events/%03d/%s", i, strings.Repeat("x", 30)), "audit")
			n.routers["a"].From(source, 0).Link.Close()
		}
		found, err := c.Router.Subscriptions(t.Context(), c.User, router.Source{Subscription: "audit"})
		if err != nil || len(found) != many {
			t.Fatalf("%d are found, %v", len(found), err)
		}
		for i, s := range found {
			if want := fmt.Sprintf("events/%03d/", i); !strings.HasPrefix(s.Filter.String(), want) || s.Subscription != "audit" {
				t.Fatalf("number %d is %+v", i, s)
			}
		}
	}, "b-a", "c-b")
}

// TestSessionsOfLoansEndWithThem: when a session has as many links as it may there is another one, and what has become free is
// used again.
func TestSessionsOfLoansEndWithThem(t *testing.T) {
	lend(t, func(t *testing.T, n *nets) {
		const most = 1024 // links in one session
		c := n.routers["c"]
		k := c.mesh.path("b")
		var all []*routertest.Consumer
		for i := range most + 10 {
			all = append(all, c.From(subscription(t, "events/a", fmt.Sprint(i)), 1))
		}
		sessions := func() int {
			synctest.Wait()
			return len(k.loans)
		}
		if n := sessions(); n != 2 {
			t.Fatalf("there are %d sessions", n)
		}
		for _, r := range all[:20] {
			r.Link.Close()
		}
		synctest.Wait()
		for i := range 10 { // the first session has room again
			all = append(all, c.From(subscription(t, "events/b", fmt.Sprint(i)), 1))
		}
		if got := k.loans[0].links; got != most-10 {
			t.Errorf("the first session has %d links", got)
		}
		for _, r := range all[20:] {
			r.Link.Close()
		}
		if n := sessions(); n != 1 {
			t.Errorf("%d sessions are left", n)
		}
	}, "b-a", "c-b")
}

// TestOwnMessagesAreLeftOutEverywhere: by whatever router they come, and whatever router the subscriber is at.
func TestOwnMessagesAreLeftOutEverywhere(t *testing.T) {
	lend(t, func(t *testing.T, n *nets) {
		var all []*routertest.Consumer
		for id, s := range n.routers {
			durable := subscription(t, "events/#", "audit-"+id)
			durable.Except = "me"
			all = append(all, s.From(durable, 100), s.From(router.Source{Filter: durable.Filter, Except: "me"}, 100))
		}
		later(time.Second)
		want := 0
		for id, s := range n.routers {
			for _, origin := range []string{"me", "you"} {
				p := routertest.NewProducer(t)
				link, err := s.Router.Sender(t.Context(), s.User, router.Target{Address: "events/a", Origin: origin}, p)
				if err != nil {
					t.Fatal(err)
				}
				p.Link = link
				p.Send(origin + " at " + id)
				synctest.Wait()
				p.Accepted(1)
			}
			want++
		}
		for i, c := range all {
			got := 0
			for ; !c.Idle(); got++ {
				d := c.Next()
				if body := routertest.Body(d); !strings.HasPrefix(body, "you") {
					t.Errorf("%d has got %q", i, body)
				}
				if strings.Contains(string(d.Message.Bytes()), "x-opt-manifold") {
					t.Errorf("a client sees who has sent the message: %q", d.Message.Bytes())
				}
				d.Settle(router.Accept())
			}
			if got != want {
				t.Errorf("%d has got %d messages, want %d", i, got, want)
			}
			c.Link.Close()
		}
	}, "b-a", "c-b")
}

// TestSubscriptionBeginsWithWhatItsHomeRetains, and then the home is not asked for more. What is not for the network stays there.
func TestSubscriptionBeginsWithWhatItsHomeRetains(t *testing.T) {
	lend(t, func(t *testing.T, n *nets) {
		a, c := n.routers["a"], n.routers["c"]
		for _, address := range []string{"events/a", "events/b", "private/a"} {
			d := routertest.Text(address)
			d.Retain = true
			p := a.Sender(address)
			p.SendDelivery(d)
			p.Accepted(1)
		}
		for _, source := range []router.Source{
			{Filter: routertest.Filter(t, "#"), Retained: true},
			{Filter: routertest.Filter(t, "#"), Kind: addressing.Topic, Kept: true},
		} {
			got := c.receive(source, 1)
			later(time.Second)
			heard := []string{routertest.Body(got.Next())}
			if !got.Idle() {
				t.Error("more has come than there is credit for")
			}
			got.Link.Grant(10)
			later(time.Second)
			for !got.Idle() {
				heard = append(heard, routertest.Body(got.Next()))
			}
			if slices.Sort(heard); !slices.Equal(heard, []string{"events/a", "events/b"}) {
				t.Errorf("%+v begins with %q", source, heard)
			}
			if got.Link.Pending() || len(c.mesh.path("b").borrowings) > 0 {
				t.Error("the home is still asked")
			}
			if source.Kept != (len(got.why) > 0 && <-got.why == nil) {
				t.Errorf("%+v: that there is no more is told, or not", source)
			}
			p := a.Sender("events/c")
			p.Send("events/c")
			p.Accepted(1)
			synctest.Wait()
			if source.Kept != got.Idle() {
				t.Errorf("%+v: what is sent later comes, or does not", source)
			}
			got.Link.Close()
		}
	}, "b-a", "c-b")
}

// TestRefusedWishesAreForgotten by the home: a client may come back with one for ever.
func TestRefusedWishesAreForgotten(t *testing.T) {
	lend(t, func(t *testing.T, n *nets) {
		a, c := n.routers["a"], n.routers["c"]
		keeper := a.From(subscription(t, "events/a", "audit"), 10)
		for range 5 {
			_, err := c.Router.Receiver(t.Context(), c.User, subscription(t, "events/a", "audit"), routertest.NewConsumer(t))
			if router.ReasonOf(err) != router.Conflict {
				t.Fatalf("it is refused as %v", err)
			}
		}
		later(time.Second)
		for _, k := range []*neighbor{a.mesh.path("b"), n.routers["b"].mesh.path("a")} {
			if len(k.lendings)+len(k.borrowings) > 0 {
				t.Errorf("%d wishes are remembered", len(k.lendings)+len(k.borrowings))
			}
		}
		keeper.Link.Close()
	}, "b-a", "c-b")
}

// TestSubscriptionStaysWhereItsHomeDoesNotKnowOfIt: only that there are retained messages is asked there, and it begins with none.
func TestSubscriptionStaysWhereItsHomeDoesNotKnowOfIt(t *testing.T) {
	lend(t, func(t *testing.T, n *nets) {
		n.routers["a"].redefine()
		c := n.routers["c"].receive(router.Source{Filter: routertest.Filter(t, "events/#"), Retained: true}, 10)
		later(time.Minute)
		if len(c.why) > 0 {
			t.Errorf("the subscriber is told %v", <-c.why)
		}
		if c.Link.Pending() {
			t.Error("the home is still asked")
		}
		c.Link.Close()
	}, "b-a", "c-b")
}

// TestGroupInMemoryLeavesNothingBehind where one of the same name keeps other topics.
func TestGroupInMemoryLeavesNothingBehind(t *testing.T) {
	lend(t, func(t *testing.T, n *nets) {
		a, c := n.routers["a"], n.routers["c"]
		kept := subscription(t, "events/a", "group")
		kept.Shared = true
		a.From(kept, 10).Link.Close()
		for _, filter := range []string{"events/a", "events/b"} {
			member := subscription(t, filter, "group")
			member.Shared, member.Volatile = true, true
			c.From(member, 10).Link.Close()
		}
		later(time.Second)
		found, err := a.Router.Subscriptions(t.Context(), a.User, router.Source{Subscription: "group"})
		if err != nil || len(found) != 1 || found[0].Filter != kept.Filter {
			t.Errorf("there are %+v, %v", found, err)
		}
	}, "b-a", "c-b")
}

// TestWhoHasASubscriptionWhenItsHomeComesBackIsWaitedFor for as long as if the home had been there all the time.
func TestWhoHasASubscriptionWhenItsHomeComesBackIsWaitedFor(t *testing.T) {
	lend(t, func(t *testing.T, n *nets) {
		a, c := n.routers["a"], n.routers["c"]
		source := subscription(t, "events/a", "audit")
		first := c.receive(source, 10)
		a.away.Store(true)
		a.breakOff()
		later(2 * eviction)
		thief := a.From(source, 10)
		a.away.Store(false)
		for range 60 {
			if later(time.Second); c.mesh.homeward("a") != nil {
				break
			}
		}
		later(eviction / 2)
		thief.Link.Close()
		later(eviction)
		a.Sender("events/a").Send("one")
		synctest.Wait()
		if len(first.why) > 0 {
			t.Fatalf("the client is told %v", <-first.why)
		}
		first.Expect("one")[0].Settle(router.Accept())
		first.Link.Close()
	}, "b-a", "c-b")
}

// TestSilentHomeIsAskedMoreAndMoreSeldom: questions that it does not answer stay open.
func TestSilentHomeIsAskedMoreAndMoreSeldom(t *testing.T) {
	lend(t, func(t *testing.T, n *nets) {
		c := n.routers["c"]
		busy := make(chan struct{})
		n.routers["a"].busy.Store(&busy)
		source := subscription(t, "events/a", "audit")
		source.Resumes = true
		reader := c.From(source, 10)
		later(time.Hour)
		if got := len(c.mesh.path("b").borrowings); got < 20 || got > 100 {
			t.Errorf("%d questions wait for the home", got)
		}
		close(busy)
		later(5 * time.Second)
		n.routers["a"].Sender("events/a").Send("one")
		synctest.Wait()
		reader.Expect("one")[0].Settle(router.Accept())
		reader.Link.Close()
	}, "b-a", "c-b")
}
