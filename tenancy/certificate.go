package tenancy

import (
	"crypto/x509"
	"errors"
	"fmt"
	"slices"
)

// CertificateJudge knows the authorities that sign certificates of clients, and which tenant each of them is of. It is used
// from many goroutines and does not block.
type CertificateJudge interface {
	// Judge finds out for whom the first of a client's certificates speaks; the others lead from it to an authority. With an
	// error, which tells the record why, it speaks for nobody; the tenant of its authority, if it has one, is told all the
	// same.
	Judge(certificates []*x509.Certificate) (Holder, error)
}

// Holder is for whom a certificate speaks.
type Holder struct {
	Tenant    string // whose authority has signed it; empty for an authority of all tenants
	Authority string // its name within the tenant (Authority.Name); empty for an authority of all tenants
	User      string // of that tenant; without one perhaps in the form user@tenant
}

// Authority is one that signs certificates for a tenant's clients. It is immutable.
type Authority struct {
	Name  string   // differs from those of the tenant's others
	Any   bool     // its users come in although the tenant does not declare them
	Roles []string // of those users; none for the tenant's default ones
}

// Certify leaves it to a judge for whom certificates speak. It comes before anybody is let in. Without it they speak for the
// user that Visitor.Certificate names.
func (d *Directory) Certify(judge CertificateJudge) { d.certificates = judge }

// HasCertificate tells whether a certificate was shown.
func (v *Visitor) HasCertificate() bool { return v.Certificate != "" || len(v.Certificates) > 0 }

// holder tells for whom the certificate of a visitor speaks who has one.
func (d *Directory) holder(v Visitor) (Holder, error) {
	if d.certificates == nil || len(v.Certificates) == 0 {
		return Holder{User: v.Certificate}, nil
	}
	h, err := d.certificates.Judge(v.Certificates)
	if err == nil && v.UserOf != nil {
		h.User, err = v.UserOf(v.Certificates[0])
	}
	if err != nil {
		return h, &certificateError{err}
	}
	return h, nil
}

// tenantOfCertificate is the tenant to which its certificate binds a visitor, whatever else it says; empty for none.
func (d *Directory) tenantOfCertificate(v Visitor) string {
	if len(v.Certificates) == 0 {
		return ""
	}
	h, _ := d.holder(v) // a certificate that is not good binds as well
	return h.Tenant
}

// byCertificate lets in the user of a verified certificate. identity is who the client says it is; empty leaves that to the
// certificate.
//
// A user who has a password or key does not enter by certificate, so that an authority cannot give out the name of one who
// never asked for that. A tenant that has authorities of its own takes no certificates of the authority of all.
func (d *Directory) byCertificate(v Visitor, identity string) (*Principal, error) {
	if !v.HasCertificate() {
		return nil, ErrCredentials
	}
	h, err := d.holder(v)
	if err != nil {
		return nil, err
	}
	name := h.User
	switch {
	case name == "":
		return nil, &certificateError{errors.New("it names no user")}
	case h.Tenant != "":
		name += "@" + h.Tenant
	}
	r, user, err := d.realm(v, name)
	switch {
	case err != nil:
		return nil, err
	case h.Tenant == "" && len(r.Authorities) > 0:
		return nil, &certificateError{errors.New("the tenant takes those of its own authorities only")}
	case identity != "" && identity != h.User && identity != user && identity != user+"@"+r.Name:
		return nil, &certificateError{fmt.Errorf("it is of another user, %.80q", user)}
	}
	if a, ok := r.users[user]; ok {
		if !a.Credential.IsZero() || !a.Key.IsZero() {
			return nil, &certificateError{fmt.Errorf("its user, %.80q, has a password or a key instead", user)}
		}
		return d.newPrincipal(r.Tenant, user), nil
	}
	authority, ok := r.authority(h.Authority)
	if !ok || !authority.Any || user == r.TokenUser || checkTokenUser(user) != nil {
		return nil, &certificateError{fmt.Errorf("the tenant has no such user, %.80q", user)}
	}
	p := d.newPrincipal(r.Tenant, user)
	p.roles, p.authority = append([]string{}, authority.Roles...), authority.Name // not nil: his tenant does not declare him
	return p, nil
}

// authority finds one of a tenant's by its name.
func (t *Tenant) authority(name string) (Authority, bool) {
	i := slices.IndexFunc(t.Authorities, func(a Authority) bool { return a.Name == name })
	if name == "" || i < 0 {
		return Authority{}, false
	}
	return t.Authorities[i], true
}

// takesUndeclared tells whether some authority's users come in although the tenant does not declare them.
func (t *Tenant) takesUndeclared() bool {
	return slices.ContainsFunc(t.Authorities, func(a Authority) bool { return a.Any })
}

// certificateError refuses a certificate.
type certificateError struct{ fault error }

func (e *certificateError) Error() string { return e.fault.Error() }

// Is tells that it is one of credentials.
func (e *certificateError) Is(target error) bool { return target == ErrCredentials }

// errOtherTenant refuses a client whose certificate binds it to another tenant than it wants to enter.
var errOtherTenant = &certificateError{errors.New("it is of an authority of another tenant")}

// FailedHandshake notes that a client has not got through the handshake of its connection, for the record and for Logins.
// The cause is WrongCertificate if its certificate was at fault, else FailedHandshake.
func (d *Directory) FailedHandshake(v Visitor, cause Cause, detail string) {
	d.record(v, Refusal{Tenant: d.TenantOf(hostOf(v)), Reason: cause, Detail: detail})
}

// hostOf is the host that a visitor has named in its handshake, if any.
func hostOf(v Visitor) string {
	if len(v.Hosts) == 0 {
		return ""
	}
	return v.Hosts[0]
}
