package gateway

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/manifoldmq/manifold/gateway/config"
	"github.com/manifoldmq/manifold/gateway/gatewaytest"
	"github.com/manifoldmq/manifold/tenancy"
)

// ownSecurity is that of a listener with settings of its own.
func ownSecurity(t *testing.T, s *security, own config.ListenerTLS) *security {
	t.Helper()
	other, err := s.at(&own, "amqp.listeners[0].secure", false)
	if err != nil {
		t.Fatal(err)
	}
	return other
}

func TestListenerSpeaksItsVersionsOfTLSOnly(t *testing.T) {
	a := gatewaytest.New(t)
	s := openTestSecurity(t, a.Settings("none"))
	for text, spoken := range map[string]string{"": "1.2 1.3", "1.2": "1.2", "1.3": "1.3", "1.0 1.2": "1.0 1.2", "1.1": "1.1", "none": ""} {
		own := ownSecurity(t, s, config.ListenerTLS{Versions: strings.Fields(text)})
		for name, version := range map[string]uint16{
			"1.0": tls.VersionTLS10, "1.1": tls.VersionTLS11, "1.2": tls.VersionTLS12, "1.3": tls.VersionTLS13,
		} {
			client := a.Dialer("localhost", "")
			client.MinVersion, client.MaxVersion = version, version
			state, err := shakeHands(t, own.config(tls.NoClientCert, "amqp"), client)
			if want := strings.Contains(spoken, name); (err == nil) != want || want && state.Version != version {
				t.Errorf("versions %q, a client of %s: %v", text, name, err)
			}
		}
		newest, err := shakeHands(t, own.config(tls.NoClientCert, "amqp"), a.Dialer("localhost", ""))
		if best := spoken[max(len(spoken)-3, 0):]; err == nil && tls.VersionName(newest.Version) != "TLS "+best {
			t.Errorf("versions %q: a client of all versions got %s", text, tls.VersionName(newest.Version))
		}
	}
}

func TestListenerTakesCertificatesOfItsAuthorityOnly(t *testing.T) {
	a, b := gatewaytest.New(t), gatewaytest.New(t)
	settings := a.Settings("optional")
	settings.ClientCA = a.Join("both.pem", a.File, b.File)
	s := openTestSecurity(t, settings)
	of := func(by *gatewaytest.Authority) *tls.Config {
		shown := by.Dialer("localhost", "ann").Certificates[0]
		return a.With("localhost", &shown)
	}
	own := ownSecurity(t, s, config.ListenerTLS{CA: b.File})
	for _, c := range []struct {
		at     *security
		client *tls.Config
		ok     bool
	}{{s, of(a), true}, {s, of(b), true}, {own, of(a), false}, {own, of(b), true}} {
		if _, err := shakeHands(t, c.at.config(tls.RequireAnyClientCert, "amqp"), c.client); (err == nil) != c.ok {
			t.Errorf("at the listener of its own (%v): %v", c.at == own, err)
		}
	}
}

