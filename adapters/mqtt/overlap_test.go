package mqtt

import (
	"slices"
	"testing"

	"github.com/manifoldmq/manifold/adapters/mqtt/internal/session"
	"github.com/manifoldmq/manifold/adapters/mqtt/rewrite"
	"github.com/manifoldmq/manifold/addressing"
	"github.com/manifoldmq/manifold/router"
)

// TestCopiesOfAMessageBecomeOne with the greatest QoS and all identifiers, but only what has the same name.
func TestCopiesOfAMessageBecomeOne(t *testing.T) {
	m, ok := encode("a", []byte("x"), new(session.Properties), 1)
	if !ok {
		t.Fatal("no message")
	}
	rule, err := rewrite.Parse("old", "a")
	if err != nil {
		t.Fatal(err)
	}
	copyFor := func(id uint32, rule *rewrite.Rule) arrival {
		s := &subscription{options: options{QoS: byte(id % 2), IDs: []uint32{id}}, rule: rule}
		c := &client{server: &Server{}}
		return arrival{&inlet{client: c, subscription: s}, router.Delivery{To: addressing.Address("a"), Message: m}}
	}
	arrivals := []arrival{copyFor(2, nil), copyFor(3, nil), copyFor(4, rule), copyFor(5, nil)}
	if n := copies(arrivals); n != 2 {
		t.Errorf("%d copies, want 2", n)
	}
	c := arrivals[0].inlet.client
	p := c.publication(arrivals[0].inlet, &arrivals[0].delivery)
	c.merge(&p, arrivals[1:2])
	if p.QoS != 1 || !slices.Equal(p.SubscriptionIDs, []uint32{2, 3}) {
		t.Errorf("QoS %d, identifiers %v", p.QoS, p.SubscriptionIDs)
	}
}
