package passage

import (
	"bytes"
	"reflect"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/manifoldmq/manifold/router/amqp"
	"github.com/manifoldmq/manifold/router/amqp/engine"
	"github.com/manifoldmq/manifold/router/amqp/frame"
)

func TestAttachesPassWithAllThatTheySay(t *testing.T) {
	in(t, func(h *house) {
		fields := amqp.BeginFields(nil)
		fields.String("k", "v")
		properties := fields.End()
		state := frame.State{Kind: frame.Released}
		wish := frame.Attach{
			Name: "mine", Role: frame.Receiver, SenderSettleMode: frame.SendUnsettled, ReceiverSettleMode: frame.ReceiveSecond,
			Source: &frame.Source{
				Address: "queue", HasAddress: true, Durable: frame.DurableUnsettled, ExpiryPolicy: frame.ExpireNever, Timeout: 7,
				DistributionMode: frame.DistributionCopy, Filter: properties, DefaultOutcome: state,
				Outcomes: []amqp.Symbol{"amqp:accepted:list"}, Capabilities: []amqp.Symbol{"topic"},
			},
			Target:              &frame.Target{Address: "mine", HasAddress: true, Capabilities: []amqp.Symbol{"x"}},
			MaxMessageSize:      4321,
			OfferedCapabilities: []amqp.Symbol{"offered"}, DesiredCapabilities: []amqp.Symbol{"desired"}, Properties: properties,
		}
		answer := frame.Attach{
			Source:           &frame.Source{Address: "queue/1", HasAddress: true, Filter: properties},
			Target:           &frame.Target{Address: "mine", HasAddress: true},
			SenderSettleMode: frame.SendSettled, MaxMessageSize: 1234, Properties: properties,
			OfferedCapabilities: []amqp.Symbol{"shared"},
		}
		h.broker.answer = answer
		c := h.client()
		l := c.attach(wish)
		c.hears("attached mine")
		got := *h.broker.links["there"].Remote()
		wish.Name = "there"
		if !reflect.DeepEqual(got, wish) {
			t.Errorf("the broker has %+v\nwant %+v", got, wish)
		}
		got = *l.Remote()
		got.Name, got.Role, got.HasInitialCount = "", false, false
		if !reflect.DeepEqual(got, answer) {
			t.Errorf("the client has %+v\nwant %+v", got, answer)
		}
	})
}

func TestDeliveriesPassWithAllThatTheySay(t *testing.T) {
	in(t, func(h *house) {
		h.broker.settles = frame.State{Kind: frame.Modified, DeliveryFailed: true}
		c := h.client()
		l := c.attach(sender("mine"))
		c.hears("attached mine", "credit 10 drain=false")
		c.do(func() {
			l.Send(engine.Delivery{Tag: []byte("t1"), Format: 5, Payload: []byte("one"), Batchable: true})
			l.Send(engine.Delivery{Tag: []byte("t2"), Payload: []byte("two"), Settled: true})
			l.Send(engine.Delivery{Tag: []byte("t3"), State: &frame.State{Kind: frame.Transactional, TxnID: []byte("txn")}})
		})
		h.broker.hears("delivery t1 format=5 settled=false batchable=true", "delivery t2 format=0 settled=true batchable=false",
			"delivery t3 format=0 settled=false batchable=false transactional-state txn")
		c.hears("written none <nil>", "settled modified <nil>", "settled modified <nil>")
		h.broker.settles = frame.State{Kind: frame.Declared, TxnID: []byte("txn2")}
		c.do(func() { l.Send(engine.Delivery{Payload: []byte("declare")}) })
		c.hears("settled declared txn2<nil>")
		h.broker.settles = frame.State{Kind: frame.Rejected, Error: &frame.Error{Condition: "why", Description: "so"}}
		c.do(func() { l.Send(engine.Delivery{Payload: []byte("bad")}) })
		c.hears("settled rejected why: so")
	})
}

