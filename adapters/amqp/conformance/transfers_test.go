package conformance

import (
	"github.com/manifoldmq/manifold/router/amqp"
	"github.com/manifoldmq/manifold/router/amqp/frame"
)

// transfers are about deliveries, their pieces and who settles them [2.6.12, 2.6.14, 2.7.5, 2.8.2, 2.8.3].
var transfers = []scenario{
	{"2.6.12", "an unsettled message is answered with a settled outcome", func(c *client) {
		s, address := c.session(), c.host.newQueue()
		s.sender(address).put(text("1"), text("2"))
		s.remains(address, "1", "2")
	}},
	{"2.6.12", "a settled message is taken, and not answered", func(c *client) {
		s, address := c.session(), c.host.newQueue()
		l := s.sender(address)
		for _, x := range []string{"1", "2"} {
			t := l.transfer()
			t.Settled = true
			l.piece(t, text(x))
		}
		if _, n := s.barrier(); n > 0 {
			c.failf("%d dispositions came", n)
		}
		l.put(text("3")) // after the others are kept
		s.remains(address, "1", "2", "3")
	}},
	{"2.6.14", "a message comes in several transfers", func(c *client) {
		s, address := c.session(), c.host.newQueue()
		l, m := s.sender(address), text("abcdefghijklmnopqrstuvwxyz")
		t := l.transfer()
		t.More = true
		l.piece(t, m[:1])
		l.piece(&frame.Transfer{Handle: l.handle, More: true}, m[1:20])
		l.piece(&frame.Transfer{Handle: l.handle, More: true}, nil)
		l.piece(&frame.Transfer{Handle: l.handle}, m[20:])
		l.accepted(t.DeliveryID)
		s.remains(address, "abcdefghijklmnopqrstuvwxyz")
	}},
	{"2.6.14", "the pieces of two links' messages may alternate", func(c *client) {
		s, first, second := c.session(), c.host.newQueue(), c.host.newQueue()
		a, b := s.sender(first), s.sender(second)
		ta, tb := a.transfer(), (*frame.Transfer)(nil)
		ta.More = true
		a.piece(ta, text("ab")[:4])
		tb = b.transfer()
		tb.More = true
		b.piece(tb, text("cd")[:4])
		a.piece(&frame.Transfer{Handle: a.handle}, text("ab")[4:])
		a.accepted(ta.DeliveryID)
		b.piece(&frame.Transfer{Handle: b.handle}, text("cd")[4:])
		b.accepted(tb.DeliveryID)
		s.remains(first, "ab")
		s.remains(second, "cd")
	}},
	{"2.6.14", "an aborted message is as if it had never been sent", func(c *client) {
		s, address := c.session(), c.host.newQueue()
		l := s.sender(address)
		t := l.transfer()
		t.More = true
		l.piece(t, text("never")[:5])
		l.piece(&frame.Transfer{Handle: l.handle, Aborted: true}, nil)
		l.put(text("1"))
		s.remains(address, "1")
	}},
	{"2.7.3", "a message beyond our max-message-size does not come", func(c *client) {
		s, address := c.session(), c.host.newQueue()
		s.fill(address, string(make([]byte, 1000)), "small")
		a := from(address)
		a.MaxMessageSize = 100
		s.attach(a).give(2)
		for {
			switch r, _ := c.next(); r.body.(type) {
			case *frame.Flow:
			case *frame.Detach:
				return
			default:
				if string(r.payload) != string(text("small")) {
					c.failf("%v of %d bytes came", r, len(r.payload))
				}
				return
			}
		}
	}},
	{"2.7.5", "settled may be said in the last transfer of a message", func(c *client) {
		s, address := c.session(), c.host.newQueue()
		l, m := s.sender(address), text("12")
		t := l.transfer()
		t.More, t.HasSettled = true, false
		l.piece(t, m[:4])
		l.piece(&frame.Transfer{Handle: l.handle, Settled: true, HasSettled: true}, m[4:])
		if _, n := s.barrier(); n > 0 {
			c.failf("a disposition came")
		}
		s.remains(address, "12")
	}},
	{"2.7.5", "delivery-ids go up by one, and unsettled deliveries differ in their tags", func(c *client) {
		s, address := c.session(), c.host.newQueue()
		s.fill(address, "1", "2", "3")
		tags := map[string]bool{}
		got := s.receiver(address, 3).expectTexts("1", "2", "3")
		for i, m := range got {
			tags[string(m.DeliveryTag)] = true
			if m.DeliveryID != got[0].DeliveryID+uint32(i) {
				c.failf("delivery %d has the id %d, after %d of the first", i, m.DeliveryID, got[0].DeliveryID)
			}
		}
		if len(tags) != 3 {
			c.failf("3 unsettled deliveries have %d tags", len(tags))
		}
	}},
	{"2.8.2", "a receiver that wants settled messages gets them settled, if the attach says so", func(c *client) {
		s, address := c.session(), c.host.newQueue()
		s.fill(address, "1")
		a := from(address)
		a.SenderSettleMode = frame.SendSettled
		l := s.attach(a)
		l.give(1)
		if m := l.get(); !m.Settled && l.remote.SenderSettleMode == frame.SendSettled {
			c.failf("the message is not settled")
		}
	}},
	{"2.8.2", "a receiver that wants unsettled messages gets them unsettled, if the attach says so", func(c *client) {
		s, address := c.session(), c.host.newQueue()
		s.fill(address, "1")
		a := from(address)
		a.SenderSettleMode = frame.SendUnsettled
		l := s.attach(a)
		l.give(1)
		if m := l.get(); m.Settled && l.remote.SenderSettleMode == frame.SendUnsettled {
			c.failf("the message is settled")
		}
	}},
	{"2.8.3", "a host that settles second waits for the sender, if the attach says so", func(c *client) {
		s, address := c.session(), c.host.newQueue()
		a := toward(address)
		a.ReceiverSettleMode = frame.ReceiveSecond
		l := s.attach(a)
		l.awaitCredit()
		t := l.transfer()
		l.piece(t, text("1"))
		d, _ := expect[frame.Disposition](c)
		if second := l.remote.ReceiverSettleMode == frame.ReceiveSecond; d.Settled == second {
			c.failf("the disposition has settled %v, and the attach says settles second %v", d.Settled, second)
		}
		if d.State.Kind != frame.Accepted {
			c.failf("the state is %v", d.State.Kind)
		}
		s.say(&frame.Disposition{Role: frame.Sender, First: t.DeliveryID, Last: t.DeliveryID, Settled: true, State: d.State})
		s.remains(address, "1")
	}},
	{"2.8.3", "a receiver that settles second is told when the host has settled, if the attach says so", func(c *client) {
		s, address := c.session(), c.host.newQueue()
		s.fill(address, "1")
		a := from(address)
		a.ReceiverSettleMode = frame.ReceiveSecond
		l := s.attach(a)
		l.give(1)
		m := l.expectTexts("1")[0]
		if l.remote.ReceiverSettleMode != frame.ReceiveSecond {
			c.absent("it has said that it settles first")
		}
		said := frame.State{Kind: frame.Accepted}
		s.say(&frame.Disposition{Role: frame.Receiver, First: m.DeliveryID, Last: m.DeliveryID, State: said})
		if d, _ := expect[frame.Disposition](c); d.Role != frame.Sender || d.First != m.DeliveryID || !d.Settled {
			c.failf("the disposition is %+v, want one that settles %d", d, m.DeliveryID)
		}
	}},
	{"2.6.14", "the payload of a transfer that aborts is ignored, and so is what came before", func(c *client) {
		s, address := c.session(), c.host.newQueue()
		l := s.sender(address)
		for range 3 {
			t := l.transfer()
			t.More = true
			l.piece(t, text("never")[:5])
			l.piece(&frame.Transfer{Handle: l.handle, More: true}, text("never")[5:6])
			l.piece(&frame.Transfer{Handle: l.handle, Aborted: true}, text("never")[6:])
		}
		l.put(text("1"))
		s.remains(address, "1")
	}},
	{"2.6.14", "a message that is aborted with its first transfer is as if it had never been sent", func(c *client) {
		s, address := c.session(), c.host.newQueue()
		l := s.sender(address)
		t := l.transfer()
		t.Aborted = true
		l.piece(t, text("never"))
		l.put(text("1"))
		s.remains(address, "1")
	}},
	{"2.6.14", "a message in 300 transfers is one message", func(c *client) {
		s, address := c.session(), c.host.newQueue()
		l, body := s.sender(address), string(make([]byte, 300))
		t := l.transfer()
		t.More = true
		l.piece(t, amqp.AppendData(nil, []byte(body))[:6])
		for _, b := range []byte(amqp.AppendData(nil, []byte(body))[6:]) {
			for s.remoteWindow == 0 {
				expect[frame.Flow](c)
			}
			l.piece(&frame.Transfer{Handle: l.handle, More: true}, []byte{b})
		}
		l.piece(&frame.Transfer{Handle: l.handle}, nil)
		l.accepted(t.DeliveryID)
		s.remains(address, body)
	}},
	{"2.6.14", "a message that its sender leaves unfinished is as if it had never been sent", func(c *client) {
		s, address := c.session(), c.host.newQueue()
		l := s.sender(address)
		t := l.transfer()
		t.More = true
		l.piece(t, text("never")[:5])
		l.detach(true)
		s.remains(address)
	}},
	{"2.7.5", "settled may be said in the first transfer of a message, and counts for all", func(c *client) {
		s, address := c.session(), c.host.newQueue()
		l, m := s.sender(address), text("12")
		t := l.transfer()
		t.More, t.Settled = true, true
		l.piece(t, m[:4])
		l.piece(&frame.Transfer{Handle: l.handle}, m[4:])
		if _, n := s.barrier(); n > 0 {
			c.failf("a disposition came")
		}
		l.put(text("3")) // after the other is kept
		s.remains(address, "12", "3")
	}},
	{"2.7.5", "a delivery-tag of 32 bytes is taken", func(c *client) {
		s, address := c.session(), c.host.newQueue()
		l := s.sender(address)
		t := l.transfer()
		t.DeliveryTag = make([]byte, frame.MaxTagSize)
		l.piece(t, text("1"))
		l.accepted(t.DeliveryID)
		s.remains(address, "1")
	}},
	{"2.7.5", "a delivery-tag may be used again when its delivery is settled", func(c *client) {
		s, address := c.session(), c.host.newQueue()
		l := s.sender(address)
		for _, x := range []string{"1", "2"} {
			t := l.transfer()
			t.DeliveryTag = []byte("same")
			l.piece(t, text(x))
			l.accepted(t.DeliveryID)
		}
		s.remains(address, "1", "2")
	}},
	{"2.7.5", "deliveries that may wait for others are settled all the same", func(c *client) {
		s, address := c.session(), c.host.newQueue()
		l := s.sender(address)
		t := l.transfer()
		t.Batchable = true
		l.piece(t, text("1"))
		l.accepted(t.DeliveryID)
		s.remains(address, "1")
	}},
	{"2.7.5", "a delivery that asks for rcv-settle-mode first is settled by the host at once", func(c *client) {
		s, a := c.session(), toward(c.host.newQueue())
		a.ReceiverSettleMode = frame.ReceiveSecond
		l := s.attach(a)
		l.awaitCredit()
		t := l.transfer()
		t.ReceiverSettleMode, t.HasReceiverMode = frame.ReceiveFirst, true
		l.piece(t, text("1"))
		l.accepted(t.DeliveryID)
	}},
	{"2.8.11", "a message of another format is not taken for one of AMQP's", func(c *client) {
		s := c.session()
		l := s.sender(c.host.newQueue())
		t := l.transfer()
		t.MessageFormat = 0x0F00
		l.piece(t, []byte("not a message of AMQP"))
		for {
			r, _ := c.next()
			switch p := r.body.(type) {
			case *frame.Flow:
				continue
			case *frame.Detach:
				c.checkCondition("detach", p.Error, nil)
			case *frame.Disposition:
				if p.State.Kind != frame.Rejected {
					c.failf("the message is %v", p.State.Kind)
				}
			default:
				c.failf("%v came", r)
			}
			return
		}
	}},
	{"2.7.5", "a message in several transfers has its format in the first, and its tag does not change", func(c *client) {
		o := hello()
		o.MaxFrameSize = frame.MinMaxSize
		c.open(o)
		s, address, body := c.begin(0, 1000), c.host.newQueue(), string(make([]byte, 2000))
		s.fill(address, "1", body)
		s.receiver(address, 2).expectTexts("1", body)
		c.withoutSlips()
	}},
}
