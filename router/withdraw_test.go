package router_test

import (
	"testing"

	"github.com/manifoldmq/manifold/addressing"
	"github.com/manifoldmq/manifold/router"
)

// obliging is a producer that gives back all the credit that it has when it is asked.
type obliging struct {
	outcomes
	asked int
}

var _ router.Withdrawer = (*obliging)(nil)

func (o *obliging) Withdraw(*router.Sender) { o.asked++ }

// giveBack does so, as a door would later.
func (o *obliging) giveBack(s *router.Sender) {
	o.mu.Lock()
	n := o.credit
	o.credit = 0
	o.mu.Unlock()
	s.TakeBack(n)
}

// TestCreditIsTakenBackWhenSomethingComesInVain, and given again to whom a consumer comes for.
func TestCreditIsTakenBackWhenSomethingComesInVain(t *testing.T) {
	h := newHouse(t)
	p := new(obliging)
	s := h.sender("commands/a", p)
	other := new(obliging)
	h.sender("commands/b", other)
	r, _ := h.receiver("commands/a", 10)
	if p.credit != 10 || other.credit != 0 {
		t.Fatalf("credit %d and %d, want 10 and 0", p.credit, other.credit)
	}
	r.Close()
	if p.asked != 0 {
		t.Error("credit is taken back before anything came")
	}
	p.credit--
	s.Send(1, text("in vain"))
	p.expect(t, 1, router.Released)
	if p.asked != 1 || other.asked != 0 {
		t.Errorf("asked %d and %d times, want 1 and 0", p.asked, other.asked)
	}
	p.giveBack(s)
	if p.credit != 0 {
		t.Errorf("credit %d while nobody is there", p.credit)
	}
	h.receiver("commands/*", 10)
	if p.credit != 10 || other.credit != 10 {
		t.Errorf("credit %d and %d, want 10 and 10", p.credit, other.credit)
	}
	s.Close()
	s.TakeBack(3)
	if p.credit != 10 {
		t.Error("who has left gets credit")
	}
}

// TestLingeringMessagesWaitOn when their sender has left.
func TestLingeringMessagesWaitOn(t *testing.T) {
	for _, lingers := range []bool{true, false} {
		h := newHouse(t)
		r, in := h.receiver("commands/a", 0)
		p := new(outcomes)
		s, err := h.router.Sender(t.Context(), h.user, router.Target{Address: addressing.Address("commands/a"), Lingers: lingers}, p)
		if err != nil {
			t.Fatal(err)
		}
		s.Send(1, text("last words"))
		s.Close()
		r.Grant(1)
		if lingers {
			in.expect(t, "last words")
			p.expectNone(t, 1)
		} else {
			in.expect(t)
			p.expect(t, 1, router.Released)
		}
	}
}

func TestTheWindowOfALinkIsItsOwn(t *testing.T) {
	h := newHouse(t)
	h.receiver("commands/a", 1)
	p := new(outcomes)
	if _, err := h.router.Sender(t.Context(), h.user, router.Target{Address: "commands/a", Window: 3}, p); err != nil {
		t.Fatal(err)
	}
	if p.credit != 3 {
		t.Errorf("credit %d, want 3", p.credit)
	}
}

func TestUnavailableAddressesAreNotFound(t *testing.T) {
	def := define(t, "commands/closed", addressing.Anycast)
	def.Unavailable = true
	h := newHouse(t, def, define(t, "commands/#", addressing.Anycast))
	_, err := h.router.Sender(t.Context(), h.user, router.Target{Address: "commands/closed"}, new(outcomes))
	if router.ReasonOf(err) != router.NotFound {
		t.Errorf("refused with %v", err)
	}
	h.sender("commands/open", new(outcomes))
}
