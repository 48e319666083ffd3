package router

import "github.com/manifoldmq/manifold/addressing"

// Transaction gathers sends and settlements that then happen together or not at all. What it gathers has no effect, and
// costs memory only, until Commit; a transaction that is not committed is simply forgotten. It belongs to one goroutine.
//
// Together means: on disk at the same instant, for all that one store keeps. What goes to, or came from, an address that
// stores nothing happens when the rest is on disk, and its outcome is no part of the transaction. To an address that another
// router stores a transaction cannot send: nobody could say that it is on disk there.
type Transaction struct {
	maxOperations int
	maxSize       int

	store  Transactor // of everything stored; nil as long as there is nothing
	stored Work
	direct Work
	size   int
	ends   []ended
}

// ended is a delivery that is followed, and how it ends with the commit.
type ended struct {
	delivery *traced
	outcome  Outcome
}

// Work is what a transaction does.
type Work struct {
	Offers      []Offer
	Settlements []Settlement
	Records     []any // see Sender.SendWith
}

// Offer is a message for a node.
type Offer struct {
	Node     Node
	Delivery Delivery
}

// Settlement is an outcome for a settler's assignment; see Settler.
type Settlement struct {
	Settler Settler
	Tag     uint64
	Outcome Outcome
}

// Transactor takes a transaction to a store.
type Transactor interface {
	// Commit does all the work or none. It settles each offered delivery as Node.Offer would, then calls done: with nil
	// when everything is on disk, or with why nothing was done, a *Error with reason Conflict for an assignment that is
	// no longer current, Quota for a queue that is full. done is called once, possibly before Commit returns, without a
	// node's lock held.
	Commit(w Work, done func(error))
}

// Stored is a Node or a Settler that keeps messages in a store.
type Stored interface {
	// Transactor gives the one who takes transactions to that store.
	Transactor() Transactor
}

// Begin starts a transaction.
func (r *Router) Begin() *Transaction {
	return &Transaction{maxOperations: r.limits.MaxTransactionOperations, maxSize: r.limits.MaxTransactionSize}
}

// Send adds a message, of which the same fields are read as by Sender.Send. The sender's producer does not hear of its
// outcome: that is the transaction's. The error is a *Error with reason TooLarge, Quota or Unsupported.
func (t *Transaction) Send(s *Sender, d Delivery) error {
	d.To, d.origin = s.target.Address, posted{s}
	s.sign(&d)
	size := d.Message.Len()
	if size > s.maxSize {
		return Errorf(TooLarge, tooLarge)
	}
	if t.size+size > t.maxSize {
		return Errorf(Quota, "the transaction has too many bytes (limits.maxTransactionSize)")
	}
	if s.def.Home == addressing.Elsewhere {
		return Errorf(Unsupported, "%s is stored by another router: only there a transaction can send to it", s.Address())
	}
	work, err := t.work(s.node)
	if err != nil {
		return err
	}
	if err := s.permit(size); err != nil {
		return err
	}
	t.size += size
	if s.tracer != nil {
		d = s.follow(d)
	}
	work.Offers = append(work.Offers, Offer{s.node, d})
	return nil
}

// Settle adds the settlement of a delivery. Until the commit the delivery stays with its holder.
func (t *Transaction) Settle(d Delivery, o Outcome) error {
	if d.origin == nil {
		return nil
	}
	work, err := t.work(d.owner())
	if err != nil {
		return err
	}
	work.Settlements = append(work.Settlements, Settlement{d.owner(), d.tag, o})
	if followed, ok := d.origin.(*traced); ok {
		t.ends = append(t.ends, ended{followed, o})
	}
	return nil
}

// work gives where an operation on a node or settler belongs, if there is room for one more.
func (t *Transaction) work(on any) (*Work, error) {
	if t.operations() >= t.maxOperations {
		return nil, Errorf(Quota, "the transaction has too many operations (limits.maxTransactionOperations)")
	}
	stored, ok := on.(Stored)
	if !ok {
		return &t.direct, nil
	}
	store := stored.Transactor()
	if t.store != nil && t.store != store {
		return nil, Errorf(Unsupported, "a transaction cannot span the stores of several nodes")
	}
	t.store = store
	return &t.stored, nil
}

func (t *Transaction) operations() int {
	return len(t.stored.Offers) + len(t.stored.Settlements) + len(t.direct.Offers) + len(t.direct.Settlements)
}

// Commit does what was gathered. done is called once: with nil when it is on disk, or with why nothing was done; see
// Transactor. Like what a Producer is told it only goes into a mailbox. The transaction is not used any more.
func (t *Transaction) Commit(done func(error)) {
	if t.store == nil {
		t.finish()
		done(nil)
		return
	}
	t.store.Commit(t.stored, func(err error) {
		if err == nil {
			t.finish()
		}
		done(err)
	})
}

// finish does what follows when the rest is on disk.
func (t *Transaction) finish() {
	t.direct.do()
	for _, e := range t.ends {
		e.delivery.end(e.outcome)
	}
}

// do does the work on addresses that store nothing.
func (w Work) do() {
	for _, s := range w.Settlements {
		s.Settler.Settle(s.Tag, s.Outcome, nil)
	}
	for _, o := range w.Offers {
		o.Node.Offer(o.Delivery)
	}
}

// posted is the sender of a message that was sent in a transaction: the outcome is counted, and nobody is told.
type posted struct{ *Sender }

// Settle implements Settler.
func (p posted) Settle(_ uint64, o Outcome, done func(error)) {
	p.counts.outcome(o)
	if done != nil {
		done(nil)
	}
}
