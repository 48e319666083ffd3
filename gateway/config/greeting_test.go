package config

import (
	"reflect"
	"strings"
	"testing"

	"github.com/manifoldmq/manifold/router/amqp"
)

// TestPropertiesOfOpenKeepTheirTypes, from the file into AMQP, and back into a file.
func TestPropertiesOfOpenKeepTheirTypes(t *testing.T) {
	const text = `amqp:
  listeners:
    - name: x
      failover: [other.example, "amqps://[::1]", "amqp://third:7"]
      openProperties:
        int: -3
        float: 1.5
        text: "7"
        word: seven
        yes: true
        none: null
        list: [1, a, {k: false}, null]
`
	c, err := Parse("f.yaml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	want := amqp.Map{
		{Key: amqp.Symbol("int"), Value: int64(-3)}, {Key: amqp.Symbol("float"), Value: 1.5}, {Key: amqp.Symbol("text"), Value: "7"},
		{Key: amqp.Symbol("word"), Value: "seven"}, {Key: amqp.Symbol("yes"), Value: true}, {Key: amqp.Symbol("none"), Value: nil},
		{Key: amqp.Symbol("list"), Value: amqp.List{int64(1), "a", amqp.Map{{Key: "k", Value: false}}, nil}},
	}
	l := c.AMQP.Listeners[0]
	if got := l.OpenProperties.AMQP().Value(); !reflect.DeepEqual(got, want) {
		t.Errorf("got %#v", got)
	}
	if g := l.Greeting(); len(g.Failover) != 3 || g.Failover[0].Port != "5672" || g.Failover[1].Host != "::1" ||
		g.Failover[1].Port != "5671" || g.Failover[2].Port != "7" {
		t.Errorf("the failover list is %+v", g.Failover)
	}
	written, err := Written(&c)
	if err != nil {
		t.Fatal(err)
	}
	if again, err := Parse("g.yaml", written); err != nil || again.AMQP.Listeners[0].OpenProperties != l.OpenProperties {
		t.Errorf("%v: written and read again:\n%s", err, written)
	}
}

func TestWrongSettingsOfListenersAreRefused(t *testing.T) {
	for text, want := range map[string]string{
		"failover: [a b]":                                     "failover[0]",
		"failover: [\"http://a:1\"]":                          "failover[0]",
		"failover: [\"a:0\"]":                                 "failover[0]",
		"openProperties: {version: 1}":                        "reserved",
		"openProperties: {qd.x: 1}":                           "reserved",
		"openProperties: {\"\\u00e9\": 1}":                    "ASCII",
		"openProperties: 7":                                   "keys with values",
		"secure: {optional: true}":                            "needs tls",
		"tls: true, secure: {versions: [\"1.4\"]}":            "versions[0]",
		"tls: true, secure: {versions: [none, \"1.2\"]}":      "has none, and others",
		"tls: true, secure: {user: serial}":                   "secure.user",
		"tls: true, secure: {userNames: f}":                   "needs user",
		"tls: true, secure: {certificate: f}":                 "needs amqp.listeners[0].secure.key",
		"web: {health: true}":                                 "web.enabled",
		"role: route-container, web: {enabled: true}, tls: 7": "tls",
	} {
		_, err := Parse("f.yaml", []byte("amqp: {listeners: [{name: x, "+text+"}]}\n"))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %s", text, err, want)
		}
	}
}
