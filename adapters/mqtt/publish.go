package mqtt

import (
	"context"
	"time"

	"github.com/manifoldmq/manifold/adapters/mqtt/internal/session"
	"github.com/manifoldmq/manifold/addressing"
	"github.com/manifoldmq/manifold/router"
)

// sender is a link that the client's publishes to one topic name go through.
type sender struct {
	link     *router.Sender
	inFlight int // publishes without an outcome
}

// Publish implements session.Handler.
func (c *conn) Publish(p session.Publish) {
	s, err := c.sender(p.Topic)
	if err != nil {
		c.refuse(p.Receipt, p.QoS, router.ReasonOf(err), addressing.AnyKind)
		return
	}
	m, ok := encode(s.link.Address(), p.Payload, &p.Properties)
	if !ok {
		c.session.Acknowledge(p.Receipt, session.PayloadFormatInvalid)
		return
	}
	s.inFlight++
	s.link.Send(tagOf(p.Receipt, p.QoS), router.Delivery{
		Message: m,
		Expires: expiry(&p.Properties),
		Settled: p.QoS == 0,
		Retain:  p.Retain,
	})
}

// expiry is when a message that says how long it lives will be of no use any more.
func expiry(p *session.Properties) int64 {
	if !p.Expires {
		return 0
	}
	return time.Now().UnixMilli() + int64(p.Expiry)*1000
}

// sender gives the link to a topic name, a new one if need be.
func (c *conn) sender(topic []byte) (*sender, error) {
	if s, ok := c.senders[string(topic)]; ok {
		return s, nil
	}
	a, err := addressing.ParseAddress(string(topic))
	if err != nil {
		return nil, router.Errorf(router.Malformed, "topic name: %v", err)
	}
	link, err := c.server.config.Router.Sender(context.Background(), c.user, router.Target{Address: a}, &c.mail)
	if err != nil {
		return nil, err
	}
	if c.senders == nil {
		c.senders = make(map[string]*sender)
	}
	c.closeIdleSender()
	s := &sender{link: link}
	c.senders[string(a)] = s
	return s, nil
}

// closeIdleSender makes room for one more sender, if there are too many and one is idle.
func (c *conn) closeIdleSender() {
	if len(c.senders) < c.server.config.Limits.MaxSenders {
		return
	}
	for topic, s := range c.senders {
		if s.inFlight == 0 {
			s.link.Close()
			delete(c.senders, topic)
			return
		}
	}
}

// answer tells the client what became of a publish.
func (c *conn) answer(o outcome) {
	if s, ok := c.senders[string(o.link.Address())]; ok && s.link == o.link {
		s.inFlight--
	}
	if o.reason == router.OK {
		c.session.Acknowledge(o.receipt, session.Success)
		return
	}
	c.refuse(o.receipt, o.qos, o.reason, o.link.Kind())
}

// refuse tells the client that a publish was not accepted. With QoS 0 it asked for no answer and gets none.
func (c *conn) refuse(receipt session.Receipt, qos byte, reason router.Reason, kind addressing.Kind) {
	words := codesOf(reason, kind)
	if qos == 0 || c.session.Version() >= 5 || words.beforeMQTT5 == acknowledge {
		c.session.Acknowledge(receipt, words.puback)
		return
	}
	if words.beforeMQTT5 == disconnect {
		c.session.Disconnect(words.connack)
		return
	}
	if c.giveUpAt.IsZero() {
		c.giveUpAt = time.Now().Add(c.server.config.Limits.DeliveryTimeout)
	}
}

// publishWill sends the client's will. Nobody hears what becomes of it.
func (c *conn) publishWill(ctx context.Context) {
	a, err := addressing.ParseAddress(c.will.Topic)
	if err != nil {
		return
	}
	link, err := c.server.config.Router.Sender(ctx, c.user, router.Target{Address: a}, unheard{})
	if err != nil {
		c.server.config.Log.Warn("a will cannot be published", "tenant", c.key.tenant, "client", c.key.id, "err", err)
		return
	}
	if m, ok := encode(a, c.will.Payload, &c.will.Properties); ok {
		link.Send(0, router.Delivery{
			Message: m,
			Expires: expiry(&c.will.Properties),
			Settled: c.will.QoS == 0,
			Retain:  c.will.Retain,
		})
	}
	link.Close()
}

// unheard is a producer that is gone.
type unheard struct{}

func (unheard) Settled(*router.Sender, uint64, router.Outcome) {}
func (unheard) Credit(*router.Sender, int)                     {}
