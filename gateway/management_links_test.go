package gateway

import (
	"context"
	"fmt"
	"testing"
	"time"

	goamqp "github.com/Azure/go-amqp"

	"github.com/manifoldmq/manifold/gateway/config"
	"github.com/manifoldmq/manifold/gateway/gatewaytest"
	"github.com/manifoldmq/manifold/router/network"
)

// rows asks for the entities of a type that a test wants, each with all its attributes.
func (m *manager) rows(entityType string, wanted func(row map[string]any) bool) (all []map[string]any) {
	m.t.Helper()
	answer := m.expect(200, "QUERY", map[string]any{"entityType": "org.apache.qpid.dispatch." + entityType},
		map[string]any{"attributeNames": []any{}}).(map[string]any)
	names := answer["attributeNames"].([]any)
	for _, values := range answer["results"].([]any) {
		row := make(map[string]any)
		for i, value := range values.([]any) {
			row[names[i].(string)] = value
		}
		if wanted(row) {
			all = append(all, row)
		}
	}
	return all
}

// awaitsRows asks until there are so many.
func (m *manager) awaitsRows(n int, entityType string, wanted func(row map[string]any) bool) []map[string]any {
	m.t.Helper()
	for {
		all := m.rows(entityType, wanted)
		if len(all) == n {
			return all
		}
		if m.ctx.Err() != nil {
			m.t.Fatalf("of %s there are %v, not %d", entityType, all, n)
		}
	}
}

// has tells whether attributes of a row are as said, in pairs of name and value.
func has(row map[string]any, pairs ...any) bool {
	for i := 0; i < len(pairs); i += 2 {
		if fmt.Sprint(row[pairs[i].(string)]) != fmt.Sprint(pairs[i+1]) {
			return false
		}
	}
	return true
}

// TestLinksThatLeadOnAreListed with both ends, and what went over them, until they are over.
func TestLinksThatLeadOnAreListed(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	doors := start(t, routing(t, storing(t, gatewaytest.New(t))["amqp"]))
	client, m := dialAMQP(ctx, t, doors["amqp"]), newManager(ctx, t, doors["amqp"], nil)
	sender := client.routedSender(t, "stored")
	if err := sendAMQP(ctx, sender, goamqp.NewMessage([]byte("one"))); err != nil {
		t.Fatal(err)
	}
	isRouted := func(row map[string]any) bool { return row["owningAddr"] == "M0stored" }
	ends := m.awaitsRows(2, "router.link", isRouted)
	near, far := ends[0], ends[1]
	if !has(near, "linkDir", "in", "peer", far["identity"], "linkName", sender.LinkName()) || !has(far, "linkDir", "out", "peer", near["identity"]) {
		t.Errorf("the ends are\n%v\n%v", near, far)
	}
	for _, end := range ends {
		if !has(end, "linkType", "endpoint", "deliveryCount", 1, "acceptedCount", 1, "unsettledCount", 0) {
			t.Errorf("one message was accepted: %v", end)
		}
		read := m.expect(200, "READ", map[string]any{"type": "org.apache.qpid.dispatch.router.link", "identity": end["identity"]}, nil)
		if got := read.(map[string]any); got["peer"] != end["peer"] {
			t.Errorf("%v is read as %v", end["identity"], got)
		}
	}
	over := m.rows("connection", func(row map[string]any) bool { return row["identity"] == far["connectionId"] })
	if len(over) != 1 || over[0]["dir"] != "out" {
		t.Errorf("the far end is over %v", over)
	}
	if err := sender.Close(ctx); err != nil {
		t.Fatal(err)
	}
	m.awaitsRows(0, "router.link", isRouted)
}

// TestLinksOfATenantThatLeadOnAreItsOwn: another one does not see them.
func TestLinksOfATenantThatLeadOnAreItsOwn(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	broker := routing(t, storing(t, gatewaytest.New(t))["amqp"])
	c := neighbours(t)
	c.Network = broker.Network
	for i := range c.Network.LinkRoutes {
		c.Network.LinkRoutes[i].Tenant = "a"
	}
	doors := start(t, c)
	a := newManager(ctx, t, doors["amqp"], &goamqp.ConnOptions{HostName: "a"})
	b := newManager(ctx, t, doors["amqp"], &goamqp.ConnOptions{HostName: "b"})
	a.routedSender(t, "stored")
	isRouted := func(row map[string]any) bool { return row["owningAddr"] == "M0stored" }
	end := a.awaitsRows(2, "router.link", isRouted)[0]
	if seen := b.rows("router.link", isRouted); len(seen) != 0 {
		t.Errorf("b sees %v", seen)
	}
	b.expect(404, "READ", map[string]any{"type": "org.apache.qpid.dispatch.router.link", "identity": end["identity"]}, nil)
}

