package conformance

import (
	"github.com/manifoldmq/manifold/router/amqp/frame"
)

// credits are about flow control of links [2.6.7 to 2.6.9].
var credits = []scenario{
	{"2.6.7", "credit is not exceeded", func(c *client) {
		s, address := c.session(), c.host.newQueue()
		s.fill(address, "1", "2", "3", "4")
		l := s.receiver(address, 2)
		l.expectTexts("1", "2")
		if n, _ := s.barrier(); n > 0 {
			c.failf("%d transfers came beyond the credit", n)
		}
	}},
	{"2.6.7", "without credit nothing comes, and credit given later delivers", func(c *client) {
		s, address := c.session(), c.host.newQueue()
		s.fill(address, "1", "2", "3")
		l := s.receiver(address, 0)
		if n, _ := s.barrier(); n > 0 {
			c.failf("%d transfers came without credit", n)
		}
		l.give(1)
		l.expectTexts("1")
		l.give(2)
		l.expectTexts("2", "3")
	}},
	{"2.6.7", "credit counts from our delivery-count, not from its own", func(c *client) {
		s, address := c.session(), c.host.newQueue()
		s.fill(address, "1", "2", "3", "4")
		l := s.receiver(address, 2)
		l.expectTexts("1", "2")
		f := l.linkFlow(3)
		f.DeliveryCount -= 2 // of before the two came, so that one is left
		s.say(&f)
		l.expectTexts("3")
		if n, _ := s.barrier(); n > 0 {
			c.failf("%d transfers came beyond the credit", n)
		}
	}},
	{"2.6.7", "credit set to zero stops the link", func(c *client) {
		s, address := c.session(), c.host.newQueue()
		l := s.receiver(address, 10)
		l.give(0)
		s.barrier()
		s.fill(address, "1")
		if n, _ := s.barrier(); n > 0 {
			c.failf("%d transfers came after the credit was taken back", n)
		}
	}},
	{"2.6.7", "a receiver that replenishes its credit gets all", func(c *client) {
		s, address := c.session(), c.host.newQueue()
		s.fill(address, "1", "2", "3", "4", "5", "6", "7", "8")
		l := s.receiver(address, 2)
		for _, want := range []string{"1", "2", "3", "4", "5", "6", "7", "8"} {
			m := l.expectTexts(want)[0]
			l.settle(m, m, frame.State{Kind: frame.Accepted})
			l.give(2)
		}
	}},
	{"2.6.7", "a sender gets more than its first credit", func(c *client) {
		s := c.session()
		l := s.sender(c.host.newQueue())
		for n := l.credit + 10; n > 0; n-- {
			l.awaitCredit()
			t := l.transfer()
			t.Settled = true
			l.piece(t, text("x"))
		}
	}},
	{"2.6.7", "a delivery-count of ours that wraps around is understood", func(c *client) {
		s, address := c.session(), c.host.newQueue()
		a := toward(address)
		a.InitialDeliveryCount = 1<<32 - 2
		l := s.attach(a)
		l.put(text("1"), text("2"), text("3"), text("4"))
		s.remains(address, "1", "2", "3", "4")
	}},
	{"2.6.7", "drain is answered when there is nothing", func(c *client) {
		if n := c.session().receiver(c.host.newQueue(), 0).drain(10); n > 0 {
			c.failf("%d messages came from an empty queue", n)
		}
	}},
	{"2.6.7", "drain delivers what there is, and gives the rest back", func(c *client) {
		s, address := c.session(), c.host.newQueue()
		s.fill(address, "1", "2", "3")
		l := s.receiver(address, 0)
		if n := l.drain(10); n != 3 {
			c.failf("%d messages came, want 3", n)
		}
		s.fill(address, "4")
		if n, _ := s.barrier(); n > 0 {
			c.failf("%d transfers came after the credit was given back", n)
		}
	}},
	{"2.6.7", "a link that was drained goes on with new credit", func(c *client) {
		s, address := c.session(), c.host.newQueue()
		l := s.receiver(address, 0)
		l.drain(10)
		s.fill(address, "1")
		l.give(1)
		l.expectTexts("1")
	}},
	{"2.6.7", "credit given before the host's attach came counts from its first delivery", func(c *client) {
		s, address := c.session(), c.host.newQueue()
		s.fill(address, "1", "2", "3", "4", "5")
		a := from(address)
		l := s.offer(a)
		f := s.flow()
		f.Handle, f.HasHandle, f.LinkCredit, f.HasLinkCredit = l.handle, true, 2, true
		s.say(&f)
		f.LinkCredit = 3 // of which two may have come
		s.say(&f)
		l.answered(a)
		l.expectTexts("1", "2", "3")
		if n, _ := s.barrier(); n > 0 {
			c.failf("%d transfers came beyond the credit", n)
		}
	}},
	{"2.6.7", "drain without credit is answered", func(c *client) {
		if n := c.session().receiver(c.host.newQueue(), 0).drain(0); n > 0 {
			c.failf("%d messages came without credit", n)
		}
	}},
	{"2.6.8", "a receiver that asks for one message, and then drains, knows whether there is one", func(c *client) {
		s, address := c.session(), c.host.newQueue()
		l := s.receiver(address, 1)
		if n := l.drain(1); n != 0 {
			c.failf("%d messages came from an empty queue", n)
		}
		s.fill(address, "1")
		l.give(1)
		l.expectTexts("1")
	}},
	{"2.6.9", "a receiver without end gets what comes while it waits", func(c *client) {
		s, address := c.session(), c.host.newQueue()
		l := s.receiver(address, 10)
		other := c.another().session()
		for _, x := range []string{"1", "2", "3"} {
			other.fill(address, x)
			l.expectTexts(x)
		}
	}},
	{"2.6.10", "a link that is stopped says so when it is asked for an echo", func(c *client) {
		s := c.session()
		l := s.receiver(c.host.newQueue(), 10)
		f := l.linkFlow(0)
		f.Echo = true
		s.say(&f)
		for {
			got, _ := expect[frame.Flow](c)
			if got.HasHandle && got.Handle == l.remote.Handle && got.LinkCredit == 0 {
				return
			}
		}
	}},
}
