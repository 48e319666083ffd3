package conformance

import (
	"github.com/manifoldmq/manifold/router/amqp/frame"
)

// sessions are about begin and end [2.5.1 to 2.5.5].
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
	{"2.7.2", "a handle above the host's handle-max is a framing error", func(c *client) {
		s := c.session()
		if s.begin.HandleMax == 1<<32-1 {
			c.absent("it takes all handles")
		}
		s.handles = s.begin.HandleMax + 1
		s.offer(toward(c.host.newQueue()))
		c.expectFault(frame.FramingError)
	}},
	{"2.7.2", "a flow for a handle above the host's handle-max is a framing error", func(c *client) {
		s := c.session()
		if s.begin.HandleMax == 1<<32-1 {
			c.absent("it takes all handles")
		}
		f := s.flow()
		f.Handle, f.HasHandle = s.begin.HandleMax+1, true
		s.say(&f)
		c.expectFault(frame.FramingError)
	}},
	{"2.8.17", "a transfer on a handle that is not attached ends the session with unattached-handle", func(c *client) {
		s := c.session()
		s.say(&frame.Transfer{Handle: 9, HasDeliveryID: true, DeliveryTag: []byte("t"), HasMessageFormat: true}, text("x")...)
		s.expectEnd(frame.UnattachedHandle)
	}},
	{"2.5.1", "a second begin on a channel that has a session is refused", func(c *client) {
		c.session()
		c.send(0, &frame.Begin{IncomingWindow: 10, OutgoingWindow: 10})
		c.expectRefusal()
	}},
	{"2.5.2", "end with an error is answered with end", func(c *client) {
		s := c.session()
		s.say(&frame.End{Error: &frame.Error{Condition: frame.InternalError}})
		if p, _ := expect[frame.End](c); p.Error != nil {
			c.failf("end has an error: %v", p.Error)
		}
		c.begin(0, 10)
	}},
	{"2.5.3", "an end that crosses the host's is its answer", func(c *client) {
		c.open(hello())
		bad, good := c.begin(0, 10), c.begin(1, 10)
		wrong := bad.flow()
		wrong.Handle, wrong.HasHandle = 99, true
		c.write(append(encode(0, &wrong), encode(0, &frame.End{})...))
		expect[frame.End](c)
		good.barrier()
		c.begin(0, 10).barrier()
	}},
	{"2.5.5", "a frame on a channel without a session is refused", func(c *client) {
		c.open(hello())
		c.send(3, &frame.Flow{IncomingWindow: 1, OutgoingWindow: 1})
		c.expectClosed()
	}},
	{"2.5.5", "an end on a channel without a session is refused", func(c *client) {
		c.open(hello())
		c.send(3, &frame.End{})
		c.expectClosed()
	}},
	{"2.8.17", "a detach of a handle that is not attached ends the session with unattached-handle", func(c *client) {
		s := c.session()
		s.say(&frame.Detach{Handle: 9, Closed: true})
		s.expectEnd(frame.UnattachedHandle)
	}},
}