// TestReceiverSettlesSecond: the client says how a delivery ends, the broker settles, and then the client does.
func TestReceiverSettlesSecond(t *testing.T) {
	in(t, func(h *house) {
		wish := receiver("mine")
		wish.ReceiverSettleMode = frame.ReceiveSecond
		c := h.client()
		c.settles = frame.State{Kind: frame.Accepted}
		l := c.attach(wish)
		c.do(func() { l.Grant(5) })
		there := h.broker.links["there"]
		h.broker.do(func() { there.Send(engine.Delivery{Tag: []byte("t"), Payload: []byte("m")}) })
		c.hears("attached mine", "delivery t format=0 settled=false batchable=false")
		h.broker.hears("credit 5 drain=false", "updated accepted <nil>")
		h.broker.do(func() { there.Settle(0, frame.State{Kind: frame.Accepted}) })
		c.hears("settled accepted <nil>")
	})
}

func TestCreditIsThatOfTheOtherPeer(t *testing.T) {
	in(t, func(h *house) {
		c := h.client()
		c.deaf = true
		l := c.attach(receiver("mine"))
		there := h.broker.links["there"]
		c.do(func() { l.SetCredit(10, false) })
		c.do(func() { l.SetCredit(11, false) })
		h.broker.do(func() { there.Send(engine.Delivery{Settled: true}) })
		c.do(func() { l.SetCredit(3, false) })
		h.broker.hears("credit 10 drain=false", "credit 11 drain=false", "written none <nil>", "credit 3 drain=false")
		c.do(func() { l.SetCredit(3, true) })
		h.broker.hears("credit 3 drain=true")
		if c.drained != 0 {
			t.Fatal("drained before the broker has given its credit back")
		}
		h.broker.do(func() { there.Send(engine.Delivery{Settled: true}) })
		h.broker.do(there.Drained)
		if c.drained != 1 {
			t.Errorf("drained %d times", c.drained)
		}
		c.do(func() { l.SetCredit(3, false) })
		h.broker.hears("written none <nil>", "credit 3 drain=false")
	})
}

// TestDrainGivesBackNoCreditThatCameLater: who has used up all that he knew of has not said that he has nothing for more.
func TestDrainGivesBackNoCreditThatCameLater(t *testing.T) {
	in(t, func(h *house) {
		m, c := h.join(false)
		l := c.attach(receiver("mine"))
		there := h.broker.links["there"]
		c.do(func() { l.SetCredit(1, true) })
		m.away.Store(true)
		h.broker.do(func() { there.Send(engine.Delivery{Tag: []byte("t"), Settled: true}) })
		c.do(func() { l.SetCredit(2, true) })
		m.away.Store(false)
		m.wake()
		c.hears("attached mine", "delivery t format=0 settled=true batchable=false")
		if c.drained != 0 {
			t.Error("drained before the broker has heard of all credit")
		}
		h.broker.hears("credit 1 drain=true", "written none <nil>", "credit 1 drain=true")
		h.broker.do(there.Drained)
		if c.drained != 1 {
			t.Errorf("drained %d times", c.drained)
		}
	})
}

func TestMessageBeyondCreditThatWasTakenBackWaits(t *testing.T) {
	in(t, func(h *house) {
		c := h.client()
		l := c.attach(receiver("mine"))
		there := h.broker.links["there"]
		c.do(func() { l.SetCredit(2, false) })
		c.commands.Put(func() { l.SetCredit(0, false) })
		h.broker.commands.Put(func() { there.Send(engine.Delivery{Tag: []byte("t"), Settled: true}) })
		synctest.Wait()
		c.do(func() { l.SetCredit(1, false) })
		c.hears("attached mine", "delivery t format=0 settled=true batchable=false")
	})
}

func TestDetachIsAnsweredByTheOtherPeer(t *testing.T) {
	in(t, func(h *house) {
		c := h.client()
		l := c.attach(receiver("mine"))
		h.broker.parts = func(*engine.Link) bool { return true }
		c.do(l.Detach)
		h.broker.hears("detach there closed=false <nil>")
		c.hears("attached mine")
		h.broker.do(func() { h.broker.links["there"].Part(true, &frame.Error{Condition: "gone"}) })
		c.hears("detached mine us closed=true gone")
		if h.broker.begun != 0 {
			t.Error("the session is still there")
		}
	})
}

