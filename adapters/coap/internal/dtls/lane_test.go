package dtls_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"math/big"
	"net"
	"net/netip"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/manifoldmq/manifold/adapters/coap/internal/dtls"
)

// lane is a socket with a server that gives every message back.
type lane struct {
	conn   *net.UDPConn
	server *dtls.Server
	done   chan struct{}

	mu       sync.Mutex // guards everything below, and every call of the server
	drop     func(to netip.AddrPort, datagram []byte) bool
	failures []error
	opened   []*dtls.Session
	ended    int
	heard    int
	sent     int // octets
}

var _ dtls.Handler = (*lane)(nil)

// listen runs a lane on loopback until the test ends.
func listen(t testing.TB, c dtls.Config) *lane {
	t.Helper()
	conn, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(netip.MustParseAddrPort("127.0.0.1:0")))
	if err != nil {
		t.Fatal(err)
	}
	l := &lane{conn: conn, done: make(chan struct{})}
	if c.Limits == (dtls.Limits{}) {
		c.Limits = dtls.DefaultLimits()
	}
	c.Failed = func(_ netip.AddrPort, err error) { l.failures = append(l.failures, err) }
	l.server = dtls.NewServer(c)
	go l.run()
	t.Cleanup(func() {
		conn.Close()
		<-l.done
	})
	return l
}

func (l *lane) run() {
	defer close(l.done)
	p := make([]byte, 64<<10)
	for {
		l.mu.Lock()
		l.conn.SetReadDeadline(l.server.Deadline())
		l.mu.Unlock()
		n, from, err := l.conn.ReadFromUDPAddrPort(p)
		l.mu.Lock()
		switch now := time.Now(); {
		case err == nil:
			l.server.Receive(now, from, p[:n], l)
		case errors.Is(err, os.ErrDeadlineExceeded):
			l.server.Advance(now, l)
		default:
			l.mu.Unlock()
			return
		}
		l.mu.Unlock()
	}
}

func (l *lane) address() *net.UDPAddr { return l.conn.LocalAddr().(*net.UDPAddr) }

func (l *lane) Send(to netip.AddrPort, datagram []byte) {
	l.sent += len(datagram)
	if l.drop == nil || !l.drop(to, datagram) {
		l.conn.WriteToUDPAddrPort(datagram, to)
	}
}

func (l *lane) Opened(_ time.Time, s *dtls.Session) { l.opened = append(l.opened, s) }

func (l *lane) Received(_ time.Time, s *dtls.Session, message []byte) {
	l.heard++
	l.conn.WriteToUDPAddrPort(s.Seal(nil, message), s.Address())
}

func (l *lane) Ended(time.Time, *dtls.Session) { l.ended++ }

// eventually waits until a condition of the lane holds.
func (l *lane) eventually(t testing.TB, what string, holds func() bool) {
	t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	end := time.After(30 * time.Second)
	for {
		l.mu.Lock()
		ok := holds()
		l.mu.Unlock()
		if ok {
			return
		}
		select {
		case <-tick.C:
		case <-end:
			t.Fatalf("%s does not come", what)
		}
	}
}

// authority signs certificates.
type authority struct {
	t           testing.TB
	certificate *x509.Certificate
	key         *ecdsa.PrivateKey
	serial      int64
}

func newAuthority(t testing.TB) *authority {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	a := &authority{t: t, key: key}
	a.certificate = a.template("authority")
	a.certificate.IsCA, a.certificate.BasicConstraintsValid = true, true
	a.certificate.KeyUsage = x509.KeyUsageCertSign
	raw, err := x509.CreateCertificate(rand.Reader, a.certificate, a.certificate, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	if a.certificate, err = x509.ParseCertificate(raw); err != nil {
		t.Fatal(err)
	}
	return a
}

func (a *authority) template(name string) *x509.Certificate {
	a.serial++
	return &x509.Certificate{
		SerialNumber: big.NewInt(a.serial), Subject: pkix.Name{CommonName: name}, DNSNames: []string{name},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
	}
}

func (a *authority) pool() *x509.CertPool {
	p := x509.NewCertPool()
	p.AddCert(a.certificate)
	return p
}

// issue makes a certificate with a key of an elliptic curve.
func (a *authority) issue(name string) tls.Certificate {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		a.t.Fatal(err)
	}
	raw, err := x509.CreateCertificate(rand.Reader, a.template(name), a.certificate, &key.PublicKey, a.key)
	if err != nil {
		a.t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{raw, a.certificate.Raw}, PrivateKey: key}
}

// issueRSA makes a certificate with an RSA key.
func (a *authority) issueRSA(name string) tls.Certificate {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		a.t.Fatal(err)
	}
	raw, err := x509.CreateCertificate(rand.Reader, a.template(name), a.certificate, &key.PublicKey, a.key)
	if err != nil {
		a.t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{raw}, PrivateKey: key}
}

func serving(c tls.Certificate) func(string) (*tls.Certificate, error) {
	return func(string) (*tls.Certificate, error) { return &c, nil }
}
