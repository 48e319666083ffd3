package conformance

import (
	"github.com/manifoldmq/manifold/router/amqp"
	"github.com/manifoldmq/manifold/router/amqp/frame"
)

// Conditions that scenarios ask for.
var (
	stolen     = []amqp.Symbol{frame.Stolen}
	errantLink = []amqp.Symbol{frame.ErrantLink}
)

// linkErrors are about what ends a link, and what may follow [2.6.5, 2.8.18].
var linkErrors = []scenario{
	{"2.6.5", "a mistake on a link ends it with an error, and other links go on", func(c *client) {
		s := c.session()
		l, other := s.sender(c.host.newQueue()), s.sender(c.host.newQueue())
		s.say(&frame.Transfer{Handle: l.handle}, text("without id and tag")...)
		l.session.nextOutgoingID++
		l.expectError()
		other.put(text("x"))
	}},
	{"2.6.5", "what still comes on a link that has failed ends the session with errant-link", func(c *client) {
		s := c.session()
		l := s.sender(c.host.newQueue())
		wrong := encode(0, &frame.Transfer{Handle: l.handle}, text("without id and tag")...)
		c.write(append(wrong, wrong...))
		l.expectErrant()
	}},
	{"2.6.5", "an attach that follows a mistake at once, without unsettled state, ends the session with errant-link",
		func(c *client) {
			s, address := c.session(), c.host.newQueue()
			l, again := s.sender(address), toward(address)
			again.Handle, again.HasInitialCount = 7, true
			wrong := encode(0, &frame.Transfer{Handle: l.handle}, text("without id and tag")...)
			c.write(append(wrong, encode(0, &again)...))
			l.expectErrant()
		}},
	{"2.6.7", "a transfer beyond the credit is taken, or ends the link with transfer-limit-exceeded", func(c *client) {
		s, a := c.session(), toward(c.host.newQueue())
		a.HasInitialCount = true
		t := frame.Transfer{
			HasDeliveryID: true, DeliveryTag: []byte("t"), HasMessageFormat: true, Settled: true, HasSettled: true,
		}
		s.handles, s.nextOutgoingID = 1, 1
		c.write(append(encode(0, &a), encode(0, &t, text("x")...)...))
		expect[frame.Attach](c)
		s.barrierOr(frame.TransferLimitExceeded)
	}},
	{"2.7.3", "a message beyond the host's max-message-size ends the link with message-size-exceeded, or is rejected",
		func(c *client) {
			s := c.session()
			l := s.sender(c.host.newQueue())
			size := l.remote.MaxMessageSize
			if size == 0 || size > 32<<20 {
				c.absent("it takes messages of any size")
			}
			if d := l.putTooLarge(int(size) + 1); d.Error != nil {
				c.checkCondition("detach", d.Error, []amqp.Symbol{frame.MessageSizeExceeded})
			}
		}},
	{"2.7.3", "an attach of a sender without initial-delivery-count is refused", func(c *client) {
		s, a := c.session(), toward(c.host.newQueue())
		s.say(&a)
		for {
			r, ok := c.next()
			if !ok {
				return
			}
			switch p := r.body.(type) {
			case *frame.Detach:
				c.checkCondition("detach", p.Error, nil)
				return
			case *frame.End:
				c.checkCondition("end", p.Error, nil)
				return
			case *frame.Close:
				c.checkCondition("close", p.Error, nil)
				return
			case *frame.Flow:
				if p.HasHandle {
					c.failf("credit came")
				}
			}
		}
	}},
	{"2.7.3", "an attach with a handle in use is answered with handle-in-use", func(c *client) {
		s := c.session()
		s.attach(toward(c.host.newQueue()))
		s.handles = 0
		s.offer(toward(c.host.newQueue()))
		for {
			r, ok := c.next()
			if !ok {
				c.failf("the connection was closed without a word")
			}
			switch p := r.body.(type) {
			case *frame.End:
				c.checkCondition("end", p.Error, handleInUse)
				return
			case *frame.Close:
				c.checkCondition("close", p.Error, handleInUse)
				return
			}
		}
	}},
}

// expectError reads up to the detach that ends the link, and answers it.
func (l *link) expectError(conditions ...amqp.Symbol) {
	d, _ := expect[frame.Detach](l.client)
	if d.Handle != l.remote.Handle || !d.Closed {
		l.failf("the detach is %+v, want one that closes the link", d)
	}
	l.checkCondition("detach", d.Error, conditions)
	l.session.say(&frame.Detach{Handle: l.handle, Closed: true})
}

// expectErrant reads the detach of a link that has failed, and then the end of its session.
func (l *link) expectErrant() {
	if d, _ := expect[frame.Detach](l.client); d.Error == nil {
		l.failf("the detach has no error")
	}
	a := toward(l.host.newQueue())
	a.Name = "barrier"
	l.session.offer(a)
	for {
		r, ok := l.next()
		if !ok {
			l.failf("the connection was closed without a word, want end")
		}
		switch p := r.body.(type) {
		case *frame.End:
			l.checkCondition("end", p.Error, errantLink)
			return
		case *frame.Attach:
			l.failf("the session goes on")
		}
	}
}

// barrierOr is a barrier that a detach or end with a condition may come before.
func (s *session) barrierOr(condition amqp.Symbol) {
	a := toward(s.host.newQueue())
	a.Name = "barrier"
	s.offer(a)
	for {
		r, ok := s.next()
		if !ok {
			s.failf("the connection was closed")
		}
		switch p := r.body.(type) {
		case *frame.Attach:
			return
		case *frame.Detach:
			s.checkCondition("detach", p.Error, []amqp.Symbol{condition})
			return
		case *frame.Flow:
		default:
			s.failf("%v came", r)
		}
	}
}

// putTooLarge sends a message of a size in many transfers, and gives the detach that ends the link; an empty one if the
// message was rejected.
func (l *link) putTooLarge(size int) *frame.Detach {
	t, limit := l.transfer(), min(int(l.client.remote.MaxFrameSize), 64<<10)-100
	for left := size; left > 0; t = (&frame.Transfer{Handle: l.handle}) {
		n := min(left, limit)
		left -= n
		t.More = left > 0
		for l.remoteWindow == 0 {
			r, ok := l.next()
			switch p := r.body.(type) {
			case *frame.Detach:
				return p
			case *frame.Flow:
			default:
				l.failf("%v came (%v), want detach", r, ok)
			}
		}
		l.piece(t, make([]byte, n))
	}
	for {
		r, _ := l.next()
		switch p := r.body.(type) {
		case *frame.Detach:
			return p
		case *frame.Disposition:
			if p.State.Kind != frame.Rejected {
				l.failf("the message is %v", p.State.Kind)
			}
			return &frame.Detach{}
		case *frame.Flow:
		default:
			l.failf("%v came, want detach or disposition", r)
		}
	}
}
