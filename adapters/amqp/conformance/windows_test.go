package conformance

import (
	"github.com/manifoldmq/manifold/router/amqp"
	"github.com/manifoldmq/manifold/router/amqp/frame"
)

// windows are about the flow control of sessions [2.5.6, 2.7.4].
var windows = []scenario{
	{"2.5.6", "transfers stay within our incoming-window", func(c *client) {
		c.open(hello())
		address := c.host.newQueue()
		c.begin(0, 1000).fill(address, "1", "2", "3", "4", "5")
		s := c.begin(1, 2)
		l := s.receiver(address, 10)
		l.expectTexts("1", "2")
		if n, _ := s.barrier(); n > 0 {
			c.failf("%d transfers came beyond the window", n)
		}
		s.window = 3
		f := s.flow()
		s.say(&f)
		l.expectTexts("3", "4", "5")
	}},
	{"2.5.6", "the frames of one message stay within our incoming-window", func(c *client) {
		o := hello()
		o.MaxFrameSize = frame.MinMaxSize
		c.open(o)
		address := c.host.newQueue()
		c.begin(0, 1000).fill(address, string(make([]byte, 2000)))
		s := c.begin(1, 1)
		s.receiver(address, 1)
		for more := true; more; {
			p, _ := expect[frame.Transfer](c)
			s.nextIncomingID++
			if n, _ := s.barrier(); n > 0 {
				c.failf("%d transfers came beyond the window", n)
			}
			f := s.flow()
			s.say(&f)
			more = p.More
		}
	}},
	{"2.5.6", "the answer to an echo says what is expected next of us (should)", func(c *client) {
		s := c.session()
		l := s.sender(c.host.newQueue())
		l.put(text("1"), text("2"))
		f := s.flow()
		f.Echo = true
		s.say(&f)
		for {
			got, _ := expect[frame.Flow](c)
			if got.HasNextIncomingID && got.NextIncomingID == s.nextOutgoingID {
				return
			}
		}
	}},
	{"2.7.4", "a flow that asks for an echo gets one (should)", func(c *client) {
		s := c.session()
		f := s.flow()
		f.Echo = true
		s.say(&f)
		if got, _ := expect[frame.Flow](c); !got.HasNextIncomingID {
			c.failf("the flow has no next-incoming-id")
		}
	}},
	{"2.7.4", "a flow for a handle that is not attached ends the session with unattached-handle", func(c *client) {
		s := c.session()
		f := s.flow()
		f.Handle, f.HasHandle = 9, true
		s.say(&f)
		s.expectEnd(frame.UnattachedHandle)
	}},
	{"2.8.10", "ids of transfers and deliveries wrap around", func(c *client) {
		c.open(hello())
		s := c.beginAs(0, frame.Begin{NextOutgoingID: 1<<32 - 2, IncomingWindow: 10, OutgoingWindow: 10, HandleMax: 10})
		address := c.host.newQueue()
		s.fill(address, "1", "2", "3", "4", "5")
		s.remains(address, "1", "2", "3", "4", "5")
	}},
	{"2.5.6", "the window counts from our next-incoming-id, not from what came", func(c *client) {
		c.open(hello())
		address := c.host.newQueue()
		c.begin(0, 1000).fill(address, "1", "2", "3", "4")
		s := c.begin(1, 2)
		l := s.receiver(address, 10)
		l.expectTexts("1", "2")
		f := s.flow()
		f.NextIncomingID -= 2 // of before the two came
		f.IncomingWindow = 3  // so that one is left
		s.say(&f)
		l.expectTexts("3")
		if n, _ := s.barrier(); n > 0 {
			c.failf("%d transfers came beyond the window", n)
		}
	}},
	{"2.5.6", "a window given before the host's begin came counts from its first id", func(c *client) {
		c.open(hello())
		address := c.host.newQueue()
		c.begin(0, 1000).fill(address, "1", "2", "3", "4")
		a := from(address)
		b := encode(1, &frame.Begin{OutgoingWindow: 10, HandleMax: 10})
		b = append(b, encode(1, &a)...)
		b = append(b, encode(1, &frame.Flow{
			IncomingWindow: 2, OutgoingWindow: 10, HasHandle: true, LinkCredit: 10, HasLinkCredit: true,
		})...)
		c.write(b)
		p, r := expect[frame.Begin](c)
		s := &session{
			client: c, channel: 1, begin: p, nextIncomingID: p.NextOutgoingID, remoteWindow: p.IncomingWindow, handles: 1,
			handleMax: 10, senders: map[uint32]*link{}, attached: map[uint32]bool{},
		}
		c.sessions[r.channel] = s
		l := &link{session: s}
		l.answered(a)
		l.expectTexts("1", "2")
		if n, _ := s.barrier(); n > 0 {
			c.failf("%d transfers came beyond the window", n)
		}
	}},
	{"2.5.6", "a window of zero stops a session, and no other", func(c *client) {
		c.open(hello())
		address, other := c.host.newQueue(), c.host.newQueue()
		good := c.begin(0, 1000)
		good.fill(address, "1")
		good.fill(other, "2")
		s := c.begin(1, 0)
		l := s.receiver(address, 1)
		if n, _ := s.barrier(); n > 0 {
			c.failf("%d transfers came without a window", n)
		}
		good.receiver(other, 1).expectTexts("2")
		s.window = 1
		f := s.flow()
		s.say(&f)
		l.expectTexts("1")
	}},
	{"2.5.6", "next-outgoing-id of a flow of ours is what the host expects next", func(c *client) {
		s := c.session()
		f := s.flow()
		f.NextOutgoingID += 5
		f.Echo = true
		s.say(&f)
		for {
			r, ok := c.next()
			if !ok {
				c.failf("the connection was closed")
			}
			switch got := r.body.(type) {
			case *frame.Flow:
				if got.NextIncomingID != f.NextOutgoingID {
					c.failf("the host expects %d, and was told %d", got.NextIncomingID, f.NextOutgoingID)
				}
				return
			case *frame.End: // it may well find that wrong
				c.checkCondition("end", got.Error, nil)
				return
			}
		}
	}},
	{"2.5.6", "the host's window is renewed, so that a sender goes on without end", func(c *client) {
		s := c.session()
		l := s.sender(c.host.newQueue())
		t := l.transfer()
		t.Settled, t.More = true, true
		l.piece(t, text("x"))
		for n := s.begin.IncomingWindow; n > 0 && n < 10_000; n-- { // one more than the window has
			for s.remoteWindow == 0 {
				expect[frame.Flow](c)
			}
			l.piece(&frame.Transfer{Handle: l.handle, More: n > 1}, nil)
		}
		s.barrier()
	}},
	{"2.7.4", "an echo for a link tells the state of the link (should)", func(c *client) {
		s := c.session()
		l := s.receiver(c.host.newQueue(), 0)
		f := l.linkFlow(7)
		f.Echo = true
		s.say(&f)
		for {
			got, _ := expect[frame.Flow](c)
			if got.HasHandle && got.Handle == l.remote.Handle && got.LinkCredit == 7 {
				return
			}
		}
	}},
	{"2.7.4", "a flow with properties that the host does not know is taken", func(c *client) {
		s, address := c.session(), c.host.newQueue()
		s.fill(address, "1")
		l := s.receiver(address, 0)
		f := l.linkFlow(1)
		w := amqp.BeginFields(nil)
		w.String("x-opt-of-mine", "nothing")
		f.Properties = w.End()
		s.say(&f)
		l.expectTexts("1")
	}},
	{"2.7.4", "a flow has next-incoming-id and the delivery-count of its link, and without a handle nothing of a link",
		func(c *client) {
			s := c.session()
			l := s.sender(c.host.newQueue())
			l.put(text("1"), text("2"))
			s.receiver(c.host.newQueue(), 1)
			f := s.flow()
			f.Echo = true
			s.say(&f)
			s.barrier()
			c.withoutSlips()
		}},
}
