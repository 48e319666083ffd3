package tenancy

import (
	"strings"

	"github.com/manifoldmq/manifold/addressing"
)

// Right is something that a principal may do at an address.
type Right uint8

// The rights that a link needs when it is created.
const (
	Send Right = iota + 1
	Receive
)

// Principal is somebody who has been let in: one tenant's user, or its anonymous user. It is immutable and lives as
// long as the connection or request that it was made for.
type Principal struct {
	Tenant *Tenant
	User   string // empty for the anonymous user
}

// May tells whether p has right at every address that f selects. Within its tenant an anonymous user of a tenant that
// allows one may send and receive everywhere.
func (p *Principal) May(right Right, f addressing.Filter) bool {
	return p.Tenant.Anonymous && (right == Send || right == Receive)
}

// Credentials are what a client showed of itself at a door.
type Credentials struct {
	Tenant   string // named by the protocol's own field or the listener; empty when neither did
	User     string // as sent, perhaps in the form user@tenant
	Password []byte // valid during the call only
}

// Authenticate finds out whose credentials these are. Where the protocol's field and the user name both name a tenant
// they must agree; where neither does it is DefaultTenant. Whoever names a user or shows a password where only the
// anonymous user exists is let in as that one: unmodified clients often carry a user name that nobody checks.
func (d *Directory) Authenticate(c Credentials) (*Principal, error) {
	name := c.Tenant
	if at := strings.LastIndexByte(c.User, '@'); at >= 0 {
		named := c.User[at+1:]
		if name != "" && name != named {
			return nil, ErrCredentials
		}
		name = named
	}
	if name == "" {
		name = DefaultTenant
	}
	t, ok := d.Lookup(name)
	if !ok {
		return nil, ErrNoSuchTenant
	}
	if !t.Anonymous {
		return nil, ErrCredentials
	}
	return &Principal{Tenant: t}, nil // the user name was not verified, so it is not taken over
}
