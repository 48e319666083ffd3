package gateway

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	goamqp "github.com/Azure/go-amqp"

	"github.com/manifoldmq/manifold/gateway/config"
	"github.com/manifoldmq/manifold/gateway/gatewaytest"
	"github.com/manifoldmq/manifold/router/network"
)

// inside starts a router of a network that edge routers connect to, and which declares nothing.
func inside(t *testing.T) (doors map[string]string) {
	t.Helper()
	c := quickstart(t)
	c.Network.Router.ID = "inside"
	c.AMQP.Listeners = []config.AMQPListener{{Name: "clients"}, {Name: "edges", Role: config.EdgeRole}}
	return start(t, c)
}

// outside starts an edge router with a link route to a broker.
func outside(t *testing.T, uplink, broker string) (doors map[string]string) {
	t.Helper()
	c := routing(t, broker)
	c.Network.Router.ID, c.Network.Router.Mode = "outside", config.EdgeMode
	c.Network.Connectors = append(c.Network.Connectors, config.Connector{Name: "up", Role: network.Edge, Hosts: []string{uplink}})
	return start(t, c)
}

// awaitNoRoute waits until links to an address are refused.
func (c *amqpClient) awaitNoRoute(t *testing.T, address string) {
	t.Helper()
	for {
		link, err := c.session.NewSender(c.ctx, address, nil)
		if err == nil {
			err = link.Close(c.ctx)
		}
		e := new(goamqp.Error)
		switch {
		case err == nil, errors.As(err, &e) && e.Condition == "qd:routed-link-lost":
		case errors.As(err, &e) && (e.Condition == "qd:no-route-to-dest" || e.Condition == goamqp.ErrCondNotFound):
			return
		default:
			t.Fatal(err)
		}
	}
}

// TestLinksLeadOnToTheContainerOfAnEdge of which the router of the client knows by the edge alone, whenever that comes.
func TestLinksLeadOnToTheContainerOfAnEdge(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	interior := inside(t)
	client := dialAMQP(ctx, t, interior["amqp+clients"])
	for n := range 2 {
		var sender *goamqp.Sender
		t.Run(fmt.Sprintf("while it is there for time %d", n+1), func(running *testing.T) {
			outside(running, interior["amqp+edges"], storing(running, gatewaytest.New(running))["amqp"])
			sender = client.routedSender(t, "stored")
			client.passes(t, sender)
		})
		e := new(goamqp.Error)
		if err := sendAMQP(ctx, sender, goamqp.NewMessage([]byte("late"))); !errors.As(err, &e) || e.Condition != "qd:routed-link-lost" {
			t.Errorf("without the edge the link says %v", err)
		}
		client.awaitNoRoute(t, "stored")
	}
}

// TestContainerOfAnEdgeGoes, and the edge stays: what leads there ends, and is known no more.
func TestContainerOfAnEdgeGoes(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	interior := inside(t)
	client := dialAMQP(ctx, t, interior["amqp+clients"])
	var sender *goamqp.Sender
	t.Run("while it is there", func(running *testing.T) {
		broker := storing(running, gatewaytest.New(running))["amqp"]
		outside(t, interior["amqp+edges"], broker)
		sender = client.routedSender(t, "stored")
	})
	e := new(goamqp.Error)
	if err := sendAMQP(ctx, sender, goamqp.NewMessage([]byte("late"))); !errors.As(err, &e) || e.Condition != "qd:routed-link-lost" {
		t.Errorf("without the container the link says %v", err)
	}
	client.awaitNoRoute(t, "stored")
}

// TestClientOfAnEdgeFindsLinkRoutes of which only other routers know; what is not routed is as it was.
func TestClientOfAnEdgeFindsLinkRoutes(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	interior := inside(t)
	outside(t, interior["amqp+edges"], storing(t, gatewaytest.New(t))["amqp"])
	c := quickstart(t)
	c.Network.Router.ID, c.Network.Router.Mode = "another", config.EdgeMode
	c.Network.Connectors = []config.Connector{{Name: "up", Role: network.Edge, Hosts: []string{interior["amqp+edges"]}}}
	client := dialAMQP(ctx, t, start(t, c)["amqp"])
	for _, x := range []struct {
		address string
		sender  *goamqp.Sender
	}{{"stored", client.routedSender(t, "stored")}, {address: "commands/a"}} {
		receiver, err := client.session.NewReceiver(ctx, x.address, nil)
		if err != nil {
			t.Fatal(err)
		}
		if x.sender == nil {
			x.sender = client.routedSender(t, x.address)
		}
		for i := range 10 {
			sent := make(chan error, 1)
			go func() { sent <- sendAMQP(ctx, x.sender, goamqp.NewMessage(fmt.Append(nil, i))) }()
			takes(ctx, t, receiver, fmt.Sprint(i))
			if err := <-sent; err != nil {
				t.Fatal(err)
			}
		}
	}
}
