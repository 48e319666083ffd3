package router_test

import (
	"errors"
	"slices"
	"sync"
	"testing"

	"github.com/manifoldmq/manifold/addressing"
	"github.com/manifoldmq/manifold/router"
	"github.com/manifoldmq/manifold/router/amqp"
	"github.com/manifoldmq/manifold/tenancy"
)

// house is a router with direct nodes only, and one anonymous user.
type house struct {
	t      testing.TB
	router *router.Router
	direct *router.Direct // that its addresses are resolved by
	user   *tenancy.Principal
}

func newHouse(t testing.TB, defs ...addressing.Definition) *house {
	t.Helper()
	if len(defs) == 0 {
		defs = []addressing.Definition{
			define(t, "commands/#", addressing.Anycast),
			define(t, "alerts/#", addressing.Broadcast),
			define(t, "jobs", addressing.Queue),
		}
	}
	space, err := addressing.NewSpace(defs)
	if err != nil {
		t.Fatal(err)
	}
	direct := router.NewDirect(router.Limits{})
	return &house{
		t:      t,
		direct: direct,
		router: router.New(router.Limits{LinkCredit: 10}, map[addressing.Kind]router.Resolver{
			addressing.Anycast: direct, addressing.Broadcast: direct,
		}),
		user: &tenancy.Principal{Tenant: &tenancy.Tenant{Name: "default", Addresses: space, Anonymous: true}},
	}
}

func define(t testing.TB, name string, kind addressing.Kind) addressing.Definition {
	t.Helper()
	f, err := addressing.ParseFilter(name)
	if err != nil {
		t.Fatal(err)
	}
	return addressing.Definition{Name: f, Kind: kind}
}

// outcomes is a producer that notes what it hears.
type outcomes struct {
	mu     sync.Mutex
	heard  map[uint64]router.Outcome
	credit int
}

func (o *outcomes) Settled(_ *router.Sender, tag uint64, out router.Outcome) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.heard == nil {
		o.heard = make(map[uint64]router.Outcome)
	}
	if _, twice := o.heard[tag]; twice {
		panic("a delivery was settled twice")
	}
	o.heard[tag] = out
}

func (o *outcomes) Credit(_ *router.Sender, n int) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.credit += n
}

func (o *outcomes) expect(t *testing.T, tag uint64, state router.State) {
	t.Helper()
	o.mu.Lock()
	defer o.mu.Unlock()
	if got, ok := o.heard[tag]; !ok || got.State != state {
		t.Errorf("message %d: heard %v (%v), want %v", tag, got.State, ok, state)
	}
}

func (o *outcomes) expectNone(t *testing.T, tag uint64) {
	t.Helper()
	o.mu.Lock()
	defer o.mu.Unlock()
	if got, ok := o.heard[tag]; ok {
		t.Errorf("message %d: heard %v before anybody had settled it", tag, got.State)
	}
}

// inbox is a consumer that keeps what it gets.
type inbox struct {
	mu  sync.Mutex
	got []router.Delivery
}

func (i *inbox) Deliver(_ *router.Receiver, d router.Delivery) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.got = append(i.got, d)
}

func (i *inbox) bodies() []string {
	i.mu.Lock()
	defer i.mu.Unlock()
	var all []string
	for _, d := range i.got {
		all = append(all, body(d))
	}
	return all
}