// TestLinksBetweenRoutersAreListed: one of each priority in each direction, and what went over them.
func TestLinksBetweenRoutersAreListed(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	near := openToRouters(t, gatewaytest.New(t))
	far := start(t, connecting(t, config.Connector{Hosts: []string{near["router"]}, User: "far", Password: "secret"}))
	m := newManager(ctx, t, near["amqp"], nil)
	m.awaitsRows(2, "router.link", func(row map[string]any) bool { return row["linkType"] == "router-control" })
	between := func(direction string, priority int) func(map[string]any) bool {
		return func(row map[string]any) bool {
			return has(row, "linkType", "inter-router", "linkDir", direction, "priority", priority)
		}
	}
	for priority := range 10 {
		for _, direction := range []string{"in", "out"} {
			link := m.awaitsRows(1, "router.link", between(direction, priority))[0]
			m.expect(200, "READ", map[string]any{"type": "org.apache.qpid.dispatch.router.link", "identity": link["identity"]}, nil)
		}
	}
	consumer := newManager(ctx, t, far["amqp"], nil)
	receiver, err := consumer.session.NewReceiver(ctx, "commands/far", nil)
	if err != nil {
		t.Fatal(err)
	}
	sender, err := m.session.NewSender(ctx, "commands/far", nil)
	if err != nil {
		t.Fatal(err)
	}
	taken := make(chan error, 1)
	go func() {
		message, err := receiver.Receive(ctx, nil)
		if err == nil {
			err = receiver.RejectMessage(ctx, message, nil)
		}
		taken <- err
	}()
	_ = sender.Send(ctx, &goamqp.Message{Header: &goamqp.MessageHeader{Priority: 7}, Value: "seven"}, nil) // it is rejected
	if err := <-taken; err != nil {
		t.Fatal(err)
	}
	for _, at := range []struct {
		m         *manager
		direction string
	}{{m, "out"}, {consumer, "in"}} {
		at.m.awaitsRows(1, "router.link", func(row map[string]any) bool {
			return between(at.direction, 7)(row) && has(row, "deliveryCount", 1, "rejectedCount", 1, "unsettledCount", 0)
		})
	}
	if seen := m.rows("router.link", func(row map[string]any) bool {
		return row["owningAddr"] == "M0commands/far" && row["linkName"] != sender.LinkName()
	}); len(seen) != 0 {
		t.Errorf("the way to the other router is listed besides: %v", seen)
	}
}

// TestLinksTellTheirNames of clients, and of those that the gateway has attached to a broker, with their connection.
func TestLinksTellTheirNames(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	c := routing(t, storing(t, gatewaytest.New(t))["amqp"])
	c.Network.AutoLinks = []config.AutoLink{
		{Address: "commands/out", Direction: network.Out, Connector: "broker", ExternalAddress: "stored", Phase: 1},
	}
	m := newManager(ctx, t, start(t, c)["amqp"], nil)
	link := m.awaitsRows(1, "router.link", func(row map[string]any) bool { return row["owningAddr"] == "M1commands/out" })[0]
	over := m.rows("connection", func(row map[string]any) bool { return row["identity"] == link["connectionId"] })
	if len(over) != 1 || over[0]["dir"] != "out" || link["linkName"] == "" {
		t.Errorf("the automatic link is %v, over %v", link, over)
	}
	if refs := m.column("router.config.autoLink", "linkRef"); len(refs) != 1 || refs[0] != link["identity"] {
		t.Errorf("the automatic link leads to %v, want %v", refs, link["identity"])
	}
	receiver, err := m.session.NewReceiver(ctx, "commands/in", &goamqp.ReceiverOptions{Name: "called"})
	if err != nil {
		t.Fatal(err)
	}
	m.awaitsRows(1, "router.link", func(row map[string]any) bool { return has(row, "linkName", "called", "linkDir", "out") })
	if err := receiver.Close(ctx); err != nil {
		t.Fatal(err)
	}
}
