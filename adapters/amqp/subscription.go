package amqp

import (
	"context"
	"slices"
	"strings"

	"github.com/manifoldmq/manifold/addressing"
	"github.com/manifoldmq/manifold/router"
	codec "github.com/manifoldmq/manifold/router/amqp"
	"github.com/manifoldmq/manifold/router/amqp/engine"
	"github.com/manifoldmq/manifold/router/amqp/frame"
)

// What a source's capabilities, or those that a link desires, say of a subscription, as JMS clients mean them.
const (
	sharedCapability codec.Symbol = "shared" // several links compete for its messages
	globalCapability codec.Symbol = "global" // it belongs to no container in particular
)

// isDurable tells whether a source is to outlive its link [3.5.5, 3.5.6].
func isDurable(s *frame.Source) bool {
	return s.Durable != frame.NotDurable && s.ExpiryPolicy == frame.ExpireNever
}

// subscriber is whom a subscription belongs to.
type subscriber struct {
	container, link string
	shared, global  bool
	volatile        bool // the subscription ends with its last link
}

// subscriberOf reads whom the subscription of a link belongs to.
func subscriberOf(container, link string, capabilities []codec.Symbol, durable bool) subscriber {
	return subscriber{
		container: container, link: link,
		shared:   slices.Contains(capabilities, sharedCapability),
		global:   slices.Contains(capabilities, globalCapability),
		volatile: !durable,
	}
}

// subscription is its name. A subscription of one link is named by the container and the link. One that is shared is
// named by the container and by what its links' names begin with: JMS clients tell these apart by what follows a "|". A
// global one is not named by a container. One that is volatile has a name that no other can have.
func (s subscriber) subscription() string {
	name := s.link
	if s.shared || s.global {
		name, _, _ = strings.Cut(name, "|")
	}
	if !s.global {
		name = s.container + ":" + name
	}
	if s.volatile {
		name += "|volatile"
	}
	return name
}

// subscribe reads which subscription of its addresses a source is: "topic::name" names one, a durable terminus makes
// one, and so does a shared one. A queue needs none: it keeps its messages by itself.
func (c *conn) subscribe(source *router.Source, s *frame.Source, name, link string) error {
	who := subscriberOf(c.Remote().ContainerID, link, s.Capabilities, isDurable(s))
	switch {
	case name != "":
		source.Subscription, source.Shared = name, who.shared
		return nil
	case c.isQueue(source.Filter) || who.volatile && !who.shared:
		source.Retained = true
		return nil
	}
	source.Subscription, source.Shared, source.Volatile = who.subscription(), who.shared, who.volatile
	if who.volatile {
		return nil
	}
	return c.replace(*source, who.global)
}

// isQueue tells whether a filter is the name of a queue.
func (c *conn) isQueue(f addressing.Filter) bool {
	a, literal := f.Literal()
	if !literal {
		return false
	}
	return c.server.config.Router.KindOf(c.user, a) == addressing.Queue
}

// replace ends the durable subscription of the same name that takes from elsewhere, or something else, than its client
// now wants: for JMS that is another subscription, in place of the former. Among the global ones there are those that
// were named by "::", which stay; so do those that are out of reach.
func (c *conn) replace(source router.Source, global bool) error {
	found, _ := c.subscriptions(source.Subscription)
	for _, old := range found {
		same := old.Filter == source.Filter && old.Shared == source.Shared && old.Except == source.Except &&
			old.Selector.String() == source.Selector.String()
		if same || global && !old.Shared {
			continue
		}
		if err := c.forget(old); err != nil && router.ReasonOf(err) != router.NotFound {
			return err
		}
	}
	return nil
}

// subscriptions gives those of a name; with an error, not those that are out of reach.
func (c *conn) subscriptions(name string) ([]router.Source, error) {
	return c.server.config.Router.Subscriptions(context.Background(), c.user, router.Source{Subscription: name})
}

func (c *conn) forget(source router.Source) error {
	return c.server.config.Router.Forget(context.Background(), c.user, source)
}

// lookUp finds the subscription of a link whose client does not say what it takes from: it has it by the link's name
// [2.6.3]. The link must close it to end it.
func (c *conn) lookUp(l *engine.Link) (router.Source, *frame.Source, error) {
	who := subscriberOf(c.Remote().ContainerID, l.Name(), l.Remote().DesiredCapabilities, true)
	found, err := c.subscriptions(who.subscription())
	switch {
	case len(found) > 0:
	case err != nil:
		return router.Source{}, nil, err
	default:
		return router.Source{}, nil, router.Errorf(router.NotFound, "there is no subscription %q", who.subscription())
	}
	source := found[0]
	answer := &frame.Source{
		Address: c.bare(source.Filter.String()), HasAddress: true,
		Durable: frame.DurableConfiguration, ExpiryPolicy: frame.ExpireNever,
		DistributionMode: frame.DistributionCopy,
		Filter:           selectorSet(source.Selector),
		Capabilities:     []codec.Symbol{topicCapability},
	}
	if source.Shared {
		answer.Capabilities = append(answer.Capabilities, sharedCapability)
	}
	if who.global {
		answer.Capabilities = append(answer.Capabilities, globalCapability)
	}
	return source, answer, nil
}
