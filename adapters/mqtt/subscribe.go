package mqtt

import (
	"context"

	"github.com/manifoldmq/manifold/adapters/mqtt/internal/session"
	"github.com/manifoldmq/manifold/addressing"
	"github.com/manifoldmq/manifold/router"
)

// subscription is a link that brings messages for one topic filter of the client.
type subscription struct {
	conn   *conn
	link   *router.Receiver
	qos    byte
	asSent bool     // Retain As Published
	ids    []uint32 // the Subscription Identifier, or none
	owed   int      // credit to give back at the end of Flush
	ended  bool     // what still arrives is given back
}

var _ router.Consumer = (*subscription)(nil)

// Deliver implements router.Consumer.
func (s *subscription) Deliver(_ *router.Receiver, d router.Delivery) { s.conn.mail.arrive(s, d) }

// Subscribe implements session.Handler.
func (c *conn) Subscribe(r session.Subscribe) {
	answers := make([]session.Reason, len(r.Filters))
	for i, f := range r.Filters {
		answers[i] = c.subscribe(f, r.SubscriptionID)
	}
	c.session.SubAck(r.PacketID, answers)
}

func (c *conn) subscribe(f session.Filter, id uint32) session.Reason {
	if f.Refusal != session.Success {
		return f.Refusal
	}
	text := string(f.Topic)
	filter, err := addressing.ParseMQTTFilter(text)
	if err != nil {
		return session.TopicFilterInvalid
	}
	former, again := c.subscriptions[text]
	if !again && len(c.subscriptions) >= c.server.config.Limits.MaxSubscriptions {
		return session.QuotaExceeded
	}
	source := router.Source{
		Filter:   filter,
		Retained: f.RetainHandling == 0 || f.RetainHandling == 1 && !again,
	}
	if f.NoLocal {
		source.Except = &c.mail
	}
	s := &subscription{conn: c, qos: f.QoS, asSent: f.RetainAsPublished}
	if id != 0 {
		s.ids = []uint32{id}
	}
	if s.link, err = c.server.config.Router.Receiver(context.Background(), c.user, source, s); err != nil {
		return reasons[router.ReasonOf(err)].suback
	}
	if c.subscriptions == nil {
		c.subscriptions = make(map[string]*subscription)
	}
	c.subscriptions[text] = s
	// The new link takes over before the old one ends, so that nothing is missed in between [MQTT-3.8.4-4].
	s.link.Grant(c.credit(s.link.Kind()))
	if again {
		former.link.Close()
	}
	return session.Reason(s.qos)
}

// credit is how many messages of a kind may be on their way to the client. Those of a queue are better off waiting
// there, where others can take them.
func (c *conn) credit(k addressing.Kind) int {
	if k == addressing.Queue || k == addressing.Anycast {
		return c.server.config.Limits.QueueCredit
	}
	return c.server.config.Limits.SubscriptionCredit
}

// Unsubscribe implements session.Handler.
func (c *conn) Unsubscribe(r session.Unsubscribe) {
	answers := make([]session.Reason, len(r.Filters))
	for i, f := range r.Filters {
		switch s, ok := c.subscriptions[string(f.Topic)]; {
		case f.Refusal != session.Success:
			answers[i] = f.Refusal
		case !ok:
			answers[i] = session.NoSubscriptionExisted
		default:
			delete(c.subscriptions, string(f.Topic))
			s.ended = true
			s.link.Close()
		}
	}
	c.session.UnsubAck(r.PacketID, answers)
}
