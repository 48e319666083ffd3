package conformance

import (
	"slices"

	"github.com/manifoldmq/manifold/router/amqp"
	"github.com/manifoldmq/manifold/router/amqp/frame"
)

// security is about TLS and SASL [5].
var security = []scenario{
	{"5.2", "a TLS header is answered with TLS, or with another header and a close", func(c *client) {
		c.write(frame.ProtocolTLS[:])
		if h := c.readHeader(); h == frame.ProtocolTLS {
			return
		}
		if _, err := c.in.ReadByte(); err == nil || !isClosed(err) {
			c.failf("the connection goes on")
		}
	}},
	{"5.3.2", "SASL is answered with its header and the mechanisms", func(c *client) {
		c.header(frame.ProtocolSASL)
		if m, _ := expect[frame.SASLMechanisms](c); len(m.Mechanisms) == 0 {
			c.failf("no mechanism is offered")
		}
	}},
	{"5.3.2", "after a good outcome the AMQP header is awaited", func(c *client) { c.layer() }},
	{"5.3.2", "a mechanism that is not offered is not let in", func(c *client) {
		c.header(frame.ProtocolSASL)
		expect[frame.SASLMechanisms](c)
		c.send(0, &frame.SASLInit{Mechanism: "X-NONE", InitialResponse: []byte("x")})
		c.expectNotLetIn()
	}},
	{"5.3.2", "a response of PLAIN that cannot be read is not let in", func(c *client) {
		c.header(frame.ProtocolSASL)
		if m, _ := expect[frame.SASLMechanisms](c); !slices.Contains(m.Mechanisms, amqp.Symbol("PLAIN")) {
			return
		}
		c.send(0, &frame.SASLInit{Mechanism: "PLAIN", InitialResponse: []byte("nothing")})
		c.expectNotLetIn()
	}},
	{"5.3.2", "an outcome cannot be had by sending one", func(c *client) {
		c.header(frame.ProtocolSASL)
		expect[frame.SASLMechanisms](c)
		c.send(0, &frame.SASLOutcome{Code: frame.SASLOK})
		c.write(frame.ProtocolAMQP[:])
		c.expectNotLetIn()
	}},
	{"5.3.1", "the channel of a SASL frame is ignored", func(c *client) {
		c.header(frame.ProtocolSASL)
		expect[frame.SASLMechanisms](c)
		c.send(77, credentials())
		if o, _ := expect[frame.SASLOutcome](c); o.Code != frame.SASLOK {
			c.failf("the outcome is %d", o.Code)
		}
	}},
	{"5.3.1", "the extended header of a SASL frame is ignored", func(c *client) {
		c.header(frame.ProtocolSASL)
		expect[frame.SASLMechanisms](c)
		b := slices.Insert(encode(0, credentials()), frame.HeaderSize, 1, 2, 3, 4)
		b[4] = 3
		c.write(frame.Finish(b, 0))
		if o, _ := expect[frame.SASLOutcome](c); o.Code != frame.SASLOK {
			c.failf("the outcome is %d", o.Code)
		}
	}},
	{"5.3.1", "a frame of AMQP before the outcome is not let in", func(c *client) {
		c.header(frame.ProtocolSASL)
		expect[frame.SASLMechanisms](c)
		c.send(0, hello())
		c.expectNotLetIn()
	}},
}

// expectNotLetIn reads a bad outcome or none, and the end of the connection.
func (c *client) expectNotLetIn() {
	for {
		r, ok := c.next()
		if !ok {
			return
		}
		if o, isOutcome := r.body.(*frame.SASLOutcome); !isOutcome || o.Code == frame.SASLOK {
			c.failf("%v came", r)
		}
	}
}
