package conformance

import (
	"github.com/manifoldmq/manifold/router/amqp"
	"github.com/manifoldmq/manifold/router/amqp/frame"
)

// termini are about sources and targets [3.5].
var termini = []scenario{
	{"3.5.3", "a dynamic source is answered with its address, which can be sent to", func(c *client) {
		s := c.session()
		a := from("")
		a.Name, a.Source = "dynamic", &frame.Source{Dynamic: true}
		l := s.attach(a)
		address := l.remote.Source.Address
		if address == "" || !l.remote.Source.Dynamic {
			c.failf("the source is %+v", l.remote.Source)
		}
		l.give(1)
		out := s.sender(address)
		t := out.transfer()
		t.Settled = true
		out.piece(t, text("answer"))
		l.expectTexts("answer")
	}},
	{"3.5.3", "dynamic sources differ", func(c *client) {
		s := c.session()
		a := from("")
		a.Source = &frame.Source{Dynamic: true}
		a.Name = "first"
		first := s.attach(a)
		a.Name = "second"
		if second := s.attach(a); first.remote.Source.Address == second.remote.Source.Address {
			c.failf("both are %q", second.remote.Source.Address)
		}
	}},
	{"3.5.3", "a filter that the host does not know is not in the source of the answer", func(c *client) {
		s := c.session()
		a := from(c.host.newQueue())
		w := amqp.BeginFields(nil)
		w.Put(amqp.AppendNull(append(w.Key("nonsense"), 0x00, 0xa3, 6, 'x', ':', 'n', 'o', 'n', 'e')))
		a.Source.Filter = w.End()
		l := s.attach(a)
		if l.remote.Source.Filter == nil {
			return
		}
		if filters, ok := l.remote.Source.Filter.Map(); ok && filters.Len() > 0 {
			c.failf("the answer has %d filters", filters.Len())
		}
	}},
	{"3.5.3", "a source that is copied from keeps its messages, or the link is refused or says move", func(c *client) {
		s, address := c.session(), c.host.newQueue()
		s.fill(address, "1")
		a := from(address)
		a.Source.DistributionMode = frame.DistributionCopy
		l := s.offer(a)
		if l.answered(a); l.remote.Source == nil || l.remote.Source.DistributionMode != frame.DistributionCopy {
			c.absent("no source is copied from")
		}
		l.give(1)
		m := l.expectTexts("1")[0]
		l.settle(m, m, frame.State{Kind: frame.Accepted})
		l.detach(true)
		s.remains(address, "1")
	}},
	{"3.5.3", "a dynamic source says how long its node lasts", func(c *client) {
		a := from("")
		a.Name, a.Source = "dynamic", &frame.Source{Dynamic: true}
		w := amqp.BeginFields(nil)
		policy := amqp.BeginList(amqp.AppendDescriptor(w.Key("lifetime-policy"), amqp.DescriptorDeleteOnClose))
		w.Put(policy.End())
		a.Source.DynamicNodeProperties = w.End()
		l := c.session().attach(a)
		properties, _ := l.remote.Source.DynamicNodeProperties.Map()
		if policy, ok := properties.Lookup("lifetime-policy"); ok {
			if _, _, ok := policy.Described(); !ok {
				c.failf("the lifetime-policy is not a described type")
			}
		}
	}},
	{"3.5.3", "a source says whether it is copied from, as it can be both", func(c *client) {
		s, address := c.session(), c.host.newQueue()
		a := from(address)
		a.Source.DistributionMode = frame.DistributionCopy
		copying := s.offer(a)
		if copying.answered(a); copying.remote.Source == nil || copying.remote.Source.DistributionMode != frame.DistributionCopy {
			c.absent("no source is copied from")
		}
		moving := from(address)
		moving.Name = "moving"
		if l := s.attach(moving); l.remote.Source.DistributionMode == "" {
			c.failf("the source has no distribution-mode")
		}
	}},
	{"3.5.2", "a link that copies does not get the same message twice", func(c *client) {
		s, address := c.session(), c.host.newQueue()
		s.fill(address, "1", "2")
		a := from(address)
		a.Source.DistributionMode = frame.DistributionCopy
		l := s.offer(a)
		if l.answered(a); l.remote.Source == nil || l.remote.Source.DistributionMode != frame.DistributionCopy {
			c.absent("no source is copied from")
		}
		l.give(5)
		for _, m := range l.expectTexts("1", "2") {
			l.settle(m, m, frame.State{Kind: frame.Accepted})
		}
		if n, _ := s.barrier(); n > 0 {
			c.failf("%d more came", n)
		}
	}},
	{"3.5.3", "filters that are known and not are told apart in the answer", func(c *client) {
		s, address := c.session(), c.host.newQueue()
		l := s.sender(address)
		for _, color := range []string{"red", "blue"} {
			w := amqp.BeginApplicationProperties(nil)
			w.String("color", color)
			l.put(append(w.End(), text(color)...))
		}
		a := from(address)
		w := amqp.BeginFields(nil)
		w.Put(amqp.AppendString(append(w.Key("selector"), 0x00, 0x80, 0, 0, 0x46, 0x8c, 0, 0, 0, 4), "color = 'blue'"))
		w.Put(amqp.AppendNull(append(w.Key("nonsense"), 0x00, 0xa3, 6, 'x', ':', 'n', 'o', 'n', 'e')))
		a.Source.Filter = w.End()
		r := s.attach(a)
		filters, _ := r.remote.Source.Filter.Map()
		if _, ok := filters.Lookup("nonsense"); ok {
			c.failf("the answer has a filter that nobody knows")
		}
		r.give(1)
		if _, ok := filters.Lookup("selector"); ok {
			r.expectTexts("blue")
			return
		}
		r.expectTexts("red")
	}},
	{"3.5.3", "a source without outcomes takes accepted", func(c *client) {
		s, address := c.session(), c.host.newQueue()
		s.fill(address, "1")
		a := from(address)
		a.Source.Outcomes = nil
		l := s.attach(a)
		l.give(1)
		m := l.expectTexts("1")[0]
		l.settle(m, m, frame.State{Kind: frame.Accepted})
		l.detach(true)
		s.remains(address)
	}},
	{"3.5.4", "a dynamic target is answered with its address, which can be received from", func(c *client) {
		s := c.session()
		a := toward("")
		a.Name, a.Target = "dynamic", &frame.Target{Dynamic: true}
		l := s.attach(a)
		address := l.remote.Target.Address
		if address == "" || !l.remote.Target.Dynamic {
			c.failf("the target is %+v", l.remote.Target)
		}
		r := s.receiver(address, 1)
		l.awaitCredit()
		t := l.transfer()
		t.Settled = true
		l.piece(t, text("x"))
		r.expectTexts("x")
	}},
	{"3.5.3", "what the host says of a source is as it may be", func(c *client) {
		s, address := c.session(), c.host.newQueue()
		a := from(address)
		s.attach(a)
		a.Name, a.Source.DefaultOutcome = "modifies", frame.State{Kind: frame.Modified, DeliveryFailed: true}
		s.attach(a)
		a.Name, a.Source.DistributionMode = "copies", frame.DistributionCopy
		s.offer(a).answered(a)
		c.withoutSlips()
	}},
}