func TestBrokersDetachIsTheClients(t *testing.T) {
	in(t, func(h *house) {
		c := h.client()
		c.attach(sender("mine"))
		h.broker.do(func() { h.broker.links["there"].Close(&frame.Error{Condition: frame.ResourceDeleted}) })
		c.hears("attached mine", "credit 10 drain=false", "detach mine closed=true amqp:resource-deleted",
			"detached mine peer closed=true amqp:resource-deleted")
		h.broker.hears("detached there us closed=true <nil>")
	})
}

func TestBothPeersMayDetachAtOnce(t *testing.T) {
	for _, fault := range []*frame.Error{nil, {Condition: frame.ResourceDeleted}} {
		in(t, func(h *house) {
			c := h.client()
			l := c.attach(sender("mine"))
			c.commands.Put(l.Detach)
			h.broker.commands.Put(func() { h.broker.links["there"].Close(fault) })
			synctest.Wait()
			if len(c.heard) == 0 || !strings.HasPrefix(c.heard[len(c.heard)-1], "detached mine") {
				t.Errorf("the client heard %q", c.heard)
			}
			if n := len(h.inside.desk.names); n != 0 || h.broker.begun != 0 {
				t.Errorf("%d links and %d sessions are left; the broker heard %q", n, h.broker.begun, h.broker.heard)
			}
		})
	}
}

func TestRefusalPasses(t *testing.T) {
	in(t, func(h *house) {
		h.broker.refuse = &frame.Error{Condition: frame.NotFound, Description: "no such queue"}
		c := h.client()
		l := c.attach(sender("mine"))
		c.hears("detach mine closed=true amqp:not-found: no such queue", "detached mine peer closed=true amqp:not-found: no such queue")
		if l.Remote().Target != nil {
			t.Error("the refusal has a target")
		}
	})
}

func TestClientThatDetachesBeforeTheAnswer(t *testing.T) {
	in(t, func(h *house) {
		h.broker.credit = -1
		c := h.client()
		l := c.attach(sender("mine"))
		c.do(l.Detach)
		c.hears("detached mine us closed=false <nil>")
		h.broker.hears("detach there closed=false <nil>", "detached there peer closed=false <nil>")
	})
}

func TestLossIsTold(t *testing.T) {
	in(t, func(h *house) {
		c, other := h.client(), h.client()
		c.attach(sender("mine"))
		h.broker.nc.Close()
		c.hears("attached mine", "credit 10 drain=false",
			"detach mine closed=true qd:routed-link-lost: Connectivity to the peer container was lost",
			"detached mine peer closed=true qd:routed-link-lost: Connectivity to the peer container was lost")
		other.attach(sender("mine"))
		other.hears("detach mine closed=true qd:no-route-to-dest: No route to the destination node",
			"detached mine peer closed=true qd:no-route-to-dest: No route to the destination node")
	})
}

// TestLostClientKeepsWhatLasts: the broker keeps the terminus that it was told to keep.
func TestLostClientKeepsWhatLasts(t *testing.T) {
	for _, policy := range []amqp.Symbol{frame.ExpireNever, frame.ExpireSessionEnd} {
		in(t, func(h *house) {
			c := h.client()
			wish := receiver("mine")
			wish.Source.ExpiryPolicy = policy
			c.attach(wish)
			c.nc.Close()
			closed := map[bool]string{true: "true", false: "false"}[policy != frame.ExpireNever]
			h.broker.hears("detach there closed="+closed+" qd:routed-link-lost: Connectivity to the peer container was lost",
				"detached there peer closed="+closed+" qd:routed-link-lost: Connectivity to the peer container was lost")
		})
	}
}

