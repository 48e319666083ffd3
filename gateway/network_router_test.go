package gateway

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	goamqp "github.com/Azure/go-amqp"

	"github.com/manifoldmq/manifold/gateway/config"
	"github.com/manifoldmq/manifold/gateway/gatewaytest"
	"github.com/manifoldmq/manifold/router/network"
	"github.com/manifoldmq/manifold/tenancy"
)

// openToRouters is a router to which others may connect by a password, or by a certificate.
func openToRouters(t *testing.T, authority *gatewaytest.Authority) (doors map[string]string) {
	t.Helper()
	credential, err := tenancy.NewCredential(tenancy.SCRAMSHA256, "secret")
	if err != nil {
		t.Fatal(err)
	}
	c := quickstart(t)
	c.TLS = authority.Settings("optional")
	c.AMQP.TLSPort, c.MQTT.TLSPort, c.STOMP.TLSPort, c.HTTP.TLSPort, c.CoAP.TLSPort = 0, 0, 0, 0, 0
	r := &c.Network.Router
	r.ID, r.Port, r.TLSPort = "near", 0, 0
	r.Users = []config.User{{Name: "far", Credential: credential}, {Name: "certified"}}
	return start(t, c)
}

// connecting is the configuration of a router that connects to another one.
func connecting(t *testing.T, connector config.Connector) config.Config {
	t.Helper()
	connector.Name, connector.Role = "on", network.InterRouter
	c := quickstart(t)
	c.Network.Router.ID, c.Network.Router.Port = "far", 0
	c.Network.Connectors = []config.Connector{connector}
	c.Network.Reconnect.Initial, c.Network.Reconnect.Max = 10*time.Millisecond, 100*time.Millisecond
	return c
}

func TestRoutersConnectInEveryWay(t *testing.T) {
	authority := gatewaytest.New(t)
	doors := openToRouters(t, authority)
	certificate, key := authority.Client("certified")
	trusting := config.ConnectorTLS{Enabled: true, CA: authority.File}
	shown := trusting
	shown.Certificate, shown.Key = certificate, key
	_, port, _ := strings.Cut(doors["routers"], ":")
	secure := []string{"localhost:" + port}
	for name, connector := range map[string]config.Connector{
		"as it is":           {Hosts: []string{doors["router"]}, User: "far", Password: "secret"},
		"over TLS":           {Hosts: secure, User: "far", Password: "secret", TLS: trusting},
		"over TLS, PLAIN":    {Hosts: secure, User: "far", Password: "secret", TLS: trusting, Mechanisms: []string{"PLAIN"}},
		"with a certificate": {Hosts: secure, TLS: shown},
	} {
		t.Run(name, func(t *testing.T) {
			far := start(t, connecting(t, connector))
			answered := make(chan page, 1)
			go func() { // takes what comes, once somebody there waits for it
				p, _ := newHTTPClient(t, doors["http"]).ask(t.Context(), http.MethodDelete,
					pathOf("default", "commands/a", "messages/head?timeout=60"), nil, nil)
				answered <- p
			}()
			client := newHTTPClient(t, far["http"])
			until(t, http.StatusCreated, func() (page, error) {
				return client.ask(t.Context(), http.MethodPost, pathOf("default", "commands/a", "messages"), nil, []byte(name))
			})
			if p := <-answered; string(p.body) != name {
				t.Errorf("got status %d and %q", p.code, p.body)
			}
		})
	}
}

