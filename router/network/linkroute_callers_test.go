package network

import (
	"fmt"
	"testing"
	"time"

	"github.com/manifoldmq/manifold/router"
	"github.com/manifoldmq/manifold/router/transport/passage"
)

// calling is a caller of a tenant with a connection of its own.
func calling(number uint64, tenant string) Caller {
	return Caller{Number: number, Tenant: tenant, Container: "service", Desk: passage.NewDesk(nil, func() {})}
}

// own makes a link route for links on which clients send.
func (n *Network) own(t *testing.T, c Caller, name, pattern string) OwnRoute {
	t.Helper()
	o, err := n.AddOwnRoute(c, OwnRoute{Name: name, Pattern: pattern, Direction: In})
	if err != nil {
		t.Fatal(err)
	}
	return o
}

// leadsTo tells whether a link on which a client of a tenant sends leads to a desk.
func (n *Network) leadsTo(tenant, address string, d *passage.Desk) bool {
	way, refusal, routed := n.RouteLink(tenant, to(address))
	return routed && refusal == nil && way.Desk == d
}

func TestOwnRouteLeadsToItsCallerUntilItGoes(t *testing.T) {
	n := routed(t)
	c := calling(5, "default")
	first := n.own(t, c, "one", "a/#")
	n.own(t, c, "two", "b.*")
	if !n.leadsTo("default", "a/x", c.Desk) || !n.leadsTo("default", "b/x", c.Desk) {
		t.Error("links do not lead there")
	}
	if n.leadsTo("blue", "a/x", c.Desk) {
		t.Error("those of another tenant do")
	}
	if all := n.OwnRoutes(5); len(all) != 2 || all[0] != first || all[0].ID == all[1].ID || len(n.OwnRoutes(6)) > 0 {
		t.Errorf("they are %+v", all)
	}
	if n.RemoveOwnRoute(6, first.ID) || !n.RemoveOwnRoute(5, first.ID) || n.RemoveOwnRoute(5, first.ID) {
		t.Error("it is not taken away once, by its caller")
	}
	if _, _, routed := n.RouteLink("default", to("a/x")); routed {
		t.Error("links are routed that were before")
	}
	c.Desk.Close()
	if _, _, routed := n.RouteLink("default", to("b/x")); routed || len(n.OwnRoutes(5)) > 0 {
		t.Error("a link route is there when the connection is over")
	}
	if _, err := n.AddOwnRoute(c, OwnRoute{Pattern: "c"}); router.ReasonOf(err) != router.NotFound {
		t.Errorf("one is made for a connection that is over: %v", err)
	}
}

func TestCallersShareLinksOfTheSameAddresses(t *testing.T) {
	n := routed(t, route("a/#", "broker"))
	all := []*passage.Desk{n.host("broker", "").desk}
	for number := range uint64(2) {
		c := calling(number+1, "default")
		n.own(t, c, "", "a/#")
		all = append(all, c.Desk)
	}
	for range 2 {
		for i, desk := range all {
			if !n.leadsTo("default", "a", desk) {
				t.Errorf("it is not the turn of %d", i)
			}
		}
	}
}

func TestOwnRouteIsRefused(t *testing.T) {
	n := routed(t)
	c, edge := calling(1, "default"), calling(2, "")
	edge.router = true
	n.own(t, c, "one", "a")
	for _, x := range []struct {
		by            Caller
		name, pattern string
		want          router.Reason
	}{
		{c, "one", "b", router.Conflict}, {edge, "one", "b", router.OK},
		{c, "", "a//b", router.Malformed}, {c, "", "", router.Malformed},
		{c, "", "blue/b", router.Denied}, {c, "", "blue.b", router.OK}, {edge, "", "blue/b", router.OK},
		{c, "", "$home/x/#", router.Denied}, {edge, "", "$home/x/#", router.Denied},
	} {
		_, err := n.AddOwnRoute(x.by, OwnRoute{Name: x.name, Pattern: x.pattern})
		if got := router.ReasonOf(err); (err != nil || x.want != router.OK) && got != x.want {
			t.Errorf("%q of connection %d: %v", x.pattern, x.by.Number, err)
		}
	}
	for i := range MaxOwnRoutes {
		_, err := n.AddOwnRoute(c, OwnRoute{Pattern: fmt.Sprint("many/", i)})
		if err != nil {
			if router.ReasonOf(err) != router.Quota || len(n.OwnRoutes(1)) != MaxOwnRoutes {
				t.Errorf("after %d: %v", len(n.OwnRoutes(1)), err)
			}
			return
		}
	}
	t.Error("there is no bound")
}

// TestEdgeRouteIsOfTheTenantThatItNames, and so are the links that lead along it.
func TestEdgeRouteIsOfTheTenantThatItNames(t *testing.T) {
	n := routed(t)
	c := calling(1, "")
	c.router = true
	n.own(t, c, "", "blue/a/#")
	n.own(t, c, "", "b/#")
	if way, refusal, routed := n.RouteLink("blue", to("a/x")); !routed || refusal != nil || way.Desk != c.Desk || way.Add != "blue/" {
		t.Errorf("got %+v, %v", way, refusal)
	}
	for _, address := range []string{"a/x", "blue/a/x"} {
		if n.leadsTo("default", address, c.Desk) {
			t.Errorf("%s of another tenant leads there", address)
		}
	}
	if way, _, _ := n.RouteLink("default", to("b/x")); way.Desk != c.Desk || way.Add != "" {
		t.Errorf("got %+v", way)
	}
}

