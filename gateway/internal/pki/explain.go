package pki

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
)

// Explain tells in plain words why a handshake has failed, and whether the client's certificate is at fault.
func Explain(err error) (detail string, certificate bool) {
	for _, known := range []error{errExpired, errEarly, errRevoked, errNoList, errTwoTenants, errNoUser} {
		if errors.Is(err, known) {
			return known.Error(), true
		}
	}
	if _, ok := errors.AsType[x509.UnknownAuthorityError](err); ok {
		return "its authority is not known", true
	}
	if e, ok := errors.AsType[x509.CertificateInvalidError](err); ok {
		if e.Reason == x509.Expired {
			return errExpired.Error(), true
		}
		return e.Error(), true
	}
	if e, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		return e.Error(), true
	}
	return err.Error(), false
}
