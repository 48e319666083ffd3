package pki

import (
	"bytes"
	"crypto/x509"
	"encoding/asn1"
	"encoding/pem"
	"errors"
	"fmt"
	"sync"
	"time"
)

// list is a revocation list (RFC 5280 section 5).
type list struct {
	*x509.RevocationList
	serials map[string]bool // as bytes
	signers sync.Map        // keyID -> bool: whether it is signed with that key
}

// parseLists reads revocation lists: several in the form PEM, or one in the form DER.
func parseLists(text []byte) (all []*list, err error) {
	rest := text
	for {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			break
		}
		if block.Type != "X509 CRL" {
			continue
		}
		l, err := parseList(block.Bytes)
		if err != nil {
			return nil, err
		}
		all = append(all, l)
	}
	if len(all) > 0 {
		return all, nil
	}
	l, err := parseList(text)
	if err != nil {
		return nil, fmt.Errorf("there is no revocation list in the form PEM, nor is it one in the form DER: %w", err)
	}
	return []*list{l}, nil
}

func parseList(der []byte) (*list, error) {
	parsed, err := x509.ParseRevocationList(der)
	if err != nil {
		return nil, err
	}
	for _, e := range parsed.Extensions {
		if e.Critical { // such as that of a list which has some revocations only (section 5.2.4)
			return nil, fmt.Errorf("a revocation list of %q has an extension %v that must be understood, and is not", parsed.Issuer, e.Id)
		}
	}
	l := &list{RevocationList: parsed, serials: make(map[string]bool, len(parsed.RevokedCertificateEntries))}
	for _, e := range parsed.RevokedCertificateEntries {
		for _, x := range e.Extensions {
			if x.Critical && !x.Id.Equal(reasonCode) {
				return nil, fmt.Errorf("an entry of a revocation list of %q has an extension %v that must be understood, and is not",
					parsed.Issuer, x.Id)
			}
		}
		l.serials[string(e.SerialNumber.Bytes())] = true
	}
	return l, nil
}

// reasonCode is the extension that says why a certificate is revoked (section 5.3.1).
var reasonCode = asn1.ObjectIdentifier{2, 5, 29, 21}

// isOf tells whether an authority has signed the list.
func (l *list) isOf(issuer *x509.Certificate) bool {
	if !bytes.Equal(l.RawIssuer, issuer.RawSubject) {
		return false
	}
	key := keyOf(issuer)
	if known, ok := l.signers.Load(key); ok {
		return known.(bool)
	}
	signed := l.CheckSignatureFrom(issuer) == nil
	l.signers.Store(key, signed)
	return signed
}

// isStale tells whether a newer list should be there.
func (l *list) isStale(now time.Time) bool {
	return now.Before(l.ThisUpdate) || !l.NextUpdate.IsZero() && now.After(l.NextUpdate)
}

var (
	errRevoked = errors.New("it is revoked")
	errNoList  = errors.New("whether it is revoked is not known: there is no current revocation list of its issuer")
)

// checkRevoked looks up each certificate of a chain, but for the authority itself at its end, in a list of its issuer.
func (a *anchor) checkRevoked(now time.Time, chain []*x509.Certificate) error {
	if a.CRL == "" {
		return nil
	}
	for i, c := range chain[:len(chain)-1] {
		found := false
		for _, l := range a.lists {
			if !l.isOf(chain[i+1]) {
				continue
			}
			if l.serials[string(c.SerialNumber.Bytes())] {
				return errRevoked // also by a list that is stale
			}
			found = found || !l.isStale(now)
		}
		if !found && !a.LaxCRL {
			return errNoList
		}
	}
	return nil
}
