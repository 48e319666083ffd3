package stomp

import (
	"github.com/manifoldmq/manifold/adapters/stomp/internal/session"
	"github.com/manifoldmq/manifold/router"
)

// settling is an ACK or NACK that the client waits for.
type settling struct {
	receipt session.Receipt
	left    int // deliveries whose settlement is not safe yet
	err     error
}

// settlement is what became of one delivery of it.
type settlement struct {
	of  *settling
	err error
}

// outcomeOf gives what ACK and NACK mean.
func outcomeOf(r *session.Settle) router.Outcome {
	if r.Accepted {
		return router.Accept()
	}
	return router.Fail()
}

// Settle implements session.Handler.
func (c *conn) Settle(r session.Settle) {
	if r.Transaction != nil {
		c.settleIn(r)
		return
	}
	var done func(error)
	if r.Asked {
		waits := &settling{receipt: r.Receipt, left: len(r.Tokens)}
		done = func(err error) { c.mail.settlements.Put(settlement{waits, err}) }
	}
	for _, token := range r.Tokens {
		o := token.(*outgoing)
		o.delivery.SettleThen(outcomeOf(&r), done)
		c.letGo(o)
	}
	if !r.Asked {
		c.session.Done(r.Receipt)
	}
}

// letGo notes that the client does not hold a delivery any more.
func (c *conn) letGo(o *outgoing) {
	s := o.subscription
	s.held--
	c.discharge(s, &o.delivery)
	c.enqueue(s)
}

// answerSettlement tells the client when all that it settled at once is safe.
func (c *conn) answerSettlement(s settlement) {
	waits := s.of
	if waits.err == nil {
		waits.err = s.err
	}
	if waits.left--; waits.left > 0 {
		return
	}
	if waits.err != nil {
		c.refuse(waits.receipt, waits.err)
		return
	}
	c.session.Done(waits.receipt)
}
