package gateway

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"log/slog"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/manifoldmq/manifold/gateway/config"
	"github.com/manifoldmq/manifold/gateway/gatewaytest"
	"github.com/manifoldmq/manifold/gateway/internal/prelude"
	"github.com/manifoldmq/manifold/tenancy"
)

// shakeHands connects a client to a server and gives what the client sees.
func shakeHands(t *testing.T, server, client *tls.Config) (tls.ConnectionState, error) {
	t.Helper()
	ours, theirs := net.Pipe()
	defer ours.Close()
	defer theirs.Close()
	served := make(chan error, 1)
	go func() { served <- tls.Server(ours, server).HandshakeContext(t.Context()) }()
	c := tls.Client(theirs, client)
	err := c.HandshakeContext(t.Context())
	if err == nil {
		go theirs.Read(make([]byte, 1<<10)) // what the server still sends
		err = <-served
	}
	return c.ConnectionState(), err
}

// openTestSecurity reads the files of settings.
func openTestSecurity(t *testing.T, settings config.TLS) *security {
	t.Helper()
	directory, err := tenancy.NewDirectory()
	if err != nil {
		t.Fatal(err)
	}
	s, err := openSecurity(&config.Config{TLS: settings}, directory, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestProtocolOfALPNIsTakenButNotRequired(t *testing.T) {
	a := gatewaytest.New(t)
	s := openTestSecurity(t, a.Settings("none"))
	for _, c := range []struct {
		offered []string
		want    string
	}{{nil, ""}, {[]string{"amqp"}, "amqp"}, {[]string{"x", "amqp"}, "amqp"}, {[]string{"x"}, ""}} {
		client := a.Dialer("localhost", "")
		client.NextProtos = c.offered
		state, err := shakeHands(t, s.config(tls.NoClientCert, "amqp"), client)
		if err != nil || state.NegotiatedProtocol != c.want {
			t.Errorf("%v: got %q, %v", c.offered, state.NegotiatedProtocol, err)
		}
	}
}

func TestOldVersionsAreRefused(t *testing.T) {
	a := gatewaytest.New(t)
	settings := a.Settings("none")
	for _, c := range []struct {
		lowest string
		client uint16
		ok     bool
	}{
		{"1.2", tls.VersionTLS11, false}, {"1.2", tls.VersionTLS12, true},
		{"1.3", tls.VersionTLS12, false}, {"1.3", tls.VersionTLS13, true},
	} {
		settings.MinVersion = c.lowest
		s := openTestSecurity(t, settings)
		client := a.Dialer("localhost", "")
		client.MinVersion, client.MaxVersion = tls.VersionTLS10, c.client
		if _, err := shakeHands(t, s.config(tls.NoClientCert, "amqp"), client); (err == nil) != c.ok {
			t.Errorf("a client of %s at a gateway from %s: %v", tls.VersionName(c.client), c.lowest, err)
		}
	}
}

func TestCertificatesOfClientsAreVerified(t *testing.T) {
	a, other := gatewaytest.New(t), gatewaytest.New(t)
	stranger := other.Dialer("localhost", "ann").Certificates[0]
	foreign := a.With("localhost", &stranger)
	for _, c := range []struct {
		clientAuth string
		client     *tls.Config
		ok         bool
	}{
		{"none", a.Dialer("localhost", ""), true},
		{"optional", a.Dialer("localhost", ""), true},
		{"optional", a.Dialer("localhost", "ann"), true},
		{"optional", foreign, false},
		{"required", a.Dialer("localhost", "ann"), true},
		{"required", a.Dialer("localhost", ""), false},
		{"required", foreign, false},
	} {
		s := openTestSecurity(t, a.Settings(c.clientAuth))
		settings := config.Config{TLS: config.TLS{ClientAuth: c.clientAuth}}
		if _, err := shakeHands(t, s.config(settings.ClientAuthOf(config.Listener{}), "amqp"), c.client); (err == nil) != c.ok {
			t.Errorf("%s with %d certificates: %v", c.clientAuth, len(c.client.Certificates), err)
		}
	}
}

// TestClientsAreNotToldWhoseAuthoritiesThereAre: what a gateway asks for names none, as tenants would be told of each other.
func TestClientsAreNotToldWhoseAuthoritiesThereAre(t *testing.T) {
	a := gatewaytest.New(t)
	s := openTestSecurity(t, a.Settings("optional"))
	client := a.Dialer("localhost", "")
	asked := false
	client.GetClientCertificate = func(q *tls.CertificateRequestInfo) (*tls.Certificate, error) {
		if asked = true; len(q.AcceptableCAs) > 0 {
			t.Errorf("told %q", q.AcceptableCAs)
		}
		return new(tls.Certificate), nil
	}
	if _, err := shakeHands(t, s.config(tls.RequestClientCert), client); err != nil || !asked {
		t.Errorf("asked: %v, %v", asked, err)
	}
}

func TestCertificateIsThatOfTheNameWhichIsAskedFor(t *testing.T) {
	a := gatewaytest.New(t)
	settings := a.Settings("none")
	certificate, key := a.Save("acme", a.Certify(&x509.Certificate{DNSNames: []string{"mq.acme.example"}}))
	settings.Certificates = []config.KeyPair{{Certificate: certificate, Key: key}}
	s := openTestSecurity(t, settings)
	for host, want := range map[string]string{"mq.acme.example": "mq.acme.example", "a.gateway.example": "localhost", "localhost": "localhost"} {
		state, err := shakeHands(t, s.config(tls.NoClientCert), a.Dialer(host, ""))
		if err != nil || state.PeerCertificates[0].DNSNames[0] != want {
			t.Errorf("%s: %v", host, err)
		}
	}
}

func TestFilesThatMakeNoSenseKeepTheGatewayClosed(t *testing.T) {
	a := gatewaytest.New(t)
	for _, c := range []struct {
		name   string
		change func(c *config.TLS)
		want   string
	}{
		{"no certificate", func(c *config.TLS) { c.Certificate = "none.pem" }, "tls.certificate and tls.key: open none.pem"},
		{"no key", func(c *config.TLS) { c.Key = c.Certificate }, "tls.certificate and tls.key: "},
		{
			"no further certificate", func(c *config.TLS) { c.Certificates = []config.KeyPair{{Certificate: "none.pem", Key: c.Key}} },
			"tls.certificates[0].certificate and tls.certificates[0].key: open none.pem",
		},
		{"no authority", func(c *config.TLS) { c.ClientCA = "none.pem" }, "tls.clientCA: open none.pem"},
		{"key for an authority", func(c *config.TLS) { c.ClientCA = c.Key }, "there is no certificate in the form PEM"},
		{"no revocation list", func(c *config.TLS) { c.ClientCRL = "none.pem" }, "tls.clientCRL: open none.pem"},
	} {
		t.Run(c.name, func(t *testing.T) {
			settings := quickstart(t)
			settings.TLS = a.Settings("optional")
			c.change(&settings.TLS)
			err := Run(t.Context(), settings, Process{Log: slog.New(slog.DiscardHandler), Ready: func([]Endpoint) { t.Error("it is ready") }})
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %q in it", err, c.want)
			}
		})
	}
}

func TestSlowHandshakeIsCutOff(t *testing.T) {
	a := gatewaytest.New(t)
	s := openTestSecurity(t, a.Settings("none"))
	inner, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	told := make(chan struct{}, 2)
	ln := prelude.Listen(inner, prelude.Steps{
		TLS: s.config(tls.NoClientCert, "amqp"), Patience: 50 * time.Millisecond,
		Failed: func(nc net.Conn, err error) {
			s.failed("amqps")(nc, err)
			told <- struct{}{}
		},
	})
	served := make(chan error, 1)
	go func() {
		_, err := ln.Accept()
		served <- err
	}()
	for _, first := range []string{"", "AMQP\x03\x01\x00\x00"} {
		nc, err := new(net.Dialer).DialContext(context.WithoutCancel(t.Context()), "tcp", inner.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		if _, err := nc.Write([]byte(first)); err != nil {
			t.Fatal(err)
		}
		for err == nil { // until it is closed
			_, err = nc.Read(make([]byte, 100))
		}
		nc.Close()
		<-told
	}
	ln.Close()
	if err := <-served; err == nil {
		t.Error("a client without TLS was served")
	}
	if n := s.directory.Logins().Failed[tenancy.FailedHandshake]; n != 2 {
		t.Errorf("%d handshakes have failed, want 2", n)
	}
}
