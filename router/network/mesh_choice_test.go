package network

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/manifoldmq/manifold/router"
	"github.com/manifoldmq/manifold/router/routertest"
)

// waiting counts what a consumer has got since it was last asked, and gives it.
func waiting(c *routertest.Consumer) (all []router.Delivery) {
	for synctest.Wait(); !c.Idle(); {
		all = append(all, c.Next())
	}
	return all
}

// counts says how many messages each consumer has got since it was last asked.
func counts(all ...*routertest.Consumer) string {
	n := make([]int, len(all))
	for i, c := range all {
		n[i] = len(waiting(c))
	}
	return fmt.Sprint(n)
}

// TestClosestOfDispatchGoesNoFartherThanItMust: to the nearest consumers, and to the next when those have gone.
func TestClosestOfDispatchGoesNoFartherThanItMust(t *testing.T) {
	cross(t, func(t *testing.T, n *nets) {
		asDispatch(n)
		here := n.routers["a"].Receiver("near", 1)
		next, far := n.routers["b"].Receiver("near", 10), n.routers["c"].Receiver("near", 10)
		later(3 * time.Second)
		p := n.routers["a"].Sender("near")
		for range 3 {
			p.Send("x")
		}
		if got := counts(here, next, far); got != "[1 0 0]" {
			t.Errorf("to who is here: %s", got)
		}
		here.Link.Close()
		if got := counts(here, next, far); got != "[0 2 0]" {
			t.Errorf("when nobody is here any more: %s", got)
		}
		next.Link.Close()
		later(3 * time.Second)
		p.Send("x")
		if got := counts(here, next, far); got != "[0 0 1]" {
			t.Errorf("when nobody is at the next router any more: %s", got)
		}
	}, "a-b", "b-c")
}

// TestBalancedGoesWhereThereIsTheLeastToDo: what the way costs and what is not settled there count alike.
func TestBalancedGoesWhereThereIsTheLeastToDo(t *testing.T) {
	cross(t, func(t *testing.T, n *nets) {
		here := n.routers["a"].Receiver("orders", 100)
		one, other := n.routers["b"].Receiver("orders", 100), n.routers["c"].Receiver("orders", 100)
		later(3 * time.Second)
		p := n.routers["a"].Sender("orders")
		for range 10 {
			p.Send("x")
		}
		synctest.Wait()
		kept, slow, quick := waiting(here), waiting(one), waiting(other)
		if got := fmt.Sprint(len(kept), len(slow), len(quick)); got != "4 3 3" { // 4 = 3 + 1
			t.Errorf("of the first %s, want 4 3 3", got)
		}
		for _, d := range quick {
			d.Settle(router.Accept())
		}
		p.Accepted(len(quick))
		for range 3 {
			p.Send("x")
		}
		if got := counts(here, one, other); got != "[0 0 3]" {
			t.Errorf("when one of them has settled: %s, want [0 0 3]", got)
		}
	}, "a-b", "a-c")
}

// TestWhatNobodyTakesIsReleased wherever that turns out: where it comes in, or at a router on its way.
func TestWhatNobodyTakesIsReleased(t *testing.T) {
	cross(t, func(t *testing.T, n *nets) {
		p := n.routers["a"].Sender("orders")
		p.Send("nobody is there")
		if o := p.Next().Outcome; o.State != router.Released {
			t.Errorf("without a consumer it is %+v", o)
		}
		back := n.routers["c"].Receiver("orders", 1)
		later(3 * time.Second)
		p.Send("released by its consumer")
		back.Next().Settle(router.Release())
		if o := p.Next().Outcome; o.State != router.Released {
			t.Errorf("what its consumer releases is %+v", o)
		}
		n.routers["c"].mute.Store(true) // so that nobody hears that the consumer goes
		back.Link.Close()
		n.routers["c"].mute.Store(false)
		p.Send("comes too late")
		later(time.Second)
		if o := p.Next().Outcome; o.State != router.Released {
			t.Errorf("what comes too late is %+v", o)
		}
	}, "a-b", "b-c")
}
