package conformance

import (
	"github.com/manifoldmq/manifold/router/amqp"
	"github.com/manifoldmq/manifold/router/amqp/frame"
)

// controller is a link to a transaction coordinator [4.1].
type controller struct{ *link }

// control gives the attach of a link to a coordinator.
func control() frame.Attach {
	return frame.Attach{
		Name: "control", Role: frame.Sender, SenderSettleMode: frame.SendMixed,
		Source: source("here"), Coordinator: &frame.Coordinator{},
	}
}

// controller attaches to the coordinator, if the host has one. One that has none need not have it; whether it says so as
// it should is a scenario of its own.
func (s *session) controller() *controller { return s.controllerAs(control()) }

func (s *session) controllerAs(a frame.Attach) *controller {
	l := s.offer(a)
	r, _ := s.next()
	if p, ok := r.body.(*frame.Attach); ok {
		l.take(p, a)
	}
	if l.remote == nil || l.remote.Coordinator == nil {
		s.absent("no transactions")
	}
	l.awaitCredit()
	return &controller{l}
}

// declaration and discharge give the messages to a coordinator [4.5.2, 4.5.3].
func declaration(globalID ...byte) []byte {
	f := amqp.BeginList(amqp.AppendDescriptor(amqp.AppendDescriptor(nil, amqp.DescriptorValue), amqp.DescriptorDeclare))
	if globalID != nil {
		f.Binary(globalID)
	}
	return f.End()
}

func discharge(txn []byte, fail bool) []byte {
	f := amqp.BeginList(amqp.AppendDescriptor(amqp.AppendDescriptor(nil, amqp.DescriptorValue), amqp.DescriptorDischarge))
	f.Binary(txn)
	f.Bool(fail)
	return f.End()
}

// tell sends a message to the coordinator, and gives the state that it is settled with.
func (co *controller) tell(message []byte) frame.State {
	co.awaitCredit()
	t := co.transfer()
	co.piece(t, message)
	return co.outcome(t.DeliveryID)
}

// outcome reads the disposition of a delivery of ours, which the host has to settle unless it is part of a transaction.
func (l *link) outcome(id uint32) frame.State {
	d, _ := expect[frame.Disposition](l.client)
	if d.Role != frame.Receiver || d.First > id || d.Last < id {
		l.failf("the disposition is of %d to %d as %v, want %d", d.First, d.Last, d.Role, id)
	}
	if !d.Settled && d.State.Kind != frame.Transactional {
		l.failf("delivery %d is not settled", id)
	}
	return d.State.Clone()
}

// declare begins a transaction.
func (co *controller) declare() []byte {
	state := co.tell(declaration())
	if state.Kind != frame.Declared || len(state.TxnID) == 0 {
		co.failf("declare is answered with %v", state.Kind)
	}
	return state.TxnID
}

// commit and rollBack end a transaction, which the coordinator has to accept.
func (co *controller) commit(txn []byte)   { co.end(txn, false) }
func (co *controller) rollBack(txn []byte) { co.end(txn, true) }

func (co *controller) end(txn []byte, fail bool) {
	if state := co.tell(discharge(txn, fail)); state.Kind != frame.Accepted {
		co.failf("discharge with fail %v is answered with %v (%v)", fail, state.Kind, state.Error)
	}
}

// expectRejected checks that the coordinator has said why something cannot be.
func (co *controller) expectRejected(state frame.State, conditions ...amqp.Symbol) {
	if state.Kind != frame.Rejected {
		co.failf("the coordinator answers %v, want rejected", state.Kind)
	}
	co.checkCondition("rejected", state.Error, conditions)
}

// in gives the state of what belongs to a transaction.
func in(txn []byte, outcome frame.StateKind) frame.State {
	return frame.State{Kind: frame.Transactional, TxnID: txn, Outcome: outcome}
}

// post sends messages in a transaction, and expects to hear how each will end [4.4.1].
func (l *link) post(txn []byte, texts ...string) {
	for _, x := range texts {
		l.awaitCredit()
		t := l.transfer()
		t.State = in(txn, frame.NoState)
		l.piece(t, text(x))
		l.expectProvisional(txn, t.DeliveryID)
	}
}

func (l *link) expectProvisional(txn []byte, id uint32) {
	state := l.outcome(id)
	if state.Kind != frame.Transactional || string(state.TxnID) != string(txn) || state.Outcome == frame.NoState {
		l.failf("a message in a transaction is answered with %v of %x with the outcome %v, want an outcome in %x",
			state.Kind, state.TxnID, state.Outcome, txn)
	}
}

// retire says in a transaction how a delivery ends [4.4.2].
func (l *link) retire(txn []byte, m message, outcome frame.StateKind, settled bool) {
	l.session.say(&frame.Disposition{
		Role: frame.Receiver, First: m.DeliveryID, Last: m.DeliveryID, Settled: settled, State: in(txn, outcome),
	})
}
