package gateway

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	goamqp "github.com/Azure/go-amqp"
	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/manifoldmq/manifold/gateway/config"
	"github.com/manifoldmq/manifold/gateway/gatewaytest"
)

const (
	connectorType = "org.apache.qpid.dispatch.connector"
	autoLinkType  = "org.apache.qpid.dispatch.router.config.autoLink"
	linkRouteType = "org.apache.qpid.dispatch.router.config.linkRoute"
)

// awaits asks for one attribute of the entities of a type until they all have the value.
func (m *manager) awaits(entityType, attribute string, want ...any) {
	m.t.Helper()
	for got := []any(nil); !slices.Equal(got, want); got = m.column(entityType, attribute) {
		if m.ctx.Err() != nil {
			m.t.Fatalf("%s of %s is %v, want %v", attribute, entityType, got, want)
		}
	}
}

// TestManagementMakesLinksToBrokers: a connector and a link that are made carry messages until they are taken away, and
// are not there after a restart.
func TestManagementMakesLinksToBrokers(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	broker := storing(t, gatewaytest.New(t))
	host, port, _ := net.SplitHostPort(broker["amqp"])
	c, fs := quickstart(t), vfs.NewMem()
	named := func(entityType, name string) map[string]any { return map[string]any{"type": entityType, "name": name} }
	t.Run("made", func(t *testing.T) {
		m := newManager(ctx, t, startOn(t, fs, c, slog.New(slog.DiscardHandler))["amqp"], nil)
		connector := map[string]any{"host": host, "port": port, "saslUsername": "gateway", "saslPassword": "secret"}
		m.expect(201, "CREATE", named(addressType, "way"), map[string]any{"pattern": "way"})
		m.expect(201, "CREATE", named(autoLinkType, "out"), map[string]any{
			"address": "way", "direction": "out", "connection": "broker", "externalAddress": "stored",
		})
		m.awaits("router.config.autoLink", "operStatus", "inactive")
		m.expect(201, "CREATE", named(connectorType, "broker"), connector)
		m.expect(400, "CREATE", named(connectorType, "broker"), connector)
		m.expect(400, "CREATE", named(connectorType, "other"), map[string]any{"role": "inter-router"})
		m.expect(400, "CREATE", named(connectorType, "other"), map[string]any{"port": "nowhere"})
		m.expect(400, "CREATE", named(autoLinkType, "out"), map[string]any{"address": "way", "direction": "in", "connection": "broker"})
		m.awaits("router.config.autoLink", "operStatus", "active")
		m.awaits("connector", "connectionStatus", "SUCCESS")
		if read := m.expect(200, "READ", named(connectorType, "broker"), nil).(map[string]any); read["saslPassword"] != nil {
			t.Errorf("the password is told: %v", read)
		}
		if hosts := m.column("connection", "host"); !slices.Contains(hosts, any(broker["amqp"])) {
			t.Errorf("connections are with %v, none with %s", hosts, broker["amqp"])
		}
		m.sends("way", "over the link")
		m.expect(204, "DELETE", named(autoLinkType, "out"), nil)
		m.expect(404, "DELETE", named(autoLinkType, "out"), nil)
		m.expect(204, "DELETE", named(connectorType, "broker"), nil)
		m.expect(404, "DELETE", named(connectorType, "broker"), nil)
		m.expect(201, "CREATE", named(connectorType, "broker"), connector)
	})
	there := newManager(ctx, t, broker["amqp"], &goamqp.ConnOptions{SASLType: goamqp.SASLTypePlain("gateway", "secret")})
	if got := there.takes("stored"); got != "over the link" {
		t.Errorf("the broker has %q", got)
	}
	t.Run("after a restart", func(t *testing.T) {
		m := newManager(ctx, t, startOn(t, fs, c, slog.New(slog.DiscardHandler))["amqp"], nil)
		if names := m.column("connector", "name"); len(names) != 0 {
			t.Errorf("connectors: %v", names)
		}
		if names := m.column("router.config.address", "name"); !slices.Contains(names, any("way")) {
			t.Errorf("addresses: %v", names)
		}
	})
}

