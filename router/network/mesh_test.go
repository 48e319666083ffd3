package network

import (
	"bytes"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/manifoldmq/manifold/addressing"
	"github.com/manifoldmq/manifold/router"
	"github.com/manifoldmq/manifold/router/amqp"
	"github.com/manifoldmq/manifold/router/routertest"
)

func TestTwoRoutersPassMessages(t *testing.T) {
	cross(t, func(t *testing.T, n *nets) {
		a, b := n.routers["a"], n.routers["b"]
		if got := fmt.Sprint(len(a.network.Routers()), len(b.network.Routers())); got != "1 1" {
			t.Fatalf("routers known: %s", got)
		}
		c := b.Receiver("orders", 10)
		later(3 * time.Second)
		p := a.Sender("orders")
		p.Send("one")
		d := c.Next()
		if routertest.Body(d) != "one" {
			t.Fatalf("got %q", routertest.Body(d))
		}
		if p.Heard() {
			t.Fatal("the outcome is there before the consumer has settled")
		}
		d.Settle(router.Reject(router.Quota, "no room"))
		if o := p.Next().Outcome; o.State != router.Rejected || o.Reason != router.Quota {
			t.Fatalf("got %+v", o)
		}
	}, "a-b")
}

func TestBroadcastReachesEveryRouterOnce(t *testing.T) {
	cross(t, func(t *testing.T, n *nets) {
		consumers := make(map[string]*routertest.Consumer)
		for id, s := range n.routers {
			consumers[id] = s.Receiver("news", 10)
		}
		later(3 * time.Second)
		p := n.routers["a"].Sender("news")
		p.Send("extra")
		p.Accepted(1)
		synctest.Wait()
		for id, c := range consumers {
			c.Expect("extra")
			if !c.Idle() {
				t.Errorf("%s got more than one copy", id)
			}
		}
	}, "a-b", "b-c", "c-a", "c-d")
}

func TestMessageCrossesARouterThatDoesNotDeclareItsAddress(t *testing.T) {
	cross(t, func(t *testing.T, n *nets) {
		c := n.routers["c"].Receiver("orders", 10)
		later(3 * time.Second)
		p := n.routers["a"].Sender("orders")
		p.Send("one")
		d := c.Next()
		if got := d.Message.MessageAnnotations().Len(); got != 0 {
			t.Errorf("the consumer sees %d annotations of routers", got)
		}
		d.Settle(router.Accept())
		p.Accepted(1)
	}, "a-B", "B-c")
}

func TestAnotherConsumerTakesOverWhenARouterIsLost(t *testing.T) {
	cross(t, func(t *testing.T, n *nets) {
		first, second := "b", "c"
		near, far := n.routers[first].Receiver("orders", 10), n.routers[second].Receiver("orders", 10)
		later(3 * time.Second)
		p := n.routers["a"].Sender("orders")
		p.Send("one")
		synctest.Wait()
		if near.Idle() {
			first, near, far = second, far, near
		}
		near.Next() // and does not settle
		n.routers[first].cut()
		later(time.Second)
		if o := p.Next().Outcome; o.State != router.Modified || o.Reason != router.Failed {
			t.Errorf("what was on its way is %+v", o)
		}
		p.Send("two")
		far.Next().Settle(router.Accept())
		p.Accepted(1)
	}, "a-b", "a-c")
}

// TestSilenceOfANeighborEndsItsConnection long before its transport does.
func TestSilenceOfANeighborEndsItsConnection(t *testing.T) {
	cross(t, func(t *testing.T, n *nets) {
		a, b := n.routers["a"], n.routers["b"]
		c := b.Receiver("orders", 10)
		later(3 * time.Second)
		p := a.Sender("orders")
		p.Send("one")
		c.Next() // and does not settle
		b.mute.Store(true)
		later(5 * time.Second)
		if !p.Heard() {
			t.Fatal("what was on its way has no outcome")
		}
		if o := p.Next().Outcome; o.State != router.Modified || o.Reason != router.Failed {
			t.Errorf("what was on its way is %+v", o)
		}
		b.mute.Store(false)
		later(20 * time.Second)
		p.Send("two")
		c.Next().Settle(router.Accept())
		p.Accepted(1)
	}, "a-b")
}

func TestNothingIsLostWhenTheLinkIsFull(t *testing.T) {
	cross(t, func(t *testing.T, n *nets) {
		c := n.routers["b"].Receiver("orders", 0)
		later(3 * time.Second)
		p := n.routers["a"].Sender("orders")
		const messages = 5000
		for i := range messages {
			p.Send(fmt.Sprint(i))
		}
		synctest.Wait()
		c.Link.Grant(messages)
		for i := range messages {
			d := c.Next()
			if got := routertest.Body(d); got != fmt.Sprint(i) {
				t.Fatalf("message %d is %q", i, got)
			}
			d.Settle(router.Accept())
		}
		p.Accepted(messages)
	}, "a-b")
}

