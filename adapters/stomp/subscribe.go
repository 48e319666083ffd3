package stomp

import (
	"cmp"
	"context"
	"math"
	"strconv"

	"github.com/go-stomp/stomp/v3/frame"

	"github.com/manifoldmq/manifold/adapters/stomp/internal/session"
	"github.com/manifoldmq/manifold/addressing"
	"github.com/manifoldmq/manifold/router"
	"github.com/manifoldmq/manifold/router/selector"
)

// subscription is a link that brings messages for one of the client's.
type subscription struct {
	conn    *conn
	told    *session.Subscription
	place   place
	link    *router.Receiver
	durable durable // its name, in a client's name
	stored  bool    // what it does not take stays where it is, or goes to others
	window  int     // how many the client may hold

	waiting []router.Delivery // for room in the window
	held    int               // by the client, but for what it settled in a transaction
	pledged int               // settled in transactions that are open
	surplus int               // credit that was given for what a transaction gave back
	owed    int               // credit to give back at the end of Flush
	queued  bool              // it is in conn.ready
	ended   bool              // what still arrives is given back
}

var _ router.Consumer = (*subscription)(nil)

// Deliver implements router.Consumer.
func (s *subscription) Deliver(_ *router.Receiver, d router.Delivery) { s.conn.mail.arrive(s, d) }

// sheds tells whether a message is one that nobody keeps, of which there may be too many.
func (s *subscription) sheds(d *router.Delivery) bool { return !s.stored && !d.Owned() }

// Subscribe implements session.Handler.
func (c *conn) Subscribe(r session.Subscribe) {
	s := &subscription{conn: c, told: r.Subscription, place: parseSource(r.Subscription.Destination)}
	if err := c.attach(s, r.Header); err != nil {
		c.refuse(r.Receipt, err)
		return
	}
	r.Subscription.Context = s
	c.session.Done(r.Receipt)
}

// attach makes a subscription's link. When it returns without an error the route is live.
func (c *conn) attach(s *subscription, h *frame.Header) error {
	source, err := c.source(s, h)
	if err != nil {
		return err
	}
	limits := &c.server.config.Limits
	prefetch, err := prefetchOf(h, limits.MaxPrefetch)
	if err != nil {
		return err
	}
	if s.link, err = c.server.config.Router.Receiver(context.Background(), c.user, source, s); err != nil {
		return err
	}
	c.links[s] = true
	c.own(s)
	kind := s.link.Kind()
	s.stored = kind == addressing.Queue || kind == addressing.Anycast || source.Subscription != ""
	credit := limits.SubscriptionCredit
	s.window = cmp.Or(prefetch, credit)
	if s.stored {
		s.window = cmp.Or(prefetch, limits.QueueCredit)
		credit = s.window
	}
	if source.Browse {
		c.watchBrowser(s)
	}
	s.link.Grant(credit)
	return nil
}

// source reads what a subscription is to take from.
func (c *conn) source(s *subscription, h *frame.Header) (router.Source, error) {
	p := s.place
	filter, err := c.filter(p)
	if err != nil {
		return router.Source{}, err
	}
	source := router.Source{Filter: filter, Kind: p.kind, Browse: h.Get("browser") == "true"}
	if source.Browse && (p.own || !c.isQueue(source)) {
		return source, router.Errorf(router.Unsupported, "only a declared queue can be browsed")
	}
	if text := h.Get("selector"); text != "" {
		if source.Selector, err = selector.Parse(text); err != nil {
			return source, router.Errorf(router.Malformed, "%v", err)
		}
	}
	if h.Get("no-local") == "true" {
		source.Except = c.origin()
	}
	if p.subscription != "" {
		source.Subscription = p.subscription
		return source, nil
	}
	name, own := c.durableName(h)
	if name == "" || c.isQueue(source) {
		source.Retained = !source.Browse
		return source, nil
	}
	source.Subscription = name
	if own {
		s.durable = durable{c.user.Tenant.Name, name}
		c.rob(s.durable)
	}
	return source, c.replace(source)
}

// prefetchOf reads how many messages the client wants to hold; 0 if it does not say. The names are those of RabbitMQ,
// ActiveMQ and Artemis, of which the last counts octets: a message is taken to have 1 KiB.
func prefetchOf(h *frame.Header, most int) (int, error) {
	for _, header := range []struct {
		name string
		unit int
	}{{"prefetch-count", 1}, {"activemq.prefetchSize", 1}, {"consumer-window-size", 1 << 10}} {
		text, ok := h.Contains(header.name)
		if !ok {
			continue
		}
		n, err := strconv.ParseInt(text, 10, 64)
		switch {
		case err != nil || n < -1 || n > math.MaxInt32:
			return 0, router.Errorf(router.Malformed, "%s is no number", header.name)
		case n == -1 || n == 0 && header.unit == 1: // as many as there may be
			return most, nil
		}
		return min(max(int(n)/header.unit, 1), most), nil
	}
	return 0, nil
}

// Unsubscribe implements session.Handler.
func (c *conn) Unsubscribe(r session.Unsubscribe) {
	if r.Subscription != nil {
		s := r.Subscription.Context.(*subscription)
		s.ended = true
		c.takeArrivals()
		c.releaseWaiting(s)
		c.closeLink(s)
	}
	name, _ := c.durableName(r.Header)
	var err error
	switch {
	case name != "":
		err = c.forget(name, r.Subscription)
	case r.Subscription == nil:
		err = router.Errorf(router.NotFound, "there is no such subscription")
	}
	if err != nil {
		c.refuse(r.Receipt, err)
		return
	}
	c.session.Done(r.Receipt)
}

// closeLink leaves the node when the subscription has ended, and no transaction may yet give something back.
func (c *conn) closeLink(s *subscription) {
	if !s.ended || !c.links[s] {
		return
	}
	if s.pledged > 0 {
		for s.link.TakeBack() { // nothing more is to come for a link that is kept
		}
		return
	}
	c.disown(s)
	s.link.Close()
	delete(c.links, s)
}