// TestAnyRouterConnectsByACertificateOfTheAuthority: also where that is one of a tenant's as well, and by no other one's, be it
// below that authority.
func TestAnyRouterConnectsByACertificateOfTheAuthority(t *testing.T) {
	authority, other := gatewaytest.New(t), gatewaytest.New(t)
	below := authority.Below("clients")
	c := quickstart(t)
	c.TLS = authority.Settings("optional")
	c.AMQP.TLSPort, c.MQTT.TLSPort, c.STOMP.TLSPort, c.HTTP.TLSPort, c.CoAP.TLSPort = 0, 0, 0, 0, 0
	c.Anonymous = false
	c.Tenants = []config.Tenant{
		{Name: "default", Anonymous: true, Certificates: []config.Certificates{
			{CA: authority.File}, {CA: other.File}, {CA: below.PEM()},
		}},
	}
	r := &c.Network.Router
	r.ID, r.Port, r.TLSPort, r.Certified = "near", 0, 0, true
	c.Addresses = nil
	doors := start(t, c)
	_, port, _ := strings.Cut(doors["routers"], ":")
	shown := config.ConnectorTLS{Enabled: true, CA: authority.File}
	client := &x509.Certificate{
		Subject: pkix.Name{CommonName: "client"}, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	}
	for _, foreign := range []tls.Certificate{other.Certify(client), below.Certify(client), below.Certify(client, below)} {
		shown.Certificate, shown.Key = authority.Save("foreign", foreign)
		h := &heard{warning: make(chan string, 1)}
		startOn(t, nil, connecting(t, config.Connector{Hosts: []string{"localhost:" + port}, TLS: shown}), slog.New(slog.NewTextHandler(h, nil)))
		if got := <-h.warning; !strings.Contains(got, "refused the authentication") {
			t.Errorf("it says %s", got)
		}
	}
	shown.Certificate, shown.Key = authority.Client("anybody")
	far := connecting(t, config.Connector{Hosts: []string{"localhost:" + port}, TLS: shown})
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	newManager(ctx, t, start(t, far)["amqp"], nil).awaits("router.node", "id", "far", "near")
}

func TestRouterWithoutTheRightsIsNotLetIn(t *testing.T) {
	doors := openToRouters(t, gatewaytest.New(t))
	for want, connector := range map[string]config.Connector{
		"refused the authentication":  {Hosts: []string{doors["router"]}, User: "far", Password: "guessed"},
		"none of our SASL mechanisms": {Hosts: []string{doors["router"]}},
	} {
		h := &heard{warning: make(chan string, 1)}
		startOn(t, nil, connecting(t, connector), slog.New(slog.NewTextHandler(h, nil)))
		if got := <-h.warning; !strings.Contains(got, want) {
			t.Errorf("it says %s want %q", got, want)
		}
	}
}

// TestManagementOfAnotherRouterTakesARight: what comes from a router may do everything, so that it is for who sends to ask.
func TestManagementOfAnotherRouterTakesARight(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	far := quickstart(t)
	far.Network.Router.ID, far.Network.Router.Port = "far", 0
	declared, err := config.Parse("roles.yaml", []byte(`
tenants:
  - name: default
    anonymous: true
    roles: [{name: owner, admin: true}, {name: keeper, manage: ["#"]}, {name: device, send: ["#"], receive: ["#"]}]
    defaultRoles: [device]
    users:
      - {name: ann, credential: "`+passwordA+`", roles: [owner]}
      - {name: ben, credential: "`+passwordA+`", roles: [keeper]}
`))
	if err != nil {
		t.Fatal(err)
	}
	near := quickstart(t)
	near.Anonymous, near.Addresses, near.Tenants = false, nil, declared.Tenants
	near.Network.Router.ID, near.Network.Router.Port = "near", 0
	near.Network.Connectors = []config.Connector{{Name: "on", Role: network.InterRouter, Hosts: []string{start(t, far)["router"]}}}
	doors := start(t, near)
	const another = "_topo/0/far/$management"
	owner := newManager(ctx, t, doors["amqp"], &goamqp.ConnOptions{SASLType: goamqp.SASLTypePlain("ann", "a")})
	owner.awaits("router.node", "cost", nil, int64(1))
	if owner.requests, err = owner.session.NewSender(ctx, another, nil); err != nil {
		t.Fatal(err)
	}
	if ids := owner.column("router", "id"); !slices.Equal(ids, []any{"far"}) {
		t.Errorf("the answer is of %v", ids)
	}
	owner.expect(403, "CREATE", map[string]any{"type": "sslProfile", "name": "theirs"}, map[string]any{"caCertFile": "/etc/shadow"})
	for user, o := range map[string]*goamqp.ConnOptions{
		"who only reads": {SASLType: goamqp.SASLTypePlain("ben", "a")}, "a device": {HostName: "default"},
	} {
		m := newManager(ctx, t, doors["amqp"], o)
		refusal := new(goamqp.Error)
		_, err := m.session.NewSender(ctx, another, nil)
		if !errors.As(err, &refusal) || refusal.Condition != goamqp.ErrCondUnauthorizedAccess {
			t.Errorf("%s: %v", user, err)
		}
	}
}

