package mqtt

import (
	"github.com/manifoldmq/manifold/adapters/mqtt/internal/session"
	"github.com/manifoldmq/manifold/addressing"
	"github.com/manifoldmq/manifold/router"
)

// Subscribe implements session.Handler. SUBACK comes when the routes are live and, in a session that outlives its
// connection, on disk.
func (c *conn) Subscribe(r session.Subscribe) {
	answers := make([]session.Reason, len(r.Filters))
	for i, f := range r.Filters {
		answers[i] = c.subscribe(f, r.SubscriptionID)
	}
	c.subscribing++
	c.whenKept(func(c *conn, err error) {
		c.subscribing--
		for i, code := range answers {
			if err != nil && !code.Failed() {
				answers[i] = session.UnspecifiedError
			}
		}
		c.session.SubAck(r.PacketID, answers)
	})
}

// whenKept runs answer when the session is on disk as it is now, if this connection is still there.
func (c *conn) whenKept(answer func(*conn, error)) {
	if !c.outlives() {
		answer(c, nil)
		return
	}
	engine := c.session
	c.keepRecord(func(c *conn, err error) {
		if c.session == engine {
			answer(c, err)
		}
	})
}

func (c *conn) subscribe(f session.Filter, id uint32) session.Reason {
	if f.Refusal != session.Success {
		return f.Refusal
	}
	s := &subscription{options: optionsOf(f, id)}
	var err error
	if s.filter, err = addressing.ParseMQTTFilter(s.options.Topic); err != nil {
		return session.TopicFilterInvalid
	}
	text := s.options.text()
	former, again := c.subscriptions[text]
	if !again && len(c.subscriptions) >= c.server.config.Limits.MaxSubscriptions {
		return session.QuotaExceeded
	}
	retained := f.Group == nil && (f.RetainHandling == 0 || f.RetainHandling == 1 && !again)
	if err := c.establish(s, former, retained); err != nil {
		return reasons[router.ReasonOf(err)].suback
	}
	return session.Reason(f.QoS)
}

// establish makes a subscription live in the place of a former one, if there is one.
func (c *client) establish(s, former *subscription, retained bool) error {
	stored := c.outlives() && s.options.QoS > 0
	if former != nil && (former.options.Group != "" ||
		former.stored && stored && former.options.NoLocal == s.options.NoLocal) {
		former.options = s.options // what brings its messages is the same [MQTT-3.8.4-3]
		if retained && former.stored {
			former.replay(c)
		}
		return nil
	}
	s.stored = c.server.join(c, &s.options, stored)
	if former != nil && former.stored && s.stored { // it is the same name with other terms
		former.close()
	}
	if err := s.open(c, retained); err != nil {
		if s.options.Group != "" {
			c.server.part(c, &s.options)
		}
		return err
	}
	// The new links take over before the old ones end, so that nothing is missed in between [MQTT-3.8.4-4].
	if former != nil {
		former.close()
		if former.stored && !s.stored {
			c.drop(s.options.text(), former)
		}
	}
	if c.subscriptions == nil {
		c.subscriptions = make(map[string]*subscription)
	}
	c.subscriptions[s.options.text()] = s
	return nil
}

// credit is how many messages of an inlet may be on their way to the client. Those that are kept are better off waiting
// there, where others can take them.
func (c *client) credit(in *inlet) int {
	if in.kept || in.competes() {
		return c.server.config.Limits.QueueCredit
	}
	return c.server.config.Limits.SubscriptionCredit
}

// Unsubscribe implements session.Handler.
func (c *conn) Unsubscribe(r session.Unsubscribe) {
	answers := make([]session.Reason, len(r.Filters))
	for i, f := range r.Filters {
		o := optionsOf(f, 0)
		switch s, ok := c.subscriptions[o.text()]; {
		case f.Refusal != session.Success:
			answers[i] = f.Refusal
		case !ok:
			answers[i] = session.NoSubscriptionExisted
		default:
			s.close()
			c.drop(o.text(), s)
		}
	}
	c.whenKept(func(c *conn, _ error) { c.session.UnsubAck(r.PacketID, answers) })
}
