package router

import (
	"crypto/rand"
	"strings"

	"github.com/manifoldmq/manifold/addressing"
	"github.com/manifoldmq/manifold/tenancy"
)

// temporaryPrefix is the first level of temporary addresses. An address that is declared under it is not in the way:
// what follows is never made twice.
const temporaryPrefix = "temp/"

// temporary is an address that somebody made for himself: its definition and what lives there.
type temporary struct {
	def  *addressing.Definition
	node *anycast
}

// Temporary makes an address in p's tenant that lasts until release is called, as for the answers to requests. It is
// anycast: nothing is stored. Its name cannot be guessed, and who knows it may send to it and receive from it. Links
// that are still open at the release end as any do; messages that wait then go back to their senders.
func (r *Router) Temporary(p *tenancy.Principal) (a addressing.Address, release func()) {
	a = addressing.Address(temporaryPrefix + strings.ToLower(rand.Text()))
	t := &temporary{
		def:  &addressing.Definition{Name: a.Filter(), Kind: addressing.Anycast},
		node: newAnycast(addressing.Balanced, r.limits.MaxWaiting),
	}
	key := addressKey{p.Tenant.Name, a}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.temporaries[key] = t
	return a, func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		delete(r.temporaries, key)
	}
}

func (r *Router) temporary(tenant string, a addressing.Address) (*temporary, bool) {
	if !strings.HasPrefix(string(a), temporaryPrefix) {
		return nil, false
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	t, ok := r.temporaries[addressKey{tenant, a}]
	return t, ok
}

// addressKey names an address of a tenant.
type addressKey struct {
	tenant  string
	address addressing.Address
}