func TestLargeMessagesStreamThroughAndHoldUpNobody(t *testing.T) {
	cross(t, func(t *testing.T, n *nets) {
		c := n.routers["c"].From(router.Source{Filter: routertest.Filter(t, "big"), Streams: true}, 1)
		quick := n.routers["c"].Receiver("orders", 1000)
		later(3 * time.Second)
		p, other := n.routers["a"].Sender("big"), n.routers["a"].Sender("orders")
		head, body := amqp.Message{}, bytes.Repeat([]byte("x"), 4<<20)
		whole := amqp.AppendData(nil, body)
		begun, rest := whole[:10], whole[10:]
		stream, reception := p.Link.SendStream(1, router.Delivery{Message: head}, bytes.Clone(begun), func() {})
		if reception != router.Taken {
			t.Fatalf("the stream is %v", reception)
		}
		for room := true; room && len(rest) > 1<<10; synctest.Wait() {
			room = stream.Append(rest[:1<<10], false)
			rest = rest[1<<10:]
		}
		if len(rest) < 2<<20 {
			t.Fatalf("%d bytes are on their way to a consumer who takes nothing", len(whole)-len(rest))
		}
		for i := range 1000 {
			other.Send(fmt.Sprint(i))
		}
		for range 1000 {
			quick.Next().Settle(router.Accept())
		}
		other.Accepted(1000)
		stream.Append(rest, true)
		d := c.Next()
		var got []byte
		for {
			piece := d.Stream.Take(func() {}, nil)
			got = append(got, piece.Bytes...)
			if piece.Last {
				break
			}
			if piece.Void != nil {
				t.Fatalf("the stream is void: %+v", *piece.Void)
			}
			synctest.Wait()
		}
		if !bytes.Equal(got, whole) {
			t.Fatalf("%d bytes have come, other ones than were sent", len(got))
		}
		d.Settle(router.Accept())
		p.Accepted(1)
	}, "a-b", "b-c")
}

func TestWhoIsNeededNoMoreIsReleased(t *testing.T) {
	cross(t, func(t *testing.T, n *nets) {
		c := n.routers["c"].Receiver("orders", 0)
		later(3 * time.Second)
		p := n.routers["a"].Sender("orders")
		p.Send("one") // which waits at c
		synctest.Wait()
		c.Link.Close()
		later(3 * time.Second)
		p.Send("two")
		for range 2 {
			if o := p.Next().Outcome; o.State != router.Released {
				t.Errorf("got %+v", o)
			}
		}
	}, "a-b", "b-c")
}

func TestOnePriorityHoldsUpNoOther(t *testing.T) {
	cross(t, func(t *testing.T, n *nets) {
		n.routers["b"].Receiver("orders", 0) // takes nothing
		c := n.routers["b"].Receiver("big", 10)
		later(3 * time.Second)
		slow, quick := n.routers["a"].Sender("orders"), n.routers["a"].Sender("big")
		for range 2 * dataCredit {
			slow.Send("x")
		}
		synctest.Wait()
		urgent := amqp.Header{Priority: 9}
		quick.SendDelivery(router.Delivery{Message: amqp.Trusted(amqp.AppendData(urgent.Append(nil), []byte("urgent")))})
		d := c.Next()
		d.Settle(router.Accept())
		quick.Accepted(1)
		if h, err := d.Message.Header(); err != nil || h.Priority != 9 {
			t.Errorf("the header is %+v, %v", h, err)
		}
	}, "a-b")
}

func TestConnectionToOneselfIsTold(t *testing.T) {
	cross(t, func(t *testing.T, n *nets) {
		if !n.log.has("a connection leads from this router to itself") {
			t.Error("the log does not tell")
		}
		if all := n.routers["a"].network.Routers(); len(all) != 0 {
			t.Errorf("it knows %+v", all)
		}
	}, "a-a")
}

func TestAnotherRouterOfOnesIDIsTold(t *testing.T) {
	cross(t, func(t *testing.T, n *nets) {
		twin := n.station("a", []string{"b"})
		twin.begin()
		defer twin.stop()
		later(30 * time.Second)
		if !n.log.has(`msg="two routers have the same id: messages reach now one, now the other" router=b id=a`) {
			t.Error("the log does not tell")
		}
	}, "a-b")
}

func TestStatusTellsOfTheNetwork(t *testing.T) {
	cross(t, func(t *testing.T, n *nets) {
		var got []string
		for _, r := range n.routers["a"].network.Routers() {
			got = append(got, fmt.Sprintf("%s by %q for %d, %d hops, to %v", r.ID, r.NextHop, r.Cost, r.Hops, r.Peers))
		}
		if want := `[b by "" for 1, 1 hops, to [a c] c by "b" for 2, 2 hops, to [b]]`; fmt.Sprint(got) != want {
			t.Errorf("got %v, want %s", got, want)
		}
		neighbors := n.routers["b"].network.Neighbors()
		if len(neighbors) != 2 || neighbors[0].Cost != 1 || !neighbors[0].Used || neighbors[0].Container != neighbors[0].Router {
			t.Errorf("b has %+v", neighbors)
		}
	}, "a-b", "b-c")
}

func TestAddressIsDeclaredAnew(t *testing.T) {
	cross(t, func(t *testing.T, n *nets) {
		b := n.routers["b"]
		c := b.Receiver("orders", 1)
		later(3 * time.Second)
		p := n.routers["a"].Sender("orders")
		p.Send("one")
		c.Next().Settle(router.Accept())
		p.Accepted(1)
		c.Link.Close()
		changed := routertest.User(t, "default", routertest.Define(t, "orders", addressing.Broadcast)).Tenant
		b.Router.Define(changed)
		b.mesh.Redefine()
		all := []*routertest.Consumer{b.Receiver("orders", 1), b.Receiver("orders", 1)}
		later(3 * time.Second)
		p.Send("two")
		p.Accepted(1)
		for _, c := range all {
			c.Expect("two")
		}
	}, "a-b")
}
