package pki

import (
	"crypto/sha256"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
)

// Authority is one that signs certificates of clients, as it is declared.
type Authority struct {
	Setting string // where, such as tenants[acme].certificates[0]
	Tenant  string // whose clients; empty for an authority of all tenants
	CA      string // its certificates in the form PEM: the text itself, or the name of a file
	Naming  Naming
	CRL     string // the name of a file with its revocation lists; empty for none
	LaxCRL  bool   // whether certificates are good while there is no list that is
}

// isText tells whether CA is the text itself.
func (a *Authority) isText() bool { return strings.Contains(a.CA, "-----BEGIN") }

// anchor is an authority as its files have it. It does not change.
type anchor struct {
	Authority
	certificates []*x509.Certificate
	lists        []*list
	stamps       []stamp
}

// loadAnchor reads what an authority's files say.
func loadAnchor(a Authority) (*anchor, error) {
	loaded := &anchor{Authority: a, stamps: a.look()}
	text := []byte(a.CA)
	if !a.isText() {
		var err error
		if text, err = os.ReadFile(a.CA); err != nil {
			return loaded, fmt.Errorf("%s: %w", a.at("ca"), err)
		}
	}
	certificates, err := parseAuthorities(text)
	if err != nil {
		return loaded, fmt.Errorf("%s: %w", a.at("ca"), err)
	}
	loaded.certificates = certificates
	if a.CRL == "" {
		return loaded, nil
	}
	if text, err = os.ReadFile(a.CRL); err != nil {
		return loaded, fmt.Errorf("%s: %w", a.at("crl"), err)
	}
	if loaded.lists, err = parseLists(text); err != nil {
		return loaded, fmt.Errorf("%s: %w", a.at("crl"), err)
	}
	return loaded, nil
}

// at names one of an authority's settings.
func (a *Authority) at(key string) string {
	if a.Tenant == "" {
		return "tls.client" + strings.ToUpper(key)
	}
	return a.Setting + "." + key
}

// look gives the stamps of an authority's files.
func (a *Authority) look() []stamp {
	if a.isText() {
		return stampsOf(a.CRL)
	}
	return stampsOf(a.CA, a.CRL)
}

// isCurrent tells whether an anchor has what the files of an authority say.
func (a *anchor) isCurrent(declared Authority) bool {
	return a != nil && a.Authority == declared && slices.Equal(a.stamps, declared.look())
}

// parseAuthorities reads certificates in the form PEM, all of which are of authorities.
func parseAuthorities(text []byte) (all []*x509.Certificate, err error) {
	for {
		var block *pem.Block
		if block, text = pem.Decode(text); block == nil {
			break
		}
		if block.Type != "CERTIFICATE" {
			continue
		}
		c, err := x509.ParseCertificate(block.Bytes)
		switch {
		case err != nil:
			return nil, err
		case !c.IsCA:
			return nil, fmt.Errorf("the certificate of %q is not one of an authority", c.Subject)
		}
		all = append(all, c)
	}
	if len(all) == 0 {
		return nil, errors.New("there is no certificate in the form PEM")
	}
	return all, nil
}

// keyID names a public key.
type keyID [sha256.Size]byte

func keyOf(c *x509.Certificate) keyID { return sha256.Sum256(c.RawSubjectPublicKeyInfo) }
