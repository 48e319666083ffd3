package router

import (
	"crypto/rand"
	"strings"

	"github.com/manifoldmq/manifold/addressing"
	"github.com/manifoldmq/manifold/tenancy"
)

// names says how the temporary addresses of the router are called. An address that is declared under their root is not in
// the way: what follows is never made twice.
type names struct {
	root string                     // that all of them begin with
	of   func(tenant string) string // what comes between that and the part that cannot be guessed
}

// usualNames are good where nobody but the clients of this process is to know them.
var usualNames = names{root: "temp/", of: func(string) string { return "" }}

// NameTemporaries has the temporary addresses that are made from now on begin with root, then with what of gives for their
// tenant, so that others than the clients of this process know where they lead. It comes before any link is made.
func (r *Router) NameTemporaries(root string, of func(tenant string) string) {
	r.temporaryNames = names{root, of}
}

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
	return r.makeTemporary(p, addressing.Broadcast, newBroadcast(r.limits.MaxWaiting, tenure{}))
}

func (r *Router) makeTemporary(
	p *tenancy.Principal, kind addressing.Kind, node Node,
) (a addressing.Address, release func()) {
	tenant := p.Tenant.Name
	a = addressing.Address(r.temporaryNames.root + r.temporaryNames.of(tenant) + strings.ToLower(rand.Text()))
	t := &temporary{def: &addressing.Definition{Name: a.Filter(), Kind: kind}, node: node}
	key := addressKey{tenant, a}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.temporaries[key] = t
	return a, func() {
		if q, ok := node.(*temporaryQueue); ok {
			q.end()
		}
		r.mu.Lock()
		defer r.mu.Unlock()
		delete(r.temporaries, key)
	}
}

// IsTemporary tells whether an address of p's tenant is one that somebody has made for himself, and has not released.
func (r *Router) IsTemporary(p *tenancy.Principal, a addressing.Address) bool {
	_, ok := r.temporary(p.Tenant.Name, a)
	return ok
}

func (r *Router) temporary(tenant string, a addressing.Address) (*temporary, bool) {
	if !strings.HasPrefix(string(a), r.temporaryNames.root) {
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
	_, service := r.service(a)
	return literal && (known || service && right == tenancy.Send)
}

// addressKey names an address of a tenant.
type addressKey struct {
	tenant  string
	address addressing.Address
}
