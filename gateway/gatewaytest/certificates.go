package gatewaytest

import (
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"io"
	"math/big"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/crypto/ocsp"
)

// Below makes an authority that this one has signed.
func (a *Authority) Below(name string) *Authority {
	a.t.Helper()
	below := &Authority{t: a.t, folder: a.t.TempDir()}
	below.become(a.certify(authorityTemplate(name)))
	return below
}

// PEM is the authority's own certificate.
func (a *Authority) PEM() string {
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: a.self.Raw}))
}

// Certificate is the authority's own.
func (a *Authority) Certificate() *x509.Certificate { return a.self }

// Certify signs a certificate, which lasts an hour unless it says otherwise, followed by those of authorities between.
func (a *Authority) Certify(c *x509.Certificate, between ...*Authority) tls.Certificate {
	a.t.Helper()
	text, key := a.certify(c)
	block, _ := pem.Decode(text)
	leaf, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		a.t.Fatal(err)
	}
	pair := tls.Certificate{Certificate: [][]byte{leaf.Raw}, PrivateKey: key, Leaf: leaf}
	for _, b := range between {
		pair.Certificate = append(pair.Certificate, b.self.Raw)
	}
	return pair
}

// Save writes a certificate with its chain, and its key, to files called so.
func (a *Authority) Save(name string, c tls.Certificate) (certificate, key string) {
	a.t.Helper()
	var text []byte
	for _, der := range c.Certificate {
		text = append(text, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})...)
	}
	der, err := x509.MarshalPKCS8PrivateKey(c.PrivateKey)
	if err != nil {
		a.t.Fatal(err)
	}
	return a.write(name+".pem", text), a.write(name+"-key.pem", pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
}

// With is a client's side that wants host of a gateway with a certificate of this authority, and shows one whoever has signed
// it.
func (a *Authority) With(host string, c *tls.Certificate) *tls.Config {
	a.t.Helper()
	dialer := a.Dialer(host, "")
	if c != nil {
		dialer.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return c, nil }
		dialer.Certificates = []tls.Certificate{*c}
	}
	return dialer
}

// Revoke writes a list of what the authority has revoked, which is good until then. The file is the same each time.
func (a *Authority) Revoke(until time.Time, revoked ...tls.Certificate) (file string) {
	a.t.Helper()
	list := &x509.RevocationList{Number: big.NewInt(time.Now().UnixNano()), ThisUpdate: time.Now().Add(-time.Hour), NextUpdate: until}
	for _, c := range revoked {
		list.RevokedCertificateEntries = append(list.RevokedCertificateEntries,
			x509.RevocationListEntry{SerialNumber: c.Leaf.SerialNumber, RevocationTime: time.Now().Add(-time.Minute)})
	}
	der, err := x509.CreateRevocationList(rand.Reader, list, a.self, a.key)
	if err != nil {
		a.t.Fatal(err)
	}
	return a.write("revoked.pem", pem.EncodeToMemory(&pem.Block{Type: "X509 CRL", Bytes: der}))
}

// Join writes the files of others one after the other.
func (a *Authority) Join(name string, files ...string) (file string) {
	a.t.Helper()
	var text []byte
	for _, f := range files {
		part, err := os.ReadFile(f)
		if err != nil {
			a.t.Fatal(err)
		}
		text = slices.Concat(text, part)
	}
	return a.write(name, text)
}

// Responder is a server of OCSP.
type Responder struct {
	URL   string
	Asked atomic.Int64
	Down  atomic.Bool
}

// Responder answers for an authority until the test ends: what it has signed is good for a time.
func (a *Authority) Responder(t testing.TB, lasts time.Duration) *Responder {
	r := new(Responder)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		r.Asked.Add(1)
		body, err := io.ReadAll(q.Body)
		asked, parseErr := ocsp.ParseRequest(body)
		if err != nil || parseErr != nil || r.Down.Load() {
			http.Error(w, "no", http.StatusServiceUnavailable)
			return
		}
		answer, err := ocsp.CreateResponse(a.self, a.self, ocsp.Response{
			Status: ocsp.Good, SerialNumber: asked.SerialNumber, ThisUpdate: time.Now(), NextUpdate: time.Now().Add(lasts),
		}, a.key)
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		w.Write(answer)
	}))
	t.Cleanup(server.Close)
	r.URL = server.URL
	return r
}

// CrossSigned is this authority with a certificate that another one has signed for its key.
func (a *Authority) CrossSigned(by *Authority) *Authority {
	a.t.Helper()
	by.serial++
	c := authorityTemplate(a.self.Subject.CommonName)
	c.SerialNumber, c.NotBefore, c.NotAfter = big.NewInt(by.serial), a.self.NotBefore, a.self.NotAfter
	der, err := x509.CreateCertificate(rand.Reader, c, by.self, &a.key.PublicKey, by.key)
	if err != nil {
		a.t.Fatal(err)
	}
	crossed := &Authority{t: a.t, folder: a.t.TempDir()}
	crossed.become(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), a.key)
	return crossed
}
