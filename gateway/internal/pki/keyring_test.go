package pki_test

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"log/slog"
	"os"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/ocsp"

	"github.com/manifoldmq/manifold/gateway/gatewaytest"
	"github.com/manifoldmq/manifold/gateway/internal/pki"
)

// pairOf saves a certificate for names.
func pairOf(a *gatewaytest.Authority, file string, c *x509.Certificate) pki.Pair {
	certificate, key := a.Save(file, a.Certify(c, a))
	return pki.Pair{Setting: "tls", Certificate: certificate, Key: key}
}

// ask gives a hello of a client that wants a host and can use the keys of these certificates.
func ask(host string) *tls.ClientHelloInfo {
	return &tls.ClientHelloInfo{
		ServerName: host, CipherSuites: []uint16{tls.TLS_AES_128_GCM_SHA256}, SupportedVersions: []uint16{tls.VersionTLS13},
		SignatureSchemes: []tls.SignatureScheme{tls.ECDSAWithP256AndSHA256}, SupportedCurves: []tls.CurveID{tls.CurveP256},
	}
}

func TestCertificateIsChosenByName(t *testing.T) {
	a := gatewaytest.New(t)
	named := func(file string, names ...string) pki.Pair {
		return pairOf(a, file, &x509.Certificate{Subject: pkix.Name{CommonName: file}, DNSNames: names})
	}
	k, err := pki.OpenKeyring([]pki.Pair{
		named("first", "gateway.example"), named("wild", "*.tenants.example"), named("acme", "acme.tenants.example", "Acme.Example"),
	}, false, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	for host, want := range map[string]string{
		"": "first", "gateway.example": "first", "elsewhere.example": "first", "192.0.2.1": "first", "localhost": "first",
		"other.tenants.example": "wild", "acme.tenants.example": "acme", "ACME.tenants.example.": "acme", "acme.example": "acme",
		"deep.other.tenants.example": "first", "tenants.example": "first",
	} {
		over, err := k.Certificate(ask(host))
		if err != nil || over.Leaf.Subject.CommonName != want {
			t.Errorf("%q gets %v, %v, want %s", host, over.Leaf.Subject, err, want)
		}
		if of, err := k.ForHost(host); err != nil || of != over {
			t.Errorf("over datagrams %q gets %v, %v", host, of.Leaf.Subject, err)
		}
	}
}

func TestChangedCertificatesAreReadAgain(t *testing.T) {
	a := gatewaytest.New(t)
	var log bytes.Buffer
	pair := pairOf(a, "server", &x509.Certificate{DNSNames: []string{"x"}})
	k, err := pki.OpenKeyring([]pki.Pair{pair}, false, slog.New(slog.NewTextHandler(&log, nil)))
	if err != nil {
		t.Fatal(err)
	}
	at := time.Now()
	serial := func() string {
		at = at.Add(time.Second)
		touch(t, pair.Certificate, at)
		touch(t, pair.Key, at)
		k.Look()
		c, err := k.ForHost("")
		if err != nil {
			t.Fatal(err)
		}
		return c.Leaf.SerialNumber.String()
	}
	before := serial()
	pairOf(a, "server", &x509.Certificate{DNSNames: []string{"x"}})
	after := serial()
	if after == before || !strings.Contains(log.String(), "read again") {
		t.Errorf("it is still %s: %s", before, log.String())
	}
	if err := os.WriteFile(pair.Certificate, []byte("no certificate"), 0o600); err != nil {
		t.Fatal(err)
	}
	log.Reset()
	if kept := serial(); kept != after || !strings.Contains(log.String(), "not used") {
		t.Errorf("a broken file gives %s after %s: %s", kept, after, log.String())
	}
	log.Reset()
	if k.Look(); log.Len() > 0 {
		t.Errorf("a file that has not changed is logged: %s", log.String())
	}
	if err := os.Remove(pair.Key); err != nil {
		t.Fatal(err)
	}
	k.Look()
	if c, err := k.ForHost(""); err != nil || c.Leaf.SerialNumber.String() != after {
		t.Errorf("a file that is gone gives %v, %v", c, err)
	}
}

// mustStaple is the extension of certificates that are shown with a proof of OCSP only (RFC 7633).
func mustStaple() pkix.Extension {
	return pkix.Extension{Id: []int{1, 3, 6, 1, 5, 5, 7, 1, 24}, Value: []byte{0x30, 3, 2, 1, 5}}
}

func TestProofOfOCSPIsStapled(t *testing.T) {
	a := gatewaytest.New(t)
	r := a.Responder(t, time.Hour)
	with := pairOf(a, "with", &x509.Certificate{DNSNames: []string{"with"}, OCSPServer: []string{r.URL}})
	without := pairOf(a, "without", &x509.Certificate{DNSNames: []string{"without"}})
	k, err := pki.OpenKeyring([]pki.Pair{with, without}, true, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	if c, err := k.ForHost("with"); err != nil || c.OCSPStaple != nil {
		t.Errorf("before it is asked for there is %x, %v", c.OCSPStaple, err)
	}
	now := time.Now()
	k.StapleDue(t.Context(), now)
	c, err := k.ForHost("with")
	if err != nil {
		t.Fatal(err)
	}
	if answer, err := ocsp.ParseResponseForCert(c.OCSPStaple, c.Leaf, a.Certificate()); err != nil || answer.Status != ocsp.Good {
		t.Errorf("stapled is %+v, %v", answer, err)
	}
	if c, err := k.ForHost("without"); err != nil || c.OCSPStaple != nil {
		t.Errorf("one that names no server has %x, %v", c.OCSPStaple, err)
	}
	for _, step := range []struct {
		after time.Duration
		asked int64
	}{{time.Minute, 1}, {31 * time.Minute, 2}, {32 * time.Minute, 2}} {
		k.StapleDue(t.Context(), now.Add(step.after))
		if got := r.Asked.Load(); got != step.asked {
			t.Errorf("after %v it was asked %d times, want %d", step.after, got, step.asked)
		}
	}
}

func TestCertificateThatNeedsAProofIsNotShownWithout(t *testing.T) {
	a := gatewaytest.New(t)
	r := a.Responder(t, time.Hour)
	r.Down.Store(true)
	pair := pairOf(a, "server", &x509.Certificate{OCSPServer: []string{r.URL}, ExtraExtensions: []pkix.Extension{mustStaple()}})
	if _, err := pki.OpenKeyring([]pki.Pair{pair}, false, slog.New(slog.DiscardHandler)); err == nil || !strings.Contains(err.Error(), "tls.ocspStapling") {
		t.Errorf("without stapling: %v", err)
	}
	k, err := pki.OpenKeyring([]pki.Pair{pair}, true, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	shown := func() bool {
		_, err := k.ForHost("")
		return err == nil
	}
	if k.StapleDue(t.Context(), now); shown() {
		t.Error("it is shown although there is no answer")
	}
	r.Down.Store(false)
	if k.StapleDue(t.Context(), now.Add(time.Second)); shown() || r.Asked.Load() != 1 {
		t.Error("a server that has not answered is asked at once")
	}
	if k.StapleDue(t.Context(), now.Add(time.Minute)); !shown() {
		t.Error("it is not shown although there is an answer")
	}
	soonOver := a.Responder(t, time.Second)
	pair = pairOf(a, "other", &x509.Certificate{OCSPServer: []string{soonOver.URL}, ExtraExtensions: []pkix.Extension{mustStaple()}})
	if k, err = pki.OpenKeyring([]pki.Pair{pair}, true, slog.New(slog.DiscardHandler)); err != nil {
		t.Fatal(err)
	}
	k.StapleDue(t.Context(), now)
	for end := time.After(time.Minute); shown(); {
		select {
		case <-end:
			t.Fatal("it is shown with an answer that is not good any more")
		case <-time.After(10 * time.Millisecond):
		}
	}
}