func TestDeclaredRouteIsNotTakenForAnotherTenants(t *testing.T) {
	n := routed(t, route("blue/#", "broker"), route("a/#", "broker"))
	n.host("broker", "")
	for _, at := range n.linkRoutes.roads {
		if got, want := n.linkRoutes.isOfItsTenant(at.roadKey), at.pattern == "a/#"; got != want {
			t.Errorf("that others hear of %s is %v", at.pattern, got)
		}
	}
}

// TestContainersOfAnEdgeAreKnownInTheNetwork, as long as they are there, over whichever uplink.
func TestContainersOfAnEdgeAreKnownInTheNetwork(t *testing.T) {
	cross(t, func(t *testing.T, n *nets) {
		a, b, x := n.routers["a"], n.routers["b"], n.routers["x"]
		known := func(when string, want ...bool) {
			t.Helper()
			later(15 * time.Second)
			for i, s := range []*station{a, b} {
				is, reachable := s.network.findLinkRoute("stored.q", In)
				if is != want[i] || reachable != want[i] {
					t.Errorf("%s, router %d of a and b knows of it: %v, %v", when, i, is, reachable)
				}
			}
		}
		x.network.DefineRoutes([]LinkRoute{route("stored/#", "broker"), route("other/#", "nobody")})
		known("without a container", false, false)
		broker := x.network.host("broker", "")
		known("with one", true, true)
		up, other := a, b
		if len(a.network.OwnRoutes(a.edge("x").number)) == 0 { // over whichever uplink was there first
			up, other = b, a
		}
		if !up.network.leadsTo("default", "stored/q", up.edge("x").desk) {
			t.Error("links do not lead to the edge")
		}
		if !x.network.leadsTo("default", "stored/q", broker.desk) {
			t.Error("links do not lead to the container at the edge itself")
		}
		x.network.linkRoutes.leave(broker)
		known("when it has gone", false, false)
		broker = x.network.host("broker", "")
		known("when it is back", true, true)
		up.cut()
		later(30 * time.Second)
		if !other.network.leadsTo("default", "stored/q", other.edge("x").desk) {
			t.Error("links do not lead there over another uplink")
		}
		x.network.linkRoutes.leave(broker)
		later(2 * time.Minute) // as it takes to forget what the lost router has told
		if is, _ := other.network.findLinkRoute("stored.q", In); is {
			t.Error("over another uplink it is known when the container has gone")
		}
	}, "a-b", "x-a", "x-b")
}

// TestEdgeAsksWhereLinksLead, and is content with no answer.
func TestEdgeAsksWhereLinksLead(t *testing.T) {
	cross(t, func(t *testing.T, n *nets) {
		a, x := n.routers["a"], n.routers["x"]
		a.network.DefineRoutes([]LinkRoute{route("stored/#", "broker")})
		type finding struct {
			way   passage.Way
			leads bool
		}
		found := make(chan finding, 1)
		inquire := func(address string) bool {
			return x.network.Inquire("default", to(address), func(way passage.Way, leads bool) { found <- finding{way, leads} })
		}
		for address, want := range map[string]bool{"stored/q": true, "orders": false} {
			if !inquire(address) {
				t.Fatalf("nobody is asked of %s", address)
			}
			later(time.Second)
			if f := <-found; f.leads != want || f.way.Desk != x.peer().desk {
				t.Errorf("%s: %+v", address, f)
			}
		}
		if inquire("$management") || inquire("_edge/x/temp.1") || a.network.Inquire("default", to("stored/q"), nil) {
			t.Error("something is asked that is known here")
		}
		a.mute.Store(true)
		inquire("stored/q")
		later(time.Second)
		if len(found) > 0 {
			t.Error("there is an answer before there is one")
		}
		later(answerWait)
		if f := <-found; f.leads {
			t.Error("without an answer in time it leads on")
		}
		later(30 * time.Second) // the connection is lost with what a has said
		a.mute.Store(false)
		later(30 * time.Second)
		inquire("stored/q")
		later(time.Second)
		if f := <-found; !f.leads {
			t.Error("nobody is asked any more")
		}
		a.mute.Store(true)
		for range maxInquiries - 1 {
			x.network.Inquire("default", to("stored/q"), func(passage.Way, bool) {})
		}
		if !inquire("stored/q") || inquire("stored/q") {
			t.Error("less or more is asked than may be")
		}
		a.cut()
		later(30 * time.Second)
		if f := <-found; f.leads {
			t.Error("without an answer it leads on")
		}
		if inquire("stored/q") {
			t.Error("somebody is asked without an uplink")
		}
	}, "x-a")
}

// edge is the end that a router has of the connection of an edge router.
func (s *station) edge(id string) *neighbor {
	s.network.mu.Lock()
	defer s.network.mu.Unlock()
	for k := range s.network.neighbors {
		if k.role == Edge && k.container == id {
			return k
		}
	}
	return nil
}
