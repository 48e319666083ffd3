package passage

import (
	"slices"
	"testing"
	"testing/synctest"

	"github.com/manifoldmq/manifold/router/amqp/engine"
	"github.com/manifoldmq/manifold/router/amqp/frame"
)

// listed has the links that lead on be in a list, as those of a tenant.
func (h *house) listed() *List {
	h.way.List, h.way.Owner = new(List), "tenant"
	h.inside.desk.Number = 7
	return h.way.List
}

func TestBothEndsAreListedWithWhatHasBecomeOfTheMessages(t *testing.T) {
	in(t, func(h *house) {
		list := h.listed()
		c := h.client()
		l := c.attach(sender("mine"))
		want := []Link{
			{ID: 1, Peer: 2, Name: "mine", Address: "queue", Sends: true, Credit: 10},
			{ID: 2, Peer: 1, Connection: 7, Name: "there", Address: "queue", Credit: 10},
		}
		if got := list.Page("tenant", 0, 10); !slices.Equal(got, want) {
			t.Fatalf("before any message there are\n%+v, want\n%+v", got, want)
		}
		kinds := []frame.StateKind{frame.Accepted, frame.Rejected, frame.Released, frame.Modified, frame.Accepted}
		for _, kind := range kinds {
			h.broker.settles = frame.State{Kind: kind}
			c.do(func() { l.Send(engine.Delivery{Payload: []byte("m")}) })
		}
		h.broker.deaf = true
		c.do(func() {
			l.Send(engine.Delivery{Payload: []byte("m"), Settled: true})
			l.Send(engine.Delivery{Payload: []byte("nobody says yes")})
		})
		for i := range want {
			want[i].Delivered, want[i].Presettled, want[i].Unsettled, want[i].Credit = 7, 1, 1, 3
			want[i].Accepted, want[i].Rejected, want[i].Released, want[i].Modified = 2, 1, 1, 1
		}
		if got := list.Page("tenant", 0, 10); !slices.Equal(got, want) {
			t.Errorf("there are\n%+v, want\n%+v", got, want)
		}
		if got, ok := list.Get("tenant", 2); !ok || got != want[1] {
			t.Errorf("found %+v, %v", got, ok)
		}
		if got := list.Page("another", 0, 10); len(got) != 0 {
			t.Errorf("another tenant sees %+v", got)
		}
		if _, ok := list.Get("another", 2); ok {
			t.Error("another tenant finds it")
		}
	})
}

// TestOutcomeIsCountedOnce although the receiver says it, and then settles.
func TestOutcomeIsCountedOnce(t *testing.T) {
	in(t, func(h *house) {
		list := h.listed()
		h.broker.deaf = true
		c := h.client()
		l := c.attach(sender("mine"))
		c.do(func() { l.Send(engine.Delivery{Payload: []byte("m")}) })
		there := h.broker.links["there"]
		h.broker.do(func() { there.Update(0, frame.State{Kind: frame.Accepted}) })
		h.broker.do(func() { there.Settle(0, frame.State{Kind: frame.Accepted}) })
		for _, end := range list.Page("tenant", 0, 10) {
			if end.Delivered != 1 || end.Accepted != 1 || end.Unsettled != 0 {
				t.Errorf("%+v", end)
			}
		}
	})
}

// TestMessagesAreCountedBeyondTheEndOfTheirLinks, those to another router apart.
func TestMessagesAreCountedBeyondTheEndOfTheirLinks(t *testing.T) {
	for toRouter, want := range map[bool]Totals{false: {Came: 2, Went: 2}, true: {Came: 2, Onward: 2}} {
		in(t, func(h *house) {
			list := h.listed()
			h.inside.desk.Router = toRouter
			c := h.client()
			l := c.attach(sender("mine"))
			c.do(func() {
				l.Send(engine.Delivery{Payload: []byte("m")})
				l.Send(engine.Delivery{Payload: []byte("m")})
			})
			c.do(func() { l.Close(nil) })
			if got := list.Page("tenant", 0, 10); len(got) != 0 {
				t.Errorf("there are still %+v", got)
			}
			if got := list.Totals("tenant"); got != want {
				t.Errorf("to a router (%v) %+v, want %+v", toRouter, got, want)
			}
		})
	}
}

func TestLinksThatAreOverAreNotListed(t *testing.T) {
	for how, end := range map[string]func(h *house, c *party, l *engine.Link){
		"detached":           func(_ *house, c *party, l *engine.Link) { c.do(l.Detach) },
		"the client is lost": func(_ *house, c *party, _ *engine.Link) { c.nc.Close() },
		"the broker is lost": func(h *house, _ *party, _ *engine.Link) { h.broker.nc.Close() },
		"refused": func(h *house, c *party, l *engine.Link) {
			c.do(l.Detach)
			h.broker.refuse = &frame.Error{Condition: frame.NotFound}
			c.attach(sender("other"))
		},
		"the broker was lost before": func(h *house, c *party, _ *engine.Link) {
			h.broker.nc.Close()
			c.attach(sender("other"))
		},
	} {
		t.Run(how, func(t *testing.T) {
			in(t, func(h *house) {
				list := h.listed()
				c := h.client()
				l := c.attach(sender("mine"))
				end(h, c, l)
				synctest.Wait()
				if got := list.Page("tenant", 0, 10); len(got) != 0 {
					t.Errorf("there are %+v", got)
				}
			})
		})
	}
}
