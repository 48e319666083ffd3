package conformance

import (
	"github.com/manifoldmq/manifold/router/amqp/frame"
)

// sessions are about begin, end and the windows [2.5].
var sessions = []scenario{
	{"2.5.1", "begin is answered with begin on a channel of its own", func(c *client) {
		c.open(hello())
		c.begin(7, 10)
		c.begin(3, 10)
	}},
	{"2.5.2", "end is answered with end, and the channel can be used again", func(c *client) {
		s := c.session()
		for range 3 {
			s.say(&frame.End{})
			if p, _ := expect[frame.End](c); p.Error != nil {
				c.failf("end has an error: %v", p.Error)
			}
			s = c.begin(s.channel, 10)
		}
	}},
	{"2.5.4", "what follows the mistake that ended a session is discarded, and other sessions go on", func(c *client) {
		c.open(hello())
		bad, good := c.begin(0, 10), c.begin(1, 10)
		wrong := bad.flow()
		wrong.Handle, wrong.HasHandle = 99, true
		b := encode(0, &wrong)
		b = append(b, encode(0, &frame.Detach{Handle: 98})...)
		c.write(append(b, encode(0, &wrong)...))
		bad.expectEnd()
		good.barrier()
	}},
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
	{"2.7.1", "our channel-max is respected", func(c *client) {
		o := hello()
		o.ChannelMax = 0
		c.open(o)
		c.begin(5, 10)
	}},
	{"2.7.2", "our handle-max is respected", func(c *client) {
		c.open(hello())
		s := c.beginAs(0, frame.Begin{IncomingWindow: 10, OutgoingWindow: 10})
		s.handles = 5
		s.attach(toward(c.host.newQueue()))
	}},
	{"2.8.10", "ids of transfers and deliveries wrap around", func(c *client) {
		c.open(hello())
		s := c.beginAs(0, frame.Begin{NextOutgoingID: 1<<32 - 2, IncomingWindow: 10, OutgoingWindow: 10, HandleMax: 10})
		address := c.host.newQueue()
		s.fill(address, "1", "2", "3", "4", "5")
		s.remains(address, "1", "2", "3", "4", "5")
	}},
	{"2.7.2", "a handle above the host's handle-max is a framing error", func(c *client) {
		s := c.session()
		if s.begin.HandleMax == 1<<32-1 {
			return // there is no such handle
		}
		s.handles = s.begin.HandleMax + 1
		s.offer(toward(c.host.newQueue()))
		c.expectFault(frame.FramingError)
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
	{"2.8.17", "a transfer on a handle that is not attached ends the session with unattached-handle", func(c *client) {
		s := c.session()
		s.say(&frame.Transfer{Handle: 9, HasDeliveryID: true, DeliveryTag: []byte("t"), HasMessageFormat: true}, text("x")...)
		s.expectEnd(frame.UnattachedHandle)
	}},
}
