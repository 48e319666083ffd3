package network_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/manifoldmq/manifold/addressing"
	"github.com/manifoldmq/manifold/router"
	"github.com/manifoldmq/manifold/router/amqp"
	"github.com/manifoldmq/manifold/router/network"
	"github.com/manifoldmq/manifold/router/routertest"
)

// take takes what a queue or subscription has, until nothing has come for a while.
func (w *world) take(c *routertest.Consumer) (bodies []string) {
	w.t.Helper()
	for w.later(soon); !c.Idle(); w.later(soon) {
		for !c.Idle() {
			d := c.Next()
			bodies = append(bodies, routertest.Body(d))
			if d.Owned() {
				d.Settle(router.Accept())
			}
			c.Link.Grant(1)
		}
	}
	return bodies
}

// expect fails unless a consumer gets these messages, in this order, and nothing else.
func (w *world) expect(c *routertest.Consumer, bodies ...string) {
	w.t.Helper()
	if got := w.take(c); !slices.Equal(got, bodies) {
		w.t.Fatalf("got %q, want %q", got, bodies)
	}
}

// numbers gives the numbers below n.
func numbers(n int) (all []string) {
	for i := range n {
		all = append(all, fmt.Sprint(i))
	}
	return all
}

// TestQueueRouteLosesNothing: who dials pushes or pulls, the connection is cut again and again, and each message arrives
// once, in a queue that knows again what it has had. The messages have no message-id.
func TestQueueRouteLosesNothing(t *testing.T) {
	for name, d := range map[string]network.Direction{"push": network.Out, "pull": network.In} {
		t.Run(name, func(t *testing.T) {
			among(t, func(t *testing.T, w *world) {
				from, to := "a", "b"
				if d == network.In {
					from, to = to, from
				}
				w.found("b")
				w.found("a", link("orders", "b", addressing.Queue, d, "orders"))
				w.later(soon)
				p := w.realms[from].Sender("orders")
				const messages, cuts = 600, 30
				for i, body := range numbers(messages) {
					p.Send(body)
					switch i % (messages / cuts) {
					case 0: // and what is stored is not acknowledged
						w.later(time.Duration(i%7) * time.Second)
						w.silence(map[network.Direction]end{network.Out: dialled, network.In: dialler}[d])
					case messages/cuts - 1:
						w.later(0)
						w.silence(neither)
						w.cut()
					}
				}
				p.Accepted(messages)
				got := w.take(w.realms[to].Receiver("orders", messages))
				slices.Sort(got)
				want := numbers(messages)
				slices.Sort(want)
				if !slices.Equal(got, want) {
					t.Errorf("%d messages have arrived, want each of %d once", len(got), messages)
				}
				w.expect(w.realms[from].Receiver("orders", 10))
			})
		})
	}
}

func TestQueuesBehindARelayAreConnected(t *testing.T) {
	among(t, func(t *testing.T, w *world) {
		w.found("relay")
		w.found("a", link("up", "relay", addressing.Queue, network.Out, "jobs/a"))
		w.found("b", link("down", "relay", addressing.Queue, network.In, "jobs/a"))
		p := w.realms["a"].Sender("jobs/a")
		w.part(true)
		for _, body := range numbers(20) {
			p.Send(body)
		}
		p.Accepted(20)
		w.part(false)
		w.expect(w.realms["b"].Receiver("jobs/a", 100), numbers(20)...)
	})
}

// TestFullQueueHoldsBackWhatComes: nothing is rejected, and the order stays.
func TestFullQueueHoldsBackWhatComes(t *testing.T) {
	for name, d := range map[string]network.Direction{"push": network.Out, "pull": network.In} {
		t.Run(name, func(t *testing.T) {
			among(t, func(t *testing.T, w *world) {
				l := link("small", "b", addressing.Queue, d, "jobs/many")
				l.Target = "small"
				from, to := w.found("b"), w.found("a", l)
				if d == network.Out {
					from, to = to, from
				}
				p := from.Sender("jobs/many")
				for _, body := range numbers(30) {
					p.Send(body)
				}
				p.Accepted(30)
				w.later(soon)
				if s := w.realms["a"].network.Federation()[0]; s.Taken != 5 || s.Postponed == 0 || s.Error == "" {
					t.Errorf("before somebody takes from the full queue the link is %+v", s)
				}
				w.expect(to.Receiver("small", 100), numbers(30)...)
			})
		})
	}
}

