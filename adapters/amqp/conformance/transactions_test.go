package conformance

import (
	"github.com/manifoldmq/manifold/router/amqp"
	"github.com/manifoldmq/manifold/router/amqp/frame"
)

// transactions are about the coordinator, which need not be there, and what is sent in them [4.1 to 4.4.1, 4.5].
var transactions = []scenario{
	{"4.2", "a coordinator declares transactions, or its link is refused", func(c *client) {
		s, a := c.session(), control()
		l := s.offer(a)
		if l.answered(a); l.remote.Coordinator == nil {
			if d, _ := expect[frame.Detach](c); d.Error == nil {
				c.failf("the link is refused without an error")
			}
			return
		}
		co := &controller{l}
		co.declare()
	}},
	{"4.2", "transactions have ids of their own", transactional(func(s *session, co *controller) {
		ids := map[string]bool{}
		for range 3 {
			ids[string(co.declare())] = true
		}
		if len(ids) != 3 {
			s.failf("3 transactions have %d ids", len(ids))
		}
	})},
	{"4.2", "a declare that is settled ends the link to the coordinator (should)",
		transactional(func(s *session, co *controller) {
			t := co.transfer()
			t.Settled = true
			co.piece(t, declaration())
			co.expectError(frame.IllegalState)
		})},
	{"4.2", "what is neither declare nor discharge is rejected", transactional(func(s *session, co *controller) {
		co.expectRejected(co.tell(text("begin")))
	})},
	{"4.2", "who does not take rejected hears of an error by a detach", func(c *client) {
		a := control()
		a.Source.Outcomes = []amqp.Symbol{"amqp:accepted:list", "amqp:declared:list"}
		co := c.session().controllerAs(a)
		co.piece(co.transfer(), discharge([]byte("unheard of"), false))
		co.expectError(frame.TransactionUnknownID)
	}},
	{"4.5.2", "a global-id is rejected by a coordinator that has no distributed transactions",
		transactional(func(s *session, co *controller) {
			for _, capability := range co.remote.Coordinator.Capabilities {
				if capability == "amqp:distributed-transactions" {
					s.absent("its transactions are distributed")
				}
			}
			co.expectRejected(co.tell(declaration('x')))
		})},
	{"4.3", "what was sent is there after the commit, and not before",
		transactional(func(s *session, co *controller) {
			address := s.host.newQueue()
			txn := co.declare()
			s.sender(address).post(txn, "1", "2")
			s.remains(address)
			co.commit(txn)
			s.remains(address, "1", "2")
		})},
	{"4.3", "what was sent is not there after a rollback", transactional(func(s *session, co *controller) {
		address := s.host.newQueue()
		txn := co.declare()
		s.sender(address).post(txn, "1")
		co.rollBack(txn)
		s.remains(address)
	})},
	{"4.3", "a discharge with fail is always accepted, also of an empty transaction",
		transactional(func(s *session, co *controller) {
			co.rollBack(co.declare())
		})},
	{"4.3", "an empty transaction can be committed", transactional(func(s *session, co *controller) {
		co.commit(co.declare())
	})},
	{"4.3", "an unknown transaction is rejected with unknown-id", transactional(func(s *session, co *controller) {
		co.expectRejected(co.tell(discharge([]byte("unheard of"), false)), frame.TransactionUnknownID)
	})},
	{"4.3", "a transaction is unknown after its end", transactional(func(s *session, co *controller) {
		for _, fail := range []bool{false, true} {
			txn := co.declare()
			co.end(txn, fail)
			co.expectRejected(co.tell(discharge(txn, false)), frame.TransactionUnknownID)
		}
	})},
	{"4.3", "a discharge that is settled ends the link to the coordinator (should)",
		transactional(func(s *session, co *controller) {
			txn := co.declare()
			t := co.transfer()
			t.Settled = true
			co.piece(t, discharge(txn, false))
			co.expectError(frame.IllegalState)
		})},
	{"4.3", "several transactions do not mix", transactional(func(s *session, co *controller) {
		address := s.host.newQueue()
		one, two := co.declare(), co.declare()
		l := s.sender(address)
		l.post(one, "1")
		l.post(two, "2")
		l.post(one, "3")
		co.rollBack(two)
		co.commit(one)
		s.remains(address, "1", "3")
	})},
	{"4.4.1", "a message that is sent outside of a transaction is there at once",
		transactional(func(s *session, co *controller) {
			address := s.host.newQueue()
			txn := co.declare()
			l := s.sender(address)
			l.post(txn, "1")
			l.put(text("2"))
			s.remains(address, "2")
			co.commit(txn)
			s.remains(address, "1")
		})},
	{"4.4.1", "a message of several transfers is in its transaction as a whole",
		transactional(func(s *session, co *controller) {
			address := s.host.newQueue()
			txn := co.declare()
			l, m := s.sender(address), text("12")
			t := l.transfer()
			t.State, t.More = in(txn, frame.NoState), true
			l.piece(t, m[:4])
			l.piece(&frame.Transfer{Handle: l.handle, State: in(txn, frame.NoState)}, m[4:])
			l.expectProvisional(txn, t.DeliveryID)
			s.remains(address)
			co.commit(txn)
			s.remains(address, "12")
		})},
	{"4.4.1", "a commit while a message of the transaction is unfinished ends the link to the coordinator",
		transactional(func(s *session, co *controller) {
			txn := co.declare()
			l := s.sender(s.host.newQueue())
			t := l.transfer()
			t.State, t.More = in(txn, frame.NoState), true
			l.piece(t, text("12")[:4])
			co.piece(co.transfer(), discharge(txn, false))
			co.expectError()
		})},
	{"4.4.1", "settled messages of a transaction are there after the commit",
		transactional(func(s *session, co *controller) {
			address := s.host.newQueue()
			for _, fail := range []bool{true, false} {
				txn := co.declare()
				l := s.attach(toward(address))
				l.awaitCredit()
				t := l.transfer()
				t.Settled, t.State = true, in(txn, frame.NoState)
				l.piece(t, text("1"))
				co.end(txn, fail)
				l.detach(true)
			}
			s.remains(address, "1")
		})},
	{"4.4.1", "a message of an unknown transaction is not taken", transactional(func(s *session, co *controller) {
		address := s.host.newQueue()
		l := s.sender(address)
		t := l.transfer()
		t.State = in([]byte("unheard of"), frame.NoState)
		l.piece(t, text("1"))
		l.expectFailure()
		s.remains(address)
	})},
	{"4.5.1", "transactions are rolled back with the link to their coordinator",
		transactional(func(s *session, co *controller) {
			address := s.host.newQueue()
			txn := co.declare()
			s.sender(address).post(txn, "1")
			co.detach(true)
			s.remains(address)
		})},
	{"4.5.1", "a transaction is unknown when the link to its coordinator has ended",
		transactional(func(s *session, co *controller) {
			txn := co.declare()
			co.detach(true)
			co = s.controller()
			co.expectRejected(co.tell(discharge(txn, false)), frame.TransactionUnknownID)
		})},
	{"4.5.1", "transactions are rolled back with their session", func(c *client) {
		c.open(hello())
		s, other, address := c.begin(0, 100), c.begin(1, 100), c.host.newQueue()
		co := s.controller()
		s.sender(address).post(co.declare(), "1")
		s.say(&frame.End{})
		expect[frame.End](c)
		other.remains(address)
	}},
	{"4.5.1", "transactions are rolled back when their connection is lost", func(c *client) {
		lost, address := c.another(), c.host.newQueue()
		s := lost.session()
		co := s.controller()
		s.fill(address, "1")
		txn := co.declare()
		s.sender(address).post(txn, "2")
		r := s.receiver(address, 1)
		r.retire(txn, r.expectTexts("1")[0], frame.Accepted, true)
		s.barrier()
		lost.nc.Close()
		r = c.session().receiver(address, 2) // waits until the host has seen the loss
		r.expectTexts("1")
		if n, _ := r.session.barrier(); n > 0 {
			c.failf("%d more came", n)
		}
	}},
}

// transactional plays a scenario with a coordinator, if the host has one.
func transactional(play func(s *session, co *controller)) func(c *client) {
	return func(c *client) {
		s := c.session()
		play(s, s.controller())
	}
}
