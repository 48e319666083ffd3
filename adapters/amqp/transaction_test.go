package amqp

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/manifoldmq/manifold/router"
	codec "github.com/manifoldmq/manifold/router/amqp"
	"github.com/manifoldmq/manifold/router/amqp/engine"
	"github.com/manifoldmq/manifold/router/amqp/frame"
)

// coordinator attaches a link to a coordinator.
func (c *client) coordinator() *link {
	c.t.Helper()
	return c.attach(frame.Attach{
		Name: "control", Role: frame.Sender, Source: &frame.Source{}, Coordinator: &frame.Coordinator{},
	}, nil)
}

// declare begins a transaction.
func (l *link) declare() []byte {
	l.client.t.Helper()
	state := l.answer(l.send(engine.Delivery{Payload: declaration()}))
	if state.Kind != frame.Declared || len(state.TxnID) == 0 {
		l.client.t.Fatalf("declare was answered with %+v", state)
	}
	return state.TxnID
}

func declaration() []byte {
	f := codec.BeginList(codec.AppendDescriptor(codec.AppendDescriptor(nil, codec.DescriptorValue), codec.DescriptorDeclare))
	return f.End()
}

// discharge ends a transaction and gives the answer.
func (l *link) discharge(id []byte, fail bool) frame.State {
	l.client.t.Helper()
	return l.answer(l.send(engine.Delivery{Payload: discharging(id, fail)}))
}

func discharging(id []byte, fail bool) []byte {
	f := codec.BeginList(codec.AppendDescriptor(codec.AppendDescriptor(nil, codec.DescriptorValue), codec.DescriptorDischarge))
	f.Binary(id)
	f.Bool(fail)
	return f.End()
}

// committed ends a transaction for good.
func (l *link) committed(id []byte) {
	l.client.t.Helper()
	if state := l.discharge(id, false); state.Kind != frame.Accepted {
		l.client.t.Fatalf("the commit was answered with %+v", state)
	}
}

// post sends in a transaction.
func (l *link) post(id []byte, body string) *sent {
	l.client.t.Helper()
	return l.send(engine.Delivery{Payload: text(body), State: &frame.State{Kind: frame.Transactional, TxnID: id}})
}

func acceptIn(id []byte) frame.State {
	return frame.State{Kind: frame.Transactional, Outcome: frame.Accepted, TxnID: id}
}

func TestCoordinatorSaysWhatItCanDo(t *testing.T) {
	run(t, func(t *testing.T, h *house) {
		target := h.client(frame.Open{}).coordinator().Remote().Coordinator
		if target == nil || len(target.Capabilities) != 3 {
			t.Errorf("the coordinator is %+v", target)
		}
	})
}

// TestPostedMessagesAppearWithTheCommit and not before; the client is told how they will end [4.4.1].
func TestPostedMessagesAppearWithTheCommit(t *testing.T) {
	run(t, func(t *testing.T, h *house) {
		c := h.client(frame.Open{})
		control, out, relay := c.coordinator(), c.sender("alerts/x"), c.sender("")
		box := h.links.Receiver("alerts/x", 10)
		first, second := control.declare(), control.declare()
		if state := out.answer(out.post(first, "one")); state.Kind != frame.Transactional ||
			state.Outcome != frame.Accepted || string(state.TxnID) != string(first) {
			t.Errorf("a posted message was answered with %+v", state)
		}
		to := codec.Properties{To: "alerts/x"}
		relay.answer(relay.send(engine.Delivery{
			Payload: codec.AppendData(to.Append(nil), []byte("two")),
			State:   &frame.State{Kind: frame.Transactional, TxnID: first},
		}))
		out.answer(out.post(second, "dropped"))
		synctest.Wait()
		if !box.Idle() {
			t.Error("a message came before the commit")
		}
		if state := control.discharge(second, true); state.Kind != frame.Accepted {
			t.Errorf("the rollback was answered with %+v", state)
		}
		control.committed(first)
		box.Expect("one", "two")
		synctest.Wait()
		if !box.Idle() {
			t.Error("a message came that was rolled back")
		}
	})
}

// temporary gives the address of a temporary queue that lasts as long as the test.
func (h *house) temporary() string {
	a, release := h.links.Router.Temporary(h.links.User)
	h.t.Cleanup(release)
	return string(a)
}

