package network

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/manifoldmq/manifold/addressing"
	"github.com/manifoldmq/manifold/router"
	"github.com/manifoldmq/manifold/router/amqp"
	"github.com/manifoldmq/manifold/router/amqp/frame"
	"github.com/manifoldmq/manifold/router/network/internal/edge"
	"github.com/manifoldmq/manifold/router/routertest"
)

func TestEdgeClientsReachEachOtherAndTheNetwork(t *testing.T) {
	for _, c := range []struct{ from, to string }{
		{"x", "x"}, {"x", "a"}, {"a", "x"}, {"x", "b"}, {"b", "x"}, {"x", "y"}, {"y", "x"}, {"x", "z"}, {"z", "x"},
	} {
		t.Run(c.from+" to "+c.to, func(t *testing.T) {
			cross(t, func(t *testing.T, n *nets) {
				consumer := n.routers[c.to].Receiver("orders", 10)
				p := n.routers[c.from].Sender("orders")
				later(5 * time.Second)
				p.Send("one")
				d := consumer.Next()
				if got := routertest.Body(d); got != "one" || d.Message.MessageAnnotations().Len() > 0 {
					t.Errorf("got %q with %d annotations of routers", got, d.Message.MessageAnnotations().Len())
				}
				if p.Heard() {
					t.Error("the outcome is there before the consumer has settled")
				}
				d.Settle(router.Reject(router.Quota, "no room"))
				if o := p.Next().Outcome; o.State != router.Rejected || o.Reason != router.Quota {
					t.Errorf("got %+v", o)
				}
				consumer.Link.Close()
				later(5 * time.Second)
				p.Send("two")
				if o := p.Next().Outcome; o.State != router.Released {
					t.Errorf("when nobody consumes any more: %+v", o)
				}
			}, "a-b", "x-a", "y-a", "z-b")
		})
	}
}

func TestFirstMessageOfAnEdgeClientIsDelivered(t *testing.T) {
	cross(t, func(t *testing.T, n *nets) {
		consumer := n.routers["a"].Receiver("orders", 10)
		later(5 * time.Second)
		p := n.routers["x"].Sender("orders")
		p.Send("one")
		consumer.Next().Settle(router.Accept())
		p.Accepted(1)
		q := n.routers["x"].Sender("big")
		synctest.Wait()
		q.Send("nobody")
		if o := q.Next().Outcome; o.State != router.Released {
			t.Errorf("where nobody consumes: %+v", o)
		}
	}, "x-a")
}

// paced is a producer who counts the credit that he is given.
type paced struct{ credit chan int }

func (p paced) Settled(*router.Sender, uint64, router.Outcome) {}
func (p paced) Credit(_ *router.Sender, n int)                 { p.credit <- n }

func TestEdgeSendersGetCreditWhenThereAreConsumers(t *testing.T) {
	cross(t, func(t *testing.T, n *nets) { welcomesAtEdge(t, n, "orders") }, "x-a", "a-b")
}

// welcomesAtEdge fails unless who sends at the edge router x gets credit when somebody receives at router b, and not before.
func welcomesAtEdge(t *testing.T, n *nets, address addressing.Address) {
	t.Helper()
	x, p := n.routers["x"], paced{make(chan int, 10)}
	s, err := x.Router.Sender(context.Background(), x.User, router.Target{Address: address}, p)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	later(5 * time.Second)
	if len(p.credit) > 0 {
		t.Error("there is credit before there are consumers")
	}
	n.routers["b"].Receiver(string(address), 1)
	later(5 * time.Second)
	if len(p.credit) != 1 {
		t.Errorf("credit was granted %d times", len(p.credit))
	}
}

