package mqtt

import (
	"math"
	"time"

	"github.com/manifoldmq/manifold/adapters/mqtt/internal/session"
	"github.com/manifoldmq/manifold/router"
)

// outgoing is a message that the session has, until it is settled there.
type outgoing struct {
	delivery     router.Delivery
	subscription *subscription
}

// deliverArrivals gives to the session what has come, as far as it takes it.
func (c *conn) deliverArrivals() {
	for {
		if len(c.inbox) == 0 {
			if c.inbox = c.mail.arrivals.Take(); len(c.inbox) == 0 {
				return
			}
		}
		for i := range c.inbox {
			if !c.deliver(&c.inbox[i]) {
				c.inbox = c.inbox[i:]
				return
			}
			c.inbox[i] = arrival{}
		}
		c.inbox = nil
	}
}

// deliver gives one message to the session. It reports false when the session is full: try again after it has written.
func (c *conn) deliver(a *arrival) bool {
	s, d := a.subscription, &a.delivery
	if s.ended || d.Message.IsZero() {
		c.finish(s, d, router.Release())
		return true
	}
	p := session.Publication{
		QoS:             s.qos,
		Retain:          d.Retained || s.asSent && d.Retain,
		SubscriptionIDs: s.ids,
	}
	if d.Settled {
		p.QoS = 0
	}
	p.Dup = p.QoS > 0 && d.Attempts > 0
	left, expired := timeLeft(d)
	if expired {
		c.finish(s, d, router.Reject(router.Unroutable, "expired"))
		return true
	}
	if !decode(d, c.session.Version(), left, &p) {
		c.drop(s, d, "the message has no form in MQTT")
		return true
	}
	o := c.keep(s, d)
	p.Token = o
	switch refusal := c.session.Deliver(p); refusal {
	case nil:
		return true
	case session.PendingFull:
		c.forget(o)
		return false
	case session.NotConnected:
		c.forget(o)
		c.finish(s, d, router.Release())
		return true
	default:
		c.forget(o)
		c.drop(s, d, refusal.Error())
		return true
	}
}

// timeLeft gives the seconds, rounded up, until a message expires; 0 for one that never does.
func timeLeft(d *router.Delivery) (seconds uint32, expired bool) {
	if d.Expires == 0 {
		return 0, false
	}
	left := d.Expires - time.Now().UnixMilli()
	return uint32(min(max((left+999)/1000, 0), math.MaxUint32)), left <= 0
}

// drop ends a message that this client can never take: it is rejected where somebody waits, and counted otherwise.
func (c *conn) drop(s *subscription, d *router.Delivery, why string) {
	s.link.Drop()
	c.finish(s, d, router.Reject(router.Unsupported, why))
}

// finish ends a delivery and remembers the credit that is due for it.
func (c *conn) finish(s *subscription, d *router.Delivery, o router.Outcome) {
	if d.Owned() {
		d.Settle(o)
	} else {
		c.mail.shed.Add(-int64(d.Message.Len()))
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
		s.link.Grant(n)
		c.owing[i] = nil
	}
	c.owing = c.owing[:0]
}

// Settled implements session.Handler.
func (c *conn) Settled(token any, settled session.Settlement) {
	o := token.(*outgoing)
	c.finish(o.subscription, &o.delivery, outcomeOf(settled))
	c.forget(o)
}

func outcomeOf(s session.Settlement) router.Outcome {
	switch s.Outcome {
	case session.Written, session.Acknowledged:
		return router.Accept()
	case session.Unsent:
		return router.Release()
	case session.Refused:
		return router.Reject(router.Unsupported, "the client refused the message")
	default:
		return router.Fail()
	}
}

// keep makes a token for the session.
func (c *conn) keep(s *subscription, d *router.Delivery) *outgoing {
	o := c.server.tokens.Get().(*outgoing)
	o.delivery, o.subscription = *d, s
	return o
}

// forget takes a token back.
func (c *conn) forget(o *outgoing) {
	*o = outgoing{}
	c.server.tokens.Put(o)
}
