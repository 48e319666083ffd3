package conformance

import (
	"github.com/manifoldmq/manifold/router/amqp/frame"
)

// violations are transfers that may not be [2.6.14, 2.7.5].
var violations = []scenario{
	{"2.6.14", "a delivery that begins within another of its link ends the link or the session", func(c *client) {
		l := c.session().sender(c.host.newQueue())
		t := l.transfer()
		t.More = true
		l.piece(t, text("12")[:4])
		l.piece(l.transfer(), text("3"))
		l.expectFailure()
	}},
	{"2.7.5", "a first transfer without delivery-id ends the link or the session", func(c *client) {
		l := c.session().sender(c.host.newQueue())
		t := l.transfer()
		t.HasDeliveryID = false
		l.piece(t, text("1"))
		l.expectFailure()
	}},
	{"2.7.5", "a first transfer without delivery-tag ends the link or the session", func(c *client) {
		l := c.session().sender(c.host.newQueue())
		t := l.transfer()
		t.DeliveryTag = nil
		l.piece(t, text("1"))
		l.expectFailure()
	}},
	{"2.7.5", "a delivery-tag that changes within a delivery ends the link or the session", func(c *client) {
		l := c.session().sender(c.host.newQueue())
		t := l.transfer()
		t.More = true
		l.piece(t, text("12")[:4])
		l.piece(&frame.Transfer{Handle: l.handle, DeliveryTag: []byte("another")}, text("12")[4:])
		l.expectFailure()
	}},
	{"2.7.5", "a message-format that changes within a delivery ends the link or the session", func(c *client) {
		l := c.session().sender(c.host.newQueue())
		t := l.transfer()
		t.More = true
		l.piece(t, text("12")[:4])
		l.piece(&frame.Transfer{Handle: l.handle, MessageFormat: 7, HasMessageFormat: true}, text("12")[4:])
		l.expectFailure()
	}},
	{"2.7.5", "what a first transfer says may be said again in the next ones", func(c *client) {
		s, address := c.session(), c.host.newQueue()
		l, m := s.sender(address), text("12")
		t := l.transfer()
		t.More = true
		l.piece(t, m[:4])
		t.More = false
		l.piece(t, m[4:])
		l.accepted(t.DeliveryID)
		s.remains(address, "12")
	}},
	{"2.8.7", "a delivery-tag of more than 32 bytes is refused", func(c *client) {
		l := c.session().sender(c.host.newQueue())
		t := l.transfer()
		t.DeliveryTag = make([]byte, frame.MaxTagSize+1)
		l.piece(t, text("1"))
		l.expectFailure()
	}},
	{"3.2", "a payload that is no message is not accepted", func(c *client) {
		s := c.session()
		l := s.sender(c.host.newQueue())
		l.piece(l.transfer(), []byte("nothing that AMQP knows"))
		l.expectFailure()
	}},
}

// expectFailure reads up to the detach, end or close that says what was wrong with a transfer. A rejection says it too.
func (l *link) expectFailure() {
	for {
		r, ok := l.next()
		if !ok {
			l.failf("the connection was closed without a word")
		}
		switch p := r.body.(type) {
		case *frame.Detach:
			l.checkCondition("detach", p.Error, nil)
			return
		case *frame.End:
			l.checkCondition("end", p.Error, nil)
			return
		case *frame.Close:
			l.checkCondition("close", p.Error, nil)
			return
		case *frame.Disposition:
			if p.State.Kind != frame.Rejected {
				l.failf("the delivery is %v", p.State.Kind)
			}
			return
		case *frame.Flow:
		default:
			l.failf("%v came, want an error", r)
		}
	}
}
