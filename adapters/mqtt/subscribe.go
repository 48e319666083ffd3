package mqtt

import (
	"github.com/manifoldmq/manifold/adapters/mqtt/internal/session"
	"github.com/manifoldmq/manifold/router"
)

// Subscribe implements session.Handler. SUBACK comes when the routes are live and, in a session that outlives its
// connection, on disk.
func (c *conn) Subscribe(r session.Subscribe) {
	answers := newAnswers(len(r.Filters))
	answers.hidden = c.server.config.Limits.HideReasons
	watches := false
	for i, f := range r.Filters {
		s := &subscription{options: optionsOf(f, r.SubscriptionID)}
		code, err := c.subscribe(s, f)
		answers.set(i, code, err)
		watches = watches || s.system
	}
	c.subscribing++
	c.whenKept(func(c *conn, err error) {
		c.subscribing--
		for i, code := range answers.codes {
			if err != nil && !code.Failed() {
				answers.set(i, session.UnspecifiedError, err)
			}
		}
		c.session.SubAck(r.PacketID, answers.codes, answers.text)
		if watches {
			c.report(true)
		}
	})
}

// answers are those to the filters of one packet, and why the first that was refused was.
type answers struct {
	codes  []session.Reason
	text   string
	hidden bool // nobody is told why
}

func newAnswers(n int) *answers { return &answers{codes: make([]session.Reason, n)} }

func (a *answers) set(i int, code session.Reason, err error) {
	if a.hidden && code.Failed() {
		a.codes[i] = session.UnspecifiedError
		return
	}
	a.codes[i] = code
	if a.text == "" {
		a.text = explain(err)
	}
}

// refused is why the engine refuses a filter.
func refused(code session.Reason) error { return router.Errorf(router.Malformed, "%v", code) }

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

// subscribe makes one subscription, or tells why there is none.
func (c *conn) subscribe(s *subscription, f session.Filter) (session.Reason, error) {
	if f.Refusal != session.Success {
		return f.Refusal, refused(f.Refusal)
	}
	if err := c.resolve(s); err != nil {
		return reasons[router.ReasonOf(err)].suback, err
	}
	former := c.subscriptions.get(s.options.text())
	if most := c.server.config.Limits.MaxSubscriptions; former == nil && len(c.subscriptions) >= most {
		return session.QuotaExceeded, router.Errorf(router.Quota, "more than %d subscriptions (maxSubscriptions)", most)
	}
	if c.server.isSystem(&s.options) {
		if err := c.watch(s); err != nil {
			return reasons[router.ReasonOf(err)].suback, err
		}
		return session.Success, nil
	}
	retained := f.Group == nil && (f.RetainHandling == 0 || f.RetainHandling == 1 && former == nil)
	if err := c.establish(s, former, retained); err != nil {
		return reasons[router.ReasonOf(err)].suback, err
	}
	return session.Reason(s.options.QoS), nil
}

// establish makes a subscription live in the place of a former one, if there is one.
func (c *client) establish(s, former *subscription, retained bool) error {
	stored := c.outlives() && s.options.QoS > 0
	moves := former != nil && !former.sameSource(s) // the rules have changed since
	if former != nil && !moves && (former.options.Group != "" ||
		former.stored && stored && former.options.NoLocal == s.options.NoLocal) {
		former.options = s.options // what brings its messages is the same [MQTT-3.8.4-3]
		if retained && former.stored {
			former.replay(c)
		}
		return nil
	}
	s.stored = c.server.join(c, s, stored)
	if former != nil && !moves && former.stored && s.stored { // it is the same name with other terms
		former.close()
	}
	if err := s.open(c, retained); err != nil {
		if s.options.Group != "" {
			c.server.part(c, s)
		}
		return err
	}
	// The new links take over before the old ones end, so that nothing is missed in between [MQTT-3.8.4-4].
	if former != nil {
		former.close()
		if moves || former.stored && !s.stored {
			c.drop(former)
		}
	}
	c.add(s)
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
	answers := newAnswers(len(r.Filters))
	for i, f := range r.Filters {
		o := optionsOf(f, 0)
		switch s := c.subscriptions.get(o.text()); {
		case f.Refusal != session.Success:
			answers.set(i, f.Refusal, refused(f.Refusal))
		case s == nil:
			answers.codes[i] = session.NoSubscriptionExisted
		default:
			s.close()
			c.drop(s)
			if s.system {
				c.rewatch()
			}
		}
	}
	c.whenKept(func(c *conn, _ error) { c.session.UnsubAck(r.PacketID, answers.codes, answers.text) })
}
