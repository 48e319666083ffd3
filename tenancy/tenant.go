package tenancy

import (
	"errors"
	"fmt"
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
	Anonymous bool // whether a client that shows no credentials is let in
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

// Errors of Directory.Authenticate. They do not say which tenants exist: a door answers both as Unauthenticated.
var (
	ErrNoSuchTenant = errors.New("no such tenant")
	ErrCredentials  = errors.New("credentials are required or wrong")
)

// Directory holds the tenants of this process. It is immutable.
type Directory struct {
	tenants map[string]*Tenant
}

// NewDirectory gives a directory of tenants, whose names must differ.
func NewDirectory(tenants ...*Tenant) (*Directory, error) {
	d := &Directory{tenants: make(map[string]*Tenant, len(tenants))}
	for _, t := range tenants {
		if _, err := ParseName(t.Name); err != nil {
			return nil, err
		}
		if d.tenants[t.Name] != nil {
			return nil, fmt.Errorf("tenant %q is declared twice", t.Name)
		}
		d.tenants[t.Name] = t
	}
	return d, nil
}

// Lookup finds a tenant by name.
func (d *Directory) Lookup(name string) (*Tenant, bool) {
	t, ok := d.tenants[name]
	return t, ok
}

// Names lists the tenants in alphabetical order.
func (d *Directory) Names() []string {
	names := make([]string, 0, len(d.tenants))
	for n := range d.tenants {
		names = append(names, n)
	}
	slices.Sort(names)
	return names
}
