package gateway

import (
	"context"
	"slices"
	"testing"
	"time"

	goamqp "github.com/Azure/go-amqp"

	"github.com/manifoldmq/manifold/gateway/config"
)

// TestAddressIsGoneWithItsUsers: what a router keeps for messages that come from others is no use of an address.
func TestAddressIsGoneWithItsUsers(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	parsed, err := config.Parse("c.yaml", []byte(`addresses: [{name: "talk/#", kind: anycast}]`))
	if err != nil {
		t.Fatal(err)
	}
	first := quickstart(t)
	first.Addresses = parsed.Addresses
	first.Network.Router.ID, first.Network.Router.Port = "near", 0
	doors := start(t, first)
	second := connecting(t, config.Connector{Hosts: []string{doors["router"]}})
	second.Addresses = parsed.Addresses
	near := newManager(ctx, t, doors["amqp"], nil)
	far := newManager(ctx, t, start(t, second)["amqp"], nil)
	near.awaits("router.node", "id", "near", "far")

	in, err := near.session.NewReceiver(ctx, "talk/now", nil)
	if err != nil {
		t.Fatal(err)
	}
	out, err := far.session.NewSender(ctx, "talk/now", nil)
	if err == nil {
		err = out.Send(ctx, &goamqp.Message{Value: "hello"}, &goamqp.SendOptions{Settled: true})
	}
	if err == nil {
		_, err = in.Receive(ctx, nil)
	}
	if err != nil {
		t.Fatal(err)
	}
	if names := near.column("router.address", "name"); !slices.Contains(names, any("M0talk/now")) {
		t.Errorf("the address of a receiver is not among %v", names)
	}
	if err := in.Close(ctx); err != nil {
		t.Fatal(err)
	}
	for slices.Contains(near.column("router.address", "name"), any("M0talk/now")) {
		if ctx.Err() != nil {
			t.Fatal("an address that nobody uses is there still")
		}
	}
}
