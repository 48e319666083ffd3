package coap

import (
	"context"
	"time"

	"github.com/plgd-dev/go-coap/v3/message"
	"github.com/plgd-dev/go-coap/v3/message/codes"

	"github.com/manifoldmq/manifold/addressing"
	"github.com/manifoldmq/manifold/router"
)

// subscription is an observation (RFC 7641): a link that brings messages, each of which becomes a notification. One
// notification is under way at a time.
type subscription struct {
	conn    *conn
	account *account
	token   string
	source  router.Source
	framing framing
	accept  int
	data    bool // it observes the data of a topic at /ps, which may be deleted
	link    *router.Receiver
	stored  bool // what it does not take stays where it is, or goes to others

	waiting []router.Delivery
	current router.Delivery // of the notification that is under way
	busy    bool            // there is one
	writing bool            // notifications are being written
	window  int
	owed    int // credit to give back
	ended   bool
}

var (
	_ router.Consumer = (*subscription)(nil)
	_ taker           = (*subscription)(nil)
)

// Deliver implements router.Consumer.
func (s *subscription) Deliver(_ *router.Receiver, d router.Delivery) { s.conn.mail.arriveFor(s, d) }

// sheds tells whether a message is one that nobody keeps, of which there may be too many.
func (s *subscription) sheds(d *router.Delivery) bool { return !s.stored && !d.Owned() }

// observe subscribes. It is answered once the route is live, with what a topic has kept or with nothing: a message that
// somebody waits for comes in a notification, which can be acknowledged.
func (c *conn) observe(now time.Time, r *request, source router.Source, f framing, data bool) error {
	token := string(r.token)
	if former, ok := c.subscriptions[token]; ok {
		if former.isFor(r, source) { // RFC 7641 section 3.3.1: its client wants to be sure
			return c.observeAgain(now, r, former)
		}
		former.end()
	}
	if len(c.subscriptions) >= c.server.limits.MaxObservations {
		return router.Errorf(router.Quota, "the client has %d observations (coap.maxObservations)", len(c.subscriptions))
	}
	s := &subscription{
		conn: c, account: r.account, token: token, source: source, framing: f, accept: r.accept, data: data, writing: true,
	}
	if err := s.open(); err != nil {
		return err
	}
	if c.subscriptions == nil {
		c.subscriptions = make(map[string]*subscription)
	}
	c.subscriptions[token] = s
	c.takeArrivals(now)
	response := empty(codes.Content)
	if len(s.waiting) > 0 && s.waiting[0].Retained {
		d := s.next()
		opened := read(&d)
		if response = opened.response(now, codes.Content, s.frame(&d)); !accepts(s.accept, opened.format) {
			s.finish(d, router.Accept())
			s.end()
			return errNotAcceptable
		}
		s.finish(d, router.Accept())
	} else if data {
		comes := s.link.Pending()
		if s.end(); comes {
			return errElsewhere
		}
		return errNoData
	}
	c.session.Observe(now, r.exchange, response)
	s.writing = false
	s.notify(now)
	return nil
}

// isFor tells whether a request asks for what the subscription is for.
func (s *subscription) isFor(r *request, source router.Source) bool {
	return s.account == r.account && s.accept == r.accept && s.source.Filter == source.Filter &&
		s.source.Subscription == source.Subscription && s.source.Shared == source.Shared &&
		s.source.Selector.String() == source.Selector.String()
}

// observeAgain answers with the state as it is now.
func (c *conn) observeAgain(now time.Time, r *request, s *subscription) error {
	response := empty(codes.Content)
	if s.link.Kind() == addressing.Topic && s.framing.location == "" && s.source.Subscription == "" {
		d, ok, err := c.kept(r.account, s.source)
		if err != nil && err != errElsewhere { // from where it has come already
			return err
		}
		if opened := read(&d); ok && accepts(s.accept, opened.format) {
			response = opened.response(now, codes.Content, s.frame(&d))
		}
	}
	c.session.Observe(now, r.exchange, response)
	return nil
}

