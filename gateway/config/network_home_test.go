package config

import (
	"strings"
	"testing"

	"github.com/manifoldmq/manifold/addressing"
)

func TestHomeIsHereElsewhereOrAlone(t *testing.T) {
	c, err := Parse("c.yaml", []byte(`
network: {router: {id: north}}
addresses:
  - {name: mine, kind: queue, home: north}
  - {name: theirs, kind: topic, home: south}
  - {name: nobodys, kind: queue}`))
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []addressing.Home{addressing.Here, addressing.Elsewhere, addressing.Alone} {
		if got := c.DefinitionOf(&c.Addresses[i]).Home; got != want {
			t.Errorf("the home of %s is %d, want %d", c.Addresses[i].Name, got, want)
		}
	}
}

func TestHomeIsRefused(t *testing.T) {
	for text, want := range map[string]string{
		"addresses: [{name: a, kind: queue, home: north}]":                                                     "network.router.id is missing",
		"{network: {router: {id: north}}, addresses: [{name: a, kind: anycast, home: north}]}":                 "does not fit kind anycast",
		"{network: {router: {id: north}}, addresses: [{name: a, kind: queue, home: \"so/uth\"}]}":              "is no id of a router",
		"{network: {router: {id: n}}, tenants: [{name: x, addresses: [{name: a, kind: broadcast, home: n}]}]}": "does not fit kind broadcast",
	} {
		if _, err := Parse("c.yaml", []byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %q", text, err, want)
		}
	}
}
