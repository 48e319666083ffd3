package mqtt

import (
	"math"
	"time"

	"github.com/manifoldmq/manifold/adapters/mqtt/internal/session"
	"github.com/manifoldmq/manifold/router"
)

// outgoing is a message that the session has, until it is settled there.
type outgoing struct {
	delivery router.Delivery
	inlet    *inlet
	ids      []uint32 // of the subscriptions that it is sent for
}

// deliverArrivals gives to the session what has come, as far as it takes it.
func (c *conn) deliverArrivals() {
	for {
		if len(c.inbox) == 0 {
			if c.inbox = c.mail.arrivals.Take(); len(c.inbox) == 0 {
				return
			}
		}
		for i := 0; i < len(c.inbox); {
			n := copies(c.inbox[i:])
			if !c.deliver(&c.inbox[i], c.inbox[i+1:i+n]) {
				c.inbox = c.inbox[i:]
				return
			}
			c.finishCopies(c.inbox[i+1 : i+n])
			c.inbox[i] = arrival{}
			i += n
		}
		c.inbox = nil
	}
}

// deliver gives one message, with its copies for other subscriptions, to the session. It reports false when the session is full: try again after it has written.
func (c *conn) deliver(a *arrival, rest []arrival) bool {
	in, d := a.inlet, &a.delivery
	if in.ended || d.Message.IsZero() || in.replays && !d.Retained {
		c.finish(in, d, router.Release())
		return true
	}
	p := c.publication(in, d)
	c.merge(&p, rest)
	left, expired := timeLeft(d)
	if expired {
		c.finish(in, d, router.Reject(router.Unroutable, "expired"))
		return true
	}
	if !decode(d, c.session.Version(), left, &p) {
		c.reject(in, d, "the message has no form in MQTT")
		return true
	}
	o := c.keep(in, d)
	o.ids = p.SubscriptionIDs
	p.Token = o
	switch refusal := c.session.Deliver(p); refusal {
	case nil:
		return true
	case session.PendingFull:
		c.forget(o)
		return false
	case session.NotConnected:
		c.forget(o)
		c.finish(in, d, router.Release())
		return true
	default:
		c.forget(o)
		c.reject(in, d, refusal.Error())
		return true
	}
}

// publication begins one for a delivery. Its QoS is the lower of what was published and what was subscribed [3.8.4]. What
// somebody else gets when this client gives it back is sent with QoS 1 by a session that goes on: an id of QoS 2 could not
// be taken back.
func (c *client) publication(in *inlet, d *router.Delivery) session.Publication {
	o := &in.subscription.options
	p := session.Publication{
		Topic:           in.topic(d.To),
		QoS:             o.QoS,
		Retain:          d.Retained || o.AsPublished && d.Retain,
		SubscriptionIDs: o.IDs,
	}
	switch {
	case d.Settled || d.Unasked:
		p.QoS = 0
	case p.QoS == 2 && (!exactlyOnce(d.Message) || c.outlives() && in.competes()):
		p.QoS = 1
	}
	p.Dup = p.QoS > 0 && d.Attempts > 0
	return p
}

// resend gives to the session what the client had not acknowledged when its last connection ended, with its ids. What
// has expired meanwhile is sent all the same: the client may have it, and its id with QoS 2 must be seen through.
func (c *conn) resend() {
	again := c.client.again
	c.client.again = nil
	for _, r := range again {
		o := r.token
		p := c.publication(o.inlet, &o.delivery)
		p.QoS, p.Dup, p.SubscriptionIDs, p.Token = r.qos, true, o.ids, o
		left, _ := timeLeft(&o.delivery)
		if o.delivery.Expires > 0 {
			left = max(left, 1)
		}
		if !decode(&o.delivery, c.session.Version(), left, &p) || c.session.Resend(r.id, p) != nil {
			c.reject(o.inlet, &o.delivery, "the message has no form in this version of MQTT")
			c.forget(o)
		}
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

// reject ends a message that this client can never take: it is rejected where somebody waits, and counted otherwise.
func (c *client) reject(in *inlet, d *router.Delivery, why string) {
	in.link.Drop()
	c.finish(in, d, router.Reject(router.Unsupported, why))
}

// finish ends a delivery and remembers the credit that is due for it.
func (c *client) finish(in *inlet, d *router.Delivery, o router.Outcome) {
	if d.Owned() {
		d.Settle(o)
	} else {
		c.mail.shed.Add(-int64(d.Message.Len()))
	}
	c.repay(in)
}

// repay remembers that credit is due for a delivery.
func (c *client) repay(in *inlet) {
	if in.owed == 0 {
		c.owing = append(c.owing, in)
	}
	in.owed++
}

// repayCredit grants what finished deliveries have given back.
func (c *client) repayCredit() {
	for i, in := range c.owing {
		n := in.owed
		in.owed = 0
		in.grant(n)
		c.owing[i] = nil
	}
	c.owing = c.owing[:0]
}

// Settled implements session.Handler.
func (c *conn) Settled(token any, settled session.Settlement) {
	o, ok := token.(*outgoing)
	if !ok { // one of the topics below $SYS
		return
	}
	if c.outlives() {
		switch settled.Outcome {
		case session.Unacknowledged:
			c.client.again = append(c.client.again, resend{settled.PacketID, settled.QoS, o})
			return
		case session.Unsent:
			c.unsent = append(c.unsent, arrival{o.inlet, o.delivery})
			c.forget(o)
			return
		}
	}
	c.settle(o, settled)
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
func (c *client) keep(in *inlet, d *router.Delivery) *outgoing {
	o := c.server.tokens.Get().(*outgoing)
	o.delivery, o.inlet = *d, in
	return o
}

// forget takes a token back.
func (c *client) forget(o *outgoing) {
	*o = outgoing{}
	c.server.tokens.Put(o)
}