// open links the subscription.
func (s *subscription) open() (err error) {
	c, limits := s.conn, &s.conn.server.limits
	source := s.source
	source.Retained = source.Subscription == ""
	if s.link, err = c.server.config.Router.Receiver(context.Background(), s.account.user, source, s); err != nil {
		return err
	}
	kind := s.link.Kind()
	s.stored = kind == addressing.Queue || kind == addressing.Anycast || source.Subscription != ""
	s.window = limits.SubscriptionCredit
	if s.stored {
		s.window = limits.QueueCredit
	}
	s.link.Grant(s.window)
	return nil
}

// take implements taker.
func (s *subscription) take(now time.Time, d router.Delivery) {
	switch {
	case d.Message.IsZero():
		s.repay(1)
	case s.ended:
		s.finish(d, router.Release())
	default:
		s.waiting = append(s.waiting, d)
		s.notify(now)
	}
}

// next gives the message that has waited longest.
func (s *subscription) next() router.Delivery {
	d := s.waiting[0]
	s.waiting[0] = router.Delivery{}
	if s.waiting = s.waiting[1:]; len(s.waiting) == 0 {
		s.waiting = nil
	}
	return d
}

// notify writes what waits, as far as the client has acknowledged what was written before.
func (s *subscription) notify(now time.Time) {
	if s.writing {
		return // whoever writes goes on when this returns
	}
	s.writing = true
	for len(s.waiting) > 0 && !s.busy && !s.ended {
		s.write(now, s.next())
	}
	s.writing = false
}

// write writes a message. What somebody waits for, or is to be kept, is confirmable.
func (s *subscription) write(now time.Time, d router.Delivery) {
	if d.Expires > 0 && d.Expires <= now.UnixMilli() {
		s.finish(d, router.Reject(router.Unroutable, "expired"))
		return
	}
	opened := read(&d)
	switch {
	case s.data && len(opened.body) == 0: // RFC 7641 section 3.2: what is observed is there no more
		s.finish(d, router.Accept())
		s.stop(now, errNoData)
		return
	case !accepts(s.accept, opened.format): // RFC 7641 section 4.2
		s.finish(d, router.Release())
		s.stop(now, errNotAcceptable)
		return
	}
	s.busy, s.current = true, d
	s.conn.session.Notify(now, message.Token(s.token),
		opened.response(now, codes.Content, s.frame(&d)), d.Owned() || opened.header.Durable)
}

// frame says what a notification is to tell besides the message.
func (s *subscription) frame(d *router.Delivery) framing {
	f := s.framing
	if f.location != "" {
		f.location = "a/" + string(d.To)
	}
	if d.Retained {
		f.tag = tagOf(d)
	}
	return f
}

// notified ends the notification that was under way.
func (s *subscription) notified(now time.Time) {
	if !s.busy {
		return
	}
	d := s.current
	s.busy, s.current = false, router.Delivery{}
	s.finish(d, router.Accept())
	s.notify(now)
}

// finish ends a delivery that the client does not hold.
func (s *subscription) finish(d router.Delivery, o router.Outcome) {
	d.Settle(o)
	if s.sheds(&d) {
		s.conn.mail.shed.Add(-int64(d.Message.Len()))
	}
	s.repay(1)
}

// repay gives credit back, some at a time.
func (s *subscription) repay(n int) {
	if s.owed += n; s.ended || s.owed*2 < s.window && len(s.waiting) > 0 {
		return
	}
	n, s.owed = s.owed, 0
	s.link.Grant(n)
}

// stop ends the observation and tells its client why (RFC 7641 section 4.2), unless another notification is under way.
func (s *subscription) stop(now time.Time, why error) {
	busy := s.busy
	s.end()
	if busy {
		s.conn.session.Forget(message.Token(s.token))
		return
	}
	s.conn.session.Notify(now, message.Token(s.token), s.conn.server.refusalOf(why), false)
}

// end ends the observation: what was never written is released, what may have been seen comes back marked.
func (s *subscription) end() {
	if s.ended {
		return
	}
	s.ended = true
	if s.conn.subscriptions[s.token] == s {
		delete(s.conn.subscriptions, s.token)
	}
	if s.busy {
		s.busy = false
		s.finish(s.current, router.Fail())
	}
	for _, d := range s.waiting {
		s.finish(d, router.Release())
	}
	s.waiting = nil
	s.link.Close()
}
