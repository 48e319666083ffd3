package stomp

import (
	"time"

	"github.com/manifoldmq/manifold/adapters/stomp/internal/session"
	"github.com/manifoldmq/manifold/router"
)

// outgoing is a message that the client holds.
type outgoing struct {
	delivery     router.Delivery
	subscription *subscription
}

// Fill implements session.Handler: it writes what has come, as far as there is room.
func (c *conn) Fill() {
	exhausted := c.exhausted()
	c.takeArrivals()
	for len(c.ready) > 0 && c.session.Room() {
		s := c.ready[0]
		if s.ended || len(s.waiting) == 0 || s.held >= s.window {
			s.queued = false
			c.ready[0] = nil
			c.ready = c.ready[1:]
			continue
		}
		d := s.waiting[0]
		s.waiting[0] = router.Delivery{}
		if s.waiting = s.waiting[1:]; len(s.waiting) == 0 {
			s.waiting = nil
		}
		c.deliver(s, d)
	}
	c.endBrowsers(exhausted)
}

// takeArrivals hands to the subscriptions what has come for them.
func (c *conn) takeArrivals() {
	for _, a := range c.mail.arrivals.Take() {
		s := a.subscription
		switch {
		case a.delivery.Message.IsZero():
			c.owe(s)
		case s.ended:
			c.finish(s, a.delivery, router.Release())
		default:
			s.waiting = append(s.waiting, a.delivery)
			c.enqueue(s)
		}
	}
}

// enqueue remembers that a subscription may have something to write.
func (c *conn) enqueue(s *subscription) {
	if !s.queued && len(s.waiting) > 0 {
		s.queued = true
		c.ready = append(c.ready, s)
	}
}

// releaseWaiting gives back what the client did not get.
func (c *conn) releaseWaiting(s *subscription) {
	for _, d := range s.waiting {
		c.finish(s, d, router.Release())
	}
	s.waiting = nil
}

// deliver writes a message.
func (c *conn) deliver(s *subscription, d router.Delivery) {
	now := time.Now()
	if d.Expires > 0 && d.Expires <= now.UnixMilli() {
		c.finish(s, d, router.Reject(router.Unroutable, "expired"))
		return
	}
	header, body, ok := decode(s, &d)
	if !ok {
		s.link.Drop()
		c.finish(s, d, router.Reject(router.Unsupported, "the message has no form in STOMP"))
		return
	}
	c.write(s, d, header, body)
}

// write gives a message to the session. Where nothing is to be acknowledged it is settled by that.
func (c *conn) write(s *subscription, d router.Delivery, header []string, body []byte) {
	if c.session.Deliver(s.told, session.Message{Header: header, Body: body}, &outgoing{d, s}) {
		s.held++
		return
	}
	c.finish(s, d, router.Accept())
}

// finish ends a delivery that the client does not hold.
func (c *conn) finish(s *subscription, d router.Delivery, o router.Outcome) {
	d.Settle(o)
	c.discharge(s, &d)
}

// Settled implements session.Handler.
func (c *conn) Settled(token any) {
	o := token.(*outgoing)
	o.subscription.held--
	c.finish(o.subscription, o.delivery, router.Fail())
}

// discharge gives back what a delivery took that has ended.
func (c *conn) discharge(s *subscription, d *router.Delivery) {
	if s.sheds(d) {
		c.mail.shed.Add(-int64(d.Message.Len()))
	}
	c.owe(s)
}

// owe remembers the credit that is due for a delivery.
func (c *conn) owe(s *subscription) {
	if s.surplus > 0 {
		s.surplus--
		return
	}
	if s.owed == 0 {
		c.owing = append(c.owing, s)
	}
	s.owed++
}

// repayCredit grants what finished deliveries have given back.
func (c *conn) repayCredit() {
	for i, s := range c.owing {
		n := s.owed
		s.owed = 0
		if !s.ended {
			s.link.Grant(n)
		}
		c.owing[i] = nil
	}
	c.owing = c.owing[:0]
}
