package router_test

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/manifoldmq/manifold/addressing"
	"github.com/manifoldmq/manifold/router"
	"github.com/manifoldmq/manifold/tenancy"
)

// bound makes the user of a house one of a tenant with a plan.
func (h *house) bound(p tenancy.Plan) {
	h.t.Helper()
	tenant := *h.user.Tenant
	tenant.Plan = p
	d, err := tenancy.NewDirectory(&tenant)
	if err != nil {
		h.t.Fatal(err)
	}
	if h.user, err = d.Anonymous(tenancy.Visitor{}, ""); err != nil {
		h.t.Fatal(err)
	}
}

// most is a plan with one limit.
func most(l tenancy.Limit, n, burst int64) (p tenancy.Plan) {
	p.Most[l], p.Burst[l] = n, burst
	return p
}

func TestLinksTellWhatWentOverThem(t *testing.T) {
	h := newHouse(t)
	box := new(inbox)
	r, err := h.router.Receiver(t.Context(), h.user, router.Source{Filter: addressing.Address("commands/a").Filter()}, box)
	if err != nil {
		t.Fatal(err)
	}
	r.Grant(5)
	s := h.sender("commands/a", new(outcomes))
	for tag := range uint64(3) {
		s.Send(tag, text("x"))
	}
	settled := text("x")
	settled.Settled = true
	s.Send(3, settled)
	box.got[0].Settle(router.Accept())
	box.got[1].Settle(router.Fail())
	links := h.router.Links("default", 0, 10)
	want := []router.Link{
		{ID: 1, Address: "commands/a", Kind: addressing.Anycast, Credit: 1, Delivered: 4,
			Ended: [4]uint64{router.Accepted: 1, router.Modified: 1}, Presettled: 1, Unsettled: 1},
		{ID: 2, Sends: true, Address: "commands/a", Kind: addressing.Anycast, Credit: 9, Delivered: 4,
			Ended: [4]uint64{router.Accepted: 1, router.Modified: 1}, Presettled: 1, Unsettled: 1},
	}
	if fmt.Sprint(links) != fmt.Sprint(want) {
		t.Errorf("links are\n%+v, want\n%+v", links, want)
	}
	if page := h.router.Links("default", 1, 1); len(page) != 1 || page[0].ID != 2 {
		t.Errorf("the page behind the first is %+v", page)
	}
	r.Close()
	r.Close()
	if _, ok := h.router.Link("default", 1); ok {
		t.Error("a link that is closed is listed")
	}
	if got := h.router.Links("other", 0, 10); len(got) != 0 {
		t.Errorf("another tenant has links: %+v", got)
	}
}

func TestLinksAreLimited(t *testing.T) {
	h := newHouse(t)
	h.bound(most(tenancy.MaxLinks, 1, 0))
	s := h.sender("commands/a", new(outcomes))
	receive := func() error {
		r, err := h.router.Receiver(t.Context(), h.user, router.Source{Filter: addressing.Address("commands/a").Filter()}, new(inbox))
		if err == nil {
			r.Close()
			r.Close() // gives back once
		}
		return err
	}
	if err := receive(); router.ReasonOf(err) != router.Quota {
		t.Errorf("the second link: %v", err)
	}
	s.Close()
	for range 3 {
		if err := receive(); err != nil {
			t.Errorf("after the first is closed: %v", err)
		}
	}
}

func TestTopicLevelsAreLimited(t *testing.T) {
	h := newHouse(t)
	h.bound(most(tenancy.MaxTopicLevels, 2, 0))
	_, err := h.router.Sender(t.Context(), h.user, router.Target{Address: "commands/a/b"}, new(outcomes))
	if router.ReasonOf(err) != router.Malformed {
		t.Errorf("three levels: %v", err)
	}
	h.sender("commands/a", new(outcomes))
}

// TestReceiversArePaced: a receiver is given a burst at once, then as many as the plan has in a second; what waits is not lost.
func TestReceiversArePaced(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t)
		h.bound(most(tenancy.MessagesOut, 10, 2))
		box := new(inbox)
		r, err := h.router.Receiver(t.Context(), h.user, router.Source{Filter: addressing.Address("commands/a").Filter()}, box)
		if err != nil {
			t.Fatal(err)
		}
		defer r.Close()
		r.Grant(100)
		s := h.sender("commands/a", new(outcomes))
		for tag := range uint64(30) {
			s.Send(tag, text("x"))
		}
		for _, c := range []struct {
			after    time.Duration
			min, max int
		}{{0, 2, 2}, {time.Second, 8, 16}, {time.Second, 18, 26}, {2 * time.Second, 30, 30}} {
			time.Sleep(c.after)
			synctest.Wait()
			if n := len(box.bodies()); n < c.min || n > c.max {
				t.Errorf("%v later there are %d messages, want %d to %d", c.after, n, c.min, c.max)
			}
		}
		back := 0
		for r.TakeBack() {
			back++
		}
		if back != 70 {
			t.Errorf("%d credit can be taken back, want 70", back)
		}
	})
}

// TestUnpacedSendersAreRefused: who cannot be held back hears that it is too fast; who can is let through and waited for.
func TestUnpacedSendersAreRefused(t *testing.T) {
	for _, unpaced := range []bool{false, true} {
		h := newHouse(t)
		h.bound(most(tenancy.MessagesIn, 1, 2))
		heard := new(outcomes)
		s, err := h.router.Sender(t.Context(), h.user, router.Target{Address: "alerts/a", Unpaced: unpaced}, heard)
		if err != nil {
			t.Fatal(err)
		}
		for tag := range uint64(3) {
			s.Send(tag, text("x"))
		}
		want := router.Released // as nobody is there
		if unpaced {
			want = router.Rejected
		}
		heard.expect(t, 2, want)
		if wait := h.user.Allowance().SendWait(); wait <= 0 {
			t.Errorf("nobody has to wait: %v", wait)
		}
	}
}

// TestStreamsCountWhole: of a message that is passed on while it comes in all bytes are paid for, in both directions.
func TestStreamsCountWhole(t *testing.T) {
	const size = 10_000
	for limit, wait := range map[tenancy.Limit]func(*tenancy.Allowance) time.Duration{
		tenancy.BytesIn:  (*tenancy.Allowance).SendWait,
		tenancy.BytesOut: func(a *tenancy.Allowance) time.Duration { wait, _ := a.Pace(); return wait },
	} {
		h := newHouse(t)
		h.bound(most(limit, 1, 1))
		box := new(inbox)
		source := router.Source{Filter: addressing.Address("commands/a").Filter(), Streams: true}
		r, err := h.router.Receiver(t.Context(), h.user, source, box)
		if err != nil {
			t.Fatal(err)
		}
		r.Grant(1)
		s := h.sender("commands/a", new(outcomes))
		stream, taken := s.SendStream(1, router.Delivery{Message: text("x").Message}, make([]byte, size/2), nothing)
		if taken != router.Taken {
			t.Fatalf("the offer of a stream is answered %d", taken)
		}
		stream.Append(make([]byte, size/2), true)
		for last := false; !last; {
			last = box.got[0].Stream.Take(nothing, nil).Last
		}
		if debt := wait(h.user.Allowance()); debt < size*9/10*time.Second {
			t.Errorf("%v: at a byte a second there are %v to wait after %d bytes", limit, debt, size)
		}
		r.Close()
	}
}