// TestRetiredDeliveriesEndWithTheCommit whether the client settles them itself or leaves that to us [4.4.2].
func TestRetiredDeliveriesEndWithTheCommit(t *testing.T) {
	run(t, func(t *testing.T, h *house) {
		queue := h.temporary()
		p := h.links.Sender(queue)
		p.Send("settled")
		p.Send("unsettled")
		c := h.client(frame.Open{})
		control, in := c.coordinator(), c.receiver("in", &frame.Source{Address: queue})
		in.Grant(10)
		settled, unsettled := in.expect("settled"), in.expect("unsettled")
		id := control.declare()
		in.Settle(settled.id, acceptIn(id))
		in.Update(unsettled.id, acceptIn(id))
		control.committed(id)
		if in.Settle(unsettled.id, frame.State{Kind: frame.Released}) {
			t.Error("a delivery is open after the commit")
		}
		in.Detach()
		in.refusal()
		if again := h.links.Receiver(queue, 10); !again.Idle() {
			t.Errorf("%q came again", again.Next().Message.Bytes())
		}
	})
}

// TestRollbackGivesBackWhatTheClientHadSettled with its count raised; what the client holds stays its own.
func TestRollbackGivesBackWhatTheClientHadSettled(t *testing.T) {
	run(t, func(t *testing.T, h *house) {
		queue := h.temporary()
		p := h.links.Sender(queue)
		p.Send("settled")
		p.Send("unsettled")
		c := h.client(frame.Open{})
		control, in := c.coordinator(), c.receiver("in", &frame.Source{Address: queue})
		in.Grant(10)
		settled, unsettled := in.expect("settled"), in.expect("unsettled")
		id := control.declare()
		in.Settle(settled.id, acceptIn(id))
		in.Update(unsettled.id, acceptIn(id))
		if state := control.discharge(id, true); state.Kind != frame.Accepted {
			t.Fatalf("the rollback was answered with %+v", state)
		}
		again := in.expect("settled")
		if header, _ := again.message.Header(); header.DeliveryCount != 1 {
			t.Errorf("it came again with delivery-count %d, want 1", header.DeliveryCount)
		}
		if !in.Settle(unsettled.id, frame.State{Kind: frame.Accepted}) {
			t.Error("the delivery that the client held is not its own any more")
		}
		next := control.declare()
		in.Settle(again.id, acceptIn(next))
		control.committed(next)
		in.Detach()
		in.refusal()
		if rest := h.links.Receiver(queue, 10); !rest.Idle() {
			t.Errorf("%q is left", rest.Next().Message.Bytes())
		}
	})
}

// TestRetiredDeliveryOutlivesItsLink: a client may end the link before it commits.
func TestRetiredDeliveryOutlivesItsLink(t *testing.T) {
	for name, commits := range map[string]bool{"commit": true, "rollback": false} {
		t.Run(name, func(t *testing.T) {
			run(t, func(t *testing.T, h *house) {
				queue := h.temporary()
				p := h.links.Sender(queue)
				p.Send("settled")
				p.Send("unsettled")
				p.Send("untouched")
				c := h.client(frame.Open{})
				control, in := c.coordinator(), c.receiver("in", &frame.Source{Address: queue})
				in.Grant(10)
				id := control.declare()
				in.Settle(in.expect("settled").id, acceptIn(id))
				in.Update(in.expect("unsettled").id, acceptIn(id))
				in.Detach()
				in.refusal()
				box := h.links.Receiver(queue, 10)
				box.Expect("untouched")[0].Settle(router.Accept())
				if commits {
					control.committed(id)
				} else {
					control.discharge(id, true)
					for range 2 {
						if d := box.Next(); d.Attempts != 1 {
							t.Errorf("came again after %d attempts, want 1", d.Attempts)
						}
					}
				}
				synctest.Wait()
				if !box.Idle() {
					t.Error("more came again than was settled")
				}
			})
		})
	}
}

