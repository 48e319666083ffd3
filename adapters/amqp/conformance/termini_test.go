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
			return
		}
		l.give(1)
		m := l.expectTexts("1")[0]
		l.settle(m, m, frame.State{Kind: frame.Accepted})
		l.detach(true)
		s.remains(address, "1")
	}},
}

// transactions are about the coordinator, which need not be there [4].
var transactions = []scenario{
	{"4.2", "a coordinator declares transactions, or its link is refused", func(c *client) {
		s := c.session()
		a := frame.Attach{
			Name: "coordinator", Role: frame.Sender, SenderSettleMode: frame.SendMixed,
			Source: source("here"), Coordinator: &frame.Coordinator{},
		}
		l := s.offer(a)
		if l.answered(a); l.remote.Coordinator == nil {
			if d, _ := expect[frame.Detach](c); d.Error == nil {
				c.failf("the link is refused without an error")
			}
			return
		}
		l.awaitCredit()
		t := l.transfer()
		l.piece(t, []byte{0x00, 0x53, 0x77, 0x00, 0x53, 0x31, 0x45}) // a value that is declare
		if d, _ := expect[frame.Disposition](c); d.State.Kind != frame.Declared || len(d.State.TxnID) == 0 {
			c.failf("declare is answered with %v", d.State.Kind)
		}
	}},
}
