package conformance

import (
	"github.com/manifoldmq/manifold/router/amqp/frame"
)

// durables are about termini that outlive their links [2.6.3, 3.5.5, 3.5.6].
var durables = []scenario{
	{"3.5.6", "a source that never expires keeps what comes while its link is detached", func(c *client) {
		s, address := c.session(), c.host.newTopic()
		l := s.durable(address)
		l.detach(false)
		s.publish(address, "1")
		l = s.durable(address)
		l.give(1)
		l.expectTexts("1")
		l.detach(true)
	}},
	{"3.5.6", "a source that never expires is still there after its connection is lost", func(c *client) {
		lost, address := c.another(), c.host.newTopic()
		lost.session().durable(address)
		lost.nc.Close()
		s := c.session()
		s.publish(address, "1")
		l := s.durable(address)
		l.give(1)
		l.expectTexts("1")
		l.detach(true)
	}},
	{"2.6.3", "a durable source is found by the name of its link", func(c *client) {
		s, address := c.session(), c.host.newTopic()
		l := s.durable(address)
		l.detach(false)
		s.publish(address, "1")
		a := from(address)
		a.Source = nil
		if l = s.attach(a); l.remote.Source.Address == "" {
			c.failf("the source has no address")
		}
		l.give(1)
		l.expectTexts("1")
		l.detach(true)
	}},
	{"2.6.6", "a durable source ends when its link is closed", func(c *client) {
		s, address := c.session(), c.host.newTopic()
		l := s.durable(address)
		l.detach(true)
		a := from(address)
		a.Source = nil
		s.offer(a).expectRefusal(a)
	}},
	{"2.6.3", "a durable source that holds unsettled deliveries for its link says so when it is attached again",
		func(c *client) {
			s, address := c.session(), c.host.newTopic()
			l := s.durable(address)
			s.publish(address, "1")
			l.give(1)
			tag := l.expectTexts("1")[0].DeliveryTag
			l.detach(false)
			a := durable(address)
			a.Unsettled = unsettled(tag, frame.State{})
			claims := l.remote.Source.Durable == frame.DurableUnsettled
			if l = s.attach(a); claims && !l.remembers(tag) {
				c.failf("the source was said to keep unsettled state, and its attach has none")
			}
			l.give(1)
			l.get()
			l.detach(true)
		}},
	{"2.6.1", "a durable source attached again on another connection is stolen from its former link",
		func(c *client) {
			address := c.host.newTopic()
			former := c.session().durable(address)
			s := c.another().session()
			l := s.durable(address)
			former.expectStolen()
			s.publish(address, "1")
			l.give(1)
			l.expectTexts("1")
			l.detach(true)
		}},
}

// durable gives the attach of a link whose source is to outlive it.
func durable(address string) frame.Attach {
	a := from(address)
	a.Source.Durable, a.Source.ExpiryPolicy = frame.DurableUnsettled, frame.ExpireNever
	return a
}

// durable attaches a link whose source outlives it, if the host has such.
func (s *session) durable(address string) *link {
	l := s.attach(durable(address))
	if source := l.remote.Source; source.Durable == frame.NotDurable || source.ExpiryPolicy != frame.ExpireNever {
		s.absent("no source outlives its link")
	}
	return l
}

// publish sends to a topic.
func (s *session) publish(address string, texts ...string) { s.fill(address, texts...) }