// sends sends a text, which has to be accepted.
func (m *manager) sends(address, text string) {
	m.t.Helper()
	link, err := m.session.NewSender(m.ctx, address, nil)
	if err == nil {
		err = link.Send(m.ctx, &goamqp.Message{Value: text}, nil)
	}
	if err != nil {
		m.t.Fatal(err)
	}
}

// takes receives a message and gives its text.
func (m *manager) takes(address string) any {
	m.t.Helper()
	link, err := m.session.NewReceiver(m.ctx, address, nil)
	if err != nil {
		m.t.Fatal(err)
	}
	message, err := link.Receive(m.ctx, nil)
	if err != nil {
		m.t.Fatal(err)
	}
	return message.Value
}

func TestNetworkIsOfWhoRunsTheGateway(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	c := neighbours(t)
	c.Network.Connectors = []config.Connector{{Name: "broker", Hosts: []string{"127.0.0.1:1"}, User: "me", Password: "secret"}}
	c.Network.AutoLinks = []config.AutoLink{{Name: "of-a", Tenant: "a", Address: "x", Connector: "broker"}}
	c.Network.LinkRoutes = []config.LinkRoute{{Name: "of-a", Tenant: "a", Prefix: "y", Direction: "in", Connector: "broker"}}
	doors := start(t, c)
	a := newManager(ctx, t, doors["amqp"], &goamqp.ConnOptions{HostName: "a"})
	b := newManager(ctx, t, doors["amqp"], &goamqp.ConnOptions{HostName: "b"})
	a.expect(403, "CREATE", map[string]any{"type": connectorType, "name": "mine"}, nil)
	a.expect(403, "CREATE", map[string]any{"type": autoLinkType, "name": "mine"},
		map[string]any{"address": "x", "direction": "out", "connection": "broker"})
	a.expect(403, "CREATE", map[string]any{"type": linkRouteType, "name": "mine"},
		map[string]any{"prefix": "x", "direction": "in", "connection": "broker"})
	seen := a.column("router.config.autoLink", "name")
	if want := []any{"of-a"}; !slices.Equal(seen, want) {
		t.Errorf("a sees the links %v, want %v", seen, want)
	}
	a.expect(403, "DELETE", map[string]any{"type": autoLinkType, "name": "of-a"}, nil)
	a.expect(403, "DELETE", map[string]any{"type": linkRouteType, "name": "of-a"}, nil)
	for _, entityType := range []string{"connector", "router.config.autoLink", "router.config.linkRoute"} {
		if names := b.column(entityType, "name"); len(names) != 0 {
			t.Errorf("b sees of %s %v", entityType, names)
		}
	}
	b.expect(404, "DELETE", map[string]any{"type": autoLinkType, "name": "of-a"}, nil)
	if log := a.expect(200, "GET-LOG", nil, nil); fmt.Sprint(log) != "[]" {
		t.Errorf("the log is told: %v", log)
	}
}

// TestConnectionsHaveNumbersOfTheirOwn: those of routers are not called as those of clients, which UPDATE would close.
func TestConnectionsHaveNumbersOfTheirOwn(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	doors := openToRouters(t, gatewaytest.New(t))
	m := newManager(ctx, t, doors["amqp"], nil)
	start(t, connecting(t, config.Connector{Hosts: []string{doors["router"]}, User: "far", Password: "secret"}))
	identities := m.column("connection", "identity")
	for len(identities) < 2 {
		if ctx.Err() != nil {
			t.Fatal("the router has not connected")
		}
		identities = m.column("connection", "identity")
	}
	if identities[0] == identities[1] {
		t.Errorf("the router's connection and the client's are both called %v", identities[0])
	}
}

