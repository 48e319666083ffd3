package gateway

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"testing"

	goamqp "github.com/Azure/go-amqp"
	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/coder/websocket"
	paho3 "github.com/eclipse/paho.mqtt.golang"

	"github.com/manifoldmq/manifold/gateway/config"
	"github.com/manifoldmq/manifold/gateway/gatewaytest"
	"github.com/manifoldmq/manifold/tenancy"
)

// Credentials at the lowest cost, of the passwords "a" and "other".
const (
	passwordA = "SCRAM-SHA-256$4096:MDEyMzQ1Njc4OWFiY2RlZg==" +
		"$L8gfk2vT/xsUcH5JAJH1MJzhhiPb7e10GqM/YzUrL4Y=:cFgyfg2244XE1OAqtpz+YSApH0ihf7BFHiSv7TA6MXU="
	passwordOther = "SCRAM-SHA-256$4096:MDEyMzQ1Njc4OWFiY2RlZg==" +
		"$lbAtcC61cf6nSxImhkbXEvlcRlbJ5qVSP9xomeePPQo=:3daETpC6DiYs5XcN+naHDKqIKkQ2lMHphk25pYTch4U="
)

func credential(t *testing.T, text string) tenancy.Credential {
	t.Helper()
	c, err := tenancy.ParseCredential(text)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// guarded is a gateway of tenants with users, behind TLS. The tenant "default" has ann, whose password is "a", and device,
// who shows a certificate; acme has another ann, whose password is "other", and open lets anybody in.
func guarded(t *testing.T, a *gatewaytest.Authority) (doors map[string]string) {
	t.Helper()
	c := quickstart(t)
	c.Tenants = []config.Tenant{
		{Name: "default", Addresses: c.Addresses, Users: []config.User{{Name: "ann", Credential: credential(t, passwordA)}, {Name: "device"}}},
		{Name: "acme", Addresses: c.Addresses, Users: []config.User{{Name: "ann", Credential: credential(t, passwordOther)}}},
		{Name: "open", Addresses: c.Addresses, Anonymous: true},
	}
	c.Anonymous, c.Addresses = false, nil
	c.CoAP.QueryCredentials = true
	c.TLS, c.Login.Delay = a.Settings("optional"), 0
	c.MQTT.TLSPort, c.AMQP.TLSPort, c.STOMP.TLSPort, c.HTTP.TLSPort, c.CoAP.TLSPort = 0, 0, 0, 0, 0
	return startOn(t, vfs.NewMem(), c, slog.New(slog.DiscardHandler))
}

// attempt is a client's try to come in.
type attempt struct {
	host        string // that it wants; empty for this machine
	certificate string // user of the certificate that it shows; empty for none
	user        string
	password    string
	tenant      string // that it is to get into; empty for a refusal
}

// attempts go through every door alike.
var attempts = []attempt{
	{user: "ann", password: "a", tenant: "default"},
	{user: "ann@default", password: "a", tenant: "default"},
	{user: "ann@acme", password: "other", tenant: "acme"},
	{host: "acme.gateway.example", user: "ann", password: "other", tenant: "acme"},
	{host: "gateway.gateway.example", user: "ann", password: "a", tenant: "default"},
	{certificate: "device", tenant: "default"},
	{certificate: "device@default", tenant: "default"},
	{certificate: "stranger", user: "ann", password: "a", tenant: "default"},
	{host: "open.gateway.example", tenant: "open"},

	{user: "ann", password: "other"},
	{user: "ann", password: ""},
	{user: "nobody", password: "a"},
	{user: "ann@acme", password: "a"},
	{user: "ann@nobody", password: "a"},
	{user: "device", password: "x"},
	{host: "acme.gateway.example", user: "ann", password: "a"},
	{host: "acme.gateway.example", user: "ann@default", password: "a"},
	{host: "acme.gateway.example", certificate: "device"},
	{host: "acme.gateway.example", certificate: "device@default"},
	{certificate: "ann"},
	{certificate: "stranger"},
	{},
}

func (a attempt) String() string {
	return fmt.Sprintf("%s:%s at %q with certificate %q", a.user, a.password, a.host, a.certificate)
}

func (a attempt) hostOr(host string) string {
	if a.host != "" {
		return a.host
	}
	return host
}

// secure connects to a door for TLS as an attempt wants it.
func (a attempt) secure(ctx context.Context, door string, from *gatewaytest.Authority) (net.Conn, error) {
	dialer := tls.Dialer{Config: from.Dialer(a.hostOr("localhost"), a.certificate)}
	return dialer.DialContext(ctx, "tcp", door)
}

// each runs every attempt against the doors of one gateway. enter sends "from the door" to the queue jobs of the tenant.
func each(t *testing.T, enter func(a attempt, from *gatewaytest.Authority, doors map[string]string) error) {
	from := gatewaytest.New(t)
	doors := guarded(t, from)
	for _, a := range attempts {
		if err := enter(a, from, doors); (err == nil) != (a.tenant != "") {
			t.Errorf("%v: %v", a, err)
		}
	}
	jobs := newHTTPClient(t, doors["http"])
	for tenant, password := range map[string]string{"default": "a", "acme": "other", "open": ""} {
		want := 0
		for _, a := range attempts {
			if a.tenant == tenant {
				want++
			}
		}
		request := func() page {
			header := http.Header{}
			if password != "" {
				r := http.Request{Header: header}
				r.SetBasicAuth("ann", password)
			}
			p, err := jobs.ask(t.Context(), http.MethodPost, pathOf(tenant, "jobs", "messages/head?timeout=0"), header, nil)
			if err != nil {
				t.Fatal(err)
			}
			return p
		}
		for range want {
			if p := request(); p.code != http.StatusOK {
				t.Fatalf("tenant %s misses a message: status %d", tenant, p.code)
			}
		}
		if p := request(); p.code != http.StatusNoContent {
			t.Errorf("tenant %s has a message too many: status %d", tenant, p.code)
		}
	}
}

func TestAMQPOverTLSLetsTheRightOnesIn(t *testing.T) {
	each(t, func(a attempt, from *gatewaytest.Authority, doors map[string]string) error {
		nc, err := a.secure(t.Context(), doors["amqps"], from)
		if err != nil {
			return err
		}
		return sendOver(t.Context(), nc, a)
	})
}

// sendOver sends a message with go-amqp.
func sendOver(ctx context.Context, nc net.Conn, a attempt) error {
	defer nc.Close()
	o := &goamqp.ConnOptions{SASLType: goamqp.SASLTypePlain(a.user, a.password), HostName: a.host}
	switch {
	case a.user == "" && a.certificate == "":
		o.SASLType = goamqp.SASLTypeAnonymous()
	case a.user == "":
		o.SASLType = goamqp.SASLTypeExternal("")
	}
	conn, err := goamqp.NewConn(ctx, nc, o)
	if err != nil {
		return err
	}
	defer conn.Close()
	session, err := conn.NewSession(ctx, nil)
	if err != nil {
		return err
	}
	link, err := session.NewSender(ctx, "jobs", nil)
	if err != nil {
		return err
	}
	return sendAMQP(ctx, link, goamqp.NewMessage([]byte("from AMQP")))
}

func TestAMQPOverSecureWebSocketLetsTheRightOnesIn(t *testing.T) {
	each(t, func(a attempt, from *gatewaytest.Authority, doors map[string]string) error {
		client := &http.Client{Transport: &http.Transport{
			DialTLSContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
				return a.secure(ctx, doors["https"], from)
			},
		}}
		ws, _, err := websocket.Dial(t.Context(), "wss://door/", &websocket.DialOptions{
			Subprotocols: []string{"amqp"}, HTTPClient: client,
		})
		if err != nil {
			t.Fatal(err)
		}
		return sendOver(t.Context(), websocket.NetConn(t.Context(), ws, websocket.MessageBinary), a)
	})
}

