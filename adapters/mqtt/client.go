package mqtt

import (
	"slices"
	"sync/atomic"
	"time"

	"github.com/manifoldmq/manifold/adapters/mqtt/internal/session"
	"github.com/manifoldmq/manifold/router"
	"github.com/manifoldmq/manifold/tenancy"
)

// client is the session of a client id, as MQTT 5 calls it [4.1]: what it subscribes to, the links of its publishes, and
// what both sides still owe each other. It belongs to one connection at a time, and between two to its seat.
type client struct {
	server *Server
	key    clientKey
	user   *tenancy.Principal
	origin any // whose messages its publishes are, for subscriptions that leave them out

	mail          mail
	senders       map[string]*sender // by address; of this connection
	subscriptions subscriptions
	subscribed    atomic.Int32 // how many those are, for who has not got the client
	inbox         []arrival    // taken from arrivals and not yet given to the session
	owing         []*inlet

	memory session.Memory // of the last connection
	unsent []arrival      // what it was given and did not write, oldest first; in its end only
	again  []resend       // what the client has not acknowledged, oldest first

	expiry  uint32        // seconds that the session outlives its connection; session.NeverExpires for ever
	will    *session.Will // nil when there is none to publish
	willAt  time.Time     // between connections: when it is published
	endsAt  time.Time     // between connections: when the session ends; zero for never
	written string        // its record, as last kept
	counted bool          // among the sessions that its tenant may have
}

// resend is a message that was sent under an id and not acknowledged.
type resend struct {
	id    uint16
	qos   byte
	token *outgoing
}

func newClient(s *Server, key clientKey, user *tenancy.Principal) *client {
	c := &client{server: s, key: key, user: user, origin: "mqtt:" + key.id}
	c.mail.init(s.config.Limits.MaxQueuedBytes)
	return c
}

// outlives tells whether the session outlives its connection.
func (c *client) outlives() bool { return c.expiry > 0 }

// park leaves a session without a connection: what it holds for its client alone it goes on holding, everything else
// goes back. A session that does not outlive its connection is to be ended then.
func (c *client) park() {
	c.closeSenders()
	again := c.again[:0]
	for _, r := range c.again {
		if in := r.token.inlet; r.qos < 2 && !in.own() {
			c.finish(in, &r.token.delivery, router.Fail())
			c.forget(r.token)
		} else {
			again = append(again, r)
		}
	}
	c.again = again
	if len(c.unsent) > 0 {
		c.inbox, c.unsent = append(c.unsent, c.inbox...), nil
	}
	busy := make(map[*inlet]bool, len(c.again))
	for _, r := range c.again {
		busy[r.token.inlet] = true
	}
	c.closeInlets(func(in *inlet) bool { return in.kept && busy[in] })
}

// closeInlets closes the inlets for which keep is false. What they have brought is given back untouched before, so that
// only what the client may have seen counts as delivered.
func (c *client) closeInlets(keep func(*inlet) bool) {
	var closing []*inlet
	for _, s := range c.subscriptions {
		s.inlets = slices.DeleteFunc(s.inlets, func(in *inlet) bool {
			if keep(in) {
				return false
			}
			in.ended = true
			closing = append(closing, in)
			return true
		})
	}
	c.sortOut()
	for _, in := range closing {
		in.link.Close()
	}
	c.repayCredit()
}

// sortOut gives back what waits for inlets that are ended. What comes again for that uses up their credit.
func (c *client) sortOut() {
	var stays []arrival
	for waiting := c.inbox; ; {
		for i := range waiting {
			a := &waiting[i]
			if a.inlet.ended || a.delivery.Message.IsZero() {
				c.finish(a.inlet, &a.delivery, router.Release())
			} else {
				stays = append(stays, *a)
			}
		}
		if waiting = c.mail.arrivals.Take(); len(waiting) == 0 {
			break
		}
	}
	c.inbox = stays
}

// schedule says when its will is to be published and when it ends, after its connection ended at parted.
func (c *client) schedule(parted time.Time) {
	c.willAt, c.endsAt = time.Time{}, time.Time{}
	if c.will != nil {
		c.willAt = parted.Add(time.Duration(c.will.Delay) * time.Second)
	}
	if c.expiry != session.NeverExpires {
		c.endsAt = parted.Add(time.Duration(c.expiry) * time.Second)
	}
}

// end gives back all that the session holds, and ends its subscriptions.
func (c *client) end() {
	c.closeSenders()
	for _, r := range c.again {
		c.finish(r.token.inlet, &r.token.delivery, router.Fail())
		c.forget(r.token)
	}
	c.again = nil
	c.inbox, c.unsent = append(c.unsent, c.inbox...), nil
	c.closeInlets(func(*inlet) bool { return false })
	for len(c.subscriptions) > 0 {
		c.drop(c.subscriptions[len(c.subscriptions)-1])
	}
	if c.written != "" {
		c.server.config.Sessions.Forget(c.key.tenant, c.key.id)
	}
	if c.counted {
		c.counted = false
		c.user.Allowance().Give(tenancy.MaxSessions, 1)
	}
}

// count takes up one of the sessions that the tenant may have, if this one outlives its connection.
func (c *client) count() error {
	if c.counted || !c.outlives() {
		return nil
	}
	err := c.user.Allowance().Take(tenancy.MaxSessions, 1)
	c.counted = err == nil
	return err
}

// endForGood is end for a session that has no connection and gets none: a will that waits is published now.
func (c *client) endForGood() {
	c.end()
	if c.will != nil {
		c.publishWill()
	}
}

// add makes a subscription one of the client's, in the place of one with the same text.
func (c *client) add(s *subscription) {
	c.subscriptions.put(s)
	c.subscribed.Store(int32(len(c.subscriptions)))
}

// abandon takes a subscription, whose inlets are closed, out of the session. What is kept for it is not this client's to end.
func (c *client) abandon(s *subscription) {
	c.subscriptions.remove(s.options.text())
	c.subscribed.Store(int32(len(c.subscriptions)))
	if s.options.Group != "" {
		c.server.part(c, s)
	}
}

// drop ends a subscription whose inlets are closed, with what is kept for it.
func (c *client) drop(s *subscription) {
	filter := s.options.text()
	c.subscriptions.remove(filter)
	c.subscribed.Store(int32(len(c.subscriptions)))
	if err := c.server.forget(c, s); err != nil {
		c.server.config.Log.Warn("a subscription cannot be ended", "tenant", c.key.tenant, "client", c.key.id,
			"filter", filter, "err", err)
	}
}

func (c *client) closeSenders() {
	for _, s := range c.senders {
		s.link.Close()
	}
	c.senders = nil
}
