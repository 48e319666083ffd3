package conformance

import (
	"time"

	"github.com/manifoldmq/manifold/router/amqp/frame"
)

// names are about the names of links, of which there is one at a time between two containers [2.6.1].
var names = []scenario{
	{"2.6.1", "a receiver attached again in its session is stolen from its former attach", func(c *client) {
		s, address := c.session(), c.host.newQueue()
		s.fill(address, "1", "2")
		former := s.receiver(address, 1)
		former.expectTexts("1")
		former.stolenBy(s, from(address)).give(2)
	}},
	{"2.6.1", "a sender attached again in its session is stolen from its former attach", func(c *client) {
		s, address := c.session(), c.host.newQueue()
		l := s.sender(address).stolenBy(s, toward(address))
		l.put(text("1"))
		s.remains(address, "1")
	}},
	{"2.6.1", "a link attached again in another session is stolen from its former attach", func(c *client) {
		c.open(hello())
		first, second, address := c.begin(0, 100), c.begin(1, 100), c.host.newQueue()
		second.fill(address, "1")
		former := first.receiver(address, 1)
		former.expectTexts("1")
		l := former.stolenBy(second, from(address))
		l.give(1)
		l.expectTexts("1")
	}},
	{"2.6.1", "a link of a queue attached again on another connection is stolen from its former attach", func(c *client) {
		s, address := c.session(), c.host.newQueue()
		former := s.receiver(address, 1)
		c.another().session().attach(from(address))
		c.patience = time.Second
		former.expectStolen()
	}},
	{"2.6.1", "links of other containers may have the same name", func(c *client) {
		s, address := c.session(), c.host.newQueue()
		first := s.receiver(address, 1)
		other, o := c.another(), hello()
		o.ContainerID = "another container"
		other.open(o)
		second := other.begin(0, 100).receiver(address, 1)
		c.another().session().fill(address, "1", "2")
		first.get()
		second.get()
	}},
}

// stolenBy attaches the same link once more in a session of the same connection, and expects that the former attach ends.
// The two answers may come in any order.
func (l *link) stolenBy(s *session, a frame.Attach) *link {
	thief := s.offer(a)
	stolen := false
	for !stolen || thief.remote == nil {
		r, ok := s.next()
		if !ok {
			s.failf("the connection was closed")
		}
		switch p := r.body.(type) {
		case *frame.Detach:
			l.checkStolen(p)
			stolen = true
		case *frame.Attach:
			thief.take(p, a)
		case *frame.Flow:
		default:
			s.failf("%v came, want attach and detach", r)
		}
	}
	return thief
}

func (l *link) expectStolen() {
	d, _ := expect[frame.Detach](l.client)
	l.checkStolen(d)
}

func (l *link) checkStolen(d *frame.Detach) {
	if d.Handle != l.remote.Handle || !d.Closed {
		l.failf("the detach is %+v, want one that closes the former link", d)
	}
	l.checkCondition("detach", d.Error, stolen)
	l.session.say(&frame.Detach{Handle: l.handle, Closed: true})
}