// TestListenerNamesUsersInItsOwnWay: whom the authority calls one way is another user where the listener has a name for him.
func TestListenerNamesUsersInItsOwnWay(t *testing.T) {
	a := gatewaytest.New(t)
	certificate := func(name string) *tls.Config {
		c := a.Certify(&x509.Certificate{Subject: pkix.Name{CommonName: name}})
		return a.With("localhost", &c)
	}
	ann, carl := certificate("ann"), certificate("carl")
	names := filepath.Join(t.TempDir(), "names.json")
	text := fmt.Sprintf(`{"%x": "ann"}`, sha256.Sum256(carl.Certificates[0].Certificate[0]))
	if err := os.WriteFile(names, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	c := quickstart(t)
	jobs, err := tenancy.ParsePattern("jobs")
	if err != nil {
		t.Fatal(err)
	}
	c.Tenants = []config.Tenant{{
		Name: "default", Addresses: c.Addresses, Certificates: []config.Certificates{{CA: a.File}},
		Users: []config.User{{Name: "ann", Roles: []string{"sender"}}}, Roles: []config.Role{{Name: "sender", Send: []tenancy.Pattern{jobs}}},
	}}
	c.Anonymous, c.Addresses, c.Login.Delay = false, nil, 0
	c.TLS = a.Settings("none")
	c.AMQP.Listeners = []config.AMQPListener{
		{Name: "plain", TLS: true, ClientAuth: "required"},
		{Name: "named", TLS: true, ClientAuth: "required", Secure: config.ListenerTLS{User: "sha256", UserNames: names}},
	}
	doors := start(t, c)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	for _, x := range []struct {
		door string
		as   *tls.Config
		ok   bool
	}{{"plain", ann, true}, {"plain", carl, false}, {"named", ann, false}, {"named", carl, true}} {
		nc, err := (&tls.Dialer{Config: x.as}).DialContext(ctx, "tcp", doors["amqp+"+x.door])
		if err == nil {
			err = sendOver(ctx, nc, attempt{certificate: "shown"})
		}
		if (err == nil) != x.ok {
			t.Errorf("at %s: %v", x.door, err)
		}
	}
}

// TestWebListenerShowsWhatItIsToldTo, over TLS and without it on one port, beside AMQP over WebSocket.
func TestWebListenerShowsWhatItIsToldTo(t *testing.T) {
	a := gatewaytest.New(t)
	folder := t.TempDir()
	for name, text := range map[string]string{"index.html": "front", "sub/page.txt": "page", "../secret": "secret"} {
		name = filepath.Join(folder, name)
		if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink(filepath.Join(folder, "../secret"), filepath.Join(folder, "link")); err != nil {
		t.Fatal(err)
	}
	c := quickstart(t)
	c.TLS = a.Settings("none")
	c.AMQP.Listeners = []config.AMQPListener{
		{
			Name: "web", TLS: true, Secure: config.ListenerTLS{Optional: true},
			Web: config.WebListener{Enabled: true, WebSockets: true, Health: true, Metrics: true, Files: folder},
		},
		{Name: "bare", Web: config.WebListener{Enabled: true}},
		{Name: "either", TLS: true, Secure: config.ListenerTLS{Optional: true}},
	}
	doors := start(t, c)
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: a.Dialer("localhost", "")}}
	get := func(url string) (status int, text string) {
		t.Helper()
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
		if err != nil {
			t.Fatal(err)
		}
		answer, err := client.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		defer answer.Body.Close()
		body, err := io.ReadAll(answer.Body)
		if err != nil {
			t.Fatal(err)
		}
		return answer.StatusCode, string(body)
	}
	for _, scheme := range []string{"http", "https"} {
		for path, want := range map[string]string{
			"/healthz": "ok", "/metrics": "qdr_deliveries_ingress_total 0", "/": "front", "/sub/page.txt": "page",
		} {
			if status, text := get(scheme + "://" + doors["amqp+web"] + path); status != http.StatusOK || !strings.Contains(text, want) {
				t.Errorf("%s %s: %d %q", scheme, path, status, text)
			}
		}
	}
	for _, path := range []string{"/nothing", "/sub/", "/link", "/../secret", "/%2e%2e/secret", "/v1/default/addresses"} {
		if status, text := get("http://" + doors["amqp+web"] + path); status == http.StatusOK {
			t.Errorf("%s: %q", path, text)
		}
	}
	for _, path := range []string{"/", "/healthz", "/metrics"} {
		if status, _ := get("http://" + doors["amqp+bare"] + path); status != http.StatusNotFound {
			t.Errorf("%s of who shows nothing: %d", path, status)
		}
	}
	for _, scheme := range []string{"ws", "wss"} {
		ws, _, err := websocket.Dial(t.Context(), scheme+"://"+doors["amqp+web"]+"/any/path",
			&websocket.DialOptions{Subprotocols: []string{"amqp"}, HTTPClient: client})
		if err != nil {
			t.Fatal(err)
		}
		if err := sendOver(t.Context(), websocket.NetConn(t.Context(), ws, websocket.MessageBinary), attempt{}); err != nil {
			t.Errorf("over %s: %v", scheme, err)
		}
	}
	for _, secured := range []bool{true, false} {
		nc, err := net.Dial("tcp", doors["amqp+either"])
		if err != nil {
			t.Fatal(err)
		}
		if secured {
			nc = tls.Client(nc, a.Dialer("localhost", ""))
		}
		if err := sendOver(t.Context(), nc, attempt{}); err != nil {
			t.Errorf("AMQP with TLS (%v): %v", secured, err)
		}
	}
}

func TestFileOfNamesThatMakesNoSenseKeepsTheGatewayClosed(t *testing.T) {
	a := gatewaytest.New(t)
	s := openTestSecurity(t, a.Settings("none"))
	names := filepath.Join(t.TempDir(), "names.json")
	if err := os.WriteFile(names, bytes.Repeat([]byte("["), 10), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, file := range []string{names, names + ".none"} {
		if _, err := s.at(&config.ListenerTLS{User: "sha1", UserNames: file}, "x", false); err == nil || !strings.Contains(err.Error(), "x.userNames") {
			t.Errorf("%v", err)
		}
	}
}

// TestAuthoritiesAreWatchedAlsoWithoutACertificateOfAllDoors: of who is revoked a listener with a certificate of its own hears, too.
func TestAuthoritiesAreWatchedAlsoWithoutACertificateOfAllDoors(t *testing.T) {
	a, b := gatewaytest.New(t), gatewaytest.New(t)
	settings := a.Settings("optional")
	pair := settings.KeyPair
	settings.KeyPair, settings.ClientCA = config.KeyPair{}, a.Join("trusted.pem", a.File)
	s := openTestSecurity(t, settings)
	own := ownSecurity(t, s, config.ListenerTLS{KeyPair: pair})
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	var looking sync.WaitGroup
	defer looking.Wait()
	defer cancel()
	for _, chore := range append(s.chores(), own.chosen(s)...) {
		looking.Go(func() { _ = chore(ctx) })
	}
	shown := b.Dialer("localhost", "ann").Certificates[0]
	client := a.With("localhost", &shown)
	if _, err := shakeHands(t, own.config(tls.RequireAnyClientCert, "amqp"), client); err == nil {
		t.Fatal("a stranger comes in")
	}
	a.Join("trusted.pem", a.File, b.File)
	for {
		_, err := shakeHands(t, own.config(tls.RequireAnyClientCert, "amqp"), client)
		if err == nil {
			return
		}
		if ctx.Err() != nil {
			t.Fatalf("the file is not read again: %v", err)
		}
	}
}

// TestNoVersionOfTLSIsNoneWhateverAClientSays that it speaks.
func TestNoVersionOfTLSIsNoneWhateverAClientSays(t *testing.T) {
	s := &security{spoken: []uint16{0}}
	if _, _, err := s.versions([]uint16{0, tls.VersionTLS12}); !errors.Is(err, errNoVersion) {
		t.Errorf("the error is %v", err)
	}
}
