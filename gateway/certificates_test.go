package gateway

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	goamqp "github.com/Azure/go-amqp"
	"github.com/cockroachdb/pebble/v2/vfs"
	paho3 "github.com/eclipse/paho.mqtt.golang"
	"github.com/go-stomp/stomp/v3"
	"github.com/plgd-dev/go-coap/v3/dtls"
	"github.com/plgd-dev/go-coap/v3/message/codes"
	"github.com/plgd-dev/go-coap/v3/mux"
	"github.com/plgd-dev/go-coap/v3/options"
	"github.com/plgd-dev/go-coap/v3/tcp"

	"github.com/manifoldmq/manifold/gateway/config"
	"github.com/manifoldmq/manifold/gateway/gatewaytest"
	"github.com/manifoldmq/manifold/gateway/internal/audit"
	"github.com/manifoldmq/manifold/tenancy"
)

// authorities are those of the tenants a, for its pumps and for its devices, and b, of all tenants, and of nobody.
type authorities struct {
	a, devices, b, all, nobody *gatewaytest.Authority
	revoked                    tls.Certificate // by a
}

func newAuthorities(t *testing.T) *authorities {
	t.Helper()
	a := gatewaytest.New(t)
	return &authorities{
		a: a, devices: a.Below("devices"), b: gatewaytest.New(t), all: gatewaytest.New(t), nobody: gatewaytest.New(t),
		revoked: a.Certify(&x509.Certificate{Subject: pkix.Name{CommonName: "pump"}}),
	}
}

// certifying is a configuration of tenants with authorities of their own. Tenant a declares pump, and lets in as devices whom
// another authority names in *.a.example; b declares pump; the tenant default has the user shared, whom the authority of all
// may name, and open lets anybody in.
func certifying(t *testing.T, by *authorities) config.Config {
	t.Helper()
	c := quickstart(t)
	jobs, err := tenancy.ParsePattern("jobs")
	if err != nil {
		t.Fatal(err)
	}
	c.Tenants = []config.Tenant{
		{
			Name: "a", Addresses: c.Addresses,
			Users:        []config.User{{Name: "pump", Roles: []string{"device"}}, {Name: "ann", Credential: credential(t, passwordA)}},
			Roles:        []config.Role{{Name: "device", Send: []tenancy.Pattern{jobs}}, {Name: "nothing"}},
			DefaultRoles: []string{"nothing"},
			Certificates: []config.Certificates{
				{CA: by.a.PEM(), CRL: by.a.Revoke(time.Now().Add(time.Hour), by.revoked)},
				{CA: by.devices.File, User: "dns", Pattern: "{user}.a.example", AnyUser: true, Roles: []string{"device"}},
			},
		},
		{Name: "b", Addresses: c.Addresses, Users: []config.User{{Name: "pump"}}, Certificates: []config.Certificates{{CA: by.b.File}}},
		{Name: "default", Addresses: c.Addresses, Users: []config.User{{Name: "shared"}}},
		{Name: "open", Addresses: c.Addresses, Anonymous: true},
	}
	c.Anonymous, c.Addresses, c.Login.Delay = false, nil, 0
	c.TLS = by.all.Settings("optional")
	c.MQTT.TLSPort, c.AMQP.TLSPort, c.STOMP.TLSPort, c.HTTP.TLSPort, c.CoAP.TLSPort = 0, 0, 0, 0, 0
	return c
}

// presentation is a client that shows a certificate, and nothing else.
type presentation struct {
	shown  tls.Certificate
	host   string // that it wants; empty for this machine
	tenant string // that it means; HTTP has to name one
}

