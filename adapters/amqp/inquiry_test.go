package amqp

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/manifoldmq/manifold/router"
	"github.com/manifoldmq/manifold/router/amqp/engine"
	"github.com/manifoldmq/manifold/router/amqp/frame"
	"github.com/manifoldmq/manifold/router/routertest"
	"github.com/manifoldmq/manifold/router/transport/passage"
)

// oracle is a Network that finds out what a test tells it.
type oracle struct {
	Network
	asked []func(passage.Way, bool)
}

func (o *oracle) RouteLink(string, *frame.Attach) (way passage.Way, refusal *frame.Error, routed bool) {
	return way, nil, false
}

func (o *oracle) Inquire(_ string, _ *frame.Attach, done func(passage.Way, bool)) bool {
	o.asked = append(o.asked, done)
	return true
}

// asks has a link be attached, and gives what tells whether it leads on, and to where.
func (o *oracle) asks(c *client, a frame.Attach) (*link, func(*passage.Desk)) {
	l := &link{client: c}
	l.Link = c.conn.Begin().Attach(a)
	l.Context = l
	if a.Role == frame.Receiver {
		l.Grant(5)
	}
	c.flush()
	synctest.Wait()
	answer := o.asked[len(o.asked)-1]
	return l, func(to *passage.Desk) { answer(passage.Way{Desk: to}, to != nil) }
}

// asking runs a test where every link is asked about.
func asking(t *testing.T, test func(*testing.T, *house, *oracle)) {
	run(t, func(t *testing.T, h *house) {
		o := &oracle{}
		h.server.config.Network = o
		test(t, h, o)
	})
}

func from(name string) frame.Attach {
	return frame.Attach{
		Name: name, Role: frame.Receiver, SenderSettleMode: frame.SendMixed,
		Source: &frame.Source{Address: "commands/a", HasAddress: true}, Target: &frame.Target{},
	}
}

func TestLinkThatLeadsNowhereElseIsTheGatewaysOwn(t *testing.T) {
	asking(t, func(t *testing.T, h *house, o *oracle) {
		c := h.client(frame.Open{})
		l, answer := o.asks(c, from("one"))
		if l.attached || l.detached != nil {
			t.Error("the link is answered before it is known where it leads")
		}
		answer(nil)
		c.until("the attach", func() bool { return l.attached })
		p := h.links.Sender("commands/a")
		p.Send("one")
		c.until("what is sent for the credit given before", func() bool { return len(l.deliveries) == 1 })
		if got := routertest.Body(router.Delivery{Message: l.deliveries[0].message}); got != "one" {
			t.Errorf("got %q", got)
		}
	})
}

func TestLinkLeadsOnWhenThatIsKnown(t *testing.T) {
	asking(t, func(t *testing.T, h *house, o *oracle) {
		c := h.client(frame.Open{})
		l, answer := o.asks(c, from("one"))
		limits := engine.DefaultLimits()
		gone := passage.NewDesk(engine.NewClient(time.Now(), &limits, engine.Client{}, nil), func() {})
		gone.Close()
		answer(gone)
		c.until("the refusal", func() bool { return l.detached != nil })
		if e := l.detached.Error; e == nil || e.Condition != passage.NoRoute {
			t.Errorf("it leads to where nobody is: %v", e)
		}
	})
}

func TestLinkThatIsNotWantedAnyMoreIsForgotten(t *testing.T) {
	asking(t, func(t *testing.T, h *house, o *oracle) {
		c := h.client(frame.Open{})
		l, answer := o.asks(c, from("one"))
		l.Close(nil)
		c.flush()
		synctest.Wait()
		answer(nil)
		other, answer := o.asks(c, from("two"))
		answer(nil)
		c.until("the attach of another one", func() bool { return other.attached })
		if l.deliveries != nil || len(h.links.Router.Links("default", 0, 10)) != 1 {
			t.Error("something is left of it")
		}
	})
}
