package edge

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/manifoldmq/manifold/router/network/internal/protocol"
)

// routes says whether there are containers for a link route, whose key is "C" and a prefix.
func (h *hand) routes(prefix string, there bool) {
	n := 0
	if there {
		n = 1
	}
	h.r.Consumers(protocol.Address{Key: protocol.KeyOf(protocol.LinkRouteIn, prefix)}, n, h.now)
}

// made is the response to a request for a proxy, and gone that to one to end it.
func (h *hand) made(id RequestID) {
	h.r.Responded(Response{ID: id, Done: true, Identity: fmt.Sprintf("p%d", id)}, h.now)
}
func (h *hand) gone(id RequestID) { h.r.Responded(Response{ID: id, Done: true}, h.now) }
func (h *hand) lost(id RequestID) { h.r.Responded(Response{ID: id}, h.now) }

func TestProxiesAreThereForLinkRoutesWithContainers(t *testing.T) {
	h := newHand(t)
	h.routes("queue", true)
	h.expect("without an uplink")
	h.r.Opened(7, h.now)
	h.expect("an uplink comes", "activate 7", "ask 1 for queue")
	h.made(1)
	h.routes("queue", true)
	h.routes("other", true)
	h.expect("another one comes", "ask 2 for other")
	h.made(2)
	h.routes("queue", false)
	h.expect("the container goes", "ask 3 for the end of p1")
	h.gone(3)
	h.expect("and that is all")
	if len(h.r.proxies) != 1 || len(h.r.requests) > 0 {
		t.Errorf("there are %d proxies, %d requests", len(h.r.proxies), len(h.r.requests))
	}
}

func TestOneRequestAtATimeForALinkRoute(t *testing.T) {
	h := newHand(t)
	h.r.Opened(1, h.now)
	h.routes("queue", true)
	h.expect("a container", "activate 1", "ask 1 for queue")
	h.routes("queue", false)
	h.routes("queue", true)
	h.routes("queue", false)
	h.expect("as long as there is no response")
	h.made(1)
	h.expect("it is not wanted any more", "ask 2 for the end of p1")
	h.routes("queue", true)
	h.gone(2)
	h.expect("it is wanted again", "ask 3 for queue")
}

func TestRefusedProxyIsAskedForAgain(t *testing.T) {
	h := newHand(t)
	h.r.Opened(1, h.now)
	h.routes("queue", true)
	h.expect("a container", "activate 1", "ask 1 for queue")
	h.lost(1)
	h.pass(9 * time.Second)
	h.routes("queue", true)
	h.expect("more use does not hurry it")
	h.pass(time.Second)
	h.expect("after a while", "ask 2 for queue")
	h.gone(2)
	h.expect("a proxy that is not there does not count as one that has come")
	h.pass(10 * time.Second)
	h.made(3)
	h.expect("again", "ask 3 for queue")
	h.routes("queue", false)
	h.expect("the container goes", "ask 4 for the end of p3")
	h.lost(4)
	h.pass(10 * time.Second)
	h.expect("the end is asked for again as well", "ask 5 for the end of p3")
	h.gone(5)
	if len(h.r.proxies) > 0 || !h.r.Deadline().IsZero() {
		t.Error("something is left")
	}
}

func TestAnotherInteriorIsAskedForAllProxies(t *testing.T) {
	h := newHand(t)
	h.routes("a", true)
	h.routes("b", true)
	h.r.Opened(1, h.now)
	h.r.Opened(2, h.now)
	h.expect("the first is used", "activate 1", "ask 1 for a", "ask 2 for b")
	h.made(1)
	h.lost(2)
	h.routes("a", false)
	h.expect("one ends", "ask 3 for the end of p1")
	h.r.Lost(1, h.now)
	h.expect("the other is asked", "deactivate 1", "activate 2", "ask 4 for b")
	h.made(2)
	h.gone(3)
	h.expect("late words of the former one")
	h.pass(time.Minute)
	h.expect("what that has refused is none of the other's")
}

func TestProxiesFollowWhatTheInteriorHas(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	h := newHand(t)
	names := []string{"a", "b", "c"}
	wanted, has := make(map[string]bool), make(map[string]string) // and what the interior has, by identity
	var open []Request
	answer := func(i int, ok bool) {
		q := open[i]
		open = append(open[:i], open[i+1:]...)
		switch {
		case !ok:
			h.lost(q.ID)
		case q.Identity != "":
			if has[q.Identity] != q.Key.Name() {
				t.Fatalf("%s is not %s", q.Identity, q.Key.Name())
			}
			delete(has, q.Identity)
			h.gone(q.ID)
		default:
			has[fmt.Sprintf("p%d", q.ID)] = q.Key.Name()
			h.made(q.ID)
		}
	}
	take := func() {
		for a, ok := h.r.NextAction(); ok; a, ok = h.r.NextAction() {
			switch a.Kind {
			case Ask:
				open = append(open, a.Request)
			case Deactivate:
				open = nil
				clear(has)
			}
		}
	}
	for range 20_000 {
		name := names[random.IntN(len(names))]
		switch random.IntN(5) {
		case 0, 1:
			wanted[name] = random.IntN(2) == 0
			h.routes(name, wanted[name])
		case 2:
			if len(open) > 0 {
				answer(random.IntN(len(open)), random.IntN(4) > 0)
			}
		case 3:
			if u := UplinkID(random.IntN(3)); random.IntN(3) > 0 {
				h.r.Opened(u, h.now)
			} else {
				h.r.Lost(u, h.now)
			}
		default:
			h.pass(time.Duration(random.Int64N(int64(10 * time.Second))))
		}
		take()
	}
	h.r.Opened(9, h.now)
	for range 10 {
		for take(); len(open) > 0; take() {
			answer(0, true)
		}
		h.pass(time.Minute)
	}
	count := make(map[string]int)
	for _, name := range has {
		count[name]++
	}
	for _, name := range names {
		if want := wanted[name]; count[name] > 1 || (count[name] == 1) != want {
			t.Errorf("the interior has %d proxies of %s, wanted: %v", count[name], name, want)
		}
	}
}