func TestBroadcastReachesEveryEdgeOnce(t *testing.T) {
	for _, from := range []string{"x", "a", "b", "z"} {
		t.Run("from "+from, func(t *testing.T) {
			cross(t, func(t *testing.T, n *nets) {
				consumers := make(map[string]*routertest.Consumer)
				for id, s := range n.routers {
					consumers[id] = s.Receiver("news", 10)
				}
				later(5 * time.Second)
				p := n.routers[from].Sender("news")
				for i := range 3 { // before it is known who is there, and afterwards
					p.Send(fmt.Sprint(i))
					later(5 * time.Second)
				}
				p.Accepted(3)
				for id, c := range consumers {
					for i := range 3 {
						if got := routertest.Body(c.Next()); got != fmt.Sprint(i) {
							t.Fatalf("message %d is %s at %s", i, got, id)
						}
					}
					if !c.Idle() {
						t.Errorf("%s got more than one copy", id)
					}
				}
			}, "a-b", "x-a", "y-a", "z-b")
		})
	}
}

func TestAnotherUplinkTakesOver(t *testing.T) {
	cross(t, func(t *testing.T, n *nets) {
		consumer := n.routers["x"].Receiver("orders", 10)
		later(5 * time.Second)
		p := n.routers["a"].Sender("orders")
		p.Send("one")
		consumer.Next().Settle(router.Accept())
		p.Accepted(1)
		n.routers["b"].cut()
		n.routers["c"].cut()
		later(30 * time.Second)
		p.Send("nobody")
		if o := p.Next().Outcome; o.State != router.Released {
			t.Errorf("without an uplink: %+v", o)
		}
		n.routers["b"].away.Store(false)
		later(60 * time.Second)
		p.Send("two")
		consumer.Next().Settle(router.Accept())
		p.Accepted(1)
		n.routers["c"].away.Store(false)
		later(60 * time.Second)
		n.routers["b"].cut()
		later(30 * time.Second)
		p.Send("three")
		consumer.Next().Settle(router.Accept())
		p.Accepted(1)
	}, "b-a", "c-a", "x-b", "x-c")
}

func TestRepliesFindTheirWayBack(t *testing.T) {
	for _, c := range []struct{ from, to string }{
		{"x", "a"}, {"a", "x"}, {"x", "b"}, {"b", "x"}, {"x", "y"}, {"x", "z"}, {"z", "x"}, {"a", "b"}, {"x", "x"},
	} {
		t.Run(c.from+" to "+c.to, func(t *testing.T) {
			cross(t, func(t *testing.T, n *nets) {
				asker, answerer := n.routers[c.to], n.routers[c.from]
				a, release := asker.Router.Temporary(asker.User)
				defer release()
				consumer := asker.Receiver(string(a), 10)
				later(5 * time.Second)
				p := answerer.Sender(string(a))
				p.Send("reply")
				d := consumer.Next()
				if got := routertest.Body(d); got != "reply" || d.Message.MessageAnnotations().Len() > 0 {
					t.Errorf("got %q with %d annotations of routers", got, d.Message.MessageAnnotations().Len())
				}
				d.Settle(router.Accept())
				p.Accepted(1)
				consumer.Link.Close()
				release()
				p.Send("late")
				if o := p.Next().Outcome; c.from != c.to && o.State != router.Released {
					t.Errorf("when it is not there any more: %+v", o)
				}
			}, "a-b", "x-a", "y-a", "z-b")
		})
	}
}

func TestPlacesOfOthersCannotBeReceivedFrom(t *testing.T) {
	cross(t, func(t *testing.T, n *nets) {
		for _, id := range []string{"a", "x"} {
			s := n.routers[id]
			for _, address := range []addressing.Address{"_topo/0/b/temp.x", "_edge/y/temp.x"} {
				_, err := s.Router.Receiver(context.Background(), s.User, router.Source{Filter: address.Filter()}, nil)
				if err == nil {
					t.Errorf("%s receives from %s", id, address)
				}
			}
		}
	}, "a-b", "x-a")
}

