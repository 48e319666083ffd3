package conformance

import (
	"github.com/manifoldmq/manifold/router/amqp/frame"
)

// connections are about open, and what may follow it [2.4, 2.7.1].
var connections = []scenario{
	{"2.4.1", "open is answered with open", func(c *client) {
		c.open(hello())
		if c.remote.ContainerID == "" {
			c.failf("open has an empty container-id")
		}
		if c.remote.MaxFrameSize < frame.MinMaxSize {
			c.failf("max-frame-size is %d, below %d", c.remote.MaxFrameSize, frame.MinMaxSize)
		}
	}},
	{"2.4.1", "a begin before open ends the connection", func(c *client) {
		c.layer()
		c.send(0, &frame.Begin{IncomingWindow: 1, OutgoingWindow: 1})
		c.expectClosed()
	}},
	{"2.4.2", "header, open and begin sent in one go are answered one by one", func(c *client) {
		c.authenticate()
		b := append([]byte(nil), frame.ProtocolAMQP[:]...)
		b = append(b, encode(0, hello())...)
		c.write(append(b, encode(0, &frame.Begin{IncomingWindow: 1, OutgoingWindow: 1})...))
		c.expectHeader(frame.ProtocolAMQP)
		c.opened(hello())
		expect[frame.Begin](c)
	}},
	{"2.7.1", "a channel above the host's channel-max is a framing error", func(c *client) {
		c.open(hello())
		if c.remote.ChannelMax == 1<<16-1 {
			c.absent("it takes all channels")
		}
		c.send(c.remote.ChannelMax+1, &frame.Begin{IncomingWindow: 1, OutgoingWindow: 1})
		c.expectFault(frame.FramingError)
	}},
	{"2.7.1", "any frame on a channel above the host's channel-max is a framing error", func(c *client) {
		c.open(hello())
		if c.remote.ChannelMax == 1<<16-1 {
			c.absent("it takes all channels")
		}
		c.send(c.remote.ChannelMax+1, &frame.Flow{IncomingWindow: 1, OutgoingWindow: 1})
		c.expectFault(frame.FramingError)
	}},
	{"2.7.1", "an open without container-id ends the connection", func(c *client) {
		c.layer()
		c.write(frame.Finish(append(frame.Start(nil, frame.AMQP, 0), 0x00, 0x53, 0x10, 0x45), 0))
		c.expectClosed()
	}},
	{"2.4.1", "a second open ends the connection", func(c *client) {
		c.open(hello())
		c.send(0, hello())
		c.expectClosed()
	}},
	{"2.4.1", "a refused open is answered with open, and then with close", func(c *client) {
		c.layer()
		o := hello()
		o.Hostname = "no-such-tenant.invalid"
		c.send(0, o)
		c.opened(o)
		c.send(0, &frame.Close{})
		expect[frame.Close](c)
	}},
	{"2.4.2", "all from the header to the first message sent in one go is answered", func(c *client) {
		c.authenticate()
		address := c.host.newQueue()
		b := append([]byte(nil), frame.ProtocolAMQP[:]...)
		b = append(b, encode(0, hello())...)
		b = append(b, encode(0, &frame.Begin{IncomingWindow: 100, OutgoingWindow: 100, HandleMax: 10})...)
		a := toward(address)
		a.HasInitialCount = true
		c.write(append(b, encode(0, &a)...))
		c.expectHeader(frame.ProtocolAMQP)
		c.opened(hello())
		expect[frame.Begin](c)
		expect[frame.Attach](c)
	}},
	{"2.4.2", "open and close sent in one go are both answered", func(c *client) {
		c.layer()
		c.write(append(encode(0, hello()), encode(0, &frame.Close{})...))
		c.opened(hello())
		c.expectGoodbye()
	}},
}
