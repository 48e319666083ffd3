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
	"github.com/manifoldmq/manifold/gateway/gatewaytest"
	"github.com/manifoldmq/manifold/router/network"
)

// routing is the configuration of a gateway whose links to "stored" and to "ext/..." lead on to a broker.
func routing(t *testing.T, broker string) config.Config {
	t.Helper()
	c := quickstart(t)
	connector := config.Connector{Name: "broker", Hosts: []string{broker}, User: "gateway", Password: "secret"}
	c.Network.Connectors = []config.Connector{connector}
	c.Network.Reconnect.Initial, c.Network.Reconnect.Max = 10*time.Millisecond, 100*time.Millisecond
	for _, direction := range []string{"in", "out"} {
		c.Network.LinkRoutes = append(c.Network.LinkRoutes,
			config.LinkRoute{Prefix: "stored", Direction: direction, Connector: "broker"},
			config.LinkRoute{Pattern: "ext.#", Direction: direction, ContainerID: "broker", DelExternalPrefix: "ext/"})
	}
	return c
}

// passes has some messages go to the broker over a link, and come back from there in their order.
func (c *amqpClient) passes(t *testing.T, sender *goamqp.Sender) {
	t.Helper()
	for i := range 10 {
		if err := sendAMQP(c.ctx, sender, goamqp.NewMessage(fmt.Append(nil, i))); err != nil {
			t.Fatal(err)
		}
	}
	receiver, err := c.session.NewReceiver(c.ctx, sender.Address(), nil)
	if err != nil {
		t.Fatal(err)
	}
	for i := range 10 {
		takes(c.ctx, t, receiver, fmt.Sprint(i))
	}
}

// routedSender attaches a link as soon as there is a way to the broker.
func (c *amqpClient) routedSender(t *testing.T, address string) *goamqp.Sender {
	t.Helper()
	for {
		link, err := c.session.NewSender(c.ctx, address, nil)
		if err == nil {
			return link
		}
		e := new(goamqp.Error)
		if !errors.As(err, &e) || e.Condition != "qd:no-route-to-dest" && e.Condition != goamqp.ErrCondNotFound {
			t.Fatal(err)
		}
	}
}

func TestLinksLeadOnToTheBroker(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	client := dialAMQP(ctx, t, start(t, routing(t, storing(t, gatewaytest.New(t))["amqp"]))["amqp"])
	sender := client.routedSender(t, "stored")
	for i := range 20 {
		m := &goamqp.Message{
			Header: &goamqp.MessageHeader{Durable: true, Priority: 4}, Data: [][]byte{fmt.Append(nil, i)},
			ApplicationProperties: map[string]any{"odd": i%2 == 1},
		}
		if err := sendAMQP(ctx, sender, m); err != nil {
			t.Fatal(err)
		}
	}
	if err := sendAMQP(ctx, sender, goamqp.NewMessage(make([]byte, 900<<10))); err != nil {
		t.Fatal(err)
	}
	selective, err := client.session.NewReceiver(ctx, "stored", &goamqp.ReceiverOptions{
		Filters: []goamqp.LinkFilter{goamqp.NewSelectorFilter("odd = TRUE")},
	})
	if err != nil {
		t.Fatal(err)
	}
	for i := 1; i < 20; i += 2 {
		takes(ctx, t, selective, fmt.Sprint(i))
	}
	if err := selective.Close(ctx); err != nil {
		t.Fatal(err)
	}
	rest, err := client.session.NewReceiver(ctx, "stored", nil)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < 20; i += 2 {
		takes(ctx, t, rest, fmt.Sprint(i))
	}
	takes(ctx, t, rest, string(make([]byte, 900<<10)))
}

// takes fails unless that is the next message, and accepts it.
func takes(ctx context.Context, t *testing.T, link *goamqp.Receiver, body string) {
	t.Helper()
	m, err := link.Receive(ctx, nil)
	if err != nil {
		t.Fatal(err)
	}
	if got := string(m.GetData()); got != body {
		t.Fatalf("got %.40q, want %.40q", got, body)
	}
	if err := link.AcceptMessage(ctx, m); err != nil {
		t.Fatal(err)
	}
}

func TestBrokerSaysWhatBecomesOfALink(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	var client *amqpClient
	var sender *goamqp.Sender
	t.Run("while it is there", func(inside *testing.T) {
		c := quickstart(inside)
		c.Network.ContainerID = "broker"
		broker := start(inside, c)
		client = dialAMQP(ctx, t, start(t, routing(t, broker["amqp"]))["amqp"])
		sender = client.routedSender(t, "ext/commands/a") // which has no consumer, so there is no credit
		_, err := client.session.NewReceiver(ctx, "ext/nowhere", nil)
		if e := new(goamqp.Error); !errors.As(err, &e) || e.Condition != goamqp.ErrCondNotFound {
			t.Errorf("the broker's refusal is %v", err)
		}
	})
	err := sendAMQP(ctx, sender, goamqp.NewMessage([]byte("late")))
	if err == nil || !strings.Contains(err.Error(), "qd:routed-link-lost") {
		t.Errorf("without the broker the link says %v", err)
	}
	_, err = client.session.NewSender(ctx, "ext/commands/a", nil)
	if err == nil || !strings.Contains(err.Error(), "qd:no-route-to-dest") {
		t.Errorf("without the broker there is %v", err)
	}
}

// TestLinksLeadOnOverOtherRouters: the broker is behind one router, the client at another, which knows of it from the first.
func TestLinksLeadOnOverOtherRouters(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	home := routing(t, storing(t, gatewaytest.New(t))["amqp"])
	home.Network.Router.ID, home.Network.Router.Port = "home", 0
	far := quickstart(t)
	far.Network.Router.ID, far.Network.Router.Port = "far", 0
	far.Network.Connectors = []config.Connector{
		{Name: "home", Role: network.InterRouter, Hosts: []string{start(t, home)["router"]}},
	}
	client := dialAMQP(ctx, t, start(t, far)["amqp"])
	client.passes(t, client.routedSender(t, "stored"))
}
