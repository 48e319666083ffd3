package conformance

import (
	"slices"
	"time"

	"github.com/manifoldmq/manifold/router/amqp/frame"
)

// connections are about protocol headers, frames, open and close [2.2 to 2.4].
var connections = []scenario{
	{"2.2", "an unknown version is answered with a header that is supported, and a close", func(c *client) {
		c.write([]byte{'A', 'M', 'Q', 'P', 0, 2, 0, 0})
		c.expectRefusedHeader()
	}},
	{"2.2", "what is no protocol header is answered with one, and a close", func(c *client) {
		c.write([]byte("GET / HTTP/1.1\r\n"))
		c.expectRefusedHeader()
	}},
	{"2.3.1", "a frame smaller than its header ends the connection", func(c *client) {
		c.open(hello())
		c.write([]byte{0, 0, 0, 7, 2, 0, 0, 0})
		c.expectClosed()
	}},
	{"2.3.1", "a data offset within the header ends the connection", func(c *client) {
		c.open(hello())
		c.write([]byte{0, 0, 0, 8, 1, 0, 0, 0})
		c.expectClosed()
	}},
	{"2.3.2", "an extended header is ignored", func(c *client) {
		c.open(hello())
		b := encode(3, &frame.Begin{IncomingWindow: 1, OutgoingWindow: 1})
		b = slices.Insert(b, frame.HeaderSize, 1, 2, 3, 4)
		b[4] = 3
		c.write(frame.Finish(b, 0))
		if p, _ := expect[frame.Begin](c); p.RemoteChannel != 3 {
			c.failf("begin answers channel %d, want 3", p.RemoteChannel)
		}
	}},
	{"2.3.2", "a frame with a body that is no performative ends the connection", func(c *client) {
		c.open(hello())
		c.write(frame.Finish(append(frame.Start(nil, frame.AMQP, 0), 0x00, 0x53, 0x7f, 0x45), 0))
		c.expectClosed()
	}},
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
	{"2.4.3", "close is answered with close, and nothing follows", func(c *client) {
		c.session()
		c.send(0, &frame.Close{})
		c.expectGoodbye()
	}},
	{"2.4.5", "heartbeats come in time", func(c *client) {
		const timeout = 2 * time.Second
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
	{"2.7.1", "max-frame-size 512 is respected", func(c *client) {
		o := hello()
		o.MaxFrameSize = frame.MinMaxSize
		c.open(o)
		s, address := c.begin(0, 1000), c.host.newQueue()
		big := string(slices.Repeat([]byte("0123456789"), 300))
		s.fill(address, big)
		if m := s.receiver(address, 1).expectTexts(big)[0]; m.frames < 6 {
			c.failf("%d bytes came in %d frames", len(big), m.frames)
		}
	}},
	{"2.7.1", "a frame beyond the host's max-frame-size is a framing error", func(c *client) {
		c.open(hello())
		size := c.remote.MaxFrameSize
		if size > 64<<20 {
			return // it takes whatever comes
		}
		b := frame.Start(nil, frame.AMQP, 0)
		c.write(frame.Finish(append(b, make([]byte, int(size))...), 0))
		c.expectFault(frame.FramingError)
	}},
	{"2.7.1", "a channel above the host's channel-max is a framing error", func(c *client) {
		c.open(hello())
		if c.remote.ChannelMax == 1<<16-1 {
			return // there is no such channel
		}
		c.send(c.remote.ChannelMax+1, &frame.Begin{IncomingWindow: 1, OutgoingWindow: 1})
		c.expectFault(frame.FramingError)
	}},
	{"2.7.1", "an open without container-id ends the connection", func(c *client) {
		c.layer()
		c.write(frame.Finish(append(frame.Start(nil, frame.AMQP, 0), 0x00, 0x53, 0x10, 0x45), 0))
		c.expectClosed()
	}},
}

// expectRefusedHeader reads a protocol header and the end of the connection.
func (c *client) expectRefusedHeader() {
	if h := c.readHeader(); string(h[:4]) != "AMQP" {
		c.failf("the answer is % x, want a protocol header", h)
	}
	if _, err := c.in.ReadByte(); err == nil || !isClosed(err) {
		c.failf("the connection goes on")
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