func TestLargeMessagesPassInPieces(t *testing.T) {
	in(t, func(h *house) {
		body := bytes.Repeat([]byte("0123456789abcdef"), 1<<16)
		c := h.client()
		l := c.attach(sender("mine"))
		c.do(func() { l.Send(engine.Delivery{Tag: []byte("t"), Payload: body[:1000], More: true}) })
		h.broker.hears("delivery t format=0 settled=false batchable=false")
		if !bytes.Equal(h.broker.got, body[:1000]) {
			t.Fatalf("%d bytes came of a message that is not whole", len(h.broker.got))
		}
		c.do(func() { l.Continue(body[1000:], false) })
		if !bytes.Equal(h.broker.got, body) {
			t.Errorf("%d bytes came, not %d", len(h.broker.got), len(body))
		}
		c.do(func() { l.Send(engine.Delivery{Tag: []byte("u"), Payload: body[:1000], More: true}) })
		c.do(func() { l.Abort() })
		h.broker.hears("delivery u format=0 settled=false batchable=false", "aborted")
		c.do(func() { l.Send(engine.Delivery{Tag: []byte("v"), Payload: body[:1000], More: true}) })
		c.do(func() { l.Close(&frame.Error{Condition: "enough"}) }) // in the midst of it
		h.broker.hears("delivery v format=0 settled=false batchable=false", "detach there closed=true enough",
			"detached there peer closed=true enough")
	})
}

// TestSlowPeerHoldsTheOtherBack: of a message that the broker does not take, the house keeps little.
func TestSlowPeerHoldsTheOtherBack(t *testing.T) {
	in(t, func(h *house) {
		c, quick := h.client(), h.client()
		l := c.attach(sender("mine"))
		h.broker.do(h.broker.Hold)
		c.do(func() { l.Send(engine.Delivery{Payload: make([]byte, 16<<20)}) })
		most := h.limits.IncomingBytes + highWater
		if sent := 16<<20 - l.Unwritten(); sent > 2*most {
			t.Errorf("%d bytes were taken that nobody wants", sent)
		}
		h.broker.do(h.broker.Resume)
		if l.Unwritten() != 0 || len(h.broker.got) != 16<<20 {
			t.Errorf("%d bytes are left, %d came", l.Unwritten(), len(h.broker.got))
		}
		h.way.Name = "other"
		quick.attach(sender("quick"))
		quick.hears("attached quick", "credit 10 drain=false")
	})
}

// TestSmallPiecesCountToo: neither do frames with next to nothing in them pile up in front of a slow peer.
func TestSmallPiecesCountToo(t *testing.T) {
	for _, size := range []int{0, 1} {
		in(t, func(h *house) {
			const all = 1 << 13
			c := h.client()
			l := c.attach(sender("mine"))
			h.broker.do(h.broker.Hold)
			c.do(func() {
				l.Send(engine.Delivery{Payload: []byte("begun"), More: true})
				for range all {
					l.Continue(make([]byte, size), true)
				}
			})
			windows := 2 * int(h.limits.IncomingWindow) // of the house and of the broker
			if taken := all - l.Pieces(); taken > windows+2*highWater/pieceWeight {
				t.Errorf("%d pieces of %d bytes were taken that nobody wants", taken, size)
			}
			h.broker.do(h.broker.Resume)
			c.do(func() { l.Continue(nil, false) })
			if l.Pieces() != 0 || len(h.broker.got) != len("begun")+all*size {
				t.Errorf("%d pieces are left, %d bytes came", l.Pieces(), len(h.broker.got))
			}
		})
	}
}

// TestDetachIsToldToWhoIsBehind: one link goes the way of all, however much its other end has not read.
func TestDetachIsToldToWhoIsBehind(t *testing.T) {
	in(t, func(h *house) {
		c := h.client()
		l := c.attach(sender("mine"))
		var near *End
		for _, far := range h.inside.desk.names {
			near = far.other
			far.unread.Add(maxUnread)
		}
		c.do(func() { l.Close(nil) })
		if !near.over || len(h.inside.desk.names) != 0 || h.broker.begun != 0 {
			t.Errorf("over=%v, %d links and %d sessions are left", near.over, len(h.inside.desk.names), h.broker.begun)
		}
	})
}

