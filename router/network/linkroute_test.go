package network

import (
	"log/slog"
	"slices"
	"testing"

	"github.com/manifoldmq/manifold/addressing"
	"github.com/manifoldmq/manifold/router/amqp"
	"github.com/manifoldmq/manifold/router/amqp/frame"
	"github.com/manifoldmq/manifold/router/network/internal/protocol"
	"github.com/manifoldmq/manifold/router/network/internal/routing"
	"github.com/manifoldmq/manifold/router/routertest"
	"github.com/manifoldmq/manifold/router/transport/passage"
	"github.com/manifoldmq/manifold/tenancy"
)

// routed is a network with the tenants "default" and "blue", and link routes.
func routed(t *testing.T, routes ...LinkRoute) *Network {
	t.Helper()
	definition := routertest.Define(t, "orders", addressing.Anycast)
	first, second := routertest.User(t, "default", definition), routertest.User(t, "blue", definition)
	directory, err := tenancy.NewDirectory(first.Tenant, second.Tenant)
	if err != nil {
		t.Fatal(err)
	}
	n := New(Config{Directory: directory, Log: slog.New(slog.DiscardHandler)})
	n.DefineRoutes(routes)
	return n
}

// host adds a container.
func (n *Network) host(name, id string) *container {
	c := &container{name: name, id: id, desk: passage.NewDesk(nil, func() {})}
	n.linkRoutes.join(c)
	return c
}

// to is the attach of a client that sends to an address.
func to(address string) *frame.Attach {
	return &frame.Attach{Role: frame.Sender, Target: &frame.Target{Address: address, HasAddress: true}}
}

func route(pattern, connector string) LinkRoute {
	return LinkRoute{Tenant: "default", Pattern: pattern, Direction: In, Connector: connector}
}

func TestMostSpecificLinkRouteCounts(t *testing.T) {
	n := routed(t, route("a/#", "rest"), route("a.b.c", "literal"), route("a.*.c", "star"), route("a.#.c", "middle"),
		route("#", "all"), route("$coordinator/#", "transactions"))
	desks := make(map[*passage.Desk]string)
	for _, name := range []string{"rest", "literal", "star", "middle", "all", "transactions"} {
		desks[n.host(name, "").desk] = name
	}
	for address, want := range map[string]string{
		"a/b/c": "literal", "a.b.c": "literal", "a.x.c": "star", "a.x.y.c": "middle", "a": "rest", "a.x": "rest", "ab": "all",
	} {
		way, refusal, ok := n.RouteLink("default", to(address))
		if !ok || refusal != nil || desks[way.Desk] != want {
			t.Errorf("%s goes to %q, %v, want %q", address, desks[way.Desk], refusal, want)
		}
	}
	wish := &frame.Attach{Role: frame.Sender, Coordinator: &frame.Coordinator{}}
	if way, _, ok := n.RouteLink("default", wish); !ok || desks[way.Desk] != "transactions" {
		t.Errorf("a coordinator goes to %q", desks[way.Desk])
	}
}

func TestLinkRouteIsOfItsTenantAndDirection(t *testing.T) {
	n := routed(t, route("a/#", "broker"))
	n.host("broker", "")
	if _, _, ok := n.RouteLink("blue", to("a")); ok {
		t.Error("it is another tenant's as well")
	}
	if _, _, ok := n.RouteLink("default", &frame.Attach{Role: frame.Receiver, Source: &frame.Source{Address: "a"}}); ok {
		t.Error("it is of the other direction as well")
	}
	if _, _, ok := n.RouteLink("default", to("b")); ok {
		t.Error("it is of other addresses as well")
	}
	if _, _, ok := n.RouteLink("default", to("")); ok {
		t.Error("it is of relays as well")
	}
}

func TestDynamicTerminusIsRoutedByItsProperties(t *testing.T) {
	n := routed(t, route("a/#", "broker"))
	broker := n.host("broker", "")
	fields := amqp.BeginFields(nil)
	fields.String("x-opt-qd.address", "a.b")
	wish := &frame.Attach{Role: frame.Sender, Target: &frame.Target{Dynamic: true, DynamicNodeProperties: fields.End()}}
	if way, refusal, ok := n.RouteLink("default", wish); !ok || refusal != nil || way.Desk != broker.desk {
		t.Errorf("it goes to %v, %v", way, refusal)
	}
	wish.Target.DynamicNodeProperties = nil
	if _, _, ok := n.RouteLink("default", wish); ok {
		t.Error("one that says nothing is routed")
	}
}

func TestLinksAreSharedByContainers(t *testing.T) {
	byID := LinkRoute{Tenant: "default", Pattern: "a/#", Direction: In, Container: "shard", AddPrefix: "x"}
	n := routed(t, byID, route("a/#", "other"))
	if _, refusal, ok := n.RouteLink("default", to("a")); !ok || refusal.Condition != passage.NoRoute {
		t.Errorf("without a container it is %v", refusal)
	}
	all := []*container{n.host("one", "shard"), n.host("two", "shard"), n.host("other", "")}
	var got []*passage.Desk
	for range 6 {
		way, _, _ := n.RouteLink("default", to("a"))
		got = append(got, way.Desk)
		if (way.Add == "x") != (way.Desk != all[2].desk) {
			t.Errorf("the address is written with %q", way.Add)
		}
	}
	for _, c := range all {
		if count := len(slices.DeleteFunc(slices.Clone(got), func(d *passage.Desk) bool { return d != c.desk })); count != 2 {
			t.Errorf("%s has %d of 6 links", c.name, count)
		}
	}
	n.linkRoutes.leave(all[0])
	if s := n.LinkRoutes(); s[0].Connections != 1 || !s[0].Active || s[1].Connections != 1 {
		t.Errorf("they are %+v", s)
	}
}