// presentations send a message to the queue jobs by showing a certificate.
var presentations = map[string]func(ctx context.Context, doors map[string]string, p presentation, c *tls.Config) error{
	"AMQP": func(ctx context.Context, doors map[string]string, p presentation, c *tls.Config) error {
		nc, err := (&tls.Dialer{Config: c}).DialContext(ctx, "tcp", doors["amqps"])
		if err != nil {
			return err
		}
		return sendOver(ctx, nc, attempt{certificate: "shown", host: p.host})
	},
	"MQTT": func(_ context.Context, doors map[string]string, _ presentation, c *tls.Config) error {
		client := paho3.NewClient(paho3.NewClientOptions().AddBroker("ssl://" + doors["mqtts"]).SetAutoReconnect(false).SetTLSConfig(c))
		if err := wait(client.Connect()); err != nil {
			return err
		}
		defer client.Disconnect(0)
		return wait(client.Publish("jobs", 1, false, "from MQTT"))
	},
	"STOMP": func(ctx context.Context, doors map[string]string, p presentation, c *tls.Config) error {
		nc, err := (&tls.Dialer{Config: c}).DialContext(ctx, "tcp", doors["stomps"])
		if err != nil {
			return err
		}
		defer nc.Close()
		conn, err := stomp.Connect(nc, stomp.ConnOpt.Host(c.ServerName), quietly)
		if err != nil {
			return err
		}
		defer conn.Disconnect()
		return conn.Send("jobs", "text/plain", []byte("x"), stomp.SendOpt.Receipt)
	},
	"HTTP": func(ctx context.Context, doors map[string]string, p presentation, c *tls.Config) error {
		transport := &http.Transport{TLSClientConfig: c, ForceAttemptHTTP2: true}
		defer transport.CloseIdleConnections()
		request, err := http.NewRequestWithContext(ctx, http.MethodPost,
			"https://"+doors["https"]+pathOf(p.tenant, "jobs", "messages"), strings.NewReader("x"))
		if err != nil {
			return err
		}
		answer, err := transport.RoundTrip(request)
		if err != nil {
			return err
		}
		answer.Body.Close()
		if answer.StatusCode != http.StatusCreated {
			return fmt.Errorf("status %s", answer.Status)
		}
		return nil
	},
	"CoAP over DTLS": func(ctx context.Context, doors map[string]string, _ presentation, c *tls.Config) error {
		conn, err := dtls.Dial(doors["coaps"], certified(c))
		if err != nil {
			return err
		}
		return postJob(ctx, conn)
	},
	"CoAP over TLS": func(ctx context.Context, doors map[string]string, _ presentation, c *tls.Config) error {
		conn, err := tcp.Dial(doors["coaps+tcp"], options.WithTLS(c), unlogged)
		if err != nil {
			return err
		}
		return postJob(ctx, conn)
	},
}

// postJob sends a message over a connection, and ends that.
func postJob(ctx context.Context, conn mux.Conn) error {
	defer conn.Close()
	request, err := coapRequest(ctx, conn, codes.POST, "a/jobs")
	if err != nil {
		return err
	}
	_, err = doCoAP(conn, request, codes.Changed)
	return err
}

