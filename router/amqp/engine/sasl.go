package engine

import (
	"slices"

	"github.com/manifoldmq/manifold/router/amqp"
	"github.com/manifoldmq/manifold/router/amqp/frame"
)

// Authentication is one step of a client's authentication [5.3.2].
type Authentication struct {
	Mechanism amqp.Symbol // the client's choice among those offered
	First     bool        // the step is the client's sasl-init, not an answer to a Challenge
	Response  []byte      // what the client says, borrowed; nil for no initial response
	Hostname  string      // of the virtual host that the client wants, as it said in sasl-init
}

// sasl is the state of the security layer.
type sasl struct {
	offer      []amqp.Symbol // server
	optional   bool          // server: AMQP without SASL is let in
	mechanisms []Mechanism   // client
	mechanism  Mechanism     // client: the chosen one
	hostname   string        // client: to say; server: as said
	chosen     amqp.Symbol   // server: what the client has chosen
	deciding   bool          // server: a step was handed to the owner, who has not answered
	done       bool          // there is no SASL layer, or it is over
	opened     bool          // client: our open is written
}

func (c *Conn) writeSASL(p performative) {
	start := len(c.out)
	c.out = frame.Finish(p.Append(frame.Start(c.out, frame.SASL, 0)), start)
}

func (c *Conn) offerMechanisms() {
	c.writeSASL(&frame.SASLMechanisms{Mechanisms: c.sasl.offer})
}

// saslFrame handles a frame of the security layer.
func (c *Conn) saslFrame(body []byte) *frame.Error {
	d := amqp.NewDecoder(body)
	descriptor := d.ReadDescriptor()
	if err := d.Err(); err != nil {
		return c.unreadable(err)
	}
	switch {
	case !c.client && descriptor == amqp.DescriptorSASLInit && c.sasl.chosen == "":
		return c.saslInit(&d)
	case !c.client && descriptor == amqp.DescriptorSASLResponse && c.sasl.chosen != "":
		return c.saslResponse(&d)
	case c.client && descriptor == amqp.DescriptorSASLMechanisms && c.sasl.mechanism == nil:
		return c.saslMechanisms(&d)
	case c.client && descriptor == amqp.DescriptorSASLChallenge && c.sasl.mechanism != nil:
		return c.saslChallenge(&d)
	case c.client && descriptor == amqp.DescriptorSASLOutcome && c.sasl.mechanism != nil:
		return c.saslOutcome(&d)
	}
	return &frame.Error{Condition: frame.IllegalState, Description: "frame is not the next one of SASL"}
}

// saslInit reads the client's choice. A mechanism that was not offered fails the authentication [5.3.3.2].
func (c *Conn) saslInit(d *amqp.Decoder) *frame.Error {
	init := frame.SASLInit{}
	if e := c.read(d, &init); e != nil {
		return e
	}
	if !slices.Contains(c.sasl.offer, init.Mechanism) {
		c.Deny(frame.SASLAuth)
		return nil
	}
	c.sasl.chosen, c.sasl.hostname = init.Mechanism, init.Hostname
	c.authenticate(true, init.InitialResponse)
	return nil
}

func (c *Conn) saslResponse(d *amqp.Decoder) *frame.Error {
	response := frame.SASLResponse{}
	if e := c.read(d, &response); e != nil {
		return e
	}
	c.authenticate(false, response.Response)
	return nil
}

func (c *Conn) authenticate(first bool, response []byte) {
	c.sasl.deciding = true
	c.handler.Authenticate(Authentication{Mechanism: c.sasl.chosen, First: first, Response: response,
		Hostname: c.sasl.hostname})
}

// Challenge asks the client for one more step.
func (c *Conn) Challenge(challenge []byte) {
	if !c.sasl.deciding || c.phase != atSASL {
		return
	}
	c.sasl.deciding = false
	c.writeSASL(&frame.SASLChallenge{Challenge: challenge})
}

// Admit tells the client that it is authenticated, with what the mechanism adds to that; nil for nothing.
func (c *Conn) Admit(additional []byte) {
	if !c.sasl.deciding || c.phase != atSASL {
		return
	}
	c.sasl.deciding, c.sasl.done = false, true
	c.writeSASL(&frame.SASLOutcome{Code: frame.SASLOK, AdditionalData: additional})
	c.phase = atHeader
}

// Deny tells the client that it is not authenticated, and ends the connection. The code is not SASLOK.
func (c *Conn) Deny(code frame.SASLCode) {
	if c.phase != atSASL {
		return
	}
	c.sasl.deciding = false
	c.writeSASL(&frame.SASLOutcome{Code: code})
	e := &frame.Error{Condition: frame.UnauthorizedAccess, Description: "authentication failed"}
	c.finish(Ending{By: ByUs, Error: e})
}

// saslMechanisms chooses the first of our mechanisms that the server offers.
func (c *Conn) saslMechanisms(d *amqp.Decoder) *frame.Error {
	offer := frame.SASLMechanisms{}
	if e := c.read(d, &offer); e != nil {
		return e
	}
	for _, m := range c.sasl.mechanisms {
		if !slices.Contains(offer.Mechanisms, m.Name()) {
			continue
		}
		initial, err := m.Start()
		if err != nil {
			return &frame.Error{Condition: frame.UnauthorizedAccess, Description: err.Error()}
		}
		c.sasl.mechanism = m
		c.writeSASL(&frame.SASLInit{Mechanism: m.Name(), InitialResponse: initial, Hostname: c.sasl.hostname})
		return nil
	}
	return &frame.Error{Condition: frame.UnauthorizedAccess, Description: "server offers none of our SASL mechanisms"}
}

func (c *Conn) saslChallenge(d *amqp.Decoder) *frame.Error {
	challenge := frame.SASLChallenge{}
	if e := c.read(d, &challenge); e != nil {
		return e
	}
	response, err := c.sasl.mechanism.Respond(challenge.Challenge)
	if err != nil {
		return &frame.Error{Condition: frame.UnauthorizedAccess, Description: err.Error()}
	}
	c.writeSASL(&frame.SASLResponse{Response: response})
	return nil
}

// saslOutcome reads the server's verdict. After it the AMQP layer begins, with headers of its own [5.3.2].
func (c *Conn) saslOutcome(d *amqp.Decoder) *frame.Error {
	outcome := frame.SASLOutcome{}
	if e := c.read(d, &outcome); e != nil {
		return e
	}
	if outcome.Code != frame.SASLOK {
		c.finish(Ending{By: ByPeer, Error: &frame.Error{Condition: frame.UnauthorizedAccess,
			Description: "server refused the authentication"}})
		return nil
	}
	if err := c.sasl.mechanism.Verify(outcome.AdditionalData); err != nil {
		return &frame.Error{Condition: frame.UnauthorizedAccess, Description: err.Error()}
	}
	c.sasl.done = true
	c.phase = atHeader
	c.out = append(c.out, frame.ProtocolAMQP[:]...)
	c.sayOpen()
	return nil
}
