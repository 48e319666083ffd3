package coap

import (
	"bytes"
	"context"
	"sync"
	"time"

	"github.com/plgd-dev/go-coap/v3/message"
	"github.com/plgd-dev/go-coap/v3/message/codes"

	"github.com/manifoldmq/manifold/adapters/coap/internal/session"
	"github.com/manifoldmq/manifold/addressing"
	"github.com/manifoldmq/manifold/router"
)

// get answers GET and FETCH of a/{address}: with Observe it subscribes, without it reads what the topic has kept.
func (c *conn) get(now time.Time, r *request, text string) error {
	source, err := c.source(r, text)
	if err != nil {
		return err
	}
	meta := r.query.flag("meta", false)
	if err := r.query.err(); err != nil {
		return err
	}
	if r.observe == register {
		return c.observe(now, r, source, framing{meta: meta, location: locationOf(source)}, false)
	}
	d, ok, err := c.kept(r.account, source)
	switch {
	case err != nil:
		return err
	case !ok:
		return router.Errorf(router.NotFound, "the topic has kept no message")
	}
	return c.show(now, r, &d, framing{meta: meta})
}

// locationOf tells whether a subscriber has to be told the addresses of messages: its answer is not used but for being
// empty or not.
func locationOf(source router.Source) string {
	if _, literal := source.Filter.Literal(); literal {
		return ""
	}
	return "a/"
}

// show answers with a retained message, or that the client has it already (RFC 7252 section 5.9.1.3).
func (c *conn) show(now time.Time, r *request, d *router.Delivery, f framing) error {
	opened := read(d)
	if !r.accepts(opened.format) {
		return errNotAcceptable
	}
	f.tag = tagOf(d)
	for _, had := range r.tags {
		if bytes.Equal(had, f.tag) {
			c.respond(now, r.exchange, session.Response{
				Code: codes.Valid, Options: message.Options{{ID: message.ETag, Value: f.tag}},
			})
			return nil
		}
	}
	c.respond(now, r.exchange, opened.response(now, codes.Content, f))
	return nil
}

var errNotAcceptable = refuse(codes.NotAcceptable, "the message is of another content format")

// shelf is who looks at what a topic has kept.
type shelf struct {
	mu  sync.Mutex // guards everything below; a leaf
	got router.Delivery
	has bool
}

var _ router.Consumer = (*shelf)(nil)

// Deliver implements router.Consumer.
func (s *shelf) Deliver(_ *router.Receiver, d router.Delivery) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.got, s.has = d, true
}

// errElsewhere is what kept says of a topic that another router stores, which would have to be asked first.
var errElsewhere = router.Errorf(router.Unsupported, "another router of the network knows what the topic has kept: it is read there")

// kept gives the message that a topic has kept; ok is false when there is none.
func (c *conn) kept(a *account, source router.Source) (d router.Delivery, ok bool, err error) {
	topic, literal := source.Filter.Literal()
	if !literal || source.Subscription != "" {
		return d, false, refuse(codes.MethodNotAllowed, "GET without Observe reads one topic")
	}
	kind := c.server.config.Router.KindOf(a.user, topic)
	if kind != addressing.Topic && kind != addressing.AnyKind {
		return d, false, refuse(codes.MethodNotAllowed, "only a topic keeps what GET without Observe reads")
	}
	source.Kept = true
	s := new(shelf)
	link, err := c.server.config.Router.Receiver(context.Background(), a.user, source, s)
	if err != nil {
		return d, false, err
	}
	link.Grant(1)
	comes := link.Pending()
	link.Close()
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.has && comes {
		return d, false, errElsewhere
	}
	return s.got, s.has, nil
}

// meets checks the conditions of a request that sends (RFC 7252 section 5.10.8): they are about what a topic has kept.
// Any other address is always there, and has no state that a tag could tell.
func (c *conn) meets(r *request, to addressing.Address, topic bool) error {
	if len(r.ifMatch) == 0 && !r.ifNone {
		return nil
	}
	there, tag := !topic, []byte(nil)
	if topic {
		d, ok, err := c.kept(r.account, router.Source{Filter: to.Filter()})
		if err != nil {
			return err
		}
		if there = ok; ok {
			tag = tagOf(&d)
		}
	}
	matches := len(r.ifMatch) == 0
	for _, want := range r.ifMatch {
		matches = matches || there && (len(want) == 0 || bytes.Equal(want, tag))
	}
	if !matches || r.ifNone && there {
		return refuse(codes.PreconditionFailed, "the state of the address is not what the request expects")
	}
	return nil
}