// TestTransactionIsRolledBackWithItsControl: with the coordinator's link, its session, or the connection.
func TestTransactionIsRolledBackWithItsControl(t *testing.T) {
	for name, end := range map[string]func(c *client, control *link){
		"link":       func(_ *client, control *link) { control.Close(nil) },
		"session":    func(_ *client, control *link) { control.Session().End(nil) },
		"connection": func(c *client, _ *link) { c.conn.Close(nil) },
		"network":    func(c *client, _ *link) { c.wire.Close() },
	} {
		t.Run(name, func(t *testing.T) {
			run(t, func(t *testing.T, h *house) {
				queue := h.temporary()
				h.links.Sender(queue).Send("job")
				alerts := h.links.Receiver("alerts/x", 10)
				c := h.client(frame.Open{})
				control, in, out := c.coordinator(), c.receiver("in", &frame.Source{Address: queue}), c.sender("alerts/x")
				in.Grant(1)
				id := control.declare()
				in.Settle(in.expect("job").id, acceptIn(id))
				out.answer(out.post(id, "done"))
				end(c, control)
				if name != "network" {
					c.flush()
				}
				if d := h.links.Receiver(queue, 1).Next(); d.Attempts != 1 {
					t.Errorf("the job came again after %d attempts, want 1", d.Attempts)
				}
				if !alerts.Idle() {
					t.Error("a message came that was rolled back")
				}
			})
		})
	}
}

func TestUnknownTransaction(t *testing.T) {
	run(t, func(t *testing.T, h *house) {
		queue := h.temporary()
		p := h.links.Sender(queue)
		p.Send("job")
		c := h.client(frame.Open{})
		control, out, in := c.coordinator(), c.sender(queue), c.receiver("in", &frame.Source{Address: queue})
		unknown := []byte("unknown")
		for what, state := range map[string]frame.State{
			"commit": control.discharge(unknown, false), "rollback": control.discharge(unknown, true),
			"post": out.answer(out.post(unknown, "x")),
		} {
			if state.Kind != frame.Rejected || state.Error.Condition != frame.TransactionUnknownID {
				t.Errorf("%s: answered with %+v", what, state)
			}
		}
		in.Grant(1)
		in.Settle(in.expect("job").id, acceptIn(unknown))
		if got := in.refusal(); got != frame.TransactionUnknownID {
			t.Errorf("a delivery in an unknown transaction: condition %q", got)
		}
		h.links.Receiver(queue, 1).Expect("job")
	})
}

// TestTransactionWithARefusedMessageIsRolledBack also when the client does not wait to hear of that.
func TestTransactionWithARefusedMessageIsRolledBack(t *testing.T) {
	run(t, func(t *testing.T, h *house) {
		box := h.links.Receiver("alerts/x", 10)
		c := h.client(frame.Open{})
		control, out, relay := c.coordinator(), c.sender("alerts/x"), c.sender("")
		id := control.declare()
		out.answer(out.post(id, "good"))
		state := relay.answer(relay.post(id, "to nowhere"))
		if state.Kind != frame.Transactional || state.Outcome != frame.Rejected || state.Error == nil {
			t.Errorf("the refused message was answered with %+v", state)
		}
		if state := control.discharge(id, false); state.Kind != frame.Rejected ||
			state.Error.Condition != frame.TransactionRollback {
			t.Errorf("the commit was answered with %+v", state)
		}
		synctest.Wait()
		if !box.Idle() {
			t.Error("a message came that was rolled back")
		}
	})
}

// TestFailedCommitSaysSo and nothing of the transaction is done, where it is stored or elsewhere.
func TestFailedCommitSaysSo(t *testing.T) {
	run(t, func(t *testing.T, h *house) {
		box := h.links.Receiver("alerts/x", 10)
		c := h.client(frame.Open{})
		control, out, direct := c.coordinator(), c.sender("jobs"), c.sender("alerts/x")
		h.store.refuses = router.Errorf(router.Conflict, "somebody else has it")
		id := control.declare()
		out.answer(out.post(id, "stored"))
		direct.answer(direct.post(id, "direct"))
		state := control.discharge(id, false)
		if state.Kind != frame.Rejected || state.Error.Condition != frame.TransactionRollback ||
			state.Error.Description != "somebody else has it" {
			t.Errorf("the commit was answered with %+v", state)
		}
		h.store.refuses = nil
		id = control.declare()
		out.answer(out.post(id, "stored"))
		direct.answer(direct.post(id, "again"))
		control.committed(id)
		box.Expect("again")
		if got := len(h.store.work.Offers); got != 1 {
			t.Errorf("the store got %d messages, want 1", got)
		}
	})
}

