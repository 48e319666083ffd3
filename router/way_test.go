package router_test

import (
	"fmt"
	"runtime"
	"sync"
	"testing"

	"github.com/manifoldmq/manifold/addressing"
	"github.com/manifoldmq/manifold/router"
)

// path is a way to a neighbour, which does not take what came from there.
type path struct {
	inbox
	neighbor string
	cost     int64
	asked    func() // what else happens when it is asked whether it leads on; nil for nothing
}

func (p *path) Leads(d router.Delivery) (int64, bool) {
	if p.asked != nil {
		p.asked()
	}
	return p.cost, d.Route != p.neighbor
}

func (p *path) DeliverAfter(_ *router.Stream, r *router.Receiver, d router.Delivery) { p.Deliver(r, d) }

var _ router.Way = (*path)(nil)

// way attaches a way to an address.
func (h *house) way(address, neighbor string, cost int64, credit int) (*router.Receiver, *path) {
	h.t.Helper()
	p := &path{neighbor: neighbor, cost: cost}
	f, err := addressing.ParseFilter(address)
	if err != nil {
		h.t.Fatal(err)
	}
	r, err := h.router.Receiver(h.t.Context(), h.user, router.Source{Filter: f}, p)
	if err != nil {
		h.t.Fatal(err)
	}
	r.Grant(credit)
	return r, p
}

// from gives a message that came from a neighbour.
func from(neighbor, body string) router.Delivery {
	d := text(body)
	d.Route = neighbor
	return d
}

func (p *path) expect(t *testing.T, n int) {
	t.Helper()
	if len(p.got) != n {
		t.Errorf("the way to %s has got %d messages, want %d", p.neighbor, len(p.got), n)
	}
}

func distributed(t *testing.T, d addressing.Distribution) *house {
	def := define(t, "commands/#", addressing.Anycast)
	def.Distribution = d
	return newHouse(t, def)
}

func TestClosestGoesFartherOnlyForWantOfCredit(t *testing.T) {
	h := distributed(t, addressing.Closest)
	_, far := h.way("commands/a", "far", 5, 1)
	_, near := h.way("commands/a", "near", 2, 1)
	_, here := h.receiver("commands/a", 1)
	s := h.sender("commands/a", new(outcomes))
	for i, want := range []struct{ here, near, far int }{{1, 0, 0}, {1, 1, 0}, {1, 1, 1}, {1, 1, 1}} {
		s.Send(uint64(i), text("one"))
		near.expect(t, want.near)
		far.expect(t, want.far)
		if len(here.got) != want.here {
			t.Errorf("message %d: %d came to the consumer here, want %d", i, len(here.got), want.here)
		}
	}
}

// TestClosestOfDispatchWaitsForTheNearest until that goes; then what has waited goes to the next.
func TestClosestOfDispatchWaitsForTheNearest(t *testing.T) {
	h := distributed(t, addressing.Closest)
	h.direct.AsDispatch = true
	_, far := h.way("commands/a", "far", 5, 1)
	way, near := h.way("commands/a", "near", 2, 2)
	r, here := h.receiver("commands/a", 1)
	idle, busy := h.receiver("commands/a", 0) // as near, but the other one has credit
	s := h.sender("commands/a", new(outcomes))
	expect := func(when string, atHere, atNear, atFar int) {
		t.Helper()
		if got := fmt.Sprint(len(here.got), len(near.got), len(far.got)); got != fmt.Sprint(atHere, atNear, atFar) || len(busy.got) > 0 {
			t.Errorf("%s: %s have come, want %d %d %d", when, got, atHere, atNear, atFar)
		}
	}
	for i := range 5 {
		s.Send(uint64(i), text("one"))
	}
	expect("without credit here", 1, 0, 0)
	r.Grant(1)
	expect("with credit here", 2, 0, 0)
	r.Close()
	idle.Close()
	expect("with nobody here", 2, 2, 0)
	way.Close()
	expect("without the near way", 2, 2, 1)
}

func TestBalancedCountsCostAndWhatIsUnsettled(t *testing.T) {
	h := distributed(t, addressing.Balanced)
	_, far := h.way("commands/a", "far", 3, 100)
	_, here := h.receiver("commands/a", 100)
	s := h.sender("commands/a", new(outcomes))
	for i := range 11 {
		s.Send(uint64(i), text("one"))
	}
	far.expect(t, 4) // and 7 here: 4 + 3
	if len(here.got) != 7 {
		t.Errorf("%d came to the consumer here, want 7", len(here.got))
	}
	for _, d := range here.got {
		d.Settle(router.Accept())
	}
	s.Send(100, text("one"))
	far.expect(t, 4)
}

func TestNothingGoesBackToWhereItCameFrom(t *testing.T) {
	for _, address := range []string{"commands/a", "alerts/a"} {
		heard := new(outcomes)
		h := newHouse(t)
		_, back := h.way(address, "b", 1, 10)
		s := h.sender(address, heard)
		s.Send(1, from("b", "one"))
		heard.expect(t, 1, router.Released)
		back.expect(t, 0)
		s.Send(2, from("c", "two"))
		back.expect(t, 1)
	}
}