// TestCertificateLetsIntoTheTenantOfItsAuthorityOnly over each protocol, whatever it, SNI or a path says, and each failure is
// in the record with its reason.
func TestCertificateLetsIntoTheTenantOfItsAuthorityOnly(t *testing.T) {
	by := newAuthorities(t)
	c := certifying(t, by)
	c.Audit.File = filepath.Join(t.TempDir(), "audit.log")
	named := func(a *gatewaytest.Authority, user string) tls.Certificate {
		return a.Certify(&x509.Certificate{Subject: pkix.Name{CommonName: user}})
	}
	device := func(name string) tls.Certificate {
		return by.devices.Certify(&x509.Certificate{DNSNames: []string{name}}, by.devices)
	}
	expired := by.a.Certify(&x509.Certificate{
		Subject: pkix.Name{CommonName: "pump"}, NotBefore: time.Now().Add(-2 * time.Hour), NotAfter: time.Now().Add(-time.Hour),
	})
	cases := []struct {
		name string
		presentation
		user  string // whom it lets in; empty for a refusal
		fault string // that is in the record
	}{
		{"a's", presentation{named(by.a, "pump"), "", "a"}, "pump", ""},
		{"a's at a", presentation{named(by.a, "pump"), "a.gateway.example", "a"}, "pump", ""},
		{"a device", presentation{device("x1.a.example"), "", "a"}, "x1", ""},
		{"b's", presentation{named(by.b, "pump"), "", "b"}, "pump", ""},
		{"of the authority of all", presentation{named(by.all, "shared"), "", "default"}, "shared", ""},

		{"a's at b", presentation{named(by.a, "pump"), "b.gateway.example", "b"}, "", "an authority of another tenant"},
		{"a's at one that is open", presentation{named(by.a, "pump"), "open.gateway.example", "open"}, "", "an authority of another tenant"},
		{"a's that names b", presentation{named(by.a, "pump@b"), "", "a"}, "", "no such user"},
		{"a's that names b, at b", presentation{named(by.a, "pump@b"), "b.gateway.example", "b"}, "", "an authority of another tenant"},
		{"a device at b", presentation{device("x1.a.example"), "b.gateway.example", "b"}, "", "an authority of another tenant"},
		{"a device of b's", presentation{device("x1.b.example"), "", "a"}, "", "it names no user"},
		{"a device like a user with a password", presentation{device("ann.a.example"), "", "a"}, "", "has a password"},
		{"a stranger of a's", presentation{named(by.a, "stranger"), "", "a"}, "", "no such user"},
		{"of the authority of all, to a", presentation{named(by.all, "pump@a"), "", "a"}, "", "its own authorities only"},
		{"of the authority of all, nobody's", presentation{named(by.all, "nobody"), "", "default"}, "", "no such user"},
		{"revoked", presentation{by.revoked, "", "a"}, "", "it is revoked"},
		{"expired", presentation{expired, "", "a"}, "", "it has expired"},
		{"of nobody's authority", presentation{named(by.nobody, "pump"), "", "a"}, "", "its authority is not known"},
	}
	t.Run("a gateway", func(t *testing.T) {
		doors := startOn(t, vfs.NewMem(), c, slog.New(slog.DiscardHandler))
		for protocol, send := range presentations {
			t.Run(protocol, func(t *testing.T) {
				t.Parallel()
				for _, c := range cases {
					host := c.host
					if host == "" {
						host = "localhost"
					}
					ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
					if err := send(ctx, doors, c.presentation, by.all.With(host, &c.shown)); (err == nil) != (c.user != "") {
						t.Errorf("%s: %v", c.name, err)
					}
					cancel()
				}
			})
		}
	})
	record := recordOf(t, c.Audit.File)
	for protocol := range presentations {
		protocol, _, _ = strings.Cut(protocol, " ")
		for _, c := range cases {
			want := audit.Event{Event: "failed", Protocol: protocol, Reason: "certificate", Detail: c.fault}
			if c.user != "" {
				want = audit.Event{Event: "connected", Protocol: protocol, Tenant: c.tenant, User: c.user}
			}
			if !record.has(want) && (c.user == "" || protocol != "HTTP") {
				t.Errorf("%s over %s: no %+v in the record", c.name, protocol, want)
			}
		}
	}
}

// record is the lines of an audit log.
type record []audit.Event

func recordOf(t *testing.T, file string) (all record) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		var e audit.Event
		if err := json.Unmarshal([]byte(line), &e); err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		all = append(all, e)
	}
	return all
}

// has tells whether there is a line with what is set in an event, of whose detail it has to have a part.
func (r record) has(want audit.Event) bool {
	for _, e := range r {
		if e.Event == want.Event && e.Protocol == want.Protocol && e.Reason == want.Reason && strings.Contains(e.Detail, want.Detail) &&
			(want.Tenant == "" || e.Tenant == want.Tenant) && (want.User == "" || e.User == want.User) &&
			(want.Address == "" || e.Address == want.Address) {
			return true
		}
	}
	return false
}

// TestDoorAsksForCertificatesAsItIsTold: each has its own clientAuth.
func TestDoorAsksForCertificatesAsItIsTold(t *testing.T) {
	by := newAuthorities(t)
	c := certifying(t, by)
	c.TLS.ClientAuth, c.TLS.ClientCA = "none", ""
	c.MQTT.ClientAuth, c.STOMP.ClientAuth, c.CoAP.ClientAuth = "required", "optional", "required"
	c.Audit.File = filepath.Join(t.TempDir(), "audit.log")
	pump := by.a.Certify(&x509.Certificate{Subject: pkix.Name{CommonName: "pump"}})
	t.Run("a gateway", func(t *testing.T) {
		doors := startOn(t, vfs.NewMem(), c, slog.New(slog.DiscardHandler))
		for protocol, send := range presentations {
			asks := protocol != "AMQP" && protocol != "HTTP"
			at := presentation{shown: pump, tenant: "a"}
			if err := send(t.Context(), doors, at, by.all.With("localhost", &pump)); (err == nil) != asks {
				t.Errorf("%s: with a certificate %v", protocol, err)
			}
			open := presentation{host: "open.gateway.example", tenant: "open"}
			if protocol == "AMQP" { // EXTERNAL is no way without a certificate
				continue
			}
			requires := protocol == "MQTT" || strings.HasPrefix(protocol, "CoAP")
			if err := send(t.Context(), doors, open, by.all.With(open.host, nil)); (err == nil) == requires {
				t.Errorf("%s: without a certificate %v", protocol, err)
			}
		}
	})
	if !recordOf(t, c.Audit.File).has(audit.Event{Event: "failed", Protocol: "MQTT", Reason: "handshake", Detail: "certificate"}) {
		t.Error("who shows none where one is required is not in the record")
	}
}

