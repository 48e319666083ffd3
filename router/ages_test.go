package router_test

import (
	"testing"
	"time"

	"github.com/manifoldmq/manifold/addressing"
	"github.com/manifoldmq/manifold/router"
)

// link describes the only link that sends, or the only one that receives.
func (h *house) link(sends bool) router.Link {
	h.t.Helper()
	for _, l := range h.router.Links("default", 0, 10) {
		if l.Sends == sends {
			return l
		}
	}
	h.t.Fatal("there is no such link")
	return router.Link{}
}

func TestWhatHasNoOutcomeForTenSecondsIsStuckUntilItHas(t *testing.T) {
	for _, address := range []string{"commands/a", "alerts"} {
		h := newHouse(t)
		if address == "alerts" {
			h = casting(t, router.Limits{})
		}
		_, box := h.receiver(address, 10)
		s := h.sender(address, new(outcomes))
		for tag := range uint64(3) {
			s.Send(tag, text("x"))
		}
		box.got[0].Settle(router.Accept())
		for _, step := range []struct {
			after time.Duration
			stuck int
		}{{9 * time.Second, 0}, {15 * time.Second, 2}, {time.Hour, 2}} {
			h.router.Advance(step.after)
			for _, sends := range []bool{true, false} {
				if l := h.link(sends); l.Stuck != step.stuck {
					t.Errorf("%s: after %v %d are stuck of a link that sends (%v), want %d", address, step.after, l.Stuck, sends, step.stuck)
				}
			}
		}
		box.got[1].Settle(router.Accept())
		box.got[2].Settle(router.Fail())
		for _, sends := range []bool{true, false} {
			if l := h.link(sends); l.Stuck != 0 || l.Delayed10Sec != 2 || l.Delayed1Sec != 0 {
				t.Errorf("%s: in the end it is %+v, want none stuck, and two late", address, l)
			}
		}
	}
}

func TestLateOutcomesAreCountedOnceWithTheSender(t *testing.T) {
	h := newHouse(t)
	_, box := h.receiver("commands/a", 10)
	s := h.sender("commands/a", new(outcomes))
	for tag, took := range []time.Duration{time.Second, 3 * time.Second, 30 * time.Second} {
		h.router.Advance(0)
		s.Send(uint64(tag), text("x"))
		h.router.Advance(took)
		box.got[tag].Settle(router.Accept())
	}
	if one, ten := h.router.Counters("default").Kind(addressing.Anycast).Delayed(); one != 1 || ten != 1 {
		t.Errorf("%d outcomes came after a second, %d after ten; want one each", one, ten)
	}
}

func TestALinkWithoutCreditTellsForHowLong(t *testing.T) {
	h := newHouse(t)
	r, _ := h.receiver("commands/a", 1)
	s := h.sender("commands/a", new(outcomes))
	h.router.Advance(5 * time.Second)
	if l := h.link(false); l.Dry != 0 || l.Credit != 1 {
		t.Errorf("with credit the receiver is %+v", l)
	}
	for tag := range uint64(10) {
		s.Send(tag, text("x"))
	}
	h.router.Advance(12 * time.Second)
	if l := h.link(false); l.Dry != 7 || l.Credit != 0 || l.Waiting != 9 {
		t.Errorf("without credit the receiver is %+v, want one without since seven seconds, for whom nine wait", l)
	}
	if l := h.link(true); l.Dry != 7 || l.Credit != 0 {
		t.Errorf("after a window the sender is %+v, want one without credit since seven seconds", l)
	}
	r.Grant(100)
	if l := h.link(false); l.Dry != 0 {
		t.Errorf("with credit again the receiver is %+v", l)
	}
}

func TestSettledMessagesAreCountedApart(t *testing.T) {
	h := newHouse(t)
	s := h.sender("commands/a", new(outcomes))
	for tag, settled := range []bool{true, true, false} {
		d := text("x")
		d.Settled = settled
		s.Send(uint64(tag), d) // to nobody
	}
	if l := h.link(true); l.Presettled != 2 || l.Dropped != 2 || l.Ended[router.Released] != 1 || l.Unsettled != 0 {
		t.Errorf("the sender is %+v, want two settled that were lost, and one released", l)
	}
	c := h.router.Counters("default").Kind(addressing.Anycast)
	if c.Asked(router.Released) != 1 || c.Ended(router.Released) != 3 || c.Lost() != 2 {
		t.Errorf("of %d that were released %d were to have an outcome, %d were lost; want 3, 1 and 2",
			c.Ended(router.Released), c.Asked(router.Released), c.Lost())
	}
}

func TestWhatComesOverAProtocolIsCounted(t *testing.T) {
	h := newHouse(t)
	own := h.router
	for _, r := range []*router.Router{own, own.Through("amqp"), own.Through("amqp").ForContainers()} {
		h.router = r
		_, box := h.receiver("commands/a", 1)
		d := text("x")
		d.Settled = true
		h.sender("commands/a", new(outcomes)).Send(0, d)
		box.expect(t, "x")
	}
	c := h.router.Counters("default").Kind(addressing.Anycast)
	if all, containers := c.Came(); all != 2 || containers != 1 || c.Presettled() != 2 {
		t.Errorf("%d have come, %d from containers, %d settled; want 2, 1 and 2: the gateway's own do not count", all, containers, c.Presettled())
	}
	if c.Delivered() != 3 || c.Supplied() != 1 {
		t.Errorf("%d were delivered, %d to containers; want 3 and 1", c.Delivered(), c.Supplied())
	}
}

func TestWhatGoesOnToOtherRoutersIsCountedApart(t *testing.T) {
	h := distributed(t, addressing.Balanced)
	_, near := h.way("commands/a", "A", 1, 10)
	h.sender("commands/a", new(outcomes)).Send(1, text("x"))
	near.expect(t, 1)
	if c := h.router.Counters("default").Kind(addressing.Anycast); c.Onward() != 1 || c.Delivered() != 1 {
		t.Errorf("%d of %d deliveries went to other routers, want 1 of 1", c.Onward(), c.Delivered())
	}
}

// TestStreamsAreCountedAsAllElse: what comes in while it goes out has an outcome, too.
func TestStreamsAreCountedAsAllElse(t *testing.T) {
	h := newHouse(t)
	f := addressing.Address("commands/a").Filter()
	box := new(inbox)
	r, err := h.router.Receiver(t.Context(), h.user, router.Source{Filter: f, Streams: true}, box)
	if err != nil {
		t.Fatal(err)
	}
	r.Grant(1)
	stream, _ := h.sender("commands/a", new(outcomes)).SendStream(1, text("begins"), nil, func() {})
	if stream == nil {
		t.Fatal("the message is not streamed")
	}
	stream.Append([]byte("ends"), true)
	h.router.Advance(20 * time.Second)
	if l := h.link(true); l.Delivered != 1 || l.Stuck != 1 {
		t.Errorf("before the outcome the sender is %+v, want one that is stuck", l)
	}
	box.got[0].Settle(router.Release())
	if l := h.link(true); l.Ended[router.Released] != 1 || l.Stuck != 0 || l.Unsettled != 0 {
		t.Errorf("the sender is %+v, want one released", l)
	}
}
