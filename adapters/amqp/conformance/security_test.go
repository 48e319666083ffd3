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
			c.absent("PLAIN is not offered")
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
		c.send(77, c.login)
		if o, _ := expect[frame.SASLOutcome](c); o.Code != frame.SASLOK {
			c.failf("the outcome is %d", o.Code)
		}
	}},
	{"5.3.1", "the extended header of a SASL frame is ignored", func(c *client) {
		c.header(frame.ProtocolSASL)
		expect[frame.SASLMechanisms](c)
		b := slices.Insert(encode(0, c.login), frame.HeaderSize, 1, 2, 3, 4)
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
	{"5.3.1", "an empty frame of SASL is the end", func(c *client) {
		c.header(frame.ProtocolSASL)
		expect[frame.SASLMechanisms](c)
		c.write(frame.Finish(frame.Start(nil, frame.SASL, 0), 0))
		c.expectNotLetIn()
	}},
	{"5.3.1", "a frame of SASL that holds a performative of AMQP is the end", func(c *client) {
		c.header(frame.ProtocolSASL)
		expect[frame.SASLMechanisms](c)
		c.write(frame.Finish(hello().Append(frame.Start(nil, frame.SASL, 0)), 0))
		c.expectNotLetIn()
	}},
	{"5.3.2", "a frame before a protocol header is not let in", func(c *client) {
		c.send(0, c.login)
		c.expectRefusedHeader()
	}},
	{"5.3.2", "after a good outcome nothing but a protocol header is taken", func(c *client) {
		c.authenticate()
		c.send(0, hello())
		c.expectRefusedHeader()
	}},
	{"5.3.2", "a frame of SASL after the outcome is not taken", func(c *client) {
		c.layer()
		c.send(0, c.login)
		c.expectClosed()
	}},
	{"5.3.2", "a response that was not asked for is not let in", func(c *client) {
		c.header(frame.ProtocolSASL)
		expect[frame.SASLMechanisms](c)
		c.send(0, &frame.SASLResponse{Response: []byte("x")})
		c.expectNotLetIn()
	}},
	{"5.3.2", "a challenge from a client is not let in", func(c *client) {
		c.header(frame.ProtocolSASL)
		expect[frame.SASLMechanisms](c)
		c.send(0, &frame.SASLChallenge{Challenge: []byte("x")})
		c.expectNotLetIn()
	}},
	{"5.3.2", "the end of SASL cannot be left out by saying the AMQP header early", func(c *client) {
		c.header(frame.ProtocolSASL)
		expect[frame.SASLMechanisms](c)
		c.write(frame.ProtocolAMQP[:])
		c.write(encode(0, hello()))
		c.expectNotLetIn()
	}},
	{"5.3.3", "who chooses no mechanism is not let in", func(c *client) {
		c.header(frame.ProtocolSASL)
		expect[frame.SASLMechanisms](c)
		c.write(frame.Finish(append(frame.Start(nil, frame.SASL, 0), 0x00, 0x53, 0x41, 0x45), 0)) // sasl-init, empty
		c.expectNotLetIn()
	}},
	{"5.3.3", "a wrong password of PLAIN is not let in", func(c *client) {
		c = c.strict()
		wrong := string(c.login.InitialResponse) + " and more"
		if c.login.Mechanism != "PLAIN" {
			wrong = "\x00guest\x00wrong"
		}
		c.header(frame.ProtocolSASL)
		if m, _ := expect[frame.SASLMechanisms](c); !slices.Contains(m.Mechanisms, amqp.Symbol("PLAIN")) {
			c.absent("PLAIN is not offered")
		}
		c.send(0, &frame.SASLInit{Mechanism: "PLAIN", InitialResponse: []byte(wrong)})
		if o, _ := expect[frame.SASLOutcome](c); o.Code == frame.SASLOK {
			c.failf("the outcome is good")
		}
		c.expectNotLetIn()
	}},
	{"5.3.3", "ANONYMOUS is let in only where it is offered", func(c *client) {
		c = c.strict()
		c.header(frame.ProtocolSASL)
		if m, _ := expect[frame.SASLMechanisms](c); slices.Contains(m.Mechanisms, amqp.Symbol("ANONYMOUS")) {
			c.absent("ANONYMOUS is offered")
		}
		c.send(0, anonymous())
		c.expectNotLetIn()
	}},
	{"5.3.3", "who leaves SASL out is let in only where ANONYMOUS is offered", func(c *client) {
		c = c.strict()
		c.header(frame.ProtocolSASL)
		if m, _ := expect[frame.SASLMechanisms](c); slices.Contains(m.Mechanisms, amqp.Symbol("ANONYMOUS")) {
			c.absent("ANONYMOUS is offered")
		}
		c = c.strict()
		c.write(frame.ProtocolAMQP[:])
		c.expectRefusedHeader()
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
