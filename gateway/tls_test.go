package gateway

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"log/slog"
	"net"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/manifoldmq/manifold/gateway/gatewaytest"
)

// shakeHands connects a client to a server and gives what the client sees.
func shakeHands(t *testing.T, server, client *tls.Config) (tls.ConnectionState, error) {
	t.Helper()
	ours, theirs := net.Pipe()
	defer ours.Close()
	defer theirs.Close()
	served := make(chan error, 1)
	go func() { served <- shake(t.Context(), tls.Server(ours, server), time.Minute) }()
	c := tls.Client(theirs, client)
	err := c.HandshakeContext(t.Context())
	if err == nil {
		go theirs.Read(make([]byte, 1<<10)) // what the server still sends
		err = <-served
	}
	return c.ConnectionState(), err
}

func openTestKeyring(t *testing.T, a *gatewaytest.Authority, clientAuth string, log *slog.Logger) *keyring {
	t.Helper()
	k, err := openKeyring(a.Settings(clientAuth), log)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func TestProtocolOfALPNIsTakenButNotRequired(t *testing.T) {
	a := gatewaytest.New(t)
	k := openTestKeyring(t, a, "none", slog.New(slog.DiscardHandler))
	for _, c := range []struct {
		offered []string
		want    string
	}{{nil, ""}, {[]string{"amqp"}, "amqp"}, {[]string{"x", "amqp"}, "amqp"}, {[]string{"x"}, ""}} {
		client := a.Dialer("localhost", "")
		client.NextProtos = c.offered
		state, err := shakeHands(t, k.config("amqp"), client)
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
		k, err := openKeyring(settings, slog.New(slog.DiscardHandler))
		if err != nil {
			t.Fatal(err)
		}
		client := a.Dialer("localhost", "")
		client.MinVersion, client.MaxVersion = tls.VersionTLS10, c.client
		if _, err := shakeHands(t, k.config("amqp"), client); (err == nil) != c.ok {
			t.Errorf("a client of %s at a gateway from %s: %v", tls.VersionName(c.client), c.lowest, err)
		}
	}
}

func TestCertificatesOfClientsAreVerified(t *testing.T) {
	a, other := gatewaytest.New(t), gatewaytest.New(t)
	foreign := a.Dialer("localhost", "")
	foreign.Certificates = other.Dialer("localhost", "ann").Certificates
	foreign.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
		return &foreign.Certificates[0], nil // although the gateway did not name its authority
	}
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
		k := openTestKeyring(t, a, c.clientAuth, slog.New(slog.DiscardHandler))
		if _, err := shakeHands(t, k.config("amqp"), c.client); (err == nil) != c.ok {
			t.Errorf("%s with %d certificates: %v", c.clientAuth, len(c.client.Certificates), err)
		}
	}
}

func TestChangedFilesAreReadAgain(t *testing.T) {
	a := gatewaytest.New(t)
	var log bytes.Buffer
	k := openTestKeyring(t, a, "none", slog.New(slog.NewTextHandler(&log, nil)))
	now := k.looked
	serial := func() string {
		now = now.Add(lookAgain)
		c, err := x509.ParseCertificate(k.now(now).Certificates[0].Certificate[0])
		if err != nil {
			t.Fatal(err)
		}
		return c.SerialNumber.String()
	}
	// A clock of the filesystem may be too coarse to tell two writes apart.
	age := func(file string, by time.Duration) {
		if err := os.Chtimes(file, time.Time{}, time.Now().Add(by)); err != nil {
			t.Fatal(err)
		}
	}
	before := serial()
	if again := serial(); again != before || log.Len() > 0 {
		t.Errorf("files that did not change give %s after %s: %s", again, before, log.String())
	}
	certificate, key := a.Server()
	age(certificate, time.Second)
	age(key, time.Second)
	if k.now(now) != k.now(now.Add(lookAgain/2)) {
		t.Error("the files are looked at too often")
	}
	after := serial()
	if after == before || !strings.Contains(log.String(), "read again") {
		t.Errorf("the certificate is still %s: %s", after, log.String())
	}
	if err := os.WriteFile(certificate, []byte("no certificate"), 0o600); err != nil {
		t.Fatal(err)
	}
	if kept := serial(); kept != after || !strings.Contains(log.String(), "not used") {
		t.Errorf("a broken file gives %s after %s: %s", kept, after, log.String())
	}
	if err := os.Remove(certificate); err != nil {
		t.Fatal(err)
	}
	if kept := serial(); kept != after {
		t.Errorf("a file that is gone gives %s after %s", kept, after)
	}
}

func TestFilesThatMakeNoSenseKeepTheGatewayClosed(t *testing.T) {
	a := gatewaytest.New(t)
	for _, c := range []struct {
		name   string
		change func(c *tlsFiles)
		want   string
	}{
		{"no certificate", func(c *tlsFiles) { c.certificate = "none.pem" }, "tls.certificate and tls.key: open none.pem"},
		{"no key", func(c *tlsFiles) { c.key = c.certificate }, "tls.certificate and tls.key: "},
		{"no authority", func(c *tlsFiles) { c.clientCA = "none.pem" }, "tls.clientCA: open none.pem"},
		{"key for an authority", func(c *tlsFiles) { c.clientCA = c.key }, "has no certificate in the form PEM"},
	} {
		t.Run(c.name, func(t *testing.T) {
			settings := quickstart(t)
			settings.TLS = a.Settings("optional")
			files := tlsFiles{settings.TLS.Certificate, settings.TLS.Key, settings.TLS.ClientCA}
			c.change(&files)
			settings.TLS.Certificate, settings.TLS.Key, settings.TLS.ClientCA = files.certificate, files.key, files.clientCA
			err := Run(t.Context(), settings, nil, slog.New(slog.DiscardHandler), func([]Endpoint) { t.Error("it is ready") })
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %q in it", err, c.want)
			}
		})
	}
}

type tlsFiles struct{ certificate, key, clientCA string }

func TestSlowHandshakeIsCutOff(t *testing.T) {
	a := gatewaytest.New(t)
	k := openTestKeyring(t, a, "none", slog.New(slog.DiscardHandler))
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	serve := k.shaking("amqp", 50*time.Millisecond, func(_ context.Context, nc net.Conn) {
		t.Error("a client without TLS was served")
		nc.Close()
	}, slog.New(slog.DiscardHandler))
	served := make(chan error, 1)
	go func() { served <- serve(ctx, ln) }()
	for _, first := range []string{"", "AMQP\x03\x01\x00\x00"} {
		nc, err := net.Dial("tcp", ln.Addr().String())
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
	}
	stop()
	if err := <-served; err != nil {
		t.Error(err)
	}
}