func TestMQTTOverTLSLetsTheRightOnesIn(t *testing.T) {
	each(t, func(a attempt, from *gatewaytest.Authority, doors map[string]string) error {
		options := paho3.NewClientOptions().AddBroker("ssl://" + doors["mqtts"]).SetAutoReconnect(false).
			SetTLSConfig(from.Dialer(a.hostOr("localhost"), a.certificate)).SetUsername(a.user).SetPassword(a.password)
		client := paho3.NewClient(options)
		if err := wait(client.Connect()); err != nil {
			return err
		}
		defer client.Disconnect(0)
		return wait(client.Publish("jobs", 1, false, "from MQTT"))
	})
}

func TestHTTPOverTLSLetsTheRightOnesIn(t *testing.T) {
	for _, version := range []string{"HTTP/1.1", "HTTP/2.0"} {
		t.Run(version, func(t *testing.T) {
			each(t, func(a attempt, from *gatewaytest.Authority, doors map[string]string) error {
				return postAs(t, version, a, from, doors["https"])
			})
		})
	}
}

// postAs sends a message with a client of one version of HTTP, to the tenant that the attempt names.
func postAs(t *testing.T, version string, a attempt, from *gatewaytest.Authority, door string) error {
	protocols := new(http.Protocols)
	protocols.SetHTTP1(version == "HTTP/1.1")
	protocols.SetHTTP2(version == "HTTP/2.0")
	transport := &http.Transport{
		Protocols: protocols, TLSClientConfig: from.Dialer(a.hostOr("localhost"), a.certificate),
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, "tcp", door)
		},
	}
	defer transport.CloseIdleConnections()
	tenant, _, _ := strings.Cut(a.host, ".")
	if _, named, ok := strings.Cut(a.user+a.certificate, "@"); ok {
		tenant = named
	}
	if tenant == "" || tenant == "gateway" {
		tenant = "default"
	}
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost,
		"https://door"+pathOf(tenant, "jobs", "messages"), strings.NewReader("from HTTP"))
	if err != nil {
		return err
	}
	if a.user != "" {
		request.SetBasicAuth(a.user, a.password)
	}
	answer, err := transport.RoundTrip(request)
	if err != nil {
		t.Fatal(err)
	}
	answer.Body.Close()
	if answer.Proto != version {
		t.Errorf("%v: the answer came over %s", a, answer.Proto)
	}
	if answer.StatusCode != http.StatusCreated {
		return fmt.Errorf("status %s", answer.Status)
	}
	return nil
}