func TestWhatWaitsForAConsumerHereDoesNotHoldUpAWay(t *testing.T) {
	h, heard := newHouse(t), new(outcomes)
	h.receiver("commands/a", 0)
	_, back := h.way("commands/a", "b", 1, 10)
	s := h.sender("commands/a", heard)
	s.Send(1, from("b", "waits for the one here"))
	s.Send(2, text("goes on"))
	heard.expectNone(t, 1)
	back.expect(t, 1)
	back.got[0].Settle(router.Accept())
	heard.expect(t, 2, router.Accepted)
}

func TestWayIsReasonEnoughForCredit(t *testing.T) {
	h, heard := newHouse(t), new(outcomes)
	h.sender("commands/a", heard)
	if heard.credit != 0 {
		t.Errorf("%d credit without anybody", heard.credit)
	}
	h.way("commands/a", "b", 1, 0)
	if heard.credit == 0 {
		t.Error("a way brings no credit")
	}
}

func TestLostWayFailsWhatItHad(t *testing.T) {
	h, heard := newHouse(t), new(outcomes)
	way, there := h.way("commands/a", "b", 1, 1)
	s := h.sender("commands/a", heard)
	s.Send(1, text("is on its way"))
	s.Send(2, text("waits"))
	there.expect(t, 1)
	way.Close()
	heard.expect(t, 1, router.Modified)
	heard.expect(t, 2, router.Released)
}

func TestBroadcastWaitsForAWay(t *testing.T) {
	h, heard := newHouse(t), new(outcomes)
	slow, first := h.way("alerts/a", "slow", 1, 1)
	_, second := h.way("alerts/#", "fast", 1, 10)
	_, here := h.receiver("alerts/a", 10)
	_, deaf := h.receiver("alerts/a", 0)
	s := h.sender("alerts/a", heard)
	for i := range 3 {
		s.Send(uint64(i), text(string(rune('a'+i))))
	}
	second.expect(t, 3)
	first.expect(t, 1)
	if len(here.got) != 3 || len(deaf.got) != 0 {
		t.Errorf("%d and %d came to the consumers here, want 3 and 0", len(here.got), len(deaf.got))
	}
	heard.expect(t, 0, router.Accepted)
	heard.expectNone(t, 1)
	slow.Grant(1)
	heard.expect(t, 1, router.Accepted)
	heard.expectNone(t, 2)
	slow.Grant(5)
	heard.expect(t, 2, router.Accepted)
	first.expect(t, 3)
	for i, d := range first.got {
		if got := string(d.Message.Bytes()); got != string(second.got[i].Message.Bytes()) {
			t.Errorf("message %d is another one", i)
		}
		if d.Owned() {
			t.Error("somebody waits for what the neighbour does with a copy")
		}
	}
}

func TestBroadcastIsTold(t *testing.T) {
	for name, c := range map[string]struct {
		here bool
		then func(way *router.Receiver, s *router.Sender)
		want router.State
	}{
		"when the way is lost":                      {true, func(way *router.Receiver, _ *router.Sender) { way.Close() }, router.Accepted},
		"when the way is lost and nobody was there": {false, func(way *router.Receiver, _ *router.Sender) { way.Close() }, router.Released},
		"when the sender leaves":                    {true, func(_ *router.Receiver, s *router.Sender) { s.Close() }, router.Accepted},
	} {
		t.Run(name, func(t *testing.T) {
			h, heard := newHouse(t), new(outcomes)
			way, _ := h.way("alerts/a", "b", 1, 0)
			if c.here {
				h.receiver("alerts/a", 1)
			}
			s := h.sender("alerts/a", heard)
			s.Send(1, text("one"))
			heard.expectNone(t, 1)
			c.then(way, s)
			heard.expect(t, 1, c.want)
			way.Grant(1) // and nobody hears of it twice
		})
	}
}

func TestBroadcastGoesOnThoughItsSenderLeft(t *testing.T) {
	h := newHouse(t)
	way, there := h.way("alerts/a", "b", 1, 0)
	s := h.sender("alerts/a", new(outcomes))
	s.Send(1, text("one"))
	s.Close()
	way.Grant(1)
	there.expect(t, 1)
}

func TestBroadcastKeepsNoMoreThanItMay(t *testing.T) {
	h, heard := limited(t, router.Limits{MaxWaiting: 300}), new(outcomes)
	_, there := h.way("alerts/a", "b", 1, 0)
	s := h.sender("alerts/a", heard)
	s.Send(1, text("with what goes with it this has some two hundred bytes, so that a second one has no room"))
	s.Send(2, text("with what goes with it this has some two hundred bytes, so that a second one has no room"))
	heard.expectNone(t, 1)
	heard.expect(t, 2, router.Released)
	there.expect(t, 0)
	if got := h.router.Counters("default").Kind(addressing.Broadcast).Dropped(); got != 1 {
		t.Errorf("%d are counted as missed, want 1", got)
	}
}

// crowd notes whom it hears of.
type crowd struct{ came, went []string }

