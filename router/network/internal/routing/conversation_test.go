package routing_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/manifoldmq/manifold/router/network/internal/protocol"
	"github.com/manifoldmq/manifold/router/network/internal/routing"
)

// hand feeds one router, ME, by hand as its neighbour B, a router of another make, would.
type hand struct {
	t    *testing.T
	node *routing.Node
	now  time.Time
}

func newHand(t *testing.T, c routing.Config) *hand {
	t.Helper()
	c.Router, c.Instance = "ME", 1000
	h := &hand{t: t, now: time.Unix(1000, 0)}
	h.node = routing.New(c, h.now)
	h.node.LinkUp(1, 7, h.now)
	return h
}

// says has a router say something on the link to B.
func (h *hand) says(to string, m protocol.Message) {
	p := protocol.Packet{To: to, Message: m}
	h.node.Receive(1, p.Through(m.From().Router), h.now)
	h.node.Advance(h.now)
}

// meet makes B a neighbour, or lets it stay one.
func (h *hand) meet() {
	h.says(protocol.HelloAddress, &protocol.Hello{Sender: from("B"), Instance: 5, Seen: []string{"ME"}})
}

// links has B tell its links.
func (h *hand) links(sequence int64, peers ...string) {
	m := &protocol.LinkState{Sender: from("B"), Instance: 5, Sequence: sequence}
	for _, peer := range peers {
		m.Peers = append(m.Peers, protocol.Peer{Router: peer, Cost: 1})
	}
	h.says(protocol.AllRouters, m)
}

func from(router string) protocol.Sender { return protocol.Sender{Router: router, Version: 1} }

// heard gives what the router sent since it was asked last, such as "LSR _topo/0/B/qdrouter".
func (h *hand) heard() (sent []string) {
	for {
		s, ok := h.node.NextSend()
		if !ok {
			return sent
		}
		to := strings.TrimPrefix(s.Packet.To, "amqp:/")
		sent = append(sent, fmt.Sprintf("%s %s", s.Packet.Message.Opcode(), to))
	}
}

func (h *hand) expect(what string, want ...string) {
	h.t.Helper()
	if got := h.heard(); !slices.Equal(got, want) {
		h.t.Errorf("%s\n got %q\nwant %q", what, got, want)
	}
}

// pass lets time pass, second by second.
func (h *hand) pass(d time.Duration) {
	for end := h.now.Add(d); h.now.Before(end); {
		h.now = h.now.Add(time.Second)
		h.node.Advance(h.now)
	}
}

// changes gives what the router reported of a kind since it was asked last.
func (h *hand) changes(kind routing.ChangeKind) (changes []routing.Change) {
	for {
		c, ok := h.node.NextChange()
		if !ok {
			return changes
		}
		if c.Kind == kind {
			changes = append(changes, c)
		}
	}
}

