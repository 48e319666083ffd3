package router_test

import (
	"testing"

	"github.com/manifoldmq/manifold/router"
)

func TestLateSettlementEndsNoLaterMessage(t *testing.T) {
	h := newHouse(t)
	heard := new(outcomes)
	_, box := h.receiver("commands/a", 100)
	s := h.sender("commands/a", heard)
	s.Send(0, text("first"))
	box.got[0].Settle(router.Accept())
	for tag := uint64(1); tag < 100; tag++ { // of which some take the first one's place
		s.Send(tag, text("later"))
		var late error
		box.got[0].SettleThen(router.Release(), func(err error) { late = err })
		if router.ReasonOf(late) != router.Conflict {
			t.Fatalf("a late settlement was told %v, want a conflict", late)
		}
		box.got[tag].Settle(router.Accept())
		heard.expect(t, tag, router.Accepted)
	}
}

func TestLostConsumerFailsAllThatItHeldAndNoMore(t *testing.T) {
	const each = 10
	h := newHouse(t)
	heard := new(outcomes)
	lost, box := h.receiver("commands/a", each)
	s := h.sender("commands/a", heard)
	for tag := range uint64(each) {
		s.Send(tag, text("held by the first"))
	}
	_, other := h.receiver("commands/a", each)
	for tag := range uint64(each) {
		s.Send(each+tag, text("held by the second"))
	}
	for _, tag := range []uint64{0, 4, each - 1} { // the oldest, one in between and the newest
		box.got[tag].Settle(router.Accept())
		heard.expect(t, tag, router.Accepted)
	}
	lost.Close()
	for _, tag := range []uint64{1, 2, 3, 5, 6, 7, 8} {
		heard.expect(t, tag, router.Modified)
	}
	for tag := range uint64(each) {
		heard.expectNone(t, each+tag)
		other.got[tag].Settle(router.Accept())
		heard.expect(t, each+tag, router.Accepted)
	}
}
