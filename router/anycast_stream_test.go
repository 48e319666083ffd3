package router_test

import (
	"testing"

	"github.com/manifoldmq/manifold/addressing"
	"github.com/manifoldmq/manifold/router"
	"github.com/manifoldmq/manifold/router/amqp"
	"github.com/manifoldmq/manifold/router/selector"
)

// stream links a consumer that takes streams, where condition is met unless it is empty.
func (h *house) stream(address, condition string, credit int) (*router.Receiver, *inbox) {
	h.t.Helper()
	source := router.Source{Filter: addressing.Address(address).Filter(), Streams: true}
	if condition != "" {
		var err error
		if source.Selector, err = selector.Parse(condition); err != nil {
			h.t.Fatal(err)
		}
	}
	box := new(inbox)
	r, err := h.router.Receiver(h.t.Context(), h.user, source, box)
	if err != nil {
		h.t.Fatal(err)
	}
	r.Grant(credit)
	return r, box
}

// streamWay is way for one on which streams go.
func (h *house) streamWay(address, neighbor string, cost int64, credit int) (*router.Receiver, *path) {
	h.t.Helper()
	p := &path{neighbor: neighbor, cost: cost}
	r, err := h.router.Receiver(h.t.Context(), h.user, router.Source{Filter: addressing.Address(address).Filter(), Streams: true}, p)
	if err != nil {
		h.t.Fatal(err)
	}
	r.Grant(credit)
	return r, p
}

// offers fails unless a stream, whose head is empty, is answered so.
func (h *house) offers(s *router.Sender, tag uint64, room func(), want router.Reception) *router.Stream {
	h.t.Helper()
	stream, got := s.SendStream(tag, router.Delivery{Message: amqp.Trusted([]byte{})}, []byte("x"), room)
	if got != want {
		h.t.Errorf("the offer of stream %d is answered %d, want %d", tag, got, want)
	}
	return stream
}

// TestStreamDoesNotWaitBehindWhatIsForOthers but behind what its own consumer is to have first.
func TestStreamDoesNotWaitBehindWhatIsForOthers(t *testing.T) {
	for name, c := range map[string]struct {
		before router.Delivery
		links  func(h *house) (*router.Receiver, func() int) // the consumer of the stream, and how much that has got
	}{
		"a selector": {coloured("red"), func(h *house) (*router.Receiver, func() int) {
			h.stream("commands/a", "colour = 'red'", 0)
			r, box := h.stream("commands/a", "colour IS NULL", 0)
			return r, func() int { return len(box.got) }
		}},
		"a way": {from("b", "one"), func(h *house) (*router.Receiver, func() int) {
			h.streamWay("commands/a", "c", 1, 0)
			r, p := h.streamWay("commands/a", "b", 1, 0)
			return r, func() int { return len(p.got) }
		}},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHouse(t)
			r, got := c.links(h)
			s, told := h.sender("commands/a", new(outcomes)), 0
			s.Send(1, c.before)
			h.offers(s, 2, func() { told++ }, router.Busy)
			r.Grant(1)
			if told != 1 || got() != 0 {
				t.Fatalf("told %d times to try again, and %d messages have come", told, got())
			}
			h.offers(s, 2, nothing, router.Taken)
			s.Send(3, text("waits"))
			h.offers(s, 4, nothing, router.Busy)
			r.Grant(1)
			if got() != 2 {
				t.Errorf("%d messages have come, want the stream and what has waited", got())
			}
		})
	}
}

// TestStreamOfDispatchWaitsForTheNearest as a message does, until that goes.
func TestStreamOfDispatchWaitsForTheNearest(t *testing.T) {
	h := distributed(t, addressing.Closest)
	h.direct.AsDispatch = true
	_, far := h.streamWay("commands/a", "far", 5, 1)
	near, next := h.streamWay("commands/a", "near", 2, 1)
	r, here := h.stream("commands/a", "", 2)
	s, told := h.sender("commands/a", new(outcomes)), 0
	first := h.offers(s, 1, nothing, router.Taken)
	h.offers(s, 2, func() { told++ }, router.Busy) // as the one here is in the middle of another
	first.Append(nil, true)
	here.got[0].Stream.Take(nothing, nil)
	if told != 1 {
		t.Errorf("told %d times to try again when the nearest was free", told)
	}
	h.offers(s, 2, nothing, router.Taken).Abandon()
	h.offers(s, 3, func() { told++ }, router.Busy) // without credit here
	r.Close()
	if told != 2 {
		t.Errorf("told %d times to try again when the nearest had gone", told)
	}
	next.expect(t, 0)
	h.offers(s, 3, nothing, router.Taken)
	next.expect(t, 1)
	h.offers(s, 4, nothing, router.Busy)
	near.Close()
	h.offers(s, 4, nothing, router.Taken)
	far.expect(t, 1)
}

// TestStreamOfDispatchIsGatheredForANearestThatTakesNone although one farther off does.
func TestStreamOfDispatchIsGatheredForANearestThatTakesNone(t *testing.T) {
	for _, asDispatch := range []bool{true, false} {
		h := distributed(t, addressing.Closest)
		h.direct.AsDispatch = asDispatch
		_, far := h.streamWay("commands/a", "far", 5, 1)
		h.receiver("commands/a", 0)
		s := h.sender("commands/a", new(outcomes))
		if asDispatch {
			h.offers(s, 1, nothing, router.WholeOnly)
			far.expect(t, 0)
		} else {
			h.offers(s, 1, nothing, router.Taken)
			far.expect(t, 1)
		}
	}
}

// TestCreditThatComesMeanwhileIsNotForAStream: what waits is before it, although it has just found nobody.
func TestCreditThatComesMeanwhileIsNotForAStream(t *testing.T) {
	for range 10 { // as the node asks its consumers in any order
		h := newHouse(t)
		slow, there := h.streamWay("commands/a", "c", 1, 0)
		_, path := h.streamWay("commands/a", "b", 1, 1)
		s := h.sender("commands/a", new(outcomes))
		s.Send(1, from("b", "first"))
		granted := path.grantWhenAsked(slow)
		_, got := s.SendStream(2, from("b", ""), []byte("x"), nothing)
		granted()
		there.inbox.expect(t, "first")
		if got != router.Busy {
			t.Errorf("the offer of a stream is answered %d, want Busy", got)
		}
	}
}
