package http

import (
	nethttp "net/http"
	"sync/atomic"

	"github.com/manifoldmq/manifold/addressing"
	"github.com/manifoldmq/manifold/router"
)

// subscription is a receiving link of a socket.
type subscription struct {
	socket  *socket
	number  uint64
	link    *router.Receiver
	settles bool         // the client settles what it gets
	renews  bool         // credit comes back by itself
	window  int          // the most deliveries on their way and not settled
	open    atomic.Int64 // those that there is credit for, unless it renews

	live    bool          // the client is told that it is there; of the writer
	revoked *router.Error // why nothing more comes, if that was heard before; of the writer
}

var _ router.Revocable = (*subscription)(nil)

// subscribe opens a link under a number that is free.
func (c *socket) subscribe(o *order) error {
	if _, taken := c.subscriptions[o.Subscription]; taken {
		return router.Errorf(router.Conflict, "there is a subscription %d already", o.Subscription)
	}
	if len(c.subscriptions) >= c.server.limits.MaxBatch {
		return router.Errorf(router.Quota, "too many subscriptions (http.maxBatch)")
	}
	source, err := c.server.orderedSource(c.principal, o)
	if err != nil {
		return err
	}
	sub := &subscription{socket: c, number: o.Subscription, settles: o.Settle, renews: o.Credit == 0}
	if sub.link, err = c.server.router.Receiver(c.ctx, c.principal, source, sub); err != nil {
		return err
	}
	sub.window = c.server.limits.StreamWindow
	if !sub.keeps() && sub.link.Kind() != addressing.Anycast {
		sub.window = c.server.limits.StreamCredit
	}
	c.subscriptions[sub.number] = sub
	credit := sub.window
	if !sub.renews {
		credit = min(o.Credit, sub.window)
		sub.open.Add(int64(credit))
	}
	c.answerAfter(o.ID, result{Status: nethttp.StatusOK}, func() { sub.start(credit) })
	return nil
}

// start lets messages come. It is the writer's.
func (s *subscription) start(credit int) {
	s.live = true
	s.link.Grant(credit)
	if s.revoked != nil {
		s.Revoked(s.link, s.revoked)
	}
}

func (s *subscription) keeps() bool {
	return s.link.Kind() == addressing.Queue || s.link.Source().Subscription != ""
}

// Deliver implements router.Consumer.
func (s *subscription) Deliver(r *router.Receiver, d router.Delivery) {
	c := s.socket
	if size := int64(d.Message.Len()); !d.Owned() && c.queued.Add(size) > int64(c.server.limits.MaxQueuedBytes) {
		c.queued.Add(-size)
		r.Drop()
		d = router.Delivery{} // its credit is due all the same
	}
	c.mail.Put(news{from: s, delivery: d})
}

// Revoked implements router.Revocable.
func (s *subscription) Revoked(_ *router.Receiver, why *router.Error) {
	if why != nil {
		s.socket.mail.Put(news{from: s, revoked: why})
	}
}

// renew is called when a delivery has been settled, or written if that is all there is to it.
func (s *subscription) renew() {
	if s.renews {
		s.link.Grant(1)
	} else {
		s.open.Add(-1)
	}
}

func (c *socket) credit(o *order) error {
	sub, err := c.find(o.Subscription)
	switch {
	case err != nil:
		return err
	case sub.renews:
		return router.Errorf(router.Conflict, "the credit of subscription %d is renewed by itself", sub.number)
	case o.Credit < 1 || o.Credit > sub.window-int(sub.open.Load()):
		return router.Errorf(router.Quota, "credit: want at least 1, and no more than %d messages on their way and not settled "+
			"(http.streamWindow, http.streamCredit)", sub.window)
	}
	sub.open.Add(int64(o.Credit))
	c.answerAfter(o.ID, result{Status: nethttp.StatusNoContent}, func() { sub.link.Grant(o.Credit) })
	return nil
}

func (c *socket) unsubscribe(o *order) error {
	sub, err := c.find(o.Subscription)
	if err != nil {
		return err
	}
	sub.link.Close()
	c.forget(sub)
	delete(c.subscriptions, sub.number)
	c.answer(o.ID, result{Status: nethttp.StatusNoContent})
	return nil
}

func (c *socket) find(number uint64) (*subscription, error) {
	sub, ok := c.subscriptions[number]
	if !ok {
		return nil, router.Errorf(router.NotFound, "there is no subscription %d", number)
	}
	return sub, nil
}