func (i *inbox) expect(t *testing.T, want ...string) {
	t.Helper()
	if got := i.bodies(); !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func text(s string) router.Delivery {
	m, err := amqp.ParseMessage(amqp.AppendData(nil, []byte(s)))
	if err != nil {
		panic(err)
	}
	return router.Delivery{Message: m}
}

func body(d router.Delivery) string {
	p, _, _ := d.Message.Body().Payload()
	return string(p)
}

func (h *house) sender(address string, p router.Producer) *router.Sender {
	h.t.Helper()
	s, err := h.router.Sender(h.t.Context(), h.user, router.Target{Address: addressing.Address(address)}, p)
	if err != nil {
		h.t.Fatal(err)
	}
	return s
}

func (h *house) receiver(filter string, credit int) (*router.Receiver, *inbox) {
	h.t.Helper()
	f, err := addressing.ParseFilter(filter)
	if err != nil {
		h.t.Fatal(err)
	}
	box := new(inbox)
	r, err := h.router.Receiver(h.t.Context(), h.user, router.Source{Filter: f}, box)
	if err != nil {
		h.t.Fatal(err)
	}
	r.Grant(credit)
	return r, box
}

func TestAnycastPassesTheConsumersOutcomeBack(t *testing.T) {
	for _, want := range []router.Outcome{
		router.Accept(), router.Release(), router.Fail(), router.Reject(router.Malformed, "unreadable"),
	} {
		h := newHouse(t)
		heard := new(outcomes)
		_, box := h.receiver("commands/a", 1)
		h.sender("commands/a", heard).Send(1, text("go"))
		heard.expectNone(t, 1)
		box.got[0].Settle(want)
		heard.expect(t, 1, want.State)
	}
}

func TestFirstSettlementWins(t *testing.T) {
	h := newHouse(t)
	heard := new(outcomes)
	_, box := h.receiver("commands/a", 1)
	h.sender("commands/a", heard).Send(1, text("go"))
	box.got[0].Settle(router.Release())
	box.got[0].Settle(router.Accept())
	heard.expect(t, 1, router.Released)
	var late error
	box.got[0].SettleThen(router.Accept(), func(err error) { late = err })
	if router.ReasonOf(late) != router.Conflict {
		t.Errorf("a late settlement was told %v, want a conflict", late)
	}
}

func TestAnycastWithoutConsumerReleases(t *testing.T) {
	h := newHouse(t)
	heard := new(outcomes)
	s := h.sender("commands/a", heard)
	if heard.credit != 0 {
		t.Errorf("credit %d was granted with nobody there", heard.credit)
	}
	s.Send(1, text("go"))
	heard.expect(t, 1, router.Released)
	h.receiver("commands/a", 0)
	if heard.credit != 10+1 { // the window, and one for the settled message
		t.Errorf("credit %d after the first consumer came, want 11", heard.credit)
	}
}

func TestAnycastMessagesWaitForCreditInOrder(t *testing.T) {
	h := newHouse(t)
	r, box := h.receiver("commands/*/x", 0)
	s := h.sender("commands/a/x", new(outcomes))
	for tag, b := range []string{"1", "2", "3"} {
		s.Send(uint64(tag), text(b))
	}
	box.expect(t)
	r.Grant(2)
	box.expect(t, "1", "2")
	r.Grant(5)
	box.expect(t, "1", "2", "3")
	s.Send(9, text("4"))
	box.expect(t, "1", "2", "3", "4")
}

// TestWhatWaitsIsBounded: senders that come, send settled messages and go must not fill the memory.
func TestWhatWaitsIsBounded(t *testing.T) {
	space := newHouse(t).user.Tenant.Addresses
	one := text("x")
	one.Settled = true
	limits := router.Limits{MaxWaiting: 3 * weight(one)}
	h := newHouse(t)
	h.user = &tenancy.Principal{Tenant: &tenancy.Tenant{Name: "default", Addresses: space, Anonymous: true}}
	h.router = router.New(limits, map[addressing.Kind]router.Resolver{addressing.Anycast: router.NewDirect(limits)})
	r, box := h.receiver("commands/a", 0)
	heard := new(outcomes)
	for tag := range uint64(5) {
		s := h.sender("commands/a", heard)
		s.Send(tag, one)
		s.Close()
	}
	heard.expectNone(t, 2)
	heard.expect(t, 3, router.Released)
	heard.expect(t, 4, router.Released)
	r.Grant(10)
	box.expect(t, "x", "x", "x")
	h.sender("commands/a", heard).Send(5, one) // there is room again
	box.expect(t, "x", "x", "x", "x")
}

func TestWithdrawnMessageIsReleasedAndNotDelivered(t *testing.T) {
	h := newHouse(t)
	heard := new(outcomes)
	r, box := h.receiver("commands/a", 0)
	s := h.sender("commands/a", heard)
	s.Send(1, text("withdrawn"))
	s.Close()
	heard.expect(t, 1, router.Released)
	r.Grant(1)
	box.expect(t)
}

func TestLostConsumerFailsWhatItHeld(t *testing.T) {
	h := newHouse(t)
	heard := new(outcomes)
	r, box := h.receiver("commands/a", 1)
	s := h.sender("commands/a", heard)
	s.Send(1, text("held"))
	s.Send(2, text("waiting"))
	r.Close()
	heard.expect(t, 1, router.Modified)
	heard.expect(t, 2, router.Released)
	box.got[0].Settle(router.Accept()) // late: another outcome would panic in outcomes
}

func TestBalancedPrefersTheLeastLoaded(t *testing.T) {
	h := newHouse(t)
	_, slow := h.receiver("commands/a", 10)
	_, quick := h.receiver("commands/a", 10)
	s := h.sender("commands/a", new(outcomes))
	for i := range 6 {
		s.Send(uint64(i), text("x"))
		for _, d := range quick.got {
			d.Settle(router.Accept())
		}
	}
	if len(slow.got) != 1 || len(quick.got) != 5 {
		t.Errorf("the slow consumer got %d and the quick one %d, want 1 and 5", len(slow.got), len(quick.got))
	}
}

func TestClosestTakesTurns(t *testing.T) {
	def := define(t, "commands", addressing.Anycast)
	def.Distribution = addressing.Closest
	h := newHouse(t, def)
	_, a := h.receiver("commands", 10)
	_, b := h.receiver("commands", 10)
	s := h.sender("commands", new(outcomes))
	for i := range 4 {
		s.Send(uint64(i), text(string(rune('a'+i))))
		for _, d := range a.got {
			d.Settle(router.Accept())
		}
	}
	a.expect(t, "a", "c")
	b.expect(t, "b", "d")
}

func TestSettledAnycastIsAcceptedWhenHandedOver(t *testing.T) {
	h := newHouse(t)
	heard := new(outcomes)
	r, box := h.receiver("commands/a", 1)
	d := text("fire")
	d.Settled = true
	h.sender("commands/a", heard).Send(1, d)
	heard.expect(t, 1, router.Accepted)
	if box.got[0].Owned() {
		t.Error("a message that was sent settled still waits for an outcome")
	}
	r.Close()
}

func TestBroadcastReachesAllAndIsReleasedWithNobodyThere(t *testing.T) {
	h := newHouse(t)
	heard := new(outcomes)
	s := h.sender("alerts/fire", heard)
	s.Send(1, text("lost"))
	heard.expect(t, 1, router.Released)
	_, a := h.receiver("alerts/fire", 1)
	_, b := h.receiver("#", 5)
	s.Send(2, text("one"))
	s.Send(3, text("two"))
	heard.expect(t, 2, router.Accepted)
	heard.expect(t, 3, router.Accepted)
	a.expect(t, "one")
	b.expect(t, "one", "two")
	if got := h.router.Counters("default").Kind(addressing.Broadcast).Dropped(); got != 1 {
		t.Errorf("%d messages counted as dropped, want the one without credit", got)
	}
}

func TestWildcardDoesNotStealCommandsNorTakeFromQueues(t *testing.T) {
	h := newHouse(t)
	_, curious := h.receiver("#", 5)
	heard := new(outcomes)
	h.sender("commands/a", heard).Send(1, text("secret"))
	heard.expect(t, 1, router.Released)
	curious.expect(t)
	_, workers := h.receiver("commands/#", 5)
	h.sender("commands/a", new(outcomes)).Send(1, text("work"))
	workers.expect(t, "work")
}

func TestRefusedLinksSayWhy(t *testing.T) {
	h := newHouse(t)
	filter := func(s string) addressing.Filter {
		f, err := addressing.ParseFilter(s)
		if err != nil {
			t.Fatal(err)
		}
		return f
	}
	_, unknown := h.router.Sender(t.Context(), h.user, router.Target{Address: "nowhere"}, new(outcomes))
	_, wrongKind := h.router.Sender(t.Context(), h.user,
		router.Target{Address: "alerts/x", Kind: addressing.Queue}, new(outcomes))
	_, notOffered := h.router.Sender(t.Context(), h.user, router.Target{Address: "jobs"}, new(outcomes))
	_, noSuch := h.router.Receiver(t.Context(), h.user, router.Source{Filter: filter("no/*")}, new(inbox))
	_, noTopic := h.router.Receiver(t.Context(), h.user,
		router.Source{Filter: filter("alerts/x"), Subscription: "s"}, new(inbox))
	_, notText := h.router.Receiver(t.Context(), h.user,
		router.Source{Filter: filter("alerts/x"), Subscription: "\xFF"}, new(inbox)) // a byte that no log, metric or protocol could show
	stranger := &tenancy.Principal{Tenant: &tenancy.Tenant{Name: "closed", Addresses: h.user.Tenant.Addresses}}
	_, denied := h.router.Sender(t.Context(), stranger, router.Target{Address: "alerts/x"}, new(outcomes))
	for name, c := range map[string]struct {
		err  error
		want router.Reason
	}{
		"unknown address":       {unknown, router.NotFound},
		"asserted kind":         {wrongKind, router.NotFound},
		"kind without resolver": {notOffered, router.Unsupported},
		"unknown filter":        {noSuch, router.NotFound},
		"subscription":          {noTopic, router.Unsupported},
		"subscription's name":   {notText, router.Malformed},
		"right":                 {denied, router.Denied},
	} {
		if got := router.ReasonOf(c.err); got != c.want {
			t.Errorf("%s: reason %v (%v), want %v", name, got, c.err, c.want)
		}
	}
	if router.ReasonOf(errors.New("anything")) != router.Internal || router.ReasonOf(nil) != router.OK {
		t.Error("an error without a reason is Internal, and no error is OK")
	}
}

func TestTemporaryAddressIsItsMakersUntilReleased(t *testing.T) {
	h := newHouse(t)
	a, release := h.router.Temporary(h.user)
	_, box := h.receiver(string(a), 5)
	heard := new(outcomes)
	s := h.sender(string(a), heard)
	s.Send(1, text("answer"))
	box.expect(t, "answer")
	stranger := &tenancy.Principal{Tenant: &tenancy.Tenant{
		Name: "other", Addresses: h.user.Tenant.Addresses, Anonymous: true,
	}}
	_, err := h.router.Sender(t.Context(), stranger, router.Target{Address: a}, heard)
	if router.ReasonOf(err) != router.NotFound {
		t.Errorf("from another tenant: %v, want not found", err)
	}
	release()
	_, err = h.router.Sender(t.Context(), h.user, router.Target{Address: a}, heard)
	if router.ReasonOf(err) != router.NotFound {
		t.Errorf("after the release: %v, want not found", err)
	}
	if b, _ := h.router.Temporary(h.user); a == b {
		t.Error("two temporary addresses have the same name")
	}
}

func TestMessageBeyondTheAddressLimitIsTooLarge(t *testing.T) {
	def := define(t, "small", addressing.Broadcast)
	def.MaxMessageSize = 16
	h := newHouse(t, def)
	h.receiver("small", 1)
	heard := new(outcomes)
	h.sender("small", heard).Send(1, text("much more than sixteen bytes"))
	if got := heard.heard[1].Reason; got != router.TooLarge {
		t.Errorf("reason %v, want TooLarge", got)
	}
}

// TestEveryAnycastMessageEndsOnce has senders, consumers that settle from other goroutines, and consumers that come
// and go; it is the race detector's food.
func TestEveryAnycastMessageEndsOnce(t *testing.T) {
	h := newHouse(t)
	const senders, each = 4, 500
	var settling, sending sync.WaitGroup
	ended := make(chan struct{}, senders*each)
	stop := make(chan struct{})
	for range 3 {
		settling.Go(func() {
			for {
				deliveries := make(chan router.Delivery, 8)
				r, err := h.router.Receiver(t.Context(), h.user,
					router.Source{Filter: addressing.Address("commands/a").Filter()}, consumerFunc(func(d router.Delivery) {
						deliveries <- d
					}))
				if err != nil {
					t.Error(err)
					return
				}
				r.Grant(8)
				for range 20 {
					select {
					case d := <-deliveries:
						d.Settle(router.Accept())
						r.Grant(1)
					case <-stop:
						r.Close()
						return
					}
				}
				r.Close()
			}
		})
	}
	for range senders {
		sending.Go(func() {
			s := h.sender("commands/a", producerFunc(func(uint64, router.Outcome) { ended <- struct{}{} }))
			for i := range each {
				s.Send(uint64(i), text("x"))
			}
		})
	}
	sending.Wait()
	for range senders * each {
		<-ended
	}
	close(stop)
	settling.Wait()
	select {
	case <-ended:
		t.Error("more outcomes than messages")
	default:
	}
}

type consumerFunc func(router.Delivery)

func (f consumerFunc) Deliver(_ *router.Receiver, d router.Delivery) { f(d) }

type producerFunc func(uint64, router.Outcome)

func (f producerFunc) Settled(_ *router.Sender, tag uint64, o router.Outcome) { f(tag, o) }
func (producerFunc) Credit(*router.Sender, int)                               {}
