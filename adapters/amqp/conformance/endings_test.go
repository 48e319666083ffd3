package conformance

import (
	"time"

	"github.com/manifoldmq/manifold/router/amqp/frame"
)

// endings are about how a connection ends, and what keeps it [2.4.3 to 2.4.6].
var endings = []scenario{
	{"2.4.3", "close is answered with close, and nothing follows", func(c *client) {
		c.session()
		c.send(0, &frame.Close{})
		c.expectGoodbye()
	}},
	{"2.4.3", "close with an error is answered with close", func(c *client) {
		c.session()
		c.send(0, &frame.Close{Error: &frame.Error{Condition: frame.InternalError, Description: "a test"}})
		c.expectGoodbye()
	}},
	{"2.4.3", "close is taken on any channel", func(c *client) {
		c.open(hello())
		c.send(min(5, c.remote.ChannelMax), &frame.Close{})
		c.expectGoodbye()
	}},
	{"2.4.3", "who breaks a rule of the connection hears why in a close, before the end", func(c *client) {
		c.open(hello())
		c.send(0, &frame.Begin{RemoteChannel: 9, HasRemoteChannel: true}) // answers none of the host's
		c.expectFault()
	}},
	{"2.4.4", "a close that crosses the host's is the end", func(c *client) {
		c.open(hello())
		b := encode(0, &frame.Begin{RemoteChannel: 9, HasRemoteChannel: true})
		c.write(append(b, encode(0, &frame.Close{})...))
		if n := c.countCloses(); n > 1 {
			c.failf("%d closes came", n)
		}
	}},
	{"2.4.6", "what follows the mistake that ended a connection is discarded", func(c *client) {
		c.open(hello())
		b := encode(0, &frame.Begin{RemoteChannel: 9, HasRemoteChannel: true})
		b = append(b, encode(0, &frame.Begin{IncomingWindow: 1, OutgoingWindow: 1})...)
		b = append(b, encode(5, &frame.End{})...)
		c.write(append(b, encode(0, &frame.Close{})...))
		if n := c.countCloses(); n > 1 {
			c.failf("%d closes came", n)
		}
	}},
	{"2.4.5", "heartbeats come in time", func(c *client) {
		const timeout = 4 * time.Second
		o := hello()
		o.IdleTimeOut = uint32(timeout.Milliseconds())
		c.open(o)
		for range 2 {
			start := time.Now()
			if _, body, err := c.readFrame(); err != nil || len(body) > 0 {
				c.failf("%d bytes came instead of an empty frame", len(body))
			}
			if time.Since(start) > timeout {
				c.failf("the host was silent for more than %v", timeout)
			}
		}
	}},
	{"2.4.5", "empty frames are taken on any channel", func(c *client) {
		s := c.session()
		for _, channel := range []uint16{0, 0, 5} {
			c.write(frame.Finish(frame.Start(nil, frame.AMQP, channel), 0))
		}
		s.barrier()
	}},
	{"2.4.5", "who is silent for longer than the host's idle-time-out hears a close with an error (should)", func(c *client) {
		c = c.strict()
		c.open(hello())
		if wait := time.Duration(c.remote.IdleTimeOut) * time.Millisecond; wait == 0 || 2*wait > patience {
			c.absent("it waits for longer than a test")
		}
		c.expectFault()
	}},
	{"2.4.5", "who sends empty frames in time is not cut off", func(c *client) {
		c = c.strict()
		c.open(hello())
		wait := time.Duration(c.remote.IdleTimeOut) * time.Millisecond
		if wait == 0 || 2*wait > patience {
			c.absent("it waits for longer than a test")
		}
		tick := time.NewTicker(wait / 2)
		defer tick.Stop()
		for start := time.Now(); time.Since(start) < 3*wait; <-tick.C {
			c.write(frame.Finish(frame.Start(nil, frame.AMQP, 0), 0))
		}
		c.begin(0, 10)
	}},
	{"2.4.5", "an idle-time-out of zero asks for nothing", func(c *client) {
		c.layer()
		b := append(frame.Start(nil, frame.AMQP, 0), 0x00, 0x53, 0x10)
		c.write(frame.Finish(append(b, 0xc0, 8, 5, 0xa1, 1, 'x', 0x40, 0x40, 0x40, 0x43), 0))
		c.opened(hello())
		c.begin(0, 10).barrier()
	}},
}

// countCloses reads up to the end of the connection, where nothing else but closes may come.
func (c *client) countCloses() (n int) {
	if err := c.nc.CloseWrite(); err != nil && !isClosed(err) {
		c.t.Fatal(err)
	}
	for {
		r, ok := c.next()
		if !ok {
			return n
		}
		if _, ok := r.body.(*frame.Close); !ok {
			c.failf("%v came", r)
		}
		n++
	}
}

// expectGoodbye reads the answer to our close, after which nothing may come. Who closes the connection is left open, so
// we do.
func (c *client) expectGoodbye() {
	if p, _ := expect[frame.Close](c); p.Error != nil {
		c.failf("close has an error: %v", p.Error)
	}
	if err := c.nc.CloseWrite(); err != nil && !isClosed(err) {
		c.t.Fatal(err)
	}
	if r, ok := c.next(); ok {
		c.failf("%v came after close", r)
	}
}
