package stomp

import (
	"context"
	"time"

	"github.com/go-stomp/stomp/v3/frame"

	"github.com/manifoldmq/manifold/adapters/stomp/internal/session"
	"github.com/manifoldmq/manifold/addressing"
	"github.com/manifoldmq/manifold/router"
)

// durableName gives the name of the durable subscription that SUBSCRIBE wants, or UNSUBSCRIBE wants to end; empty for
// none. ActiveMQ and Artemis name it by a header, RabbitMQ by its id. It begins with the client's name, if that has one,
// as that of an AMQP link does with its container's; then it is the client's own.
func (c *conn) durableName(h *frame.Header) (name string, own bool) {
	for _, header := range []string{"activemq.subscriptionName", "durable-subscription-name", "durable-subscriber-name"} {
		if name = h.Get(header); name != "" {
			break
		}
	}
	if name == "" && h.Get("durable") == "true" {
		name = h.Get(frame.Id)
	}
	client := c.clientID
	if client == "" {
		client = h.Get("client-id")
	}
	if name == "" || client == "" {
		return name, false
	}
	return client + ":" + name, true
}

// durable is the name of a durable subscription that is a client's own.
type durable struct{ tenant, name string }

// rob takes a durable subscription from the connection that its client had before, whose end may not be known yet. One
// that this connection has stays.
func (c *conn) rob(name durable) {
	switch former, ok := c.server.owners.Rob(name); {
	case !ok:
	case former.conn == c:
		c.server.owners.Take(name, former)
	default:
		former.link.Close()
		former.conn.mail.stolen.Put(former)
	}
}

// own remembers who has a client's own durable subscription, and disown that it is free.
func (c *conn) own(s *subscription) {
	if s.durable.name != "" {
		c.server.owners.Take(s.durable, s)
	}
}

func (c *conn) disown(s *subscription) {
	if s.durable.name != "" {
		c.server.owners.Release(s.durable, s)
	}
}

// sayStolen ends the session of a client that has a durable subscription of this connection on another one.
func (c *conn) sayStolen() {
	for _, s := range c.mail.stolen.Take() {
		if !s.ended {
			taken := router.Errorf(router.Conflict, "the client has the subscription %q on another connection", s.durable.name)
			c.session.Disconnect(time.Now(), refusalOf(taken))
		}
	}
}

// isQueue tells whether a source is a queue, which keeps its messages by itself.
func (c *conn) isQueue(source router.Source) bool {
	if source.Kind == addressing.Queue {
		return true
	}
	a, literal := source.Filter.Literal()
	if !literal {
		return false
	}
	def, ok := c.user.Tenant.Addresses.Lookup(a)
	return ok && def.Kind == addressing.Queue
}

// replace ends the durable subscription of the same name that takes from elsewhere, or something else, than its client
// now wants: that is another subscription, in place of the former. One that is out of reach stays.
func (c *conn) replace(source router.Source) error {
	r := c.server.config.Router
	found, _ := c.subscriptions(source.Subscription)
	for _, old := range found {
		if old.Filter == source.Filter && old.Shared == source.Shared &&
			old.Selector.String() == source.Selector.String() && (old.Except == nil) == (source.Except == nil) {
			continue
		}
		err := r.Forget(context.Background(), c.user, old)
		if err != nil && router.ReasonOf(err) != router.NotFound {
			return err
		}
	}
	return nil
}

// subscriptions gives those of a name; with an error, not those that are out of reach.
func (c *conn) subscriptions(name string) ([]router.Source, error) {
	return c.server.config.Router.Subscriptions(context.Background(), c.user, router.Source{Subscription: name})
}

// forget ends a durable subscription for good, of the destination that it had here or of any.
func (c *conn) forget(name string, had *session.Subscription) error {
	r := c.server.config.Router
	found, err := c.subscriptions(name)
	switch {
	case len(found) > 0:
	case err != nil:
		return err
	case had == nil:
		return router.Errorf(router.NotFound, "there is no subscription %q", name)
	}
	for _, source := range found {
		if err := r.Forget(context.Background(), c.user, source); err != nil {
			return err
		}
	}
	return nil
}
