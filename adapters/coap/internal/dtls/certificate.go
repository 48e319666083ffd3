package dtls

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"slices"
	"time"

	_ "crypto/sha256" // for crypto.Hash
	_ "crypto/sha512"

	"github.com/pion/dtls/v3/pkg/protocol/alert"
	"golang.org/x/crypto/cryptobyte"
)

// schemes are the ways to sign that are known here, the one we like best first.
func schemes() []tls.SignatureScheme {
	return []tls.SignatureScheme{
		tls.ECDSAWithP256AndSHA256, tls.ECDSAWithP384AndSHA384, tls.ECDSAWithP521AndSHA512, tls.Ed25519,
		tls.PSSWithSHA256, tls.PSSWithSHA384, tls.PSSWithSHA512, tls.PKCS1WithSHA256, tls.PKCS1WithSHA384, tls.PKCS1WithSHA512,
	}
}

// suits tells whether a key can sign in a way. In TLS 1.2 the hash does not depend on the curve.
func suits(public crypto.PublicKey, scheme tls.SignatureScheme) bool {
	switch scheme {
	case tls.Ed25519:
		_, ok := public.(ed25519.PublicKey)
		return ok
	case tls.ECDSAWithP256AndSHA256, tls.ECDSAWithP384AndSHA384, tls.ECDSAWithP521AndSHA512:
		_, ok := public.(*ecdsa.PublicKey)
		return ok
	}
	_, ok := public.(*rsa.PublicKey)
	return ok && slices.Contains(schemes(), scheme)
}

// hashOf gives the hash of a way to sign; 0 for the one that signs the message itself.
func hashOf(scheme tls.SignatureScheme) crypto.Hash {
	switch scheme {
	case tls.ECDSAWithP256AndSHA256, tls.PSSWithSHA256, tls.PKCS1WithSHA256:
		return crypto.SHA256
	case tls.ECDSAWithP384AndSHA384, tls.PSSWithSHA384, tls.PKCS1WithSHA384:
		return crypto.SHA384
	case tls.ECDSAWithP521AndSHA512, tls.PSSWithSHA512, tls.PKCS1WithSHA512:
		return crypto.SHA512
	}
	return 0
}

func isPSS(scheme tls.SignatureScheme) bool {
	return scheme == tls.PSSWithSHA256 || scheme == tls.PSSWithSHA384 || scheme == tls.PSSWithSHA512
}

// digest gives what is signed.
func digest(scheme tls.SignatureScheme, message []byte) []byte {
	hash := hashOf(scheme)
	if hash == 0 {
		return message
	}
	h := hash.New()
	h.Write(message)
	return h.Sum(nil)
}

// sign signs with our key in the first way that the client takes. One that says nothing takes SHA-256.
func sign(c *tls.Certificate, offered []uint16, message []byte) (tls.SignatureScheme, []byte, error) {
	signer, ok := c.PrivateKey.(crypto.Signer)
	if !ok {
		return 0, nil, errors.New("the certificate has no key that signs")
	}
	for _, scheme := range schemes() {
		if !suits(signer.Public(), scheme) || offered != nil && !slices.Contains(offered, uint16(scheme)) {
			continue
		}
		var options crypto.SignerOpts = hashOf(scheme)
		if isPSS(scheme) {
			options = &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash, Hash: hashOf(scheme)}
		}
		signature, err := signer.Sign(rand.Reader, digest(scheme, message), options)
		return scheme, signature, err
	}
	return 0, nil, errors.New("the client takes no signature that the certificate's key can make")
}

// isRSA tells whether a certificate needs the cipher suites for RSA.
func isRSA(c *tls.Certificate) bool {
	signer, ok := c.PrivateKey.(crypto.Signer)
	if !ok {
		return false
	}
	_, ok = signer.Public().(*rsa.PublicKey)
	return ok
}

// certificateMessage makes a Certificate (RFC 5246 section 7.4.2).
func certificateMessage(c *tls.Certificate) []byte {
	var b cryptobyte.Builder
	b.AddUint24LengthPrefixed(func(b *cryptobyte.Builder) {
		for _, raw := range c.Certificate {
			b.AddUint24LengthPrefixed(func(b *cryptobyte.Builder) { b.AddBytes(raw) })
		}
	})
	return b.BytesOrPanic()
}