func TestTooManyOpenTransactionsAreRefused(t *testing.T) {
	run(t, func(t *testing.T, h *house) {
		h.server.config.Limits.MaxTransactions = 1
		control := h.client(frame.Open{}).coordinator()
		id := control.declare()
		state := control.answer(control.send(engine.Delivery{Payload: declaration()}))
		if state.Kind != frame.Rejected || state.Error.Condition != frame.ResourceLimitExceeded {
			t.Errorf("answered with %+v", state)
		}
		control.committed(id)
		control.declare()
	})
}

// TestTransactionTimesOut from its first use on, and the client hears why when it discharges.
func TestTransactionTimesOut(t *testing.T) {
	run(t, func(t *testing.T, h *house) {
		queue := h.temporary()
		h.links.Sender(queue).Send("job")
		h.server.config.Limits.TransactionTimeout = 5 * time.Second
		c := h.client(frame.Open{})
		control, in := c.coordinator(), c.receiver("in", &frame.Source{Address: queue})
		id, idle := control.declare(), control.declare()
		in.Grant(1)
		in.Settle(in.expect("job").id, acceptIn(id))
		c.flush()
		start := time.Now()
		if d := h.links.Receiver(queue, 1).Next(); d.Attempts != 1 {
			t.Errorf("it came again after %d attempts, want 1", d.Attempts)
		}
		if got := time.Since(start); got != h.server.config.Limits.TransactionTimeout {
			t.Errorf("rolled back after %v", got)
		}
		if state := control.discharge(id, false); state.Error == nil || state.Error.Condition != frame.TransactionTimeout {
			t.Errorf("the commit was answered with %+v", state)
		}
		control.committed(idle)
	})
}

func TestCoordinatorRefusesWhatItDoesNotUnderstand(t *testing.T) {
	global := codec.BeginList(codec.AppendDescriptor(codec.AppendDescriptor(nil, codec.DescriptorValue), codec.DescriptorDeclare))
	global.Binary([]byte("global"))
	for name, c := range map[string]struct {
		payload []byte
		want    codec.Symbol
	}{
		"another message":        {text("x"), frame.DecodeError},
		"a global transaction":   {global.End(), frame.NotImplemented},
		"what is no message":     {[]byte{1, 2, 3}, frame.DecodeError},
		"another described list": {codec.AppendDescriptor(nil, codec.DescriptorValue), frame.DecodeError},
	} {
		t.Run(name, func(t *testing.T) {
			run(t, func(t *testing.T, h *house) {
				control := h.client(frame.Open{}).coordinator()
				state := control.answer(control.send(engine.Delivery{Payload: c.payload}))
				if state.Kind != frame.Rejected || state.Error.Condition != c.want {
					t.Errorf("answered with %+v (%v)", state, state.Error)
				}
			})
		})
	}
}

// TestDeclareThatNobodyAwaitsEndsTheLink as there is nobody to tell the transaction's id.
func TestDeclareThatNobodyAwaitsEndsTheLink(t *testing.T) {
	run(t, func(t *testing.T, h *house) {
		c := h.client(frame.Open{})
		control := c.attach(frame.Attach{
			Name: "control", Role: frame.Sender, SenderSettleMode: frame.SendMixed,
			Source: &frame.Source{}, Coordinator: &frame.Coordinator{},
		}, nil)
		control.send(engine.Delivery{Payload: declaration(), Settled: true})
		if got := control.refusal(); got != frame.IllegalState {
			t.Errorf("condition %q", got)
		}
	})
}

// TestAcquisitionIsRefused: what is delivered cannot be acquired in a transaction, only settled [4.4.3].
func TestAcquisitionIsRefused(t *testing.T) {
	run(t, func(t *testing.T, h *house) {
		c := h.client(frame.Open{})
		in := c.receiver("in", &frame.Source{Address: "commands/x"})
		properties := codec.BeginFields(nil)
		properties.Binary("txn-id", []byte("id"))
		flow := frame.Flow{
			HasNextIncomingID: true, IncomingWindow: 100, OutgoingWindow: 100, // the first link of the first session
			HasHandle: true, HasDeliveryCount: true, LinkCredit: 1, HasLinkCredit: true, Properties: properties.End(),
		}
		if _, err := c.wire.Write(frame.Finish(flow.Append(frame.Start(nil, frame.AMQP, 0)), 0)); err != nil {
			t.Fatal(err)
		}
		if got := in.refusal(); got != frame.NotImplemented {
			t.Errorf("condition %q", got)
		}
	})
}
