package routing_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/manifoldmq/manifold/router/network/internal/protocol"
	"github.com/manifoldmq/manifold/router/network/internal/routing"
)

const (
	orders = protocol.Key("M0orders")
	news   = protocol.Key("M0news")
	hop    = 10 * time.Millisecond
)

// build gives a network of wires such as "A-B:3", which take 10 ms.
func build(t *testing.T, wires string) *network {
	t.Helper()
	net := newNetwork(t, 1)
	named := make(map[string]*router)
	for word := range strings.FieldsSeq(wires) {
		ends, price, _ := strings.Cut(word, ":")
		a, b, _ := strings.Cut(ends, "-")
		for _, id := range []string{a, b} {
			if named[id] == nil {
				named[id] = net.add(id)
			}
		}
		cost := int64(1)
		if price != "" {
			if _, err := fmt.Sscan(price, &cost); err != nil {
				t.Fatal(err)
			}
		}
		net.wire(named[a], named[b], cost, hop)
	}
	return net
}

func want(t *testing.T, what string, got, want any) {
	t.Helper()
	if got != want {
		t.Errorf("%s: got %v, want %v", what, got, want)
	}
}

func TestNeighborsMeetWithoutWaitingForAClock(t *testing.T) {
	net := build(t, "A-B:3")
	net.run(3 * hop)
	want(t, "A to B", net.router("A").way("B"), "B 3")
	want(t, "B to A", net.router("B").way("A"), "A 3")
	want(t, "meetings", net.router("A").reported(routing.Met), 1)
}

func TestOneDirectionMakesNoNeighbors(t *testing.T) {
	net := build(t, "A-B")
	net.cut(net.wires[0])
	deaf := routing.New(routing.Config{Router: "B", Instance: 1}, net.now)
	deaf.LinkUp(1, 1, net.now)
	for range 10 {
		hello := protocol.Packet{To: protocol.HelloAddress, Message: &protocol.Hello{Sender: protocol.Sender{Router: "A"}}}
		deaf.Receive(1, hello, net.now)
		net.run(time.Second)
		deaf.Advance(net.now)
	}
	want(t, "routes", deaf.Routes().Len(), 0)
}

func TestSilenceEndsANeighborAfterHelloMaxAge(t *testing.T) {
	net := build(t, "A-B B-C")
	net.run(5 * time.Second)
	a := net.router("A")
	net.kill(net.router("B"), false)
	net.run(net.timers.HelloMaxAge - net.timers.Hello - hop)
	want(t, "before", a.way("C"), "B 2")
	net.run(net.timers.Hello + 2*hop)
	want(t, "after", a.way("C"), "none")
	want(t, "partings", a.reported(routing.Parted), 1)
}

func TestABrokenLinkCountsAtOnce(t *testing.T) {
	net := build(t, "A-B B-C C-D D-A")
	net.run(5 * time.Second)
	want(t, "before", net.router("A").way("B"), "B 1")
	net.cut(net.wires[0])
	net.run(net.timers.Settle + 4*hop)
	want(t, "A to B", net.router("A").way("B"), "D 3")
	want(t, "C to A", net.router("C").way("A"), "D 2")
	net.connect(net.wires[0])
	net.run(net.timers.Settle + 6*hop)
	want(t, "healed", net.router("A").way("B"), "B 1")
}

func TestTheCheapestOfParallelLinksCounts(t *testing.T) {
	net := build(t, "A-B:5 A-B:2 A-B:9")
	net.run(time.Second)
	a := net.router("A")
	want(t, "cheapest", a.way("B"), "B 2")
	net.cut(net.wires[1])
	net.run(time.Second)
	want(t, "next", a.way("B"), "B 5")
	want(t, "partings", a.reported(routing.Parted), 0)
	want(t, "seen from B", net.router("B").way("A"), "A 5")
}

func TestALateRouterLearnsAll(t *testing.T) {
	net := build(t, "A-B B-C C-D D-E")
	net.consume(net.router("E"), orders, true)
	net.run(time.Minute)
	late := net.add("Z")
	net.wire(late, net.router("A"), 1, hop)
	net.run(time.Second)
	want(t, "way", late.way("E"), "A 5")
	want(t, "back", net.router("E").way("Z"), "D 5")
	want(t, "hosts", fmt.Sprint(late.tables().Hosts(orders)), "[E]")
}

func TestWhatIsLostIsAskedFor(t *testing.T) {
	net := build(t, "A-B B-C B-D")
	net.run(20 * time.Second)
	net.loss = 1
	net.consume(net.router("A"), orders, true)
	net.run(100 * time.Millisecond) // the change, and the advertisement after it, are lost
	net.loss = 0
	net.consume(net.router("A"), news, true)
	net.run(2 * time.Second)
	want(t, "hosts of what was lost", fmt.Sprint(net.router("D").tables().Hosts(orders)), "[A]")
	want(t, "hosts of what came after", fmt.Sprint(net.router("D").tables().Hosts(news)), "[A]")

	net.loss = 1
	net.cut(net.wires[2])
	net.run(100 * time.Millisecond)
	net.loss = 0
	net.run(net.timers.AdvertiseInFlux + time.Second)
	want(t, "the link that is no more", net.router("A").way("D"), "none")
}

