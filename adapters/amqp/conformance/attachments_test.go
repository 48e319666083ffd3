package conformance

import (
	"github.com/manifoldmq/manifold/router/amqp"
	"github.com/manifoldmq/manifold/router/amqp/frame"
)

var handleInUse = []amqp.Symbol{frame.HandleInUse}

// attachments are about attach and detach [2.6.1 to 2.6.6, 2.7.3].
var attachments = []scenario{
	{"2.6.1", "two links of opposite directions may have the same name", func(c *client) {
		s, address := c.session(), c.host.newQueue()
		out, in := toward(address), from(address)
		out.Name, in.Name = "same", "same"
		l := s.attach(out)
		r := s.attach(in)
		l.awaitCredit()
		l.put(text("x"))
		r.give(1)
		r.expectTexts("x")
	}},
	{"2.6.3", "attach is answered with attach of the same name and the other role", func(c *client) {
		s, address := c.session(), c.host.newQueue()
		l := s.attach(toward(address))
		if l.remote.Target.Address != address {
			c.failf("the target is %q, want %q", l.remote.Target.Address, address)
		}
		if l := s.attach(from(address)); l.remote.Source.Address != address {
			c.failf("the source is %q, want %q", l.remote.Source.Address, address)
		}
	}},
	{"2.6.3", "a sender whose target is refused hears an attach without one and a detach with an error", func(c *client) {
		s, a := c.session(), toward(*nowhere)
		l := s.offer(a)
		l.expectRefusal(a)
		if l.remote.Target != nil {
			c.failf("the attach has a target")
		}
		s.barrier()
	}},
	{"2.6.3", "a receiver whose source is refused hears an attach without one and a detach with an error", func(c *client) {
		s, a := c.session(), from(*nowhere)
		l := s.offer(a)
		l.expectRefusal(a)
		if l.remote.Source != nil {
			c.failf("the attach has a source")
		}
		s.barrier()
	}},
	{"2.6.4", "detach is answered with detach, and the link can be attached again", func(c *client) {
		s, address := c.session(), c.host.newQueue()
		for range 3 {
			l := s.attach(toward(address))
			l.awaitCredit()
			l.put(text("x"))
			l.detach(false)
		}
		s.remains(address, "x", "x", "x")
	}},
	{"2.6.6", "a closing detach is answered with one", func(c *client) {
		s, address := c.session(), c.host.newQueue()
		for _, a := range []frame.Attach{toward(address), from(address), from(address)} {
			s.handles = 0 // as it is free again
			if d := s.attach(a).detach(true); !d.Closed {
				c.failf("the answer does not close the link")
			}
		}
	}},
	{"2.6.2", "a handle is free again when its link is detached", func(c *client) {
		s, address := c.session(), c.host.newQueue()
		for _, closed := range []bool{false, true, false} {
			s.handles = 0
			s.attach(toward(address)).detach(closed)
			s.handles = 0
			s.attach(from(address)).detach(closed)
		}
	}},
	{"2.6.3", "the answer to an attach says what the terminus is: a queue's link does not claim what it does not keep",
		func(c *client) {
			s, address := c.session(), c.host.newQueue()
			a := from(address)
			a.Source.Durable, a.Source.ExpiryPolicy = frame.DurableUnsettled, frame.ExpireNever
			l := s.attach(a)
			l.detach(false)
			if l.remote.Source.ExpiryPolicy != frame.ExpireNever || l.remote.Source.Durable == frame.NotDurable {
				return
			}
			a.Source, a.Name = nil, l.remote.Name
			found := s.offer(a)
			found.answered(a)
			if found.remote.Source == nil {
				c.failf("a source that was said to be durable and never to expire is gone")
			}
		}},
	{"2.6.3", "a link that nobody knows is not found by its name", func(c *client) {
		s, a := c.session(), from("")
		a.Name, a.Source = "unheard of", nil
		s.offer(a).expectRefusal(a)
		s.barrier()
	}},
	{"2.6.6", "detach with an error is answered", func(c *client) {
		s, address := c.session(), c.host.newQueue()
		l := s.attach(toward(address))
		s.say(&frame.Detach{Handle: l.handle, Closed: true, Error: &frame.Error{Condition: frame.InternalError}})
		if d, _ := expect[frame.Detach](c); !d.Closed {
			c.failf("the answer does not close the link")
		}
		s.barrier()
	}},
	{"2.6.6", "a detach that crosses the host's is its answer", func(c *client) {
		s := c.session()
		l := s.sender(c.host.newQueue())
		b := encode(0, &frame.Transfer{Handle: l.handle}, text("without id and tag")...)
		c.write(append(b, encode(0, &frame.Detach{Handle: l.handle, Closed: true})...))
		expect[frame.Detach](c)
		s.barrier()
	}},
}

// expectRefusal reads the attach and the detach that refuse a link.
func (l *link) expectRefusal(a frame.Attach) {
	l.answered(a)
	d, _ := expect[frame.Detach](l.client)
	if d.Handle != l.remote.Handle || !d.Closed || d.Error == nil {
		l.failf("the detach is %+v, want one that closes with an error", d)
	}
	l.session.say(&frame.Detach{Handle: l.handle, Closed: true})
}
