package dtls

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"fmt"
	"math/big"
	"slices"
	"testing"
	"time"

	"github.com/pion/dtls/v3/pkg/protocol/alert"
)

// selfSigned makes a certificate that is its own authority, of a client or a server, at the time of the tests.
func selfSigned(t testing.TB, change ...func(*x509.Certificate)) *tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	now := time.Unix(1_800_000_000, 0)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "device"}, NotBefore: now.Add(-time.Hour),
		NotAfter: now.Add(time.Hour), BasicConstraintsValid: true, IsCA: true,
	}
	for _, f := range change {
		f(template)
	}
	raw, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	return &tls.Certificate{Certificate: [][]byte{raw}, PrivateKey: key}
}

// trusting is a server that trusts a certificate of a client.
func trusting(t testing.TB, client *tls.Certificate) *Server {
	t.Helper()
	c, err := x509.ParseCertificate(client.Certificate[0])
	if err != nil {
		t.Fatal(err)
	}
	roots, ours := x509.NewCertPool(), selfSigned(t)
	roots.AddCert(c)
	return NewServer(Config{
		Certificate: func(string) (*tls.Certificate, error) { return ours, nil },
		ClientCAs:   func() *x509.CertPool { return roots }, Limits: DefaultLimits(),
	})
}

// showing begins a handshake and shows a certificate.
func showing(t testing.TB, server *Server, s *stage, c *tls.Certificate) (*puppet, [][]byte) {
	t.Helper()
	p := newPuppet(t, server, s)
	p.greet(0xC02B, []byte{})
	return p, p.show(c)
}

func TestCertificateHasToBeGoodForAClientNow(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*x509.Certificate)
		good   bool
	}{
		"good":        {func(*x509.Certificate) {}, true},
		"for clients": {func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth} }, true},
		"for servers": {func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth} }, false},
		"too old":     {func(c *x509.Certificate) { c.NotAfter = c.NotBefore.Add(time.Minute) }, false},
		"too young":   {func(c *x509.Certificate) { c.NotBefore = c.NotAfter.Add(-time.Minute) }, false},
	} {
		certificate, s := selfSigned(t, c.change), &stage{}
		p, answer := showing(t, trusting(t, certificate), s, certificate)
		if refused := len(answer) > 0 && answer[0][0] == kindAlert; refused == c.good {
			t.Errorf("%s: answered by %x", name, answer)
			continue
		}
		if c.good {
			p.exchange("")
			p.sign(certificate)
			p.finish()
		}
	}
}

// Who shows a certificate has to sign with its key.
func TestCertificateAloneIsNoProof(t *testing.T) {
	certificate := selfSigned(t)
	for name, prove := range map[string]func(p *puppet){
		"nothing is signed":       func(*puppet) {},
		"signed with another key": func(p *puppet) { p.sign(selfSigned(t)) },
		"signed before the exchange": func(p *puppet) {
			kept := p.transcript
			p.transcript = p.transcript[:len(p.transcript)-1]
			p.sign(certificate)
			p.transcript = append(kept, p.transcript[len(kept)-1:]...)
		},
	} {
		s := &stage{}
		p, _ := showing(t, trusting(t, certificate), s, certificate)
		p.exchange("")
		prove(p)
		answer := p.receive(p.seal(kindHandshake, p.finished()))
		if len(s.opened) > 0 {
			t.Errorf("%s: the client was let in, answered by %x", name, answer)
		}
	}
}

// Whatever is signed with a hash that is not offered, such as SHA-1, is no proof.
func TestOnlyOfferedSchemesAreTaken(t *testing.T) {
	certificate := selfSigned(t)
	const withSHA1 = 0x0203
	transcript := []byte("all that was said in this handshake so far")
	signature, err := ecdsa.SignASN1(rand.Reader, certificate.PrivateKey.(*ecdsa.PrivateKey), transcript)
	if err != nil {
		t.Fatal(err)
	}
	body := append([]byte{withSHA1 >> 8, withSHA1 & 0xFF, 0, byte(len(signature))}, signature...)
	public := &certificate.PrivateKey.(*ecdsa.PrivateKey).PublicKey
	if verifySignature(public, body, transcript) == nil {
		t.Error("it was taken")
	}
}

