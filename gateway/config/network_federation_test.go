package config

import (
	"reflect"
	"strings"
	"testing"

	"github.com/manifoldmq/manifold/addressing"
	"github.com/manifoldmq/manifold/router/network"
)

// hamburg is a connector, and the beginning of links over it.
const hamburg = "network:\n  connectors: [{name: hamburg, hosts: [\"localhost:5672\"]}]\n  federation:\n"

func TestFederationSaysWhatGoesWhere(t *testing.T) {
	c, err := Parse("c.yaml", []byte(hamburg+`
    - {name: orders, connector: hamburg, kind: queue, direction: pull, source: orders, target: theirs}
    - {name: news, connector: hamburg, kind: topic, direction: push, source: "news/#", durable: true, tenant: blue,
       tag: here, peerTag: there, exclude: [far]}
`))
	if err != nil {
		t.Fatal(err)
	}
	all, err := addressing.ParseFilter("news/#")
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []network.FederationLink{
		{Name: "orders", Tenant: "default", Connector: "hamburg", Kind: addressing.Queue, Direction: network.In,
			Source: addressing.Address("orders").Filter(), Target: "theirs"},
		{Name: "news", Tenant: "blue", Connector: "hamburg", Kind: addressing.Topic, Direction: network.Out,
			Source: all, Durable: true, Tag: "here", PeerTag: "there", Exclude: []string{"far"}},
	} {
		if got := c.Network.Federation[i].Link(); !reflect.DeepEqual(got, want) {
			t.Errorf("got %+v, want %+v", got, want)
		}
	}
}

func TestWrongFederationIsRefused(t *testing.T) {
	const valid = "name: a, connector: hamburg, kind: topic, direction: pull, source: \"a/#\""
	for change, want := range map[string]string{
		"name: a|name: a b":                          "federation[0].name",
		"hamburg|berlin":                             "no connector",
		"kind: topic|kind: anycast":                  "federation[0].kind",
		"kind: topic|kind: queue":                    "federation[0].source",
		"direction: pull|direction: in":              "federation[0].direction",
		"source: \"a/#\"|source: \"\"":               "federation[0].source",
		"source: \"a/#\"|source: a, target: \"b/#\"": "federation[0].target",
		"pull|pull, exclude: [b, \"\"]":              "federation[0].exclude[1]",
		"pull|pull, tag: \"a\\tb\"":                  "federation[0].tag",
		"kind: topic, direction: pull, source: \"a/#\"|kind: queue, durable: true, direction: pull, source: a": "federation[0].durable",
	} {
		was, is, _ := strings.Cut(change, "|")
		text := strings.Replace(valid, was, is, 1)
		_, err := Parse("c.yaml", []byte(hamburg+"    - {"+text+"}\n"))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s gives %v, want %q", text, err, want)
		}
	}
	twice := hamburg + "    - {" + valid + "}\n    - {" + valid + "}\n"
	if _, err := Parse("c.yaml", []byte(twice)); err == nil || !strings.Contains(err.Error(), "already") {
		t.Errorf("the same name twice gives %v", err)
	}
}
