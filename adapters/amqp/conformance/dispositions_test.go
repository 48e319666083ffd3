package conformance

import (
	"encoding/binary"

	"github.com/manifoldmq/manifold/router/amqp/frame"
)

// dispositions are about what a receiver says of deliveries [2.7.6, 3.4.1].
var dispositions = []scenario{
	{"2.7.6", "a disposition settles the range from first to last", func(c *client) {
		s, address := c.session(), c.host.newQueue()
		s.fill(address, "1", "2", "3", "4", "5")
		l := s.receiver(address, 5)
		got := l.expectTexts("1", "2", "3", "4", "5")
		l.settle(got[0], got[3], frame.State{Kind: frame.Accepted})
		l.settle(got[4], got[4], frame.State{Kind: frame.Released})
		l.detach(true)
		s.remains(address, "5")
	}},
	{"2.7.6", "a range of two billion deliveries settles those that there are", func(c *client) {
		s, address := c.session(), c.host.newQueue()
		s.fill(address, "1", "2")
		l := s.receiver(address, 2)
		last := l.expectTexts("1", "2")[0]
		first := last
		last.DeliveryID += 1<<31 - 2
		l.settle(first, last, frame.State{Kind: frame.Accepted})
		l.detach(true)
		s.remains(address)
	}},
	{"2.7.6", "a disposition of deliveries that are settled already changes nothing", func(c *client) {
		s, address := c.session(), c.host.newQueue()
		s.fill(address, "1", "2")
		l := s.receiver(address, 2)
		got := l.expectTexts("1", "2")
		l.settle(got[0], got[0], frame.State{Kind: frame.Accepted})
		l.settle(got[0], got[1], frame.State{Kind: frame.Accepted})
		l.settle(got[0], got[1], frame.State{Kind: frame.Released})
		l.detach(true)
		s.remains(address)
	}},
	{"2.7.6", "a range up to the last id that there is comes to an end", func(c *client) {
		s, address := c.session(), c.host.newQueue()
		s.fill(address, "1")
		l := s.receiver(address, 1)
		last := l.expectTexts("1")[0]
		first := last
		last.DeliveryID = 1<<32 - 1
		l.settle(first, last, frame.State{Kind: frame.Accepted})
		s.barrier()
	}},
	{"2.7.6", "a disposition without last is about one delivery", func(c *client) {
		s, address := c.session(), c.host.newQueue()
		s.fill(address, "1", "2")
		l := s.receiver(address, 2)
		got := l.expectTexts("1", "2")
		b := append(frame.Start(nil, frame.AMQP, s.channel), 0x00, 0x53, 0x15, 0xc0, 13, 5, 0x41, 0x70) // role receiver, first
		b = binary.BigEndian.AppendUint32(b, got[0].DeliveryID)
		c.write(frame.Finish(append(b, 0x40, 0x41, 0x00, 0x53, 0x24, 0x45), 0)) // no last, settled, accepted
		l.detach(true)
		s.remains(address, "2")
	}},
	{"2.7.6", "a range covers deliveries of several links", func(c *client) {
		s, first, second := c.session(), c.host.newQueue(), c.host.newQueue()
		s.fill(first, "1")
		s.fill(second, "2")
		b := s.receiver(second, 0)
		a := s.receiver(first, 1)
		one := a.expectTexts("1")[0]
		b.give(1)
		two := b.expectTexts("2")[0]
		a.settle(one, two, frame.State{Kind: frame.Accepted})
		a.detach(true)
		b.detach(true)
		s.remains(first)
		s.remains(second)
	}},
	{"2.7.6", "a disposition of the other role settles nothing", func(c *client) {
		s, address := c.session(), c.host.newQueue()
		s.fill(address, "1")
		l := s.receiver(address, 1)
		m := l.expectTexts("1")[0]
		s.say(&frame.Disposition{
			Role: frame.Sender, First: m.DeliveryID, Last: m.DeliveryID, Settled: true, State: frame.State{Kind: frame.Accepted},
		})
		l.detach(true)
		s.remains(address, "1")
	}},
	{"2.7.6", "a disposition of deliveries that never were changes nothing", func(c *client) {
		s, address := c.session(), c.host.newQueue()
		s.fill(address, "1")
		l := s.receiver(address, 1)
		m := l.expectTexts("1")[0]
		above := m
		above.DeliveryID++
		l.settle(above, above, frame.State{Kind: frame.Accepted})
		l.detach(true)
		s.remains(address, "1")
	}},
	{"2.7.6", "a disposition after a detach still counts, if the source outlives its link", func(c *client) {
		s, address := c.session(), c.host.newQueue()
		s.fill(address, "1")
		l := s.receiver(address, 1)
		m := l.expectTexts("1")[0]
		l.detach(false)
		l.settle(m, m, frame.State{Kind: frame.Accepted})
		if l.remote.Source.ExpiryPolicy == frame.ExpireLinkDetach {
			s.remains(address, "1")
			return
		}
		s.remains(address)
	}},
	{"2.7.6", "a state without settlement is taken, and the settlement may follow", func(c *client) {
		s, address := c.session(), c.host.newQueue()
		s.fill(address, "1")
		l := s.receiver(address, 1)
		m := l.expectTexts("1")[0]
		accepted := frame.State{Kind: frame.Accepted}
		s.say(&frame.Disposition{Role: frame.Receiver, First: m.DeliveryID, Last: m.DeliveryID, State: accepted})
		l.settle(m, m, accepted)
		s.barrier() // the host may say that it has settled
		l.detach(true)
		s.remains(address)
	}},
	{"3.4.1", "the state received does not end a delivery", func(c *client) {
		s, address := c.session(), c.host.newQueue()
		s.fill(address, "1")
		l := s.receiver(address, 1)
		m := l.expectTexts("1")[0]
		received := frame.State{Kind: frame.Received, SectionNumber: 1}
		s.say(&frame.Disposition{Role: frame.Receiver, First: m.DeliveryID, Last: m.DeliveryID, State: received})
		if n, settled := s.barrier(); n > 0 || settled > 0 {
			c.failf("%d transfers and %d dispositions came", n, settled)
		}
		l.settle(m, m, frame.State{Kind: frame.Accepted})
		l.detach(true)
		s.remains(address)
	}},
}