// A client could have us try all orders of many certificates, each with several keys.
func TestChainsAreShortAndStraight(t *testing.T) {
	whole := chainOf(t, maxChain+1) // from the root down
	top, err := x509.ParseCertificate(whole[0])
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AddCert(top)
	slices.Reverse(whole)
	leaf, second, third := whole[0], whole[1], whole[2]
	for name, c := range map[string]struct {
		chain [][]byte
		good  bool
	}{
		"without its root":   {whole[:maxChain], true},
		"with its root":      {whole, false},
		"with a hole":        {slices.Concat([][]byte{leaf}, whole[2:maxChain]), false},
		"out of order":       {[][]byte{leaf, third, second, whole[3]}, false},
		"one of them twice":  {[][]byte{leaf, second, second, third}, false},
		"a root twice":       {[][]byte{whole[maxChain], whole[maxChain]}, false},
		"nothing but a leaf": {[][]byte{leaf}, false},
	} {
		message := certificateMessage(&tls.Certificate{Certificate: c.chain})
		if _, failure := verifyChain(time.Unix(1_800_000_000, 0), message, roots); (failure == nil) != c.good {
			t.Errorf("%s: %v", name, failure)
		}
	}
}

// chainOf makes a chain of certificates, the root first.
func chainOf(t *testing.T, length int) (chain [][]byte) {
	t.Helper()
	issuer := selfSigned(t)
	chain = append(chain, issuer.Certificate[0])
	for i := range length - 1 {
		parent, err := x509.ParseCertificate(issuer.Certificate[0])
		if err != nil {
			t.Fatal(err)
		}
		next := selfSigned(t, func(c *x509.Certificate) { c.Subject.CommonName = fmt.Sprint(i) })
		template, err := x509.ParseCertificate(next.Certificate[0])
		if err != nil {
			t.Fatal(err)
		}
		raw, err := x509.CreateCertificate(rand.Reader, template, parent, template.PublicKey, issuer.PrivateKey)
		if err != nil {
			t.Fatal(err)
		}
		issuer = &tls.Certificate{Certificate: [][]byte{raw}, PrivateKey: next.PrivateKey}
		chain = append(chain, raw)
	}
	return chain
}

// Checking a signature takes time that grows with the square of the key, and a client may bring the keys of all authorities
// but the first.
func TestLargeKeysAreNotTried(t *testing.T) {
	now := time.Unix(1_800_000_000, 0)
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	const size = 6000
	large := &rsa.PublicKey{N: new(big.Int).SetBytes(bytes.Repeat([]byte{0xFF}, size)), E: 1<<31 - 1}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: "large"}, NotBefore: now.Add(-time.Hour),
		NotAfter: now.Add(time.Hour), BasicConstraintsValid: true, IsCA: true,
	}
	authority, err := x509.CreateCertificate(rand.Reader, template, template, large, key)
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	var parts struct {
		Content   asn1.RawValue
		Algorithm pkix.AlgorithmIdentifier
		Signature asn1.BitString
	}
	if _, err := asn1.Unmarshal(leaf, &parts); err != nil {
		t.Fatal(err)
	}
	parts.Signature = asn1.BitString{Bytes: bytes.Repeat([]byte{0x7F}, size), BitLength: 8 * size}
	if leaf, err = asn1.Marshal(parts); err != nil {
		t.Fatal(err)
	}
	message := certificateMessage(&tls.Certificate{Certificate: [][]byte{leaf, authority}})
	_, failure := verifyChain(now, message, x509.NewCertPool())
	if failure == nil || failure.tell != alert.UnsupportedCertificate {
		t.Errorf("got %v", failure)
	}
}
