package amqp

import (
	"encoding/binary"
	"time"

	"github.com/manifoldmq/manifold/router"
	"github.com/manifoldmq/manifold/router/amqp/engine"
	"github.com/manifoldmq/manifold/router/amqp/frame"
	"github.com/manifoldmq/manifold/router/wire"
)

// transaction is one that the client has declared and not yet discharged. What it sends [4.4.1] and settles [4.4.2] in
// it is gathered, and happens in the commit or never. One in which something went wrong can only be rolled back.
type transaction struct {
	id          []byte
	coordinator *coordinator
	work        *router.Transaction
	retired     []*retirement
	failed      *frame.Error // why it can only be rolled back; nil as long as it can be committed
	deadline    time.Time    // when that becomes so; zero before anything is done in it, and when it has passed
	ended       bool         // it is being committed, or is over
}

// retirement is a delivery of which the client said in a transaction how it ends.
type retirement struct {
	txn     *transaction
	link    *outgoing
	held    *held
	id      uint32      // of the delivery
	state   frame.State // in which it is to end
	settled bool        // the client does not hold it any more
}

// commit is what became of a commit.
type commit struct {
	txn         *transaction
	coordinator *coordinator // that was told to
	command     command
	err         error
}

// begin declares a transaction.
func (c *conn) begin(co *coordinator) (*transaction, *frame.Error) {
	if len(c.transactions) >= c.server.config.Limits.MaxTransactions {
		return nil, &frame.Error{
			Condition: frame.ResourceLimitExceeded, Description: "too many transactions are open (amqp.maxTransactions)",
		}
	}
	c.declared++
	txn := &transaction{
		id:          binary.BigEndian.AppendUint64(nil, c.declared),
		coordinator: co,
		work:        c.server.config.Router.Begin(),
	}
	if c.transactions == nil {
		c.transactions = make(map[string]*transaction)
	}
	c.transactions[string(txn.id)] = txn
	return txn, nil
}

// transaction gives the one with an id.
func (c *conn) transaction(id []byte) (*transaction, *frame.Error) {
	if txn, ok := c.transactions[string(id)]; ok {
		return txn, nil
	}
	return nil, &frame.Error{Condition: frame.TransactionUnknownID, Description: "there is no such transaction"}
}

// expire fails the transactions that have been open for too long. They stay known until they are discharged, so that
// the client hears why.
func (c *conn) expire(now time.Time) {
	c.expireAt = time.Time{}
	for _, txn := range c.transactions {
		switch {
		case txn.deadline.IsZero():
		case !now.Before(txn.deadline):
			txn.deadline = time.Time{}
			txn.undo()
			txn.fail(&frame.Error{
				Condition: frame.TransactionTimeout, Description: "it was open for too long (amqp.transactionTimeout)",
			})
		default:
			c.expireAt = earliest(c.expireAt, txn.deadline)
		}
	}
}

// used starts the transaction's time when something is done in it: clients declare long before they have use for it.
func (txn *transaction) used() {
	c := txn.coordinator.conn
	if txn.deadline.IsZero() && txn.failed == nil {
		txn.deadline = time.Now().Add(c.server.config.Limits.TransactionTimeout)
		c.expireAt = earliest(c.expireAt, txn.deadline)
	}
}

// fail lets the transaction only be rolled back, and forgets what was to be sent.
func (txn *transaction) fail(e *frame.Error) {
	if txn.failed == nil {
		txn.failed, txn.work = e, nil
	}
}

// rolledBack is why a transaction was rolled back.
func rolledBack(err error) *frame.Error {
	e := wire.Error(err)
	e.Condition = frame.TransactionRollback
	return e
}

// send adds a message.
func (txn *transaction) send(s *router.Sender, d router.Delivery) error {
	txn.used()
	if txn.failed != nil {
		return router.Errorf(router.Conflict, "the transaction can only be rolled back: %s", txn.failed.Description)
	}
	return txn.work.Send(s, d)
}

// retire adds the end of a delivery.
func (txn *transaction) retire(r *retirement) {
	txn.used()
	txn.retired = append(txn.retired, r)
	if txn.failed == nil {
		if err := txn.work.Settle(r.held.delivery, wire.Outcome(&r.state)); err != nil {
			txn.fail(rolledBack(err))
		}
	} else if len(txn.retired) >= maxRetired {
		r.link.link.Close(txn.failed)
	}
}

// maxRetired is how many deliveries a transaction that can only be rolled back may have before their links are closed.
const maxRetired = 10_000

// commit has the router do it all; the answer comes by mail. As soon as that has begun it does not matter any more who
// holds the deliveries.
func (txn *transaction) commit(co *coordinator, cmd command) {
	txn.forget()
	mail := &co.conn.mail
	txn.work.Commit(func(err error) {
		mail.commits.Put(commit{txn: txn, coordinator: co, command: cmd, err: err})
	})
	for _, r := range txn.retired {
		r.unpledge()
	}
}

