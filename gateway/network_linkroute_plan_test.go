package gateway

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	goamqp "github.com/Azure/go-amqp"

	"github.com/manifoldmq/manifold/gateway/config"
)

// lodged is the configuration of a gateway with two tenants, whose links to "stored" and "events/..." lead on to one broker. The
// default one has limits.
func lodged(t *testing.T, broker, limits string) config.Config {
	t.Helper()
	declared, err := config.Parse("c.yaml", []byte(`
tenants:
  - {name: default, limits: {`+limits+`}, users: [{name: ann, credential: "`+passwordA+`"}]}
  - {name: acme, users: [{name: ann, credential: "`+passwordA+`"}]}
`))
	if err != nil {
		t.Fatal(err)
	}
	c := quickstart(t)
	c.Anonymous, c.Addresses, c.Tenants = false, nil, declared.Tenants
	c.Network.Connectors = []config.Connector{{Name: "broker", Hosts: []string{broker}}}
	c.Network.Reconnect.Initial, c.Network.Reconnect.Max = 10*time.Millisecond, 100*time.Millisecond
	for _, tenant := range []string{"default", "acme"} {
		for _, direction := range []string{"in", "out"} {
			for _, prefix := range []string{"stored", "events"} {
				c.Network.LinkRoutes = append(c.Network.LinkRoutes,
					config.LinkRoute{Tenant: tenant, Prefix: prefix, Direction: direction, Connector: "broker"})
			}
		}
	}
	return c
}

// keeping runs a broker with the queue "stored" and topics.
func keeping(t *testing.T) string {
	t.Helper()
	c := quickstart(t)
	parsed, err := config.Parse("c.yaml", []byte(`addresses: [{name: stored, kind: queue}, {name: "events/#", kind: topic}]`))
	if err != nil {
		t.Fatal(err)
	}
	c.Addresses = parsed.Addresses
	return start(t, c)["amqp"]
}

// as connects a client of the container "app" as somebody.
func as(ctx context.Context, t *testing.T, door, user string) *amqpClient {
	t.Helper()
	client, err := connectAMQP(ctx, door, &goamqp.ConnOptions{ContainerID: "app", SASLType: goamqp.SASLTypePlain(user, "a")})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { client.conn.Close() })
	return client
}

func TestLinksThatLeadOnCountForThePlan(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	doors := start(t, lodged(t, keeping(t), "maxLinks: 2, maxMessageSize: 4KiB"))
	client := as(ctx, t, doors["amqp"], "ann")
	first, second := client.routedSender(t, "stored"), client.routedSender(t, "stored")
	_, err := client.session.NewSender(ctx, "stored", nil)
	e := new(goamqp.Error)
	if !errors.As(err, &e) || e.Condition != goamqp.ErrCondResourceLimitExceeded || !strings.Contains(e.Description, "limits.maxLinks") {
		t.Errorf("one link too many is told %v", err)
	}
	if got := first.MaxMessageSize(); got != 4<<10 {
		t.Errorf("a sender is told that it may send %d bytes", got)
	}
	if err := first.Close(ctx); err != nil {
		t.Fatal(err)
	}
	for { // until it is counted that one is closed
		if _, err = client.session.NewSender(ctx, "stored", nil); err == nil {
			break
		}
		if !errors.As(err, &e) || !strings.Contains(e.Description, "limits.maxLinks") {
			t.Fatalf("in the place of one that is closed there is %v", err)
		}
	}
	if err := sendAMQP(ctx, second, goamqp.NewMessage([]byte("x"))); err != nil {
		t.Error(err)
	}
	as(ctx, t, doors["amqp"], "ann@acme").routedSender(t, "stored")
}

// TestWhatLeadsOnIsHeldBackByTheRatesOfThePlan, and all of it arrives.
func TestWhatLeadsOnIsHeldBackByTheRatesOfThePlan(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	doors := start(t, lodged(t, keeping(t), "messagesIn: {rate: 20, burst: 1}"))
	client := as(ctx, t, doors["amqp"], "ann")
	sender := client.routedSender(t, "stored")
	for i := range 5 {
		if err := sendAMQP(ctx, sender, goamqp.NewMessage(fmt.Append(nil, i))); err != nil {
			t.Fatal(err)
		}
	}
	series := `manifold_limit_breaches_total{limit="messagesIn",tenant="default"}`
	if n := metricsOf(t, doors)[series]; n == "" || n == "0" {
		t.Errorf("breaches are %q", n)
	}
}

// TestTenantsLinksOfOneNameHaveNothingToDoWithEachOther, although their clients say that they are the same container, and the
// broker finds by the names what it keeps for them.
func TestTenantsLinksOfOneNameHaveNothingToDoWithEachOther(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	doors := start(t, lodged(t, keeping(t), ""))
	ours, theirs := as(ctx, t, doors["amqp"], "ann"), as(ctx, t, doors["amqp"], "ann@acme")
	toOurs, toTheirs := ours.routedSender(t, "events/ours"), theirs.routedSender(t, "events/theirs")
	lasting := func(c *amqpClient, address string) *goamqp.Receiver {
		t.Helper()
		r, err := c.session.NewReceiver(ctx, address, &goamqp.ReceiverOptions{
			Name: "sub", Durability: goamqp.DurabilityUnsettledState, ExpiryPolicy: goamqp.ExpiryPolicyNever,
			SourceDurability: goamqp.DurabilityUnsettledState, SourceExpiryPolicy: goamqp.ExpiryPolicyNever,
		})
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	one, other := lasting(ours, "events/ours"), lasting(theirs, "events/theirs")
	for i := range 3 {
		for _, c := range []struct {
			to   *goamqp.Sender
			from *goamqp.Receiver
			body string
		}{{toOurs, one, fmt.Sprint("ours ", i)}, {toTheirs, other, fmt.Sprint("theirs ", i)}} {
			if err := sendAMQP(ctx, c.to, goamqp.NewMessage([]byte(c.body))); err != nil {
				t.Fatal(err)
			}
			takes(ctx, t, c.from, c.body)
		}
	}
	if err := ours.conn.Close(); err != nil { // so that the broker keeps what comes for it
		t.Fatal(err)
	}
	if err := other.Close(ctx); err != nil {
		t.Fatal(err)
	}
	again := as(ctx, t, doors["amqp"], "ann")
	if err := sendAMQP(ctx, again.routedSender(t, "events/ours"), goamqp.NewMessage([]byte("kept"))); err != nil {
		t.Fatal(err)
	}
	stranger := lasting(theirs, "events/ours")
	if err := sendAMQP(ctx, again.routedSender(t, "events/ours"), goamqp.NewMessage([]byte("new"))); err != nil {
		t.Fatal(err)
	}
	takes(ctx, t, stranger, "new")
	takes(ctx, t, lasting(again, "events/ours"), "kept")
}
