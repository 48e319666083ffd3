package engine

import "github.com/manifoldmq/manifold/router/amqp/frame"

// protocolHeader handles the eight bytes that begin a layer [2.2]. A header that is not the one we expect is answered
// with that one, and the connection ends.
func (c *Conn) protocolHeader(h frame.ProtocolHeader) *frame.Error {
	switch {
	case c.client:
		return c.serverHeader(h)
	case h == frame.ProtocolSASL && !c.sasl.done && len(c.sasl.offer) > 0:
		c.out = append(c.out, frame.ProtocolSASL[:]...)
		c.phase = atSASL
		c.offerMechanisms()
		return nil
	case h == frame.ProtocolAMQP && (c.sasl.done || c.sasl.optional):
		c.out = append(c.out, frame.ProtocolAMQP[:]...)
		c.phase = atOpen
		return nil
	}
	want := frame.ProtocolAMQP
	if !c.sasl.done && len(c.sasl.offer) > 0 {
		want = frame.ProtocolSASL
	}
	c.out = append(c.out, want[:]...)
	return &frame.Error{Condition: frame.NotImplemented, Description: "protocol header is not one that is offered here"}
}

// serverHeader handles the server's answer to our header.
func (c *Conn) serverHeader(h frame.ProtocolHeader) *frame.Error {
	switch {
	case h == frame.ProtocolSASL && !c.sasl.done:
		c.phase = atSASL
	case h == frame.ProtocolAMQP && c.sasl.done:
		c.phase = atOpen
	default:
		return &frame.Error{Condition: frame.NotImplemented, Description: "server answered with another protocol header"}
	}
	return nil
}