// certificateRequest makes a CertificateRequest (RFC 5246 section 7.4.4). It names no authorities, which would be long.
func certificateRequest() []byte {
	const signsRSA, signsECDSA = 1, 64
	var b cryptobyte.Builder
	b.AddUint8LengthPrefixed(func(b *cryptobyte.Builder) { b.AddBytes([]byte{signsECDSA, signsRSA}) })
	b.AddUint16LengthPrefixed(func(b *cryptobyte.Builder) {
		for _, scheme := range schemes() {
			b.AddUint16(uint16(scheme))
		}
	})
	b.AddUint16(0)
	return b.BytesOrPanic()
}

// What a client may have checked before it is known. Checking takes time that grows with the square of an RSA key.
const (
	maxChain  = 4
	maxRSAKey = 4096 // bits
)

// verifyChain reads a client's Certificate and checks who has signed it. It gives the chain up to one that is trusted;
// a client that sends none has none.
func verifyChain(now time.Time, body []byte, roots *x509.CertPool) ([]*x509.Certificate, *failure) {
	input := cryptobyte.String(body)
	var list cryptobyte.String
	if !input.ReadUint24LengthPrefixed(&list) || !input.Empty() {
		return nil, errMalformed
	}
	var chain []*x509.Certificate
	for !list.Empty() {
		var raw cryptobyte.String
		if !list.ReadUint24LengthPrefixed(&raw) {
			return nil, errMalformed
		}
		c, err := x509.ParseCertificate(raw)
		if err != nil {
			return nil, &failure{alert.BadCertificate, err}
		}
		if key, ok := c.PublicKey.(*rsa.PublicKey); ok && key.N.BitLen() > maxRSAKey || len(chain) == maxChain {
			return nil, failed(alert.UnsupportedCertificate, "the client's chain of certificates takes too long to check")
		}
		chain = append(chain, c)
	}
	if len(chain) == 0 {
		return nil, nil
	}
	if !isStraight(chain) {
		return nil, failed(alert.BadCertificate, "the client's certificates are out of order")
	}
	between := x509.NewCertPool()
	for _, c := range chain[1:] {
		between.AddCert(c)
	}
	verified, err := chain[0].Verify(x509.VerifyOptions{
		Roots: roots, Intermediates: between, CurrentTime: now,
		KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	})
	if err != nil {
		return nil, &failure{alert.BadCertificate, err}
	}
	return verified[0], nil
}

// refused gives why a certificate is not good as the end of a handshake; nil for one that is.
func refused(why error) *failure {
	if why == nil {
		return nil
	}
	return &failure{alert.BadCertificate, why}
}

// isStraight tells whether each certificate is issued by the next, as it has to be (RFC 5246 section 7.4.2), and by no other
// of the chain: then there is one way to check it, of many that a client could have us try.
func isStraight(chain []*x509.Certificate) bool {
	for i, c := range chain[1:] {
		if !bytes.Equal(chain[i].RawIssuer, c.RawSubject) {
			return false
		}
		for _, below := range chain[:i+1] {
			if bytes.Equal(below.RawSubject, c.RawSubject) {
				return false
			}
		}
	}
	return true
}

// verifySignature checks a CertificateVerify: that the client has the key of its certificate (RFC 5246 section 7.4.8).
func verifySignature(public crypto.PublicKey, body, transcript []byte) *failure {
	input := cryptobyte.String(body)
	var number uint16
	var signature cryptobyte.String
	if !input.ReadUint16(&number) || !input.ReadUint16LengthPrefixed(&signature) || !input.Empty() {
		return errMalformed
	}
	scheme := tls.SignatureScheme(number)
	if !suits(public, scheme) || !verifies(public, scheme, digest(scheme, transcript), signature) {
		return failed(alert.DecryptError, "the client's signature does not fit its certificate")
	}
	return nil
}

func verifies(public crypto.PublicKey, scheme tls.SignatureScheme, digest, signature []byte) bool {
	switch key := public.(type) {
	case *ecdsa.PublicKey:
		return ecdsa.VerifyASN1(key, digest, signature)
	case ed25519.PublicKey:
		return ed25519.Verify(key, digest, signature)
	case *rsa.PublicKey:
		if isPSS(scheme) {
			options := &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash} // RFC 8446 section 4.2.3
			return rsa.VerifyPSS(key, hashOf(scheme), digest, signature, options) == nil
		}
		return rsa.VerifyPKCS1v15(key, hashOf(scheme), digest, signature) == nil
	}
	return false
}