func TestLastingTerminusIsRefusedIfSaid(t *testing.T) {
	n := routed(t, route("a/#", "broker"))
	n.host("broker", "")
	n.config.NoResumable = true
	wish := to("a")
	if _, refusal, _ := n.RouteLink("default", wish); refusal != nil {
		t.Errorf("one that ends with its connection is refused: %v", refusal)
	}
	wish.Target.ExpiryPolicy = frame.ExpireNever
	if _, refusal, _ := n.RouteLink("default", wish); refusal == nil || refusal.Condition != passage.LinkExpiration {
		t.Errorf("one that lasts is refused with %v", refusal)
	}
}

func TestLinkRoutesHaveKeysAmongRouters(t *testing.T) {
	n := routed(t)
	for key, want := range map[protocol.Key]roadKey{
		"Corg.apache":    {"default", "org.apache/#", In},
		"Dclosest/a":     {"default", "closest/a/#", Out},
		"Ea.*.toA.#.x":   {"default", "a.*.toA.#.x", In},
		"Fa.*.toA.#":     {"default", "a.*.toA.#", Out},
		"Cblue/orders":   {"blue", "orders/#", In},
		"Fblue/orders.*": {"blue", "orders.*", Out},
	} {
		got, _, ok := n.linkRoutes.roadOf(key)
		if !ok || got != want {
			t.Errorf("%s is %+v, want %+v", key, got, want)
		}
		if got.key() != key {
			t.Errorf("and back it is %s", got.key())
		}
	}
	if _, _, ok := n.linkRoutes.roadOf("M0orders"); ok {
		t.Error("an address of messages is taken for a link route")
	}
}

func TestOtherRoutersLinkRoutesAreKnown(t *testing.T) {
	n := routed(t)
	change := routing.Change{Kind: routing.Added, Router: "b", Address: protocol.Address{Key: "Corders"}}
	n.linkRoutes.apply(change)
	if is, reachable := n.findLinkRoute("orders.a", In); !is || !reachable {
		t.Errorf("got %v, %v", is, reachable)
	}
	if all := n.LinkAddresses(); len(all) != 1 || all[0] != (LinkAddress{Tenant: "default", Key: "Corders", Routers: 1}) {
		t.Errorf("they are %+v", all)
	}
	if _, refusal, ok := n.RouteLink("default", to("orders")); !ok || refusal == nil {
		t.Errorf("without a way there it is %v", refusal)
	}
	n.linkRoutes.apply(routing.Change{Kind: routing.Flushed, Router: "b"})
	if is, _ := n.findLinkRoute("orders.a", In); is {
		t.Error("it is still known when its router has gone")
	}
}

// TestNoLinkRouteReachesIntoAnotherTenant: other routers see by its address whose a link is.
func TestNoLinkRouteReachesIntoAnotherTenant(t *testing.T) {
	blue := route("a/#", "")
	blue.Tenant = "blue"
	transactions := blue
	transactions.Pattern = "$coordinator/#"
	n := routed(t, route("#", "broker"), blue, transactions)
	n.config.Mesh = NewMesh(MeshConfig{
		ID: "x", Edge: true, Reach: NewReach(Keys{Self: "x", Directory: n.config.Directory}), Log: n.config.Log,
	})
	uplink := passage.NewDesk(nil, func() {})
	n.config.Mesh.fringe.active.Store(&neighbor{desk: uplink})
	fields := amqp.BeginFields(nil)
	fields.String("x-opt-qd.address", "a/b")
	made := &frame.Attach{Role: frame.Sender, Target: &frame.Target{Dynamic: true, DynamicNodeProperties: fields.End()}}
	coordinator := &frame.Attach{Role: frame.Sender, Coordinator: &frame.Coordinator{}}
	for _, c := range []struct {
		tenant, prefix string
		wish           *frame.Attach
		goes           bool
	}{
		{"default", "", to("a/b"), true}, {"default", "", to("green/a/b"), true}, {"default", "", to("blue/a/b"), false},
		{"default", "", made, true}, {"default", "", coordinator, true},
		{"blue", "blue/", to("a/b"), true}, {"blue", "", made, false}, {"blue", "", coordinator, false},
	} {
		address, _ := passage.Address(c.wish)
		way, refusal, ok := n.RouteLink(c.tenant, c.wish)
		switch {
		case !ok, c.goes != (refusal == nil):
			t.Errorf("%s of %s: %v, %v", address, c.tenant, ok, refusal)
		case c.goes && (way.Desk != uplink || way.Add != c.prefix):
			t.Errorf("%s of %s is written with %q", address, c.tenant, way.Add)
		}
	}
	broker := n.host("broker", "")
	if way, refusal, _ := n.RouteLink("default", to("blue/a/b")); refusal != nil || way.Desk != broker.desk {
		t.Errorf("a container here is not reached: %v", refusal)
	}
}
