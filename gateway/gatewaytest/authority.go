// Package gatewaytest has what tests of a gateway need beside it: an authority that gives out certificates, and the
// binary as a process that can be killed.
package gatewaytest

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/manifoldmq/manifold/gateway/config"
)

// Authority gives out certificates for a test, which last an hour.
type Authority struct {
	File string // its own certificate

	t      testing.TB
	folder string
	self   *x509.Certificate
	key    *ecdsa.PrivateKey
	serial int64
}

// New makes an authority with its files in a folder of the test.
func New(t testing.TB) *Authority {
	t.Helper()
	a := &Authority{t: t, folder: t.TempDir()}
	a.self = authorityTemplate("authority")
	a.become(a.certify(a.self))
	return a
}

func authorityTemplate(name string) *x509.Certificate {
	return &x509.Certificate{
		Subject: pkix.Name{CommonName: name}, IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
	}
}

// become makes a the authority of a certificate.
func (a *Authority) become(text []byte, key *ecdsa.PrivateKey) {
	a.t.Helper()
	block, _ := pem.Decode(text)
	self, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		a.t.Fatal(err)
	}
	a.self, a.key = self, key
	a.File = a.write("authority.pem", text)
}

// certify signs a certificate, that of the authority itself by itself.
func (a *Authority) certify(c *x509.Certificate) (text []byte, key *ecdsa.PrivateKey) {
	a.t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		a.t.Fatal(err)
	}
	a.serial++
	c.SerialNumber = big.NewInt(a.serial)
	if c.NotAfter.IsZero() {
		c.NotBefore, c.NotAfter = time.Now().Add(-time.Hour), time.Now().Add(time.Hour)
	}
	signer := a.key
	if signer == nil {
		signer = key
	}
	der, err := x509.CreateCertificate(rand.Reader, c, a.self, &key.PublicKey, signer)
	if err != nil {
		a.t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), key
}

func (a *Authority) write(name string, text []byte) (file string) {
	a.t.Helper()
	file = filepath.Join(a.folder, name)
	if err := os.WriteFile(file, text, 0o600); err != nil {
		a.t.Fatal(err)
	}
	return file
}

// issue writes a certificate and its key to files called so.
func (a *Authority) issue(name string, c *x509.Certificate) (certificate, key string) {
	a.t.Helper()
	text, private := a.certify(c)
	der, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		a.t.Fatal(err)
	}
	return a.write(name+".pem", text),
		a.write(name+"-key.pem", pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
}

// Server writes the certificate of a gateway at this machine, whose tenants have host names below gateway.example. The
// files are the same each time.
func (a *Authority) Server() (certificate, key string) {
	a.t.Helper()
	return a.issue("server", &x509.Certificate{
		DNSNames: []string{"localhost", "*.gateway.example"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
	})
}

// Client writes the certificate of a client whose common name is user.
func (a *Authority) Client(user string) (certificate, key string) {
	a.t.Helper()
	return a.issue("client", &x509.Certificate{
		Subject: pkix.Name{CommonName: user}, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	})
}

// Settings are those of a gateway that has a certificate; clientAuth tells whether it asks its clients for theirs.
func (a *Authority) Settings(clientAuth string) config.TLS {
	a.t.Helper()
	c := config.TLS{ClientAuth: clientAuth, MinVersion: "1.2"}
	c.Certificate, c.Key = a.Server()
	if clientAuth != "none" {
		c.ClientCA = a.File
	}
	return c
}

// Dialer is the side of a client that wants host and shows a certificate for user; empty for none.
func (a *Authority) Dialer(host, user string) *tls.Config {
	a.t.Helper()
	c := &tls.Config{ServerName: host, RootCAs: x509.NewCertPool()}
	c.RootCAs.AddCert(a.self)
	if user == "" {
		return c
	}
	pair, err := tls.LoadX509KeyPair(a.Client(user))
	if err != nil {
		a.t.Fatal(err)
	}
	c.Certificates = []tls.Certificate{pair}
	return c
}
