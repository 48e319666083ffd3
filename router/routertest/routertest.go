// Package routertest helps to test nodes and doors: producers and consumers that remember what they heard, and short
// ways to make messages and links.
//
// Its methods may be called by any goroutine. What goes wrong ends the test.
package routertest

import (
	"context"
	"testing"
	"time"

	"github.com/manifoldmq/manifold/addressing"
	"github.com/manifoldmq/manifold/router"
	"github.com/manifoldmq/manifold/router/amqp"
	"github.com/manifoldmq/manifold/tenancy"
)

// Patience is how long Next waits before it ends the test.
const Patience = time.Minute

// Define gives a definition by name and kind.
func Define(t testing.TB, name string, kind addressing.Kind) addressing.Definition {
	t.Helper()
	return addressing.Definition{Name: Filter(t, name), Kind: kind}
}

// Filter parses a filter in the house's syntax.
func Filter(t testing.TB, s string) addressing.Filter {
	t.Helper()
	f, err := addressing.ParseFilter(s)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// User gives the anonymous user of a tenant with these addresses.
func User(t testing.TB, tenant string, defs ...addressing.Definition) *tenancy.Principal {
	t.Helper()
	space, err := addressing.NewSpace(defs)
	if err != nil {
		t.Fatal(err)
	}
	return &tenancy.Principal{Tenant: &tenancy.Tenant{Name: tenant, Addresses: space, Anonymous: true}}
}

// Text gives a delivery of a message with s in one data section.
func Text(s string) router.Delivery {
	m, err := amqp.ParseMessage(amqp.AppendData(nil, []byte(s)))
	if err != nil {
		panic(err)
	}
	return router.Delivery{Message: m}
}

// Body gives the payload of a delivery.
func Body(d router.Delivery) string {
	p, _, _ := d.Message.Body().Payload()
	return string(p)
}

// Links makes links for one user.
type Links struct {
	T      testing.TB
	Router *router.Router
	User   *tenancy.Principal
}

// Sender links a new producer to an address.
func (l Links) Sender(address string) *Producer {
	l.T.Helper()
	p := NewProducer(l.T)
	var err error
	p.Link, err = l.Router.Sender(context.Background(), l.User, router.Target{Address: addressing.Address(address)}, p)
	if err != nil {
		l.T.Fatal(err)
	}
	return p
}

// Receiver links a new consumer to a filter in the house's syntax and grants it credit.
func (l Links) Receiver(filter string, credit int) *Consumer {
	l.T.Helper()
	return l.From(router.Source{Filter: Filter(l.T, filter)}, credit)
}

// From links a new consumer to a source and grants it credit.
func (l Links) From(source router.Source, credit int) *Consumer {
	l.T.Helper()
	c := NewConsumer(l.T)
	var err error
	c.Link, err = l.Router.Receiver(context.Background(), l.User, source, c)
	if err != nil {
		l.T.Fatal(err)
	}
	c.Link.Grant(credit)
	return c
}

// Watch gives the receivers that are made from now on, by whatever door, up to 16 of them. It comes before any link is made.
func (l Links) Watch() Receivers {
	w := make(Receivers, 16)
	l.Router.Watch(w)
	return w
}

// Receivers are those that have been made and that nobody took yet.
type Receivers chan *router.Receiver

var _ router.Watcher = Receivers(nil)

// Came implements router.Watcher.
func (w Receivers) Came(r *router.Receiver, _ []*addressing.Definition) { w <- r }

// Went implements router.Watcher.
func (w Receivers) Went(*router.Receiver) {}

// Fickle is a node that lends what another router has, and then refuses it: it revokes each receiver and does not attach it.
type Fickle struct{ Why *router.Error }

var _ router.Node = Fickle{}

// Attach implements router.Node.
func (n Fickle) Attach(r *router.Receiver) error {
	r.Revoke(n.Why)
	return n.Why
}

// Join implements router.Node.
func (n Fickle) Join(*router.Sender) error { return n.Why }

// Offer implements router.Node.
func (Fickle) Offer(d router.Delivery) { d.Settle(router.Release()) }

// Pending implements router.Node.
func (Fickle) Pending(*router.Receiver) bool { return false }

func (Fickle) Leave(*router.Sender)    {}
func (Fickle) Grant(*router.Receiver)  {}
func (Fickle) Detach(*router.Receiver) {}

// Settled is how one message ended.
type Settled struct {
	Tag     uint64
	Outcome router.Outcome
}

// Producer remembers the outcomes of what it sends.
type Producer struct {
	Link     *router.Sender
	t        testing.TB
	outcomes chan Settled
	tag      uint64
}

var _ router.Producer = (*Producer)(nil)

// NewProducer gives one without a link.
func NewProducer(t testing.TB) *Producer { return &Producer{t: t, outcomes: make(chan Settled, 1<<16)} }

// Send sends a text and gives its tag.
func (p *Producer) Send(s string) uint64 { return p.SendDelivery(Text(s)) }

// SendDelivery sends a delivery and gives its tag.
func (p *Producer) SendDelivery(d router.Delivery) uint64 {
	p.tag++
	p.Link.Send(p.tag, d)
	return p.tag
}

// Settled implements router.Producer.
func (p *Producer) Settled(_ *router.Sender, tag uint64, o router.Outcome) {
	p.outcomes <- Settled{tag, o}
}

// Credit implements router.Producer.
func (p *Producer) Credit(*router.Sender, int) {}

// Next waits for the next outcome.
func (p *Producer) Next() Settled {
	p.t.Helper()
	return next(p.t, p.outcomes, "outcome")
}

// Accepted waits for the outcomes of n messages, all of which must be Accepted.
func (p *Producer) Accepted(n int) {
	p.t.Helper()
	for range n {
		if s := p.Next(); s.Outcome.State != router.Accepted {
			p.t.Fatalf("message %d was %v (%v: %s), want accepted", s.Tag, s.Outcome.State, s.Outcome.Reason, s.Outcome.Text)
		}
	}
}

// Heard tells whether an outcome has come that nobody took.
func (p *Producer) Heard() bool { return len(p.outcomes) > 0 }

// Consumer remembers what it got.
type Consumer struct {
	Link       *router.Receiver
	t          testing.TB
	deliveries chan router.Delivery
}

var _ router.Consumer = (*Consumer)(nil)

// NewConsumer gives one without a link.
func NewConsumer(t testing.TB) *Consumer {
	return &Consumer{t: t, deliveries: make(chan router.Delivery, 1<<16)}
}

// Deliver implements router.Consumer.
func (c *Consumer) Deliver(_ *router.Receiver, d router.Delivery) { c.deliveries <- d }

// Next waits for the next delivery.
func (c *Consumer) Next() router.Delivery {
	c.t.Helper()
	return next(c.t, c.deliveries, "delivery")
}

// Expect waits for deliveries with these bodies, in this order, and gives them.
func (c *Consumer) Expect(bodies ...string) []router.Delivery {
	c.t.Helper()
	var got []router.Delivery
	for _, want := range bodies {
		d := c.Next()
		if Body(d) != want {
			c.t.Fatalf("got %q, want %q", Body(d), want)
		}
		got = append(got, d)
	}
	return got
}

// Idle tells whether nothing has come that nobody took.
func (c *Consumer) Idle() bool { return len(c.deliveries) == 0 }

func next[T any](t testing.TB, from <-chan T, what string) T {
	t.Helper()
	timer := time.NewTimer(Patience)
	defer timer.Stop()
	select {
	case v := <-from:
		return v
	case <-timer.C:
		t.Fatalf("no %s came within %v", what, Patience)
		panic("unreachable")
	}
}
