package amqp

import (
	"slices"

	codec "github.com/manifoldmq/manifold/router/amqp"
	"github.com/manifoldmq/manifold/router/amqp/engine"
	"github.com/manifoldmq/manifold/router/amqp/frame"
)

// coordinator is a link on which the client declares and discharges transactions [4.1]. Those that it leaves open when
// it ends are rolled back.
type coordinator struct {
	conn *conn
	link *engine.Link
}

var (
	_ receiving = (*coordinator)(nil)
	_ linkEnd   = (*coordinator)(nil)
)

// What a coordinator can do [4.5.7]. A transaction is known in all sessions of its connection.
const (
	localTransactions codec.Symbol = "amqp:local-transactions"
	manyPerSession    codec.Symbol = "amqp:multi-txns-per-ssn"
	manySessions      codec.Symbol = "amqp:multi-ssns-per-txn"
)

// coordinatorCredit is how many declarations and discharges a client may send ahead.
const coordinatorCredit = 100

// attachCoordinator answers a client that wants to control transactions.
func (c *conn) attachCoordinator(l *engine.Link) {
	l.Context = &coordinator{conn: c, link: l}
	l.Accept(frame.Attach{Coordinator: &frame.Coordinator{
		Capabilities: []codec.Symbol{localTransactions, manyPerSession, manySessions},
	}})
	l.Grant(coordinatorCredit)
}

// command is what a client tells a coordinator.
type command struct {
	delivery uint32
	declares bool   // a transaction is wanted [4.5.2]; otherwise one is discharged [4.5.3]
	txnID    []byte // of the transaction to discharge
	fail     bool   // it is to be rolled back
}

// received implements receiving.
func (co *coordinator) received(t *engine.Transfer) {
	cmd, e := readCommand(t.Payload)
	cmd.delivery = t.ID
	switch {
	case t.Settled: // [4.2, 4.3]
		co.link.Close(&frame.Error{Condition: frame.IllegalState, Description: "a message that is settled has no answer"})
	case e != nil:
		co.reject(cmd, e)
	case cmd.declares:
		co.declare(cmd)
	default:
		co.discharge(cmd)
	}
}

// readCommand reads a message to a coordinator: an amqp-value with a declare or a discharge.
func readCommand(payload []byte) (cmd command, e *frame.Error) {
	m, err := codec.ParseMessage(payload)
	if err != nil {
		return cmd, &frame.Error{Condition: frame.DecodeError, Description: err.Error()}
	}
	d := codec.NewDecoder(m.Body().Value())
	descriptor := d.ReadDescriptor()
	fields := d.ReadList()
	switch descriptor {
	case codec.DescriptorDeclare:
		cmd.declares = true
		if fields.Next() {
			d.Skip()
			e = &frame.Error{Condition: frame.NotImplemented, Description: "transactions have no global-id here"}
		}
	case codec.DescriptorDischarge:
		if fields.Next() {
			cmd.txnID = d.ReadBinary()
		}
		if fields.Next() {
			cmd.fail = d.ReadBool()
		}
	default:
		e = &frame.Error{Condition: frame.InvalidField, Description: "a coordinator takes declare and discharge"}
	}
	fields.End()
	if err := d.Err(); err != nil {
		e = &frame.Error{Condition: frame.DecodeError, Description: err.Error()}
	}
	return cmd, e
}

// declare begins a transaction [4.2].
func (co *coordinator) declare(cmd command) {
	txn, e := co.conn.begin(co)
	if e != nil {
		co.reject(cmd, e)
		return
	}
	co.answer(cmd, frame.State{Kind: frame.Declared, TxnID: txn.id})
}

// discharge ends a transaction [4.3]. A commit is answered when it is on disk.
func (co *coordinator) discharge(cmd command) {
	txn, e := co.conn.transaction(cmd.txnID)
	switch {
	case e != nil:
		co.reject(cmd, e)
	case cmd.fail:
		txn.rollBack()
		co.answer(cmd, frame.State{Kind: frame.Accepted})
	case txn.failed != nil:
		e := txn.failed
		txn.rollBack()
		co.reject(cmd, e)
	case co.conn.Posting(cmd.txnID): // [4.4.1]
		txn.rollBack()
		co.link.Close(&frame.Error{
			Condition: frame.TransactionRollback, Description: "a message of the transaction is not whole",
		})
	default:
		txn.commit(co, cmd)
	}
}

// discharged answers a commit.
func (co *coordinator) discharged(cmd command, err error) {
	if err != nil {
		co.reject(cmd, rolledBack(err))
		return
	}
	co.answer(cmd, frame.State{Kind: frame.Accepted})
}

func (co *coordinator) answer(cmd command, state frame.State) {
	co.link.Settle(cmd.delivery, state)
	co.link.Grant(1)
}

// reject tells the client why something was not done: with the outcome rejected, or by ending the link where the client
// does not take that [4.2, 4.3].
func (co *coordinator) reject(cmd command, e *frame.Error) {
	if !co.takesRejected() {
		co.link.Close(e)
		return
	}
	co.answer(cmd, frame.State{Kind: frame.Rejected, Error: e})
}

// takesRejected tells whether the client's source has the outcome rejected; one that lists none knows them all.
func (co *coordinator) takesRejected() bool {
	source := co.link.Remote().Source
	return source == nil || len(source.Outcomes) == 0 || slices.Contains(source.Outcomes, "amqp:rejected:list")
}

func (co *coordinator) detached(engine.Detachment) {
	for _, txn := range co.conn.transactions {
		if txn.coordinator == co {
			txn.rollBack()
		}
	}
}
