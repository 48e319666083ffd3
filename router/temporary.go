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

// temporary is an address that somebody made for himself: its definition, and what lives there.
type temporary struct {
	def  *addressing.Definition
	node Node
}

// Temporary makes an address in p's tenant that lasts until release is called, as for the answers to requests. It is
// a queue in memory: what is sent waits there for a consumer, up to Limits.MaxWaiting, and ends with it; its kind is
// anycast. Its name cannot be guessed, and who knows it may send to it and receive from it. Links that are still open
// at the release end as any do.
func (r *Router) Temporary(p *tenancy.Principal) (a addressing.Address, release func()) {
	return r.makeTemporary(p, addressing.Anycast, newTemporaryQueue(r.limits.MaxWaiting))
}

// TemporaryTopic is Temporary for an address whose kind is broadcast: everybody who is attached gets each message.
func (r *Router) TemporaryTopic(p *tenancy.Principal) (a addressing.Address, release func()) {
	return r.makeTemporary(p, addressing.Broadcast, newBroadcast())
}

func (r *Router) makeTemporary(
	p *tenancy.Principal, kind addressing.Kind, node Node,
) (a addressing.Address, release func()) {
	a = addressing.Address(temporaryPrefix + strings.ToLower(rand.Text()))
	t := &temporary{def: &addressing.Definition{Name: a.Filter(), Kind: kind}, node: node}
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

// may tells whether p has a right at the addresses of a filter, or knows the name of a temporary one. To ask something of
// the gateway itself takes none.
func (r *Router) may(p *tenancy.Principal, right tenancy.Right, f addressing.Filter) bool {
	if p.May(right, f) {
		return true
	}
	a, literal := f.Literal()
	_, known := r.temporary(p.Tenant.Name, a)
	_, service := r.services[a]
	return literal && (known || service && right == tenancy.Send)
}

// addressKey names an address of a tenant.
type addressKey struct {
	tenant  string
	address addressing.Address
}