func (c *crowd) Came(r *router.Receiver, defs []*addressing.Definition) {
	c.came = append(c.came, r.Source().Filter.String()+" of "+defs[0].Name.String())
}
func (c *crowd) Went(r *router.Receiver) { c.went = append(c.went, r.Source().Filter.String()) }

func TestWatcherHearsOfReceiversButNotOfWays(t *testing.T) {
	h, seen := newHouse(t), new(crowd)
	h.router.Watch(seen)
	r, _ := h.receiver("commands/a", 0)
	way, _ := h.way("commands/a", "b", 1, 0)
	way.Close()
	if len(seen.came) != 1 || seen.came[0] != "commands/a of commands/#" || len(seen.went) != 0 {
		t.Errorf("came %q, went %q", seen.came, seen.went)
	}
	r.Close()
	if len(seen.went) != 1 || seen.went[0] != "commands/a" {
		t.Errorf("went %q", seen.went)
	}
}

// limited is a house whose nodes keep less.
func limited(t *testing.T, l router.Limits) *house {
	h := newHouse(t)
	direct := router.NewDirect(l)
	h.router = router.New(l, map[addressing.Kind]router.Resolver{addressing.Anycast: direct, addressing.Broadcast: direct})
	return h
}

// TestWhatPassesByIsNotStored: a network has an address of its own under the name of a queue that is here for here only.
func TestWhatPassesByIsNotStored(t *testing.T) {
	h := newHouse(t)
	known := define(t, "jobs", addressing.Anycast)
	p := &path{neighbor: "b"}
	_, err := h.router.Receiver(t.Context(), h.user, router.Source{Filter: known.Name, Undeclared: &known}, p)
	if err != nil {
		t.Fatal(err)
	}
	s, err := h.router.Sender(t.Context(), h.user, router.Target{Address: "jobs", Undeclared: &known}, new(outcomes))
	if err != nil || s.Kind() != addressing.Anycast {
		t.Fatalf("it is sent to %v, %v", s.Kind(), err)
	}
	if _, err := h.router.Receiver(t.Context(), h.user, router.Source{Filter: known.Name}, p); router.ReasonOf(err) != router.NotFound {
		t.Errorf("a way from the queue: %v", err)
	}
}

// TestWhatAWayDoesNotLeadOnForAnyMoreIsReleased when the way is tried again, and does not wait for ever.
func TestWhatAWayDoesNotLeadOnForAnyMoreIsReleased(t *testing.T) {
	h, heard := newHouse(t), new(outcomes)
	way, path := h.way("commands/a", "b", 1, 0)
	s := h.sender("commands/a", heard)
	s.Send(1, from("c", "one"))
	heard.expectNone(t, 1)
	path.neighbor = "c" // back to where it came from
	way.Retry()
	heard.expect(t, 1, router.Released)
}

// TestWhatWaitedForAWayThatRetiresIsReleased at once, and not when the way has ended: who has what went by it may take long.
func TestWhatWaitedForAWayThatRetiresIsReleased(t *testing.T) {
	h, heard := newHouse(t), new(outcomes)
	way, there := h.way("commands/a", "b", 1, 1)
	s := h.sender("commands/a", heard)
	s.Send(1, text("is there"))
	s.Send(2, text("waits"))
	way.Retire()
	heard.expectNone(t, 1)
	heard.expect(t, 2, router.Released)
	s.Send(3, text("is for nobody"))
	heard.expect(t, 3, router.Released)
	way.Grant(1)
	there.expect(t, 1)
	there.got[0].Settle(router.Accept())
	heard.expect(t, 1, router.Accepted)
}

// TestWhatWaitedForAWayThatRetiresGoesFarther where it waits for the nearest.
func TestWhatWaitedForAWayThatRetiresGoesFarther(t *testing.T) {
	h := distributed(t, addressing.Closest)
	h.direct.AsDispatch = true
	_, far := h.way("commands/a", "far", 5, 1)
	near, _ := h.way("commands/#", "near", 2, 0)
	h.sender("commands/a", new(outcomes)).Send(1, text("waits"))
	far.expect(t, 0)
	near.Retire()
	far.expect(t, 1)
}

// grantWhenAsked has another receiver get credit while the node, which is locked then, asks the way. granted waits until the node knows.
func (p *path) grantWhenAsked(r *router.Receiver) (granted func()) {
	var granting sync.WaitGroup
	p.asked = func() {
		p.asked = nil
		granting.Go(func() { r.Grant(1) })
		for !r.HasCredit() {
			runtime.Gosched()
		}
	}
	return granting.Wait
}

// TestCreditThatComesMeanwhileIsForWhatWaitsFirst: while the node hands out what waits, and has found nobody for the first of it.
func TestCreditThatComesMeanwhileIsForWhatWaitsFirst(t *testing.T) {
	for range 10 { // as the node asks its consumers in any order
		h := newHouse(t)
		slow, there := h.way("commands/a", "c", 1, 0)
		other, path := h.way("commands/a", "b", 1, 0)
		s := h.sender("commands/a", new(outcomes))
		s.Send(1, from("b", "first"))
		s.Send(2, from("b", "second"))
		granted := path.grantWhenAsked(slow)
		other.Grant(1)
		granted()
		there.inbox.expect(t, "first")
	}
}
