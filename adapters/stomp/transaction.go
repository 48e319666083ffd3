package stomp

import (
	"github.com/manifoldmq/manifold/adapters/stomp/internal/session"
	"github.com/manifoldmq/manifold/router"
)

// transaction is one that the client has begun: what it sends and settles in it is gathered, and happens in the commit
// or never.
type transaction struct {
	work    *router.Transaction
	senders []*sender
	settled []*outgoing
}

// commit is what became of one.
type commit struct {
	receipt session.Receipt
	of      *transaction
	err     error
}

// Begin implements session.Handler.
func (c *conn) Begin(r session.Transacting) {
	r.Transaction.Context = &transaction{work: c.server.config.Router.Begin()}
	c.session.Done(r.Receipt)
}

// sendIn adds a message to a transaction. Its receipt says that it is in there; what becomes of it is told by that of
// COMMIT.
func (c *conn) sendIn(r session.Send, s *sender, d router.Delivery) {
	t := r.Transaction.Context.(*transaction)
	if err := t.work.Send(s.link, d); err != nil {
		c.refuse(r.Receipt, err)
		return
	}
	s.inFlight++
	t.senders = append(t.senders, s)
	c.session.Done(r.Receipt)
}

// settleIn adds the settlement of deliveries to a transaction. The client may have others in their place, or it could
// settle no more in one transaction than it may hold.
func (c *conn) settleIn(r session.Settle) {
	t := r.Transaction.Context.(*transaction)
	for _, token := range r.Tokens {
		o := token.(*outgoing)
		if err := t.work.Settle(o.delivery, outcomeOf(&r)); err != nil {
			c.refuse(r.Receipt, err)
			return
		}
		t.settled = append(t.settled, o)
		s := o.subscription
		s.pledged++
		s.held--
		c.owe(s)
		c.enqueue(s)
	}
	c.session.Done(r.Receipt)
}

// Commit implements session.Handler. The answer comes by mail.
func (c *conn) Commit(r session.Transacting) {
	t := r.Transaction.Context.(*transaction)
	t.work.Commit(func(err error) { c.mail.commits.Put(commit{r.Receipt, t, err}) })
}

// answerCommit tells the client whether all was done, or nothing.
func (c *conn) answerCommit(m commit) {
	for _, o := range m.of.settled {
		s := o.subscription
		if s.sheds(&o.delivery) {
			c.mail.shed.Add(-int64(o.delivery.Message.Len()))
		}
		c.unpledge(s)
	}
	m.of.release()
	if m.err != nil {
		c.refuse(m.receipt, m.err)
		return
	}
	c.session.Done(m.receipt)
}

// Abort implements session.Handler: the client holds again what it has settled.
func (c *conn) Abort(r session.Transacting) {
	t := r.Transaction.Context.(*transaction)
	for _, o := range t.settled {
		o.subscription.held++
		o.subscription.surplus++
		c.unpledge(o.subscription)
	}
	t.release()
	c.session.Done(r.Receipt)
}

// unpledge lets a link go that was kept for the transaction.
func (c *conn) unpledge(s *subscription) {
	s.pledged--
	c.closeLink(s)
}

// release lets the senders go.
func (t *transaction) release() {
	for _, s := range t.senders {
		s.inFlight--
	}
}
