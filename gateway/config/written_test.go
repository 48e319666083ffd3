package config

import (
	"reflect"
	"strings"
	"testing"
	"time"
)

// TestWrittenConfigurationsAreReadAgain as what they were, and say no more than they have to.
func TestWrittenConfigurationsAreReadAgain(t *testing.T) {
	c := Default()
	text, err := Written(&c)
	if err != nil || strings.TrimSpace(string(text)) != "{}" {
		t.Errorf("the default configuration is written as %q: %v", text, err)
	}
	c.MQTT.Enabled, c.AMQP.PlainWithoutTLS, c.DrainTimeout, c.Log.Burst = false, true, time.Minute, 0
	c.AMQP.Listeners = []AMQPListener{{Name: "a", Host: "::", Port: 7, MaxFrameSize: 2048, Annotations: KeepAnnotations}}
	c.Network.Connectors = []Connector{{Name: "b", Hosts: []string{"h:1"}, User: "u", Password: "secret"}}
	c.Tenants = []Tenant{{Name: "default", Anonymous: true}}
	if text, err = Written(&c); err != nil {
		t.Fatal(err)
	}
	for _, line := range []string{"drainTimeout: 1m\n", "mqtt: {enabled: false}\n", "log: {burst: 0}\n", "password: secret"} {
		if !strings.Contains(string(text), line) {
			t.Errorf("there is no %q in\n%s", line, text)
		}
	}
	again, err := Parse("written.yaml", text)
	if err != nil || !reflect.DeepEqual(again, c) {
		t.Errorf("%v; read again it is\n%+v\nof\n%s", err, again, text)
	}
}

func TestListenersAreChecked(t *testing.T) {
	for text, want := range map[string]string{
		"amqp: {listeners: [{name: a}, {name: a}]}":                                 "amqp.listeners[1].name",
		"amqp: {listeners: [{name: a b}]}":                                          "amqp.listeners[0].name",
		"amqp: {listeners: [{name: a, host: \"h:1\"}]}":                             "amqp.listeners[0].host",
		"amqp: {listeners: [{name: a, role: king}]}":                                "amqp.listeners[0].role",
		"amqp: {listeners: [{name: a, role: inter-router}]}":                        "network.router.id",
		"amqp: {listeners: [{name: a, tls: true}]}":                                 "tls.certificate",
		"amqp: {listeners: [{name: a, tenant: b}]}":                                 "amqp.listeners[0].tenant",
		"amqp: {listeners: [{name: a, maxFrameSize: 100}]}":                         "amqp.listeners[0].maxFrameSize",
		"amqp: {listeners: [{name: a, annotations: paint}]}":                        "amqp.listeners[0].annotations",
		"amqp: {listeners: [{name: a, port: 7777}, {name: b, port: 7777}]}":         "is the port of amqp+a already",
		"amqp: {manner: polite}":                                                    "amqp.manner",
		"network: {connectors: [{name: a, hosts: [\"h:1\"], maxFrameSize: 100}]}":   "network.connectors[0].maxFrameSize",
		"network: {connectors: [{name: a, hosts: [\"h:1\"], maxSessions: 100000}]}": "network.connectors[0].maxSessions",
	} {
		if _, err := Parse("x.yaml", []byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q in it", text, err, want)
		}
	}
	c, err := Parse("x.yaml", []byte("amqp: {listeners: [{name: a, port: 7777, host: 127.0.0.1}, {name: b, port: 7777, host: \"::1\"}]}"))
	if err != nil {
		t.Fatal(err)
	}
	open := 0
	for _, l := range c.Listeners() {
		if l.Enabled && strings.HasPrefix(l.Name, "amqp") {
			open++
		}
	}
	if open != 2 {
		t.Errorf("%d listeners are open", open)
	}
}
