package conformance

import (
	"slices"

	"github.com/manifoldmq/manifold/router/amqp"
	"github.com/manifoldmq/manifold/router/amqp/frame"
)

// headers are about protocol headers [2.2].
var headers = []scenario{
	{"2.2", "an unknown version is answered with a header that is supported, and a close", func(c *client) {
		c.write([]byte{'A', 'M', 'Q', 'P', 0, 2, 0, 0})
		c.expectRefusedHeader()
	}},
	{"2.2", "what is no protocol header is answered with one, and a close", func(c *client) {
		c.write([]byte("GET / HTTP/1.1\r\n"))
		c.expectRefusedHeader()
	}},
	{"2.2", "an unknown protocol-id is answered with one that is offered, and a close", func(c *client) {
		c.write([]byte{'A', 'M', 'Q', 'P', 9, 1, 0, 0})
		c.expectRefusedHeader()
	}},
	{"2.2", "another revision is answered with a header that is supported, and a close", func(c *client) {
		c.write([]byte{'A', 'M', 'Q', 'P', 0, 1, 0, 7})
		c.expectRefusedHeader()
	}},
}

// framing is about frames and the performatives in them [2.3, 2.7].
var framing = []scenario{
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
	{"2.3.1", "a frame of size zero ends the connection", func(c *client) {
		c.open(hello())
		c.write([]byte{0, 0, 0, 0, 2, 0, 0, 0})
		c.expectClosed()
	}},
	{"2.3.1", "a data offset beyond the frame ends the connection", func(c *client) {
		c.open(hello())
		c.write([]byte{0, 0, 0, 8, 200, 0, 0, 0})
		c.expectClosed()
	}},
	{"2.3.1", "a frame of a type that is neither AMQP's nor SASL's ends the connection", func(c *client) {
		c.open(hello())
		c.write([]byte{0, 0, 0, 8, 2, 7, 0, 0})
		c.expectClosed()
	}},
	{"2.3.1", "frames may come in pieces of any size", func(c *client) {
		c.open(hello())
		for _, b := range encode(4, &frame.Begin{IncomingWindow: 1, OutgoingWindow: 1}) {
			c.write([]byte{b})
		}
		if p, _ := expect[frame.Begin](c); p.RemoteChannel != 4 {
			c.failf("begin answers channel %d, want 4", p.RemoteChannel)
		}
	}},
	{"2.3.2", "a frame whose body is no described type ends the connection", func(c *client) {
		c.open(hello())
		c.write(frame.Finish(append(frame.Start(nil, frame.AMQP, 0), 0x45), 0))
		c.expectClosed()
	}},
	{"2.3.2", "a performative that is cut short ends the connection", func(c *client) {
		c.open(hello())
		c.write(frame.Finish(append(frame.Start(nil, frame.AMQP, 0), 0x00, 0x53, 0x11, 0xc0, 200, 9), 0))
		c.expectClosed()
	}},
	{"2.3.2", "a performative that is no list ends the connection", func(c *client) {
		c.open(hello())
		c.write(frame.Finish(append(frame.Start(nil, frame.AMQP, 0), 0x00, 0x53, 0x11, 0xa1, 1, 'x'), 0))
		c.expectClosed()
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
			c.absent("it takes frames of any size")
		}
		b := frame.Start(nil, frame.AMQP, 0)
		c.write(frame.Finish(append(b, make([]byte, int(size))...), 0))
		c.expectFault(frame.FramingError)
	}},
	{"2.7.1", "a frame of exactly the host's max-frame-size is taken", func(c *client) {
		s, address := c.session(), c.host.newQueue()
		size := c.remote.MaxFrameSize
		if size > 1<<20 {
			c.absent("it takes frames of any size")
		}
		l := s.sender(address)
		t := l.transfer()
		room := int(size) - len(encode(0, t)) - len(text("")) - 3 // a section of more than 255 bytes says so in 3 bytes more
		body := string(make([]byte, room))
		l.piece(t, text(body))
		l.accepted(t.DeliveryID)
		s.remains(address, body)
	}},
	{"2.7.2", "a begin without its windows is refused", func(c *client) {
		c.open(hello())
		c.raw(0, amqp.DescriptorBegin)
		c.expectRefusal()
	}},
	{"2.7.3", "an attach without name, handle and role is refused", func(c *client) {
		c.session()
		c.raw(0, amqp.DescriptorAttach)
		c.expectRefusal()
	}},
	{"2.7.4", "a flow without its windows is refused", func(c *client) {
		c.session()
		c.raw(0, amqp.DescriptorFlow)
		c.expectRefusal()
	}},
	{"2.7.5", "a transfer without a handle is refused", func(c *client) {
		c.session()
		c.raw(0, amqp.DescriptorTransfer)
		c.expectRefusal()
	}},
	{"2.7.6", "a disposition without role and range is refused", func(c *client) {
		c.session()
		c.raw(0, amqp.DescriptorDisposition)
		c.expectRefusal()
	}},
	{"2.7.7", "a detach without a handle is refused", func(c *client) {
		c.session()
		c.raw(0, amqp.DescriptorDetach)
		c.expectRefusal()
	}},
	{"2.7.1", "a field of the wrong type is refused", func(c *client) {
		c.layer()
		c.raw(0, amqp.DescriptorOpen, 0x43) // container-id is the uint 0
		c.expectRefusal()
	}},
	{"2.8.14", "an error without a condition is refused", func(c *client) {
		c.session()
		c.raw(0, amqp.DescriptorEnd, 0x00, 0x53, 0x1d, 0x45)
		c.expectRefusal()
	}},
}

// raw sends a performative whose one field, if any, is encoded in b.
func (c *client) raw(channel uint16, descriptor uint64, b ...byte) {
	list := []byte{0x45}
	if len(b) > 0 {
		list = append([]byte{0xc0, byte(len(b) + 1), 1}, b...)
	}
	body := amqp.AppendDescriptor(frame.Start(nil, frame.AMQP, channel), descriptor)
	c.write(frame.Finish(append(body, list...), 0))
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

// expectRefusal reads up to an end, a close or the end of the connection: where a performative cannot be read, it is left
// to the host which of them it is.
func (c *client) expectRefusal() {
	for {
		r, ok := c.next()
		if !ok {
			return
		}
		switch p := r.body.(type) {
		case *frame.End:
			c.checkCondition("end", p.Error, nil)
			return
		case *frame.Close:
			c.checkCondition("close", p.Error, nil)
			return
		case *frame.Open, *frame.Flow:
		default:
			c.failf("%v came, want end or close", r)
		}
	}
}
