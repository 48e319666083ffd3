package tenancy

import "github.com/manifoldmq/manifold/addressing"

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

// May tells whether p has right at every address that f selects. Within its tenant a user may send and receive
// everywhere, and so may the anonymous user of a tenant that allows one.
func (p *Principal) May(right Right, f addressing.Filter) bool {
	return (p.User != "" || p.Tenant.Anonymous) && (right == Send || right == Receive)
}