func TestLinksOfASessionShareOneThere(t *testing.T) {
	in(t, func(h *house) {
		c := h.client()
		var s *engine.Session
		for _, name := range []string{"a", "b"} {
			h.way.Name = name
			c.do(func() {
				if s == nil {
					s = c.Begin()
				}
				s.Attach(sender(name))
			})
		}
		if h.broker.begun != 1 || h.broker.links["a"].Session() != h.broker.links["b"].Session() {
			t.Errorf("there are %d sessions", h.broker.begun)
		}
		c.do(func() { s.End(nil) })
		if h.broker.begun != 0 {
			t.Error("the session is still there")
		}
	})
}

func TestLinkThatComesAgainTakesOver(t *testing.T) {
	in(t, func(h *house) {
		h.way.Owner = "us"
		former, again := h.client(), h.client()
		former.attach(sender("mine"))
		again.attach(sender("mine"))
		again.hears("attached mine", "credit 10 drain=false")
		former.hears("attached mine", "credit 10 drain=false",
			"detach mine closed=true amqp:link:stolen: the link was attached again elsewhere",
			"detached mine peer closed=true amqp:link:stolen: the link was attached again elsewhere")
		h.way.Owner = "them"
		stranger := h.client()
		stranger.attach(sender("mine"))
		stranger.hears("detach mine closed=true amqp:resource-locked: the name of the link is in use",
			"detached mine peer closed=true amqp:resource-locked: the name of the link is in use")
	})
}

func TestAddressIsWrittenAnewThereAndBack(t *testing.T) {
	for _, c := range []struct{ remove, add, there string }{
		{"", "ext/", "ext/queue"}, {"que", "", "ue"}, {"que", "a", "aue"}, {"other", "a", "aqueue"},
	} {
		in(t, func(h *house) {
			h.way.Remove, h.way.Add = c.remove, c.add
			l := h.client().attach(sender("mine"))
			if got := h.broker.links["there"].Remote().Target.Address; got != c.there {
				t.Errorf("there it is %q, want %q", got, c.there)
			}
			if got := l.Remote().Target.Address; got != "queue" {
				t.Errorf("back it is %q", got)
			}
		})
	}
}

// TestDischargeComesAfterTheMessages: the links of a session take turns, but not a coordinator's.
func TestDischargeComesAfterTheMessages(t *testing.T) {
	in(t, func(h *house) {
		c := h.client()
		var s *engine.Session
		var messages, control *engine.Link
		h.way.Name = "messages"
		c.do(func() { s = c.Begin(); messages = s.Attach(sender("messages")) })
		h.way.Name = "control"
		wish := sender("control")
		wish.Target, wish.Coordinator = nil, &frame.Coordinator{}
		c.do(func() { control = s.Attach(wish) })
		c.hears("attached messages", "credit 10 drain=false", "attached control", "credit 10 drain=false")
		for range 2 {
			h.broker.do(h.broker.Hold)
			c.do(func() {
				messages.Send(engine.Delivery{Tag: []byte("1"), Payload: make([]byte, 100<<10), Settled: true})
			})
			for _, tag := range []string{"2", "3", "4", "5"} {
				c.do(func() { messages.Send(engine.Delivery{Tag: []byte(tag), Payload: []byte("x"), Settled: true}) })
			}
			c.do(func() { control.Send(engine.Delivery{Tag: []byte("discharge"), Payload: []byte("x"), Settled: true}) })
			h.broker.do(h.broker.Resume)
		}
		var want []string
		for range 2 {
			for _, tag := range []string{"1", "2", "3", "4", "5", "discharge"} {
				want = append(want, "delivery "+tag+" format=0 settled=true batchable=false")
			}
		}
		h.broker.hears(want...)
	})
}