// TestAnybodyIsARouterOnlyOfThisMachine, unless the settings say so.
func TestAnybodyIsARouterOnlyOfThisMachine(t *testing.T) {
	credential, err := tenancy.NewCredential(tenancy.SCRAMSHA256, "secret")
	if err != nil {
		t.Fatal(err)
	}
	users := []config.User{{Name: "far", Credential: credential}}
	for name, x := range map[string]struct {
		host       string
		anonymous  bool
		users      []config.User
		mechanisms []string
		want       bool
	}{
		"of this machine":                     {host: "127.0.0.1", want: true},
		"of this machine, by IPv6":            {host: "::1", want: true},
		"of others":                           {host: "192.0.2.7"},
		"of all":                              {host: "::"},
		"with users":                          {host: "127.0.0.1", users: users},
		"where everybody may":                 {host: "::", anonymous: true, users: users, want: true},
		"where everybody may, as is offered":  {host: "::", anonymous: true, mechanisms: []string{"PLAIN", "ANONYMOUS"}, want: true},
		"where everybody may, but not there":  {host: "::", anonymous: true, mechanisms: []string{"PLAIN"}},
		"of this machine, but not everybody":  {host: "::1", mechanisms: []string{"EXTERNAL", "SCRAM-SHA-256"}},
		"of all, and only ANONYMOUS is known": {host: "0.0.0.0", mechanisms: []string{"ANONYMOUS"}},
	} {
		a := &assembly{config: new(config.Config), security: new(security)}
		a.config.Network.Router = config.Router{Anonymous: x.anonymous, Users: x.users}
		if a.routers, err = a.newRouterDirectory(false); err != nil {
			t.Fatal(err)
		}
		if a.anyRouters, err = a.newRouterDirectory(true); err != nil {
			t.Fatal(err)
		}
		d := a.routersAt(&net.TCPAddr{IP: net.ParseIP(x.host), Port: 55672}, x.mechanisms)
		if _, err := d.Anonymous(tenancy.Visitor{}, ""); (err == nil) != x.want {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestRouterShowsWhoItIsWhereItHasTo, although another listener lets in anybody.
func TestRouterShowsWhoItIsWhereItHasTo(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	c := quickstart(t)
	c.Network.Router.ID, c.Network.Router.Anonymous = "near", true
	c.AMQP.Listeners = []config.AMQPListener{
		{Name: "open", Role: config.InterRouterRole},
		{Name: "closed", Role: config.InterRouterRole, Mechanisms: []string{"SCRAM-SHA-256", "PLAIN"}},
	}
	doors := start(t, c)
	for door, want := range map[string]string{"amqp+open": "", "amqp+closed": "none of our SASL mechanisms"} {
		h := &heard{warning: make(chan string, 1)}
		far := startOn(t, nil, connecting(t, config.Connector{Hosts: []string{doors[door]}}), slog.New(slog.NewTextHandler(h, nil)))
		if want == "" {
			newManager(ctx, t, far["amqp"], nil).awaits("router.node", "cost", nil, int64(1))
		} else if got := <-h.warning; !strings.Contains(got, want) {
			t.Errorf("it says %s want %q", got, want)
		}
	}
}