func TestAddressesComeAndGo(t *testing.T) {
	net := build(t, "A-B B-C")
	net.run(5 * time.Second)
	a, c := net.router("A"), net.router("C")
	hosts := func(key protocol.Key) string { return fmt.Sprint(c.tables().Hosts(key)) }
	net.consume(a, orders, true)
	net.run(3 * hop)
	want(t, "at once", hosts(orders), "[A]")
	want(t, "treatment", c.tables().Hint(orders), protocol.Multicast)
	net.consume(a, news, true)
	net.consume(a, orders, false)
	net.run(3 * hop)
	want(t, "not yet", hosts(news), "[]")
	net.run(net.timers.Batch)
	want(t, "added with the next batch", hosts(news), "[A]")
	want(t, "removed with it", hosts(orders), "[]")
}

func TestWhatCameAndWentIsNotTold(t *testing.T) {
	h := newHand(t, routing.Config{})
	h.meet()
	h.links(1, "ME")
	h.node.Announce(protocol.Address{Key: orders})
	h.node.Advance(h.now)
	h.heard()
	h.node.Announce(protocol.Address{Key: news})
	h.node.Withdraw(news)
	h.node.Withdraw(orders)
	h.node.Announce(protocol.Address{Key: orders})
	h.pass(time.Second)
	h.expect("only the clock", "HELLO _local/qdhello")
}

func TestARestartIsNoticed(t *testing.T) {
	net := build(t, "A-B B-C")
	a, c := net.router("A"), net.router("C")
	net.consume(a, orders, true)
	net.run(5 * time.Second)
	net.kill(a, true)
	a.local = map[protocol.Key]bool{news: true}
	net.start(a)
	net.connect(net.wires[0])
	net.run(time.Second)
	want(t, "old address", fmt.Sprint(c.tables().Hosts(orders)), "[]")
	want(t, "new address", fmt.Sprint(c.tables().Hosts(news)), "[A]")
	want(t, "way", c.way("A"), "B 2")
	want(t, "restarts", c.reported(routing.Restarted), 1)
	want(t, "flushes", c.reported(routing.Flushed), 1)
}

func TestTheUnheardIsForgotten(t *testing.T) {
	net := build(t, "A-B B-C")
	net.run(5 * time.Second)
	net.kill(net.router("C"), true)
	net.run(time.Second)
	a := net.router("A")
	want(t, "way", a.way("C"), "none")
	want(t, "known", len(a.node.Known()), 2)
	net.run(net.timers.StateMaxAge + net.timers.Advertise)
	want(t, "known", len(a.node.Known()), 1)
	want(t, "forgotten", a.reported(routing.Forgotten), 1)
}

func TestALinkToItselfIsReported(t *testing.T) {
	net := build(t, "A-A")
	net.run(5 * time.Second)
	want(t, "reports", net.router("A").reported(routing.Looped), 2)
	want(t, "routes", net.router("A").node.Routes().Len(), 0)
}

func TestDuplicateIDsAreReported(t *testing.T) {
	beside := newNetwork(t, 1)
	a, other := beside.add("A"), beside.add("A")
	other.instance += 5
	beside.start(other)
	beside.wire(a, other, 1, hop)
	beside.run(5 * time.Second)
	want(t, "beside each other", a.reported(routing.Duplicate), 1)

	apart := newNetwork(t, 1)
	one, b, c, other := apart.add("A"), apart.add("B"), apart.add("C"), apart.add("A")
	other.instance += 5
	apart.start(other)
	apart.wire(one, b, 1, hop)
	apart.wire(b, c, 1, hop)
	apart.wire(c, other, 1, hop)
	apart.run(time.Minute)
	if b.reported(routing.Duplicate) == 0 {
		t.Error("the routers between notice nothing")
	}
}

// TestAFullMeshDoesNotFloodItself counts packets where each router is a neighbour of each: a message for all costs each
// router at most one packet to each neighbour, whatever ways there are.
func TestAFullMeshDoesNotFloodItself(t *testing.T) {
	const routers, neighbors = 14, 13
	net := newNetwork(t, 1)
	for i := range routers {
		r := net.add(fmt.Sprintf("R%02d", i))
		net.consume(r, protocol.MobileKey(0, r.id), true)
		for _, other := range net.routers[:i] {
			net.wire(r, other, 1, time.Duration(1+net.random.IntN(30))*time.Millisecond)
		}
	}
	net.run(10 * time.Second)
	net.sent = 0
	const waves = 10
	for wave := range waves { // each with two advertisements of some routers under way at once, which meet each other
		net.cut(net.wires[wave])
		for _, r := range net.routers {
			net.consume(r, orders, !r.local[orders])
		}
		net.run(net.timers.Batch)
	}
	const each = routers * neighbors // packets of one message for all, at most
	if most := waves * (each + 4*routers*each); net.sent > most {
		t.Errorf("%d packets in %d waves, want at most a HELLO, a change, two advertisements and a link state of each: %d",
			net.sent, waves, most)
	}
}
