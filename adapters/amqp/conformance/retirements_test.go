package conformance

import (
	"github.com/manifoldmq/manifold/router/amqp"
	"github.com/manifoldmq/manifold/router/amqp/frame"
)

// retirements are about deliveries that end in transactions [4.4.2 to 4.4.4].
var retirements = []scenario{
	{"4.4.2", "what was accepted in a transaction is gone after the commit",
		transactional(func(s *session, co *controller) {
			for _, settled := range []bool{true, false} {
				address := s.host.newQueue()
				s.fill(address, "1")
				txn := co.declare()
				l := s.receiver(address, 1)
				l.retire(txn, l.expectTexts("1")[0], frame.Accepted, settled)
				co.commitAndMore(txn)
				l.detach(true)
				s.remains(address)
			}
		})},
	{"4.4.2", "what was accepted in a transaction is the receiver's still after a rollback",
		transactional(func(s *session, co *controller) {
			address := s.host.newQueue()
			s.fill(address, "1")
			txn := co.declare()
			l := s.receiver(address, 1)
			m := l.expectTexts("1")[0]
			l.retire(txn, m, frame.Accepted, false)
			co.rollBack(txn)
			s.remains(address) // nobody else gets it
			l.settle(m, m, frame.State{Kind: frame.Accepted})
			l.detach(true)
			s.remains(address)
		})},
	{"4.4.2", "a delivery that was rolled back can end in another transaction",
		transactional(func(s *session, co *controller) {
			address := s.host.newQueue()
			s.fill(address, "1")
			l := s.receiver(address, 1)
			m := l.expectTexts("1")[0]
			first := co.declare()
			l.retire(first, m, frame.Accepted, false)
			co.rollBack(first)
			second := co.declare()
			l.retire(second, m, frame.Released, false)
			co.commitAndMore(second)
			l.detach(true)
			s.remains(address, "1")
		})},
	{"4.4.2", "messages that are sent and taken in one transaction are one step",
		transactional(func(s *session, co *controller) {
			from, to := s.host.newQueue(), s.host.newQueue()
			s.fill(from, "1")
			txn, l := co.declare(), s.sender(to)
			r := s.receiver(from, 1)
			r.retire(txn, r.expectTexts("1")[0], frame.Accepted, true)
			l.post(txn, "2")
			s.remains(to)
			co.commit(txn)
			s.remains(to, "2")
			r.detach(true)
			s.remains(from)
		})},
	{"4.4.2", "an end in an unknown transaction is not taken", transactional(func(s *session, co *controller) {
		address := s.host.newQueue()
		s.fill(address, "1")
		l := s.receiver(address, 1)
		l.retire([]byte("unheard of"), l.expectTexts("1")[0], frame.Accepted, false)
		l.expectError()
		s.remains(address, "1")
	})},
	{"4.4.3", "who cannot acquire in a transaction ends the link that asks for it, and others do",
		transactional(func(s *session, co *controller) {
			address := s.host.newQueue()
			s.fill(address, "1")
			txn := co.declare()
			l := s.receiver(address, 0)
			f := l.linkFlow(1)
			w := amqp.BeginFields(nil)
			w.Binary("txn-id", txn)
			f.Properties = w.End()
			s.say(&f)
			for {
				r, ok := s.next()
				if !ok {
					s.failf("the connection was closed")
				}
				switch p := r.body.(type) {
				case *frame.Detach:
					s.checkCondition("detach", p.Error, []amqp.Symbol{frame.NotImplemented})
					return
				case *frame.Transfer:
					if p.State.Kind != frame.Transactional || string(p.State.TxnID) != string(txn) {
						s.failf("the message is acquired in %x", p.State.TxnID)
					}
					return
				}
			}
		})},
	{"4.4.4", "what was settled in a transaction ends as the source's default after a rollback",
		transactional(func(s *session, co *controller) {
			address := s.host.newQueue()
			s.fill(address, "1")
			a := from(address)
			a.Source.DefaultOutcome = frame.State{Kind: frame.Released}
			l := s.attach(a)
			txn := co.declare()
			l.give(1)
			l.retire(txn, l.expectTexts("1")[0], frame.Accepted, true)
			co.rollBack(txn)
			s.remains(address, "1")
		})},
	{"4.4.4", "what was sent and is not yet settled when the link ends is there after the commit",
		transactional(func(s *session, co *controller) {
			address := s.host.newQueue()
			txn := co.declare()
			l := s.sender(address)
			l.post(txn, "1")
			l.detach(true)
			co.commit(txn)
			s.remains(address, "1")
		})},
}

// commitAndMore commits; the host may also say of the deliveries that they are settled now.
func (co *controller) commitAndMore(txn []byte) {
	co.awaitCredit()
	t := co.transfer()
	co.piece(t, discharge(txn, false))
	for {
		d, _ := expect[frame.Disposition](co.client)
		if d.Role == frame.Receiver && d.First <= t.DeliveryID && t.DeliveryID <= d.Last {
			if d.State.Kind != frame.Accepted {
				co.failf("the commit is answered with %v (%v)", d.State.Kind, d.State.Error)
			}
			return
		}
	}
}