// TestQueueRoutesInARingEndWhereTheyBegan: what nobody takes does not go round and round.
func TestQueueRoutesInARingEndWhereTheyBegan(t *testing.T) {
	for name, d := range map[string]network.Direction{"push": network.Out, "pull": network.In} {
		t.Run(name, func(t *testing.T) {
			among(t, func(t *testing.T, w *world) {
				for from, to := range map[string]string{"a": "b", "b": "c", "c": "a"} {
					w.found(from, link("ring", to, addressing.Queue, d, "jobs/x"))
				}
				w.later(soon)
				p := w.realms["a"].Sender("jobs/x")
				p.Send("one")
				p.Accepted(1)
				last := "c"
				if d == network.In {
					last = "b"
				}
				w.expect(w.realms[last].Receiver("jobs/x", 10), "one")
				for _, r := range w.realms {
					if s := r.network.Federation()[0]; s.Taken > 1 {
						t.Errorf("a link has taken the message %d times", s.Taken)
					}
				}
			})
		})
	}
}

func TestTopicIsPulledWhileSomebodySubscribes(t *testing.T) {
	among(t, func(t *testing.T, w *world) {
		there := w.found("b")
		here := w.found("a", link("news", "b", addressing.Topic, network.In, "news/#"))
		attached := func(want bool) {
			t.Helper()
			if s := here.network.Federation()[0]; s.Wanted != want || s.Attached != want {
				t.Fatalf("the link is %+v, want that it is attached: %v", s, want)
			}
			if n := len(there.Router.Links("default", 0, 10)); n != map[bool]int{true: 2, false: 1}[want] {
				t.Fatalf("there are %d links, with that of the publisher", n)
			}
		}
		p := there.Sender("news/sport")
		w.later(soon)
		attached(false)
		p.Send("nobody hears it")
		other := here.Receiver("all", 10) // an address that the link does not lead to
		w.later(soon)
		attached(false)
		c := here.Receiver("news/*", 10)
		w.later(soon)
		attached(true)
		p.Send("goal")
		w.later(0)
		if d := c.Next(); routertest.Body(d) != "goal" || d.To != "news/sport" {
			t.Errorf("%q has come for %s", routertest.Body(d), d.To)
		}
		again := here.Receiver("news/sport", 10)
		c.Link.Close()
		w.later(soon)
		attached(true)
		again.Link.Close()
		c = here.Receiver("news/sport", 10) // who connects anew does not disturb the link
		w.later(0)
		attached(true)
		c.Link.Close()
		w.later(soon)
		attached(false)
		other.Link.Close()
	})
}

func TestDurableSubscriptionMissesNothing(t *testing.T) {
	for name, d := range map[string]network.Direction{"push": network.Out, "pull": network.In} {
		t.Run(name, func(t *testing.T) {
			among(t, func(t *testing.T, w *world) {
				l := link("news", "b", addressing.Topic, d, "news/#")
				l.Durable = true
				from, to := w.found("b"), w.found("a", l)
				if d == network.Out {
					from, to = to, from
				}
				w.later(soon)
				source := router.Source{Filter: routertest.Filter(t, "news/#"), Subscription: "keep"}
				kept := to.From(source, 1000)
				p := from.Sender("news/x")
				for i, body := range numbers(200) {
					if i%20 == 0 {
						w.part(i%40 == 0)
						w.later(time.Second)
					}
					p.Send(body)
				}
				w.part(false)
				p.Accepted(200)
				seen := make(map[string]bool)
				for _, body := range w.take(kept) {
					seen[body] = true
				}
				if len(seen) != 200 {
					t.Errorf("%d of 200 messages have arrived", len(seen))
				}
			})
		})
	}
}

// TestMessagesThatNameNoAddressFindTheirs: the other network says which one it was.
func TestMessagesThatNameNoAddressFindTheirs(t *testing.T) {
	for name, d := range map[string]network.Direction{"push": network.Out, "pull": network.In} {
		t.Run(name, func(t *testing.T) {
			among(t, func(t *testing.T, w *world) {
				from, to := w.found("b"), w.found("a", link("news", "b", addressing.Topic, d, "news/#"))
				if d == network.Out {
					from, to = to, from
				}
				c := to.Receiver("news/#", 10)
				w.later(soon)
				text := amqp.AppendData(nil, []byte("x"))
				named := amqp.Properties{To: "elsewhere"}
				for topic, m := range map[string][]byte{"news/one": text, "news/two": append(named.Append(nil), text...)} {
					from.Sender(topic).SendDelivery(router.Delivery{Message: amqp.Trusted(m)})
					w.later(0)
					if got := c.Next(); string(got.To) != topic || routertest.Body(got) != "x" {
						t.Errorf("a message of %s is one of %s", topic, got.To)
					}
				}
			})
		})
	}
}

