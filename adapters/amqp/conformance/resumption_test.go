package conformance

import (
	"github.com/manifoldmq/manifold/router/amqp"
	"github.com/manifoldmq/manifold/router/amqp/frame"
)

// resumption is about links that are attached again with what was unsettled [2.6.13, 2.7.3, 3.4.6].
var resumption = []scenario{
	{"2.6.13", "a resumed delivery that the host does not know is ignored", func(c *client) {
		s, address := c.session(), c.host.newQueue()
		tag := []byte("of another time")
		a := toward(address)
		a.Unsettled = unsettled(tag, frame.State{})
		l := s.attach(a)
		if l.remembers(tag) {
			c.failf("the host has a delivery that there never was")
		}
		l.awaitCredit()
		t := l.transfer()
		t.DeliveryTag, t.Resume = tag, true
		l.piece(t, text("never"))
		l.put(text("1"))
		s.remains(address, "1")
	}},
	{"2.6.13", "a resumed delivery in several transfers that the host does not know is ignored", func(c *client) {
		s, address := c.session(), c.host.newQueue()
		tag := []byte("of another time")
		a := toward(address)
		a.Unsettled = unsettled(tag, frame.State{Kind: frame.Accepted})
		l := s.attach(a)
		l.awaitCredit()
		t := l.transfer()
		t.DeliveryTag, t.Resume, t.More = tag, true, true
		l.piece(t, text("never")[:4])
		l.piece(&frame.Transfer{Handle: l.handle}, text("never")[4:])
		l.put(text("1"))
		s.remains(address, "1")
	}},
	{"2.6.13", "a delivery that only we hold unsettled is not resumed, and new ones come", func(c *client) {
		s, address := c.session(), c.host.newQueue()
		s.fill(address, "1")
		tag, a := []byte("of another time"), from(address)
		a.Unsettled = unsettled(tag, frame.State{Kind: frame.Accepted})
		l := s.attach(a)
		if l.remembers(tag) {
			c.failf("the host has a delivery that there never was")
		}
		l.give(1)
		if m := l.expectTexts("1")[0]; m.Resume {
			c.failf("a new delivery is said to be resumed")
		}
	}},
	{"2.6.13", "a delivery that was unsettled when its link was detached is resumed, or comes anew", func(c *client) {
		s, address := c.session(), c.host.newQueue()
		s.fill(address, "1")
		a := from(address)
		a.Source.Durable, a.Source.ExpiryPolicy = frame.DurableUnsettled, frame.ExpireNever
		l := s.attach(a)
		l.give(1)
		tag := l.expectTexts("1")[0].DeliveryTag
		l.detach(false)
		a.Unsettled = unsettled(tag, frame.State{})
		l = s.attach(a)
		l.give(1)
		if !l.remembers(tag) {
			if m := l.expectTexts("1")[0]; m.Resume {
				c.failf("a delivery is resumed that is not in the host's unsettled map")
			}
			return
		}
		if m := l.get(); !m.Resume || string(m.DeliveryTag) != string(tag) {
			c.failf("a delivery in both unsettled maps is not resumed")
		}
	}},
	{"2.7.3", "a receiver whose unsettled map is incomplete gets nothing new", func(c *client) {
		s, address := c.session(), c.host.newQueue()
		s.fill(address, "1")
		a := from(address)
		a.Unsettled, a.IncompleteUnsettled = unsettled([]byte("one of many"), frame.State{}), true
		l := s.attach(a)
		l.give(1)
		if n, _ := s.barrier(); n > 0 {
			c.failf("%d transfers came", n)
		}
		l.detach(false)
		s.remains(address, "1")
	}},
	{"2.6.4", "a receiver may be attached anew with other properties", func(c *client) {
		s, address := c.session(), c.host.newQueue()
		s.fill(address, "1")
		a := from(address)
		s.attach(a).detach(false)
		a.SenderSettleMode = frame.SendSettled
		l := s.attach(a)
		l.give(1)
		if m := l.get(); !m.Settled && l.remote.SenderSettleMode == frame.SendSettled {
			c.failf("the message is not settled")
		}
	}},
}

// unsettled gives an unsettled map with one delivery.
func unsettled(tag []byte, state frame.State) amqp.RawValue {
	entry := state.Append(amqp.AppendBinary(nil, tag))
	return append([]byte{0xc1, byte(len(entry) + 1), 2}, entry...)
}

// remembers tells whether a delivery is in the host's unsettled map.
func (l *link) remembers(tag []byte) bool {
	entries, _ := l.remote.Unsettled.Map()
	for key := range entries.All() {
		if b, _ := key.Binary(); string(b) == string(tag) {
			return true
		}
	}
	return false
}
