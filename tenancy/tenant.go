package tenancy

import (
	"fmt"
	"maps"
	"slices"

	"github.com/manifoldmq/manifold/addressing"
)

// DefaultTenant is the name of the tenant that a client belongs to when nothing else names one.
const DefaultTenant = "default"

// MaxNameLength is the greatest length of a tenant's name: that of one DNS label, because TLS SNI, an AMQP hostname
// and a CoAP Uri-Host carry it.
const MaxNameLength = 63

// Tenant is one address space and the rules for those who use it. It is immutable; a change makes a new Tenant.
type Tenant struct {
	Name      string
	Addresses *addressing.Space
	Disabled  bool   // nobody is let in, as if there were no such tenant
	Anonymous bool   // whether a client that shows no credentials is let in
	Users     []User // whose names differ

	// Roles are what its users may have. Without any, everybody who is let in may send, receive and browse everywhere.
	Roles        []Role
	DefaultRoles []string // of users that have none, and of the anonymous one

	Issuers   []string // whose tokens are taken (Identity.Issuer)
	TokenUser string   // the name under which a client may show a token as its password; empty for no name

	Plan Plan // what it may use

	Authorities   []Authority // that sign certificates of its clients; with none it takes those of the authority of all
	Authenticator string      // who judges passwords of users that it does not declare (PasswordJudge); empty for nobody
}

// ParseName checks a tenant's name: 1 to 63 lower-case letters, digits and hyphens, beginning and ending with a letter
// or digit, so that it can be a DNS label, a path segment, a file name and a metric label unescaped.
func ParseName(s string) (string, error) {
	if s == "" || len(s) > MaxNameLength {
		return "", fmt.Errorf("tenant name %q: 1 to %d characters", s, MaxNameLength)
	}
	for i, c := range []byte(s) {
		letter := 'a' <= c && c <= 'z' || '0' <= c && c <= '9'
		hyphen := c == '-' && i > 0 && i < len(s)-1
		if !letter && !hyphen {
			return "", fmt.Errorf("tenant name %q: only a-z, 0-9 and inner hyphens", s)
		}
	}
	return s, nil
}

// Lookup finds a tenant by name.
func (d *Directory) Lookup(name string) (*Tenant, bool) {
	r, ok := d.roll.Load().realms[name]
	if !ok {
		return nil, false
	}
	return r.Tenant, true
}

// Names lists the tenants in alphabetical order.
func (d *Directory) Names() []string {
	return slices.Sorted(maps.Keys(d.roll.Load().realms))
}