func TestConversationWithADispatchRouter(t *testing.T) {
	const all, toB, addressesOfB = "_topo/0/all/qdrouter", "_topo/0/B/qdrouter", "_topo/0/B/qdrouter.ma"
	h := newHand(t, routing.Config{})
	h.expect("a new link", "HELLO _local/qdhello")
	h.says(protocol.HelloAddress, &protocol.Hello{Sender: from("B"), Instance: 5})
	h.expect("who has not heard of us is told", "HELLO _local/qdhello")
	h.meet()
	h.expect("a neighbour", "LSR "+toB, "LSU "+all, "RA "+all)
	h.says(protocol.RouterAddress("ME"), &protocol.LinkStateRequest{Sender: from("B")})
	h.expect("the request of a neighbour", "LSU "+toB, "RA "+toB)
	h.links(1, "C", "ME")
	h.pass(time.Second)
	h.expect("a router that others know", "HELLO _local/qdhello", "LSR _topo/0/C/qdrouter")
	h.says(protocol.AllRouters, &protocol.Advertisement{Sender: from("B"), Instance: 5, LinkState: 1, Addresses: 4})
	h.expect("addresses that are not known", "MAR "+addressesOfB)
	h.says(protocol.RouterAddresses("ME"), &protocol.Addresses{
		Sender: from("B"), Sequence: 4, All: true, Added: []protocol.Address{{Key: orders}}})
	h.says(protocol.AllAddresses, &protocol.Addresses{Sender: from("B"), Sequence: 5, Added: []protocol.Address{{Key: news}}})
	h.expect("the next change")
	h.pass(time.Second)
	h.heard()
	h.says(protocol.AllAddresses, &protocol.Addresses{Sender: from("B"), Sequence: 7, Removed: []protocol.Key{news}})
	h.expect("a change is missing", "MAR "+addressesOfB)
	h.node.Announce(protocol.Address{Key: "M0mine"})
	h.node.Advance(h.now)
	h.expect("an address of ours", "MAU _topo/0/all/qdrouter.ma", "RA "+all)
	h.says(protocol.RouterAddresses("ME"), &protocol.AddressesRequest{Sender: from("B"), Have: 0})
	h.expect("the request for our addresses", "MAU "+addressesOfB)
	h.says(protocol.RouterAddresses("ME"), &protocol.AddressesRequest{Sender: from("B"), Have: 1})
	h.expect("who has all of them")
}

func TestAdvertisementsComeOftenOnlyInFlux(t *testing.T) {
	h := newHand(t, routing.Config{})
	h.meet()
	began := h.now
	var at []time.Duration
	for h.now.Sub(began) < 2*time.Minute {
		for _, sent := range h.heard() {
			if strings.HasPrefix(sent, "RA") {
				at = append(at, h.now.Sub(began)/time.Second)
			}
		}
		h.pass(time.Second)
		h.meet()
	}
	want(t, "advertisements, in seconds after the change", fmt.Sprint(at), fmt.Sprint([]time.Duration{0, 4, 8, 38, 68, 98}))
}

func TestWhatIsForAllIsPassedOnOnce(t *testing.T) {
	h := newHand(t, routing.Config{})
	h.node.LinkUp(2, 1, h.now)
	h.meet()
	hello := protocol.Packet{To: protocol.HelloAddress, Message: &protocol.Hello{Sender: from("C"), Seen: []string{"ME"}}}
	h.node.Receive(2, hello, h.now)
	h.pass(time.Second)
	h.heard()
	say := func(sequence int64) {
		h.says(protocol.AllAddresses, &protocol.Addresses{Sender: from("B"), Sequence: sequence})
	}
	say(1)
	h.expect("to C, not back to B", "MAU _topo/0/all/qdrouter.ma")
	say(1)
	h.expect("the same again")
	say(2)
	h.expect("another", "MAU _topo/0/all/qdrouter.ma")

	request := protocol.Packet{To: protocol.RouterAddress("B"), Message: &protocol.LinkStateRequest{Sender: from("C")}}
	h.node.Receive(2, request.Through("C"), h.now)
	h.expect("what is for another goes on", "LSR _topo/0/B/qdrouter")
	h.node.Receive(2, request.Through("B").Through("C"), h.now)
	h.expect("not to whom it was with")
	h.node.Receive(2, request.Through("ME").Through("C"), h.now)
	h.expect("not when it was here")
}

func TestTheFirstCopyShowsTheWay(t *testing.T) {
	h := newHand(t, routing.Config{})
	h.node.LinkUp(2, 1, h.now)
	h.meet()
	hello := protocol.Packet{To: protocol.HelloAddress, Message: &protocol.Hello{Sender: from("C"), Seen: []string{"ME"}}}
	h.node.Receive(2, hello, h.now)
	h.pass(time.Second)
	far := protocol.Packet{To: protocol.AllRouters, Message: &protocol.Advertisement{Sender: from("X"), Instance: 1}}
	h.node.Receive(1, far.Through("X").Through("B"), h.now)
	h.node.Receive(2, far.Through("X").Through("C"), h.now)
	h.heard()
	request := protocol.Packet{To: protocol.RouterAddress("X"), Message: &protocol.LinkStateRequest{Sender: from("C")}}
	h.node.Receive(2, request.Through("C"), h.now)
	h.expect("while there is no route", "LSR _topo/0/X/qdrouter")
}

