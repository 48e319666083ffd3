package stomp

import (
	"context"
	"time"

	"github.com/manifoldmq/manifold/adapters/stomp/internal/session"
	"github.com/manifoldmq/manifold/router"
)

// sender is a link that the client's messages to one destination go through.
type sender struct {
	link     *router.Sender
	inFlight int // messages without an outcome, or in a transaction
}

// Send implements session.Handler. Even a client that asks for no receipt is told when what it wants cannot be: only of
// what becomes of its message it hears nothing.
func (c *conn) Send(r session.Send) {
	defer c.keepPace()
	s, err := c.sender(r.Destination)
	if err != nil {
		c.refuse(r.Receipt, err)
		return
	}
	d, err := c.encode(s.link.Address(), r.Header, r.Body, time.Now())
	if err != nil {
		c.refuse(r.Receipt, err)
		return
	}
	if r.Transaction != nil {
		c.sendIn(r, s, d)
		return
	}
	d.Settled = !r.Asked
	s.inFlight++
	s.link.Send(tagOf(r.Receipt, r.Asked), d)
}

// keepPace stops reading from a client whose tenant has sent too much, for as long as that is so.
func (c *conn) keepPace() {
	if wait := c.user.Allowance().SendWait(); wait > 0 {
		c.session.Hold()
		c.resumeAt = time.Now().Add(wait)
	}
}

// sender gives the link to a destination, a new one if need be.
func (c *conn) sender(destination string) (*sender, error) {
	if s, ok := c.senders[destination]; ok {
		return s, nil
	}
	target, err := c.target(destination)
	if err != nil {
		return nil, err
	}
	link, err := c.server.config.Router.Sender(context.Background(), c.user, target, &c.mail)
	if err != nil {
		return nil, err
	}
	if c.senders == nil {
		c.senders, c.sending = make(map[string]*sender), make(map[*router.Sender]*sender)
	}
	c.closeIdleSender()
	s := &sender{link: link}
	c.senders[destination], c.sending[link] = s, s
	return s, nil
}

// closeIdleSender makes room for one more sender, if there are too many and one is idle.
func (c *conn) closeIdleSender() {
	if len(c.senders) < c.server.config.Limits.MaxSenders {
		return
	}
	for destination, s := range c.senders {
		if s.inFlight == 0 {
			s.link.Close()
			delete(c.senders, destination)
			delete(c.sending, s.link)
			return
		}
	}
}

// answer tells the client what became of a message, if it asked.
func (c *conn) answer(o outcome) {
	if s, ok := c.sending[o.link]; ok {
		s.inFlight--
	}
	if o.asked && o.outcome.State != router.Accepted {
		c.refuse(o.receipt, errorOf(o.outcome))
		return
	}
	c.session.Done(o.receipt)
}