// committed ends the deliveries of a transaction as its commit did, and answers.
func (x commit) committed() {
	for _, r := range x.txn.retired {
		switch r.held.retired = nil; {
		case x.err != nil:
			r.restore()
		case r.settled:
			r.link.discard(r.held)
		default:
			r.link.link.Settle(r.id, r.state)
			r.link.discard(r.held)
		}
	}
	x.coordinator.discharged(x.command, x.err)
}

// rollBack ends the transaction with nothing done.
func (txn *transaction) rollBack() {
	txn.forget()
	txn.undo()
}

// undo gives back what the client has settled. What it holds stays its own.
func (txn *transaction) undo() {
	for _, r := range txn.retired {
		r.held.retired = nil
		r.restore()
		r.unpledge()
	}
	txn.retired = nil
}

// forget makes the transaction unknown.
func (txn *transaction) forget() {
	txn.ended = true
	delete(txn.coordinator.conn.transactions, string(txn.id))
}

// restore takes back that a delivery has ended: it is the client's again, or, if the client does not have it any more,
// its node's.
func (r *retirement) restore() {
	if r.settled {
		r.link.Finish(r.held.delivery, router.Fail())
		r.link.forget(r.held)
	}
}

// release notes that the client does not hold the delivery any more. Until the transaction ends it is still assigned to
// the link's receiver, which is kept for that.
func (r *retirement) release() {
	if !r.settled {
		r.settled = true
		if !r.txn.ended {
			r.link.pledged++
		}
	}
}

// unpledge lets the receiver go.
func (r *retirement) unpledge() {
	if r.settled {
		r.link.pledged--
		_ = r.link.closeReceiver() // nobody waits for a subscription's end any more
	}
}

// transacted takes what the client says of a delivery in a transaction, or of one that is part of a transaction. It is
// false when neither is so.
func (out *outgoing) transacted(h *held, u engine.Update) bool {
	named := u.State != nil && u.State.Kind == frame.Transactional
	if h.retired == nil {
		if named {
			out.retire(h, u)
		}
		return named
	}
	if u.Progress == engine.Updated {
		return true // it has been said
	}
	if u.State != nil && u.State.Kind != frame.NoState && !named {
		h.delivery.Settle(wire.Outcome(u.State)) // outside of the transaction, which then cannot be committed
	}
	h.retired.release()
	return true
}

// retire makes a delivery part of a transaction.
func (out *outgoing) retire(h *held, u engine.Update) {
	txn, e := out.conn.transaction(u.State.TxnID)
	if e != nil {
		if u.Progress == engine.Settled {
			out.Finish(h.delivery, router.Fail())
			out.forget(h)
		}
		out.link.Close(e)
		return
	}
	state := u.State.Clone()
	state.Kind, state.Outcome, state.TxnID = state.Outcome, frame.NoState, nil
	h.retired = &retirement{txn: txn, link: out, held: h, id: u.ID, state: *out.settledState(&state)}
	if u.Progress == engine.Settled {
		h.retired.release()
	}
	txn.retire(h.retired)
}

// acquires tells whether the client wants what is delivered to be acquired in a transaction [4.4.3].
func (out *outgoing) acquires() bool {
	properties, _ := out.link.FlowProperties().Map()
	_, named := properties.Lookup("txn-id")
	return named
}

// post takes a message that is sent in a transaction, and tells how it will end if that is committed [4.4.1].
func (in *incoming) post(t *engine.Transfer, s *router.Sender, d router.Delivery) {
	txn, e := in.conn.transaction(t.State.TxnID)
	if e != nil {
		in.refusePosted(t, frame.State{})
		return
	}
	if err := txn.send(s, d); err != nil {
		in.refuse(t, router.Reject(router.ReasonOf(err), err.Error()))
		return
	}
	in.link.Settle(t.ID, frame.State{Kind: frame.Transactional, Outcome: frame.Accepted, TxnID: txn.id})
	in.regain()
}

// refusePosted answers a message in a transaction that does not reach the router: what is left of the transaction can
// only be rolled back.
func (in *incoming) refusePosted(t *engine.Transfer, state frame.State) {
	txn, e := in.conn.transaction(t.State.TxnID)
	switch {
	case e != nil && t.Settled:
		in.link.Close(e)
	case e != nil:
		in.link.Settle(t.ID, frame.State{Kind: frame.Rejected, Error: e})
	default:
		txn.fail(rolledBackBy(state.Error))
		state.Kind, state.Outcome, state.TxnID = frame.Transactional, state.Kind, txn.id
		in.link.Settle(t.ID, state)
	}
	in.regain()
}

// rolledBackBy is why a transaction is rolled back of which a message was refused.
func rolledBackBy(e *frame.Error) *frame.Error {
	return &frame.Error{Condition: frame.TransactionRollback, Description: "a message was refused: " + e.Error()}
}