func TestLinkRouteIsAFilter(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	m := newManager(ctx, t, start(t, quickstart(t))["amqp"], nil)
	for _, prefix := range []string{".", "a//b"} {
		m.expect(400, "CREATE", map[string]any{"type": linkRouteType}, map[string]any{"prefix": prefix, "direction": "in"})
	}
	if routes := m.column("router.config.linkRoute", "prefix"); len(routes) != 0 {
		t.Errorf("there are %v", routes)
	}
}

func TestManagementTellsWhatItWasAsked(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	log := slog.New(slog.NewTextHandler(new(strings.Builder), &slog.HandlerOptions{Level: slog.LevelDebug}))
	m := newManager(ctx, t, startOn(t, nil, quickstart(t), log)["amqp"], nil)
	lines := m.expect(200, "GET-LOG", map[string]any{"limit": int32(50)}, nil).([]any)
	if !slices.ContainsFunc(lines, func(line any) bool {
		entry := line.([]any)
		return entry[0] == "AGENT" && entry[1] == "debug" && strings.Contains(entry[2].(string), "GET-LOG")
	}) {
		t.Errorf("the log is %v", lines)
	}
}

func TestManagementOpensListeners(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	m := newManager(ctx, t, start(t, quickstart(t))["amqp"], nil)
	named := map[string]any{"type": "org.apache.qpid.dispatch.listener", "name": "more"}
	m.expect(201, "CREATE", named, map[string]any{"port": "0"})
	m.expect(400, "CREATE", named, map[string]any{"port": "0"})
	for _, wrong := range []map[string]any{
		{"port": "0", "host": "0.0.0.0"}, {"port": "0", "role": "inter-router"}, {"port": "0", "http": true}, {"port": "nowhere"},
	} {
		status, _ := m.ask("CREATE", map[string]any{"type": "org.apache.qpid.dispatch.listener", "name": "other"}, wrong)
		if status < 400 {
			t.Errorf("%v gives %d", wrong, status)
		}
	}
	read := m.expect(200, "READ", named, nil).(map[string]any)
	at := net.JoinHostPort(read["host"].(string), read["port"].(string))
	there := newManager(ctx, t, at, nil)
	there.expect(200, "READ", named, nil)
	there.sends("jobs", "through another door")
	m.expect(204, "DELETE", named, nil)
	m.expect(404, "DELETE", named, nil)
	m.expect(403, "DELETE", map[string]any{"identity": "listener/amqp"}, nil)
	<-there.conn.Done()
	if nc, err := net.Dial("tcp", at); err == nil {
		nc.Close()
		t.Errorf("%s is still open", at)
	}
}

// TestConnectorsKeepTheirNames: where the gateway stands in for a router of Dispatch they are called as somebody has written
// it, or by their hosts; elsewhere as names of the configuration are.
func TestConnectorsKeepTheirNames(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	at := net.JoinHostPort("127.0.0.1", "1")
	for manner, want := range map[string][2]string{
		config.DispatchManner: {"to the/shop", "connector/" + at},
		"":                    {"to-the-shop", "127.0.0.1-1"},
	} {
		c := quickstart(t)
		c.AMQP.Manner = manner
		m := newManager(ctx, t, startOn(t, vfs.NewMem(), c, slog.New(slog.DiscardHandler))["amqp"], nil)
		m.expect(201, "CREATE", map[string]any{"type": connectorType, "name": "to the/shop"}, map[string]any{"port": "1"})
		m.expect(201, "CREATE", map[string]any{"type": connectorType}, map[string]any{"port": "1"})
		if names := m.column("connector", "name"); !slices.Equal(names, []any{want[0], want[1]}) {
			t.Errorf("manner %q: they are called %v, want %v", manner, names, want)
		}
		m.expect(204, "DELETE", map[string]any{"type": connectorType, "name": want[0]}, nil)
		m.expect(204, "DELETE", map[string]any{"type": connectorType, "name": want[1]}, nil)
	}
}
