package router_test

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"sync"
	"testing"
	"weak"

	"github.com/manifoldmq/manifold/addressing"
	"github.com/manifoldmq/manifold/router"
)

// casting is a house whose broadcast addresses are multicast ones.
func casting(t *testing.T, l router.Limits) *house {
	h := newHouse(t)
	direct := router.NewDirect(l)
	direct.AsDispatch = true
	h.router = router.New(l, map[addressing.Kind]router.Resolver{addressing.Broadcast: direct})
	return h
}

func TestMulticastEndsWhenAllHaveSettledAsTheWeightiestSays(t *testing.T) {
	h := casting(t, router.Limits{})
	var boxes [3]*inbox
	for i := range boxes {
		_, boxes[i] = h.receiver("alerts/a", 10)
	}
	said := new(outcomes)
	s := h.sender("alerts/a", said)
	s.Send(1, text("one"))
	boxes[0].got[0].Settle(router.Release())
	boxes[2].got[0].Settle(router.Reject(router.Malformed, "bad"))
	boxes[2].got[0].Settle(router.Accept()) // too late
	said.expectNone(t, 1)
	boxes[1].got[0].Settle(router.Accept())
	said.expect(t, 1, router.Rejected)
}

func TestMulticastWithoutReceiverTakesNothing(t *testing.T) {
	h := casting(t, router.Limits{})
	said := new(outcomes)
	s := h.sender("alerts/a", said)
	if said.credit != 0 {
		t.Errorf("%d credit without a receiver", said.credit)
	}
	s.Send(1, text("one"))
	said.expect(t, 1, router.Released)
	said.credit = 0
	h.receiver("alerts/#", 10)
	if said.credit != 1000 {
		t.Errorf("%d credit with a receiver, want the window", said.credit)
	}
}

func TestMulticastWaitsForCredit(t *testing.T) {
	h := casting(t, router.Limits{})
	_, fast := h.receiver("alerts/a", 10)
	late, slow := h.receiver("alerts/a", 1)
	said := new(outcomes)
	s := h.sender("alerts/a", said)
	for i := range 3 {
		s.Send(uint64(i), text(fmt.Sprint(i)))
	}
	fast.expect(t, "0", "1", "2")
	slow.expect(t, "0")
	for _, d := range fast.got {
		d.Settle(router.Accept())
	}
	slow.got[0].Settle(router.Accept())
	said.expect(t, 0, router.Accepted)
	said.expectNone(t, 1)
	late.Grant(1)
	slow.expect(t, "0", "1")
	late.Close() // has had one, and not the other
	said.expect(t, 1, router.Accepted)
	said.expect(t, 2, router.Accepted)
}

func TestReceiverThatGoesHasFailedAtWhatItHad(t *testing.T) {
	h := casting(t, router.Limits{})
	r, _ := h.receiver("alerts/a", 1)
	said := new(outcomes)
	s := h.sender("alerts/a", said)
	s.Send(1, text("had"))
	s.Send(2, text("waited"))
	r.Close()
	said.expect(t, 1, router.Modified)
	said.expect(t, 2, router.Released)
}

// TestSettledMulticastGivesWayToWhatIsNew: nobody is held back by a receiver that takes nothing.
func TestSettledMulticastGivesWayToWhatIsNew(t *testing.T) {
	h := casting(t, router.Limits{LinkCredit: 4})
	r, box := h.receiver("alerts/a", 1)
	said := new(outcomes)
	s := h.sender("alerts/a", said)
	for i := range 10 {
		d := text(fmt.Sprint(i))
		d.Settled = true
		s.Send(uint64(i), d)
		said.expect(t, uint64(i), router.Accepted)
	}
	r.Grant(10)
	box.expect(t, "0", "9")
	if n := h.router.Counters("default").Kind(addressing.Broadcast).Dropped(); n != 8 {
		t.Errorf("%d are counted as dropped, want 8", n)
	}
}

