package gateway

import (
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/manifoldmq/manifold/gateway/config"
	"github.com/manifoldmq/manifold/gateway/gatewaytest"
	"github.com/manifoldmq/manifold/tenancy"
)

// storing is a gateway that is the broker of another one: it has the queue "stored", and users with a password and with a
// certificate.
func storing(t *testing.T, authority *gatewaytest.Authority) (doors map[string]string) {
	t.Helper()
	credential, err := tenancy.NewCredential(tenancy.SCRAMSHA256, "secret")
	if err != nil {
		t.Fatal(err)
	}
	c := quickstart(t)
	c.Anonymous = false
	c.Users = []config.User{{Name: "gateway", Credential: credential}, {Name: "certified"}}
	c.TLS = authority.Settings("optional")
	c.AMQP.TLSPort, c.MQTT.TLSPort, c.STOMP.TLSPort, c.HTTP.TLSPort, c.CoAP.TLSPort = 0, 0, 0, 0, 0
	parsed, err := config.Parse("c.yaml", []byte("addresses: [{name: stored, kind: queue}]"))
	if err != nil {
		t.Fatal(err)
	}
	c.Addresses = parsed.Addresses
	return start(t, c)
}

// leading is the configuration of a gateway whose address "way" leads through a broker.
func leading(t *testing.T, connector config.Connector) config.Config {
	t.Helper()
	connector.Name = "broker"
	c := quickstart(t)
	c.Network.Connectors = []config.Connector{connector}
	c.Network.Reconnect.Initial, c.Network.Reconnect.Max = 10*time.Millisecond, 100*time.Millisecond
	parsed, err := config.Parse("c.yaml", []byte(`
network: {connectors: [{name: broker, hosts: ["x:1"]}]}
addresses: [{name: way, kind: anycast, waypoint: {connectors: [broker], external: stored}}]`))
	if err != nil {
		t.Fatal(err)
	}
	c.Addresses = append(c.Addresses, parsed.Addresses...)
	return c
}

// through sends a message to a waypoint, as soon as its broker is there, and gives what comes from it.
func through(t *testing.T, doors map[string]string, body string) page {
	t.Helper()
	client := newHTTPClient(t, doors["http"])
	deadline := time.Now().Add(time.Minute)
	for code := 0; code != http.StatusCreated; {
		p, err := client.ask(t.Context(), http.MethodPost, pathOf("default", "way", "messages"), nil, []byte(body))
		if err != nil || p.code != http.StatusCreated && p.code != http.StatusServiceUnavailable || time.Now().After(deadline) {
			t.Fatalf("sending gives status %d and %q, %v", p.code, p.body, err)
		}
		code = p.code
	}
	p, err := client.ask(t.Context(), http.MethodDelete, pathOf("default", "way", "messages/head?timeout=60"), nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestBrokersAreReachedInEveryWay(t *testing.T) {
	authority := gatewaytest.New(t)
	broker := storing(t, authority)
	certificate, key := authority.Client("certified")
	trusting := config.ConnectorTLS{Enabled: true, CA: authority.File}
	shown := trusting
	shown.Certificate, shown.Key = certificate, key
	_, port, _ := strings.Cut(broker["amqps"], ":")
	secure := []string{"localhost:" + port}
	for name, connector := range map[string]config.Connector{
		"as it is":           {Hosts: []string{broker["amqp"]}, User: "gateway", Password: "secret"},
		"as a stand-in":      {Hosts: []string{"127.0.0.1:1", broker["amqp"]}, User: "gateway", Password: "secret"},
		"over TLS":           {Hosts: secure, User: "gateway", Password: "secret", TLS: trusting},
		"over TLS, PLAIN":    {Hosts: secure, User: "gateway", Password: "secret", TLS: trusting, Mechanisms: []string{"PLAIN"}},
		"with a certificate": {Hosts: secure, TLS: shown},
	} {
		t.Run(name, func(t *testing.T) {
			if p := through(t, start(t, leading(t, connector)), name); string(p.body) != name {
				t.Errorf("got status %d and %q", p.code, p.body)
			}
		})
	}
}

// heard is a log that tells of the first warning of a connector.
type heard struct {
	once    sync.Once
	warning chan string
}

func (h *heard) Write(line []byte) (int, error) {
	if strings.Contains(string(line), "cannot connect") {
		h.once.Do(func() { h.warning <- string(line) })
	}
	return len(line), nil
}

func TestLogSaysWhyThereIsNoBroker(t *testing.T) {
	authority, other := gatewaytest.New(t), gatewaytest.New(t)
	broker := storing(t, authority)
	_, port, _ := strings.Cut(broker["amqps"], ":")
	for want, connector := range map[string]config.Connector{
		"connection refused":                      {Hosts: []string{"127.0.0.1:1"}},
		"refused the authentication":              {Hosts: []string{broker["amqp"]}, User: "gateway", Password: "guessed"},
		"none of our SASL mechanisms":             {Hosts: []string{broker["amqp"]}},
		"certificate signed by unknown authority": {Hosts: []string{"localhost:" + port}, TLS: config.ConnectorTLS{Enabled: true, CA: other.File}},
		"not elsewhere":                           {Hosts: []string{"localhost:" + port}, TLS: config.ConnectorTLS{Enabled: true, CA: authority.File, ServerName: "elsewhere"}},
	} {
		h := &heard{warning: make(chan string, 1)}
		startOn(t, nil, leading(t, connector), slog.New(slog.NewTextHandler(h, nil)))
		if got := <-h.warning; !strings.Contains(got, want) {
			t.Errorf("it says %s want %q", got, want)
		}
	}
}

// TestWaypointsAreDeclaredAnew: those of a new configuration are there without a new start.
func TestWaypointsAreDeclaredAnew(t *testing.T) {
	broker := storing(t, gatewaytest.New(t))
	with := leading(t, config.Connector{Hosts: []string{broker["amqp"]}, User: "gateway", Password: "secret"})
	without := with
	without.Addresses = without.Addresses[:len(without.Addresses)-1]
	changes := make(chan config.Config)
	doors := startChanging(t, nil, without, changes, slog.New(slog.DiscardHandler))
	changes <- with
	changes <- with // and so the first one is taken over
	if p := through(t, doors, "late"); string(p.body) != "late" {
		t.Errorf("got status %d and %q", p.code, p.body)
	}
}
