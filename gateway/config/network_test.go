package config

import (
	"strings"
	"testing"

	"github.com/manifoldmq/manifold/addressing"
	"github.com/manifoldmq/manifold/router/network"
)

const artemis = "network: {connectors: [{name: artemis, hosts: [\"localhost:61616\"]}]}\n"

func TestAutoLinksSayWhatGoesWhere(t *testing.T) {
	c, err := Parse("c.yaml", []byte(`network:
  connectors: [{name: artemis, hosts: ["localhost:61616"]}]
  autoLinks:
    - {address: invoices, connector: artemis}
    - {address: "news::archive", connector: artemis, externalAddress: archive, externalKind: queue, tenant: blue}
    - {address: commands, direction: in, connector: artemis, phase: 1}
`))
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []network.AutoLink{
		{Tenant: "default", Address: "invoices", Connector: "artemis", External: "invoices"},
		{Tenant: "blue", Address: "news", Subscription: "archive", Connector: "artemis", External: "archive",
			Capability: addressing.Queue},
		{Tenant: "default", Address: "commands", Direction: network.In, Connector: "artemis", External: "commands", Phase: 1},
	} {
		if got := c.Network.AutoLinks[i].Link(); got != want {
			t.Errorf("got %+v, want %+v", got, want)
		}
	}
}

func TestWaypointLeadsThroughItsConnectors(t *testing.T) {
	c, err := Parse("c.yaml", []byte(artemis+
		"addresses: [{name: orders, kind: anycast, waypoint: {connectors: [artemis], external: stored}}]\n"))
	if err != nil {
		t.Fatal(err)
	}
	tenant := c.AllTenants()[0]
	if def := tenant.Addresses[0].Definition(); def.Egress != network.WaypointEgress {
		t.Errorf("its definition is %+v", def)
	}
	links := tenant.Waypoints()
	if len(links) != 2 || links[0].External != "stored" || links[0].Direction == links[1].Direction {
		t.Errorf("its links are %+v", links)
	}
	tenant.Disabled = true
	if links := tenant.Waypoints(); links != nil {
		t.Errorf("a tenant that is disabled has %+v", links)
	}
}

func TestWrongNetworksAreRefused(t *testing.T) {
	for text, want := range map[string]string{
		`network: {connectors: [{name: "a b", hosts: ["x:1"]}]}`:                                                                         "connectors[0].name",
		`network: {connectors: [{name: a, hosts: ["x:1"]}, {name: a, hosts: ["x:1"]}]}`:                                                  "already",
		`network: {connectors: [{name: a}]}`:                                                                                             "connectors[0].hosts",
		`network: {connectors: [{name: a, hosts: [x]}]}`:                                                                                 "connectors[0].hosts[0]",
		`network: {connectors: [{name: a, hosts: ["x:1"], password: p}]}`:                                                                "no user",
		`network: {connectors: [{name: a, hosts: ["x:1"], user: u, password: p, passwordFile: f}]}`:                                      "a password already",
		`network: {connectors: [{name: a, hosts: ["x:1"], mechanisms: [plain]}]}`:                                                        "mechanisms[0]",
		`network: {connectors: [{name: a, hosts: ["x:1"], tls: {ca: f}}]}`:                                                               "tls.enabled",
		`network: {connectors: [{name: a, hosts: ["x:1"], tls: {enabled: true, key: f}}]}`:                                               "needs network.connectors[0].tls.certificate",
		`network: {reconnect: {initial: 1m}}`:                                                                                            "network.reconnect.max",
		`network: {autoLinks: [{address: x, connector: nobody}]}`:                                                                        "no connector",
		artemis[:len(artemis)-2] + `, autoLinks: [{address: "", connector: artemis}]}`:                                                   "is not an address",
		artemis[:len(artemis)-2] + `, autoLinks: [{address: "x::y", direction: in, connector: artemis}]}`:                                "only direction out",
		artemis[:len(artemis)-2] + `, autoLinks: [{address: x, direction: up, connector: artemis}]}`:                                     "not one of out, in",
		artemis[:len(artemis)-2] + `, autoLinks: [{address: x, connector: artemis, phase: 10}]}`:                                         "phase",
		artemis[:len(artemis)-2] + `, autoLinks: [{address: x, connector: artemis, externalKind: anycast}]}`:                             "externalKind",
		artemis[:len(artemis)-2] + `, autoLinks: [{address: x, connector: artemis}, {address: x, connector: artemis, tenant: default}]}`: "the same as",
		artemis + `addresses: [{name: x, kind: queue, waypoint: {connectors: [artemis]}}]`:                                               "only anycast",
		artemis[:len(artemis)-2] + `, autoLinks: [{address: x, direction: in, durable: true, connector: artemis}]}`:                      "direction out only",
		artemis + `addresses: [{name: x/#, kind: anycast, waypoint: {connectors: [artemis]}}]`:                                           "is a pattern",
		artemis + `addresses: [{name: x, kind: anycast, waypoint: {connectors: [nobody]}}]`:                                              "no connector",
		artemis + `addresses: [{name: x, kind: anycast, waypoint: {connectors: [artemis, artemis]}}]`:                                    "there already",
		artemis + `addresses: [{name: x, kind: anycast, waypoint: {external: y}}]`:                                                       "there is none",
	} {
		if _, err := Parse("c.yaml", []byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s\nis answered with %v, want %q", text, err, want)
		}
	}
}

func TestPatternsOfLinkRoutes(t *testing.T) {
	for _, c := range []struct {
		route LinkRoute
		valid bool
	}{
		{LinkRoute{Prefix: "a.b"}, true},
		{LinkRoute{Pattern: "a/*/#"}, true},
		{LinkRoute{Pattern: strings.Repeat("x", addressing.MaxLength)}, true},
		{LinkRoute{Prefix: strings.Repeat("x", addressing.MaxLength)}, false}, // leaves no room for what may follow
		{LinkRoute{Prefix: "."}, false},
		{LinkRoute{Pattern: "a//b"}, false},
	} {
		if err := c.route.CheckPattern(); (err == nil) != c.valid {
			t.Errorf("%.20q, %.20q: %v", c.route.Prefix, c.route.Pattern, err)
		}
	}
}