func TestEdgeLinksFollowTheAddressesInUse(t *testing.T) {
	cross(t, func(t *testing.T, n *nets) {
		x, a := n.routers["x"], n.routers["a"]
		spurs := func() (n int) {
			a.network.mu.Lock()
			defer a.network.mu.Unlock()
			for k := range a.network.neighbors {
				n += len(k.spurs.all)
			}
			return n
		}
		before := spurs()
		var consumers []*routertest.Consumer
		for range 100 {
			consumers = append(consumers, x.Receiver("orders", 1))
		}
		p := x.Sender("big")
		later(5 * time.Second)
		if got := spurs() - before; got != 2 {
			t.Errorf("101 clients of two addresses have %d links", got)
		}
		for _, c := range consumers {
			c.Link.Close()
		}
		p.Link.Close()
		later(time.Minute)
		if got := spurs() - before; got != 0 {
			t.Errorf("without clients there are %d links", got)
		}
	}, "x-a")
}

// peer is the end that a router has of its only connection.
func (s *station) peer() *neighbor {
	s.network.mu.Lock()
	defer s.network.mu.Unlock()
	for k := range s.network.neighbors {
		return k
	}
	return nil
}

// onPeer does something where that connection's owner does.
func (s *station) onPeer(do func(*neighbor)) {
	k := s.peer()
	k.mail.orders.Put(func() { do(k) })
	synctest.Wait()
}

// TestEdgeOutlivesWhatAnInteriorRouterAsks that has no business to ask it.
func TestEdgeOutlivesWhatAnInteriorRouterAsks(t *testing.T) {
	cross(t, func(t *testing.T, n *nets) {
		a, x := n.routers["a"], n.routers["x"]
		a.onPeer(func(k *neighbor) {
			s := k.Begin()
			for _, address := range []string{"orders", edge.TrackingAddress, ""} {
				k.attachTrunk(s, frame.Receiver, &frame.Source{Address: address, HasAddress: true}, &frame.Target{}, &laneless{})
				k.attachTrunk(s, frame.Sender, &frame.Source{}, &frame.Target{Address: address, HasAddress: true}, &laneless{})
			}
		})
		later(5 * time.Second)
		consumer := x.Receiver("big", 10)
		later(5 * time.Second)
		p := a.Sender("big")
		p.Send("one")
		consumer.Next().Settle(router.Accept())
		p.Accepted(1)
	}, "x-a")
}

func TestDownlinkIsOfAnEdgeThatSaysItsName(t *testing.T) {
	cross(t, func(t *testing.T, n *nets) {
		a, x := n.routers["a"], n.routers["x"]
		if all := a.network.Downlinks(); len(all) != 1 || all[0].Edge != "x" || all[0].Connection != a.peer().number {
			t.Errorf("the downlinks are %+v", all)
		}
		x.onPeer(func(k *neighbor) { k.inlets[0].link.Close(nil) })
		for _, name := range []string{"", "two words", strings.Repeat("long", 100)} {
			x.onPeer(func(k *neighbor) {
				own := &frame.Source{Address: name, HasAddress: true, Capabilities: []amqp.Symbol{edge.DownlinkCapability}}
				k.attachTrunk(k.Begin(), frame.Receiver, own, &frame.Target{}, &laneless{})
			})
			if down := *a.mesh.hub.down.Load(); len(down) > 0 {
				t.Errorf("it is known as %q: %v", name, down)
			}
		}
	}, "x-a")
}

func TestNewsThatAnEdgeDoesNotTakeDoesNotPileUp(t *testing.T) {
	cross(t, func(t *testing.T, n *nets) {
		a, x := n.routers["a"], n.routers["x"]
		x.onPeer(func(k *neighbor) {
			tracking := &frame.Source{Address: edge.TrackingAddress, HasAddress: true}
			k.attachTrunk(k.Begin(), frame.Receiver, tracking, &frame.Target{}, &laneless{})
		})
		x.Sender("orders")
		x.Sender("big")
		later(time.Second)
		for range 50 {
			for _, address := range []string{"orders", "big"} {
				a.Receiver(address, 1).Link.Close()
			}
			later(time.Second)
		}
		a.onPeer(func(k *neighbor) {
			if got := len(k.spurs.news.waiting); got == 0 || got > 2 {
				t.Errorf("news of 2 addresses wait %d times", got)
			}
		})
	}, "x-a")
}
