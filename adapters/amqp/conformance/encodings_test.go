package conformance

import (
	"github.com/manifoldmq/manifold/router/amqp"
	"github.com/manifoldmq/manifold/router/amqp/frame"
)

// encodings are about the forms that the same value may have [1.3, 1.6].
var encodings = []scenario{
	{"1.3", "a performative whose descriptor is a symbol is understood", func(c *client) {
		c.layer()
		b := amqp.AppendSymbol(append(frame.Start(nil, frame.AMQP, 0), 0x00), "amqp:open:list")
		c.write(frame.Finish(append(b, 0xc0, 4, 1, 0xa1, 1, 'x'), 0))
		c.opened(hello())
	}},
	{"1.6", "a performative in its longest encoding is understood", func(c *client) {
		c.layer()
		b := append(frame.Start(nil, frame.AMQP, 0), 0x00, 0x80, 0, 0, 0, 0, 0, 0, 0, 0x10) // the descriptor as a ulong
		b = append(b, 0xd0, 0, 0, 0, 16, 0, 0, 0, 3)                                        // a list32 of three
		b = append(b, 0xb1, 0, 0, 0, 1, 'x', 0x40, 0x70, 0, 0, 2, 0)                        // container-id, null, 512
		c.write(frame.Finish(b, 0))
		expect[frame.Open](c)
	}},
	{"1.4", "fields at the end that are null are as good as left out", func(c *client) {
		c.layer()
		b := append(frame.Start(nil, frame.AMQP, 0), 0x00, 0x53, 0x10)
		c.write(frame.Finish(append(b, 0xc0, 13, 10, 0xa1, 1, 'x', 0x40, 0x40, 0x40, 0x40, 0x40, 0x40, 0x40, 0x40, 0x40), 0))
		c.opened(hello())
	}},
}
