package conformance

import (
	"github.com/manifoldmq/manifold/router/amqp"
	"github.com/manifoldmq/manifold/router/amqp/frame"
)

// outcomes are about how a delivery ends [3.4].
var outcomes = []scenario{
	{"3.4", "what a receiver has not settled comes again when its link ends", func(c *client) {
		s, address := c.session(), c.host.newQueue()
		s.fill(address, "1", "2")
		l := s.receiver(address, 2)
		l.expectTexts("1", "2")
		l.detach(true)
		s.remains(address, "1", "2")
	}},
	{"3.4", "what a receiver has not settled comes again when its session ends", func(c *client) {
		c.open(hello())
		s, other, address := c.begin(0, 100), c.begin(1, 100), c.host.newQueue()
		other.fill(address, "1")
		s.receiver(address, 2).expectTexts("1")
		s.say(&frame.End{})
		expect[frame.End](c)
		other.remains(address, "1")
	}},
	{"3.4", "what a receiver has not settled comes again when its connection is lost", func(c *client) {
		lost := c.another()
		s, address := lost.session(), c.host.newQueue()
		s.fill(address, "1")
		s.receiver(address, 2).expectTexts("1")
		lost.nc.Close()
		s = c.session()
		s.receiver(address, 1).expectTexts("1")
	}},
	{"3.4.2", "what was accepted does not come again", func(c *client) {
		c.comesAgain(frame.State{Kind: frame.Accepted}, false, false)
	}},
	{"3.4.3", "what was rejected does not come again", func(c *client) {
		c.comesAgain(frame.State{Kind: frame.Rejected, Error: &frame.Error{Condition: "test:no"}}, false, false)
	}},
	{"3.4.4", "what was released comes again, with the delivery-count it had", func(c *client) {
		c.comesAgain(frame.State{Kind: frame.Released}, true, false)
	}},
	{"3.4.5", "what was modified comes again, with the delivery-count it had", func(c *client) {
		c.comesAgain(frame.State{Kind: frame.Modified}, true, false)
	}},
	{"3.4.5", "what was modified as a failed delivery comes again with its delivery-count raised", func(c *client) {
		c.comesAgain(frame.State{Kind: frame.Modified, DeliveryFailed: true}, true, true)
	}},
	{"3.4.5", "what was modified as undeliverable here does not come to that link again", func(c *client) {
		s, address := c.session(), c.host.newQueue()
		s.fill(address, "1")
		l := s.receiver(address, 1)
		m := l.expectTexts("1")[0]
		l.settle(m, m, frame.State{Kind: frame.Modified, UndeliverableHere: true})
		if n := l.drain(5); n > 0 {
			c.failf("it came again")
		}
	}},
	{"3.4.5", "the annotations of modified are in the message that comes again", func(c *client) {
		s, address := c.session(), c.host.newQueue()
		s.fill(address, "1")
		l := s.receiver(address, 1)
		m := l.expectTexts("1")[0]
		w := amqp.BeginFields(nil)
		w.String("x-opt-note", "tried")
		l.settle(m, m, frame.State{Kind: frame.Modified, Annotations: w.End()})
		l.give(1)
		for key, note := range l.expectTexts("1")[0].MessageAnnotations().All() {
			if key.Value() == amqp.Symbol("x-opt-note") && note.Value() == "tried" {
				return
			}
		}
		c.failf("the annotation is missing")
	}},
	{"3.5.3", "a settlement without a state counts as the default outcome of the source", func(c *client) {
		s, address := c.session(), c.host.newQueue()
		s.fill(address, "1")
		a := from(address)
		a.Source.DefaultOutcome = frame.State{Kind: frame.Accepted}
		a.Source.Outcomes = []amqp.Symbol{"amqp:accepted:list", "amqp:released:list"}
		l := s.attach(a)
		l.give(1)
		m := l.expectTexts("1")[0]
		l.settle(m, m, frame.State{})
		want := []string{"1"}
		if l.remote.Source.DefaultOutcome.Kind == frame.Accepted {
			want = nil
		}
		l.detach(true)
		s.remains(address, want...)
	}},
}

// comesAgain settles a message with a state, and checks whether the queue has it still, and with which delivery-count.
func (c *client) comesAgain(state frame.State, again, counted bool) {
	s, address := c.session(), c.host.newQueue()
	s.fill(address, "1")
	l := s.receiver(address, 1)
	m := l.expectTexts("1")[0]
	before, _ := m.Header()
	l.settle(m, m, state)
	l.detach(true)
	if !again {
		s.remains(address)
		return
	}
	a := from(address)
	a.Name = "second"
	l = s.attach(a)
	l.give(1)
	after, _ := l.expectTexts("1")[0].Header()
	if raised := after.DeliveryCount > before.DeliveryCount; raised != counted {
		c.failf("delivery-count went from %d to %d", before.DeliveryCount, after.DeliveryCount)
	}
}