func TestNobodyIsHeardBeforeHello(t *testing.T) {
	h := newHand(t, routing.Config{})
	h.heard()
	h.links(1, "ME", "C")
	h.says(protocol.RouterAddress("ME"), &protocol.LinkStateRequest{Sender: from("B")})
	h.expect("a router that has not said hello")
	want(t, "known", len(h.node.Known()), 0)
}

func TestWhatComesLateFromAnEarlierLifeIsIgnored(t *testing.T) {
	h := newHand(t, routing.Config{})
	h.meet()
	h.links(3, "ME", "C")
	h.pass(time.Second)
	h.says(protocol.AllRouters, &protocol.LinkState{Sender: from("B"), Instance: 4, Sequence: 9})
	h.says(protocol.AllRouters, &protocol.Advertisement{Sender: from("B"), Instance: 4, LinkState: 9})
	h.pass(time.Second)
	if _, ok := h.node.Routes().To("C"); !ok {
		t.Error("an earlier life ended a route")
	}
	want(t, "restarts", len(h.changes(routing.Restarted)), 0)
}

func TestAClockThatWentBackIsBelievedInTheEnd(t *testing.T) {
	h := newHand(t, routing.Config{})
	h.meet()
	h.links(3, "ME", "C")
	h.pass(4 * time.Second)
	h.says(protocol.AllRouters, &protocol.LinkState{Sender: from("B"), Instance: 4, Sequence: 1})
	h.pass(time.Second)
	want(t, "restarts", len(h.changes(routing.Restarted)), 1)
	if _, ok := h.node.Routes().To("C"); ok {
		t.Error("the links of the earlier life stay")
	}
}

func TestANumberThatFellIsDoubted(t *testing.T) {
	h := newHand(t, routing.Config{})
	h.meet()
	h.says(protocol.RouterAddresses("ME"), &protocol.Addresses{
		Sender: from("B"), Sequence: 50, All: true, Added: []protocol.Address{{Key: orders}}})
	h.pass(2 * time.Second)
	h.heard()
	h.says(protocol.AllRouters, &protocol.Advertisement{Sender: from("B"), Instance: 5, Addresses: 2})
	h.expect("asked for", "MAR _topo/0/B/qdrouter.ma")
	h.says(protocol.RouterAddresses("ME"), &protocol.Addresses{
		Sender: from("B"), Sequence: 2, All: true, Added: []protocol.Address{{Key: news}}})
	want(t, "addresses", fmt.Sprint(h.changes(routing.Added)[1].Address.Key), fmt.Sprint(news))
}

func TestKnowledgeIsBounded(t *testing.T) {
	h := newHand(t, routing.Config{MaxRouters: 3, MaxAddresses: 2})
	h.meet()
	h.links(1, "ME", "C", "D", "E", "F", "G")
	h.pass(time.Second)
	want(t, "routers", len(h.node.Known()), 3)
	want(t, "routes", h.node.Routes().Len(), 3)
	want(t, "refusals", len(h.changes(routing.Refused)), 1)
	all := &protocol.Addresses{Sender: from("B"), Sequence: 1, All: true}
	for i := range 10 {
		all.Added = append(all.Added, protocol.Address{Key: protocol.MobileKey(0, fmt.Sprint(i))})
	}
	h.says(protocol.RouterAddresses("ME"), all)
	want(t, "addresses", h.node.Known()[0].Addresses, 2)
	want(t, "refusals", len(h.changes(routing.Refused)), 1)
}