// TestTopicsInARingReachEachNetworkOnce: each network takes from the one before, and somebody subscribes in each.
func TestTopicsInARingReachEachNetworkOnce(t *testing.T) {
	for name, c := range map[string]struct {
		direction network.Direction
		durable   bool
	}{
		"pull": {network.In, false}, "push": {network.Out, false},
		"pull, durable": {network.In, true}, "push, durable": {network.Out, true},
	} {
		t.Run(name, func(t *testing.T) {
			among(t, func(t *testing.T, w *world) {
				for from, to := range map[string]string{"a": "b", "b": "c", "c": "a"} {
					l := link("ring", to, addressing.Topic, c.direction, "news/#")
					l.Durable = c.durable
					w.found(from, l)
				}
				consumers := make(map[string]*routertest.Consumer)
				for name, r := range w.realms {
					consumers[name] = r.Receiver("news/#", 100)
				}
				w.later(soon)
				for name, r := range w.realms {
					r.Sender("news/" + name).Send(name)
				}
				for name, consumer := range consumers {
					got := w.take(consumer)
					slices.Sort(got)
					if !slices.Equal(got, []string{"a", "b", "c"}) {
						t.Errorf("%s has got %q", name, got)
					}
				}
			})
		})
	}
}

// TestInterestGoesThroughNetworksAndEnds: in a ring with a tail somebody subscribes at the end of the tail. All that lies
// between him and the publishers takes for him, and the ring does not go on asking itself when he has left.
func TestInterestGoesThroughNetworksAndEnds(t *testing.T) {
	among(t, func(t *testing.T, w *world) {
		for from, to := range map[string]string{"a": "b", "b": "c", "c": "a", "tail": "a"} {
			w.found(from, link("news", to, addressing.Topic, network.In, "news/#"))
		}
		wanted := func() (names []string) {
			w.later(soon)
			for name, r := range w.realms {
				if r.network.Federation()[0].Wanted {
					names = append(names, name)
				}
			}
			slices.Sort(names)
			return names
		}
		if got := wanted(); got != nil {
			t.Errorf("before somebody subscribes %v take", got)
		}
		c := w.realms["tail"].Receiver("news/x", 10)
		if got := wanted(); !slices.Equal(got, []string{"a", "b", "tail"}) {
			t.Errorf("for a subscriber at the tail %v take", got)
		}
		w.realms["c"].Sender("news/x").Send("from afar")
		w.expect(c, "from afar")
		here := w.realms["b"].Receiver("news/x", 10)
		if got := wanted(); !slices.Equal(got, []string{"a", "b", "c", "tail"}) {
			t.Errorf("for a subscriber in the ring %v take", got)
		}
		here.Link.Close()
		if got := wanted(); !slices.Equal(got, []string{"a", "b", "tail"}) {
			t.Errorf("when he has left %v take", got)
		}
		c.Link.Close()
		if got := wanted(); got != nil {
			t.Errorf("when nobody subscribes any more %v take", got)
		}
	})
}

func TestNetworksAreExcludedByName(t *testing.T) {
	among(t, func(t *testing.T, w *world) {
		first := link("first", "b", addressing.Topic, network.In, "news/#")
		first.Exclude = []string{"c"}
		second := link("second", "c", addressing.Topic, network.In, "news/#")
		second.PeerTag = "sea"
		w.found("a", first, second)
		w.found("b", link("up", "c", addressing.Topic, network.In, "news/#"))
		w.found("c")
		c := w.realms["a"].Receiver("news/#", 100)
		w.later(soon)
		w.realms["c"].Sender("news/x").Send("both ways")
		w.expect(c, "both ways")
		if s := w.realms["a"].network.Federation(); s[0].Excluded != 1 || s[1].Taken != 1 || s[1].Peer != "sea" {
			t.Errorf("the links are %+v", s)
		}
	})
}