// TestNoAnonymousWhereThereAreUsers: a gateway whose tenants all have users offers no way around them.
func TestNoAnonymousWhereThereAreUsers(t *testing.T) {
	c := quickstart(t)
	c.Anonymous, c.Users = false, []config.User{{Name: "ann", Credential: credential(t, passwordA)}}
	door := start(t, c)["amqp"]
	for name, sasl := range map[string]goamqp.SASLType{"ANONYMOUS": goamqp.SASLTypeAnonymous(), "no SASL": nil} {
		client, err := connectAMQP(t.Context(), door, &goamqp.ConnOptions{SASLType: sasl})
		if err == nil {
			client.conn.Close()
			t.Errorf("%s: somebody was let in", name)
		}
		if name == "ANONYMOUS" && !strings.Contains(err.Error(), "[SCRAM-SHA-256 PLAIN]") {
			t.Errorf("%s: go-amqp says %v", name, err)
		}
	}
	if got, want := headerOf(t, door), "AMQP\x03\x01\x00\x00"; got != want {
		t.Errorf("a client without SASL is answered %q, want %q", got, want)
	}
	client, err := connectAMQP(t.Context(), door, &goamqp.ConnOptions{SASLType: goamqp.SASLTypePlain("ann", "a")})
	if err != nil {
		t.Fatal(err)
	}
	client.conn.Close()
}

// headerOf gives the protocol header by which a client is answered that leaves SASL out [2.2].
func headerOf(t *testing.T, door string) string {
	t.Helper()
	nc, err := new(net.Dialer).DialContext(t.Context(), "tcp", door)
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	if _, err := nc.Write([]byte("AMQP\x00\x01\x00\x00")); err != nil {
		t.Fatal(err)
	}
	answer, err := io.ReadAll(nc)
	if err != nil {
		t.Fatal(err)
	}
	return string(answer)
}