// TestAuthoritiesComeAndGoWhileTheGatewayRuns, and connections stay.
func TestAuthoritiesComeAndGoWhileTheGatewayRuns(t *testing.T) {
	by := newAuthorities(t)
	with := certifying(t, by)
	without := with
	without.Tenants = []config.Tenant{with.Tenants[0], with.Tenants[2], with.Tenants[3]}
	changes := make(chan config.Config)
	doors := startChanging(t, vfs.NewMem(), without, changes, slog.New(slog.DiscardHandler))
	pump := by.a.Certify(&x509.Certificate{Subject: pkix.Name{CommonName: "pump"}})
	nc, err := (&tls.Dialer{Config: by.all.With("localhost", &pump)}).DialContext(t.Context(), "tcp", doors["amqps"])
	if err != nil {
		t.Fatal(err)
	}
	lasting, err := goamqp.NewConn(t.Context(), nc, &goamqp.ConnOptions{SASLType: goamqp.SASLTypeExternal("")})
	if err != nil {
		t.Fatal(err)
	}
	defer lasting.Close()
	ofB := by.b.Certify(&x509.Certificate{Subject: pkix.Name{CommonName: "pump"}})
	enters := func() bool {
		at := presentation{shown: ofB, tenant: "b"}
		return presentations["HTTP"](t.Context(), doors, at, by.all.With("localhost", &ofB)) == nil
	}
	if enters() {
		t.Fatal("an authority is trusted that nobody names")
	}
	for _, c := range []struct {
		config config.Config
		enters bool
	}{{with, true}, {without, false}} {
		changes <- c.config
		deadline := time.After(30 * time.Second)
		for tick := time.NewTicker(10 * time.Millisecond); enters() != c.enters; {
			select {
			case <-tick.C:
			case <-deadline:
				t.Fatalf("after the change the certificate is not judged so: %v", c.enters)
			}
		}
	}
	session, err := lasting.NewSession(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := session.NewSender(t.Context(), "jobs", nil); err != nil {
		t.Errorf("who was let in before: %v", err)
	}
}

// TestRevocationTakesHoldWhileTheGatewayRuns: the list is read again when it has changed, also for a connection of HTTP that
// is open already.
func TestRevocationTakesHoldWhileTheGatewayRuns(t *testing.T) {
	by := newAuthorities(t)
	c := certifying(t, by)
	doors := startOn(t, vfs.NewMem(), c, slog.New(slog.DiscardHandler))
	pump := by.a.Certify(&x509.Certificate{Subject: pkix.Name{CommonName: "pump"}})
	transport := &http.Transport{TLSClientConfig: by.all.With("localhost", &pump), ForceAttemptHTTP2: true}
	defer transport.CloseIdleConnections()
	post := func() int {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodPost,
			"https://"+doors["https"]+pathOf("a", "jobs", "messages"), strings.NewReader("x"))
		if err != nil {
			t.Fatal(err)
		}
		answer, err := transport.RoundTrip(request)
		if err != nil {
			t.Fatal(err)
		}
		answer.Body.Close()
		return answer.StatusCode
	}
	if code := post(); code != http.StatusCreated {
		t.Fatalf("status %d", code)
	}
	list := by.a.Revoke(time.Now().Add(time.Hour), by.revoked, pump)
	if err := os.Chtimes(list, time.Time{}, time.Now().Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	deadline := time.After(30 * time.Second)
	for tick := time.NewTicker(50 * time.Millisecond); post() != http.StatusUnauthorized; {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatal("a certificate that is revoked still lets in")
		}
	}
}