func TestWhatWaitsForMulticastReceiversIsBounded(t *testing.T) {
	weight := weight(text("x"))
	h := casting(t, router.Limits{MaxWaiting: 2 * weight})
	r, box := h.receiver("alerts/a", 0)
	said := new(outcomes)
	s := h.sender("alerts/a", said)
	for i := range uint64(3) {
		s.Send(i, text("x"))
	}
	said.expectNone(t, 0)
	said.expectNone(t, 1)
	said.expect(t, 2, router.Released)
	r.Grant(2)
	box.expect(t, "x", "x")
	s.Send(3, text("x"))
	said.expectNone(t, 3) // there is room again
}

func TestWhatWaitsForMulticastReceiversKeepsNoSender(t *testing.T) {
	h := casting(t, router.Limits{})
	r, box := h.receiver("alerts/a", 0)
	gone := func() weak.Pointer[outcomes] {
		p := new(outcomes)
		s := h.sender("alerts/a", p)
		s.Send(1, text("last words"))
		s.Close()
		return weak.Make(p)
	}()
	runtime.GC()
	if gone.Value() != nil {
		t.Error("the sender's connection is kept")
	}
	r.Grant(1)
	box.expect(t, "last words")
	box.got[0].Settle(router.Reject(router.Malformed, "bad"))
	if n := h.router.Counters("default").Kind(addressing.Broadcast).Ended(router.Rejected); n != 1 {
		t.Errorf("%d are counted as rejected, want 1", n)
	}
	runtime.KeepAlive(h)
}

// TestEveryMulticastEndsOnce: senders, receivers that settle, and receivers that come and go, at once.
func TestEveryMulticastEndsOnce(t *testing.T) {
	const each = 500
	h := casting(t, router.Limits{})
	var all sync.WaitGroup
	stop := make(chan struct{})
	for range 3 {
		all.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				r, box := h.receiver("alerts/a", rand.N(50))
				for range 20 {
					r.Grant(rand.N(5))
					box.settle()
				}
				r.Close()
				box.settle() // too late
			}
		})
	}
	var sending sync.WaitGroup
	said := make([]*outcomes, 3)
	for i := range said {
		said[i] = new(outcomes)
		s := h.sender("alerts/a", said[i])
		sending.Go(func() {
			for n := range uint64(each) {
				s.Send(n, text("x"))
			}
		})
	}
	sending.Wait()
	close(stop)
	all.Wait()
	for _, o := range said {
		if len(o.heard) != each {
			t.Errorf("%d of %d have an end", len(o.heard), each)
		}
	}
}

// settle settles what has come, at random.
func (i *inbox) settle() {
	i.mu.Lock()
	got := i.got
	i.got = nil
	i.mu.Unlock()
	ends := []router.Outcome{router.Accept(), router.Release(), router.Reject(router.Malformed, ""), router.Fail()}
	for _, d := range got {
		d.Settle(ends[rand.N(len(ends))])
	}
}

// probing is a way of which it is not known whether anybody is there.
type probing struct {
	path
	known bool
}

func (p *probing) Probes() bool { return !p.known }

func TestMulticastSendersGetCreditWhenAProbeHasFoundSomebody(t *testing.T) {
	h := casting(t, router.Limits{})
	p := new(probing)
	r, err := h.router.Receiver(t.Context(), h.user, router.Source{Filter: define(t, "alerts/a", addressing.Broadcast).Name}, p)
	if err != nil {
		t.Fatal(err)
	}
	r.Grant(1)
	said := new(outcomes)
	s := h.sender("alerts/a", said)
	r.Retry()
	if said.credit != 0 {
		t.Fatalf("%d credit, although nobody may be there", said.credit)
	}
	s.Send(1, text("one")) // goes there all the same
	p.inbox.expect(t, "one")
	p.known = true
	r.Retry()
	if said.credit != 1000 {
		t.Errorf("%d credit with somebody there", said.credit)
	}
}
