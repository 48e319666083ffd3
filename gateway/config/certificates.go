package config

import (
	"fmt"
	"slices"

	"github.com/manifoldmq/manifold/gateway/internal/pki"
	"github.com/manifoldmq/manifold/tenancy"
)

// Certificates declares that an authority signs certificates of a tenant's clients, and how these name their users.
type Certificates struct {
	CA             string   `yaml:"ca"`             // its certificates in the form PEM: a file, or the text itself
	User           string   `yaml:"user"`           // what names the user: see pki.Field; none is subject
	Pattern        string   `yaml:"pattern"`        // what that looks like, with {user} for the user's part; none is all of it
	AnyUser        bool     `yaml:"anyUser"`        // whether users come in that the tenant does not declare
	Roles          []string `yaml:"roles"`          // of those; none for the default ones
	CRL            string   `yaml:"crl"`            // file: revocation lists; none checks none
	AcceptStaleCRL bool     `yaml:"acceptStaleCRL"` // whether certificates are good while there is no list that is current
}

// Authority gives the declaration in the words of package tenancy.
func (c *Certificates) Authority() tenancy.Authority {
	return tenancy.Authority{Name: c.CA, Any: c.AnyUser, Roles: c.Roles}
}

// Authorities gives all whose certificates clients of these tenants may show, in the words of package pki.
func (c *Config) Authorities(tenants []Tenant) (all []pki.Authority) {
	if t := &c.TLS; t.ClientCA != "" {
		all = append(all, pki.Authority{
			Setting: "tls.clientCA", CA: t.ClientCA, CRL: t.ClientCRL, LaxCRL: t.AcceptStaleCRL, Naming: pki.Naming{Field: pki.Subject},
		})
	}
	for i := range tenants {
		t := &tenants[i]
		for j, d := range t.Certificates {
			all = append(all, pki.Authority{
				Setting: fmt.Sprintf("tenants[%s].certificates[%d]", t.Name, j), Tenant: t.Name, CA: d.CA,
				Naming: pki.Naming{Field: pki.Field(orElse(d.User, string(pki.Subject))), Pattern: d.Pattern},
				CRL:    d.CRL, LaxCRL: d.AcceptStaleCRL,
			})
		}
	}
	return all
}

// validateCertificates looks at the authorities of a tenant.
func validateCertificates(k *check, path string, t *Tenant) {
	first := make(map[string]int, len(t.Certificates))
	for i, d := range t.Certificates {
		at := fmt.Sprintf("%scertificates[%d]", path, i)
		k.refuse(d.CA == "", at+".ca", "is missing")
		j, twice := first[d.CA]
		k.refuse(twice, at+".ca", "is declared in certificates[%d] already", j)
		first[d.CA] = i
		k.refuse(d.User != "" && !pki.Field(d.User).Valid(), at+".user", "%.40q is not one of %v", d.User, pki.Fields)
		if err := pki.CheckPattern(d.Pattern); err != nil {
			k.refuse(true, at+".pattern", "%v", err)
		}
		k.refuse(len(d.Roles) > 0 && !d.AnyUser, at+".roles", "are of users that are not declared: needs anyUser: true")
		for _, name := range d.Roles {
			known := slices.ContainsFunc(t.Roles, func(r Role) bool { return r.Name == name })
			k.refuse(!known, at+".roles", "no role %q is declared", name)
		}
		k.refuse(d.AcceptStaleCRL && d.CRL == "", at+".acceptStaleCRL", "needs crl")
	}
}
