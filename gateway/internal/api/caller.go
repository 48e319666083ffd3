package api

import (
	"context"

	"github.com/manifoldmq/manifold/addressing"
	"github.com/manifoldmq/manifold/tenancy"
)

// Caller is who has made a request.
type Caller struct {
	Name      string             // for the record; of who runs the gateway, or a user
	Address   string             // host:port
	Principal *tenancy.Principal // nil for who runs the gateway
}

// everywhere is all addresses of a tenant.
var everywhere = mustParse("#")

func mustParse(text string) addressing.Filter {
	f, err := addressing.ParseFilter(text)
	if err != nil {
		panic(err)
	}
	return f
}

// operates tells whether c runs the gateway.
func (c *Caller) operates() bool { return c.Principal == nil }

// administers tells whether c may see and change all that a tenant has. It looks at c only, so that it takes the same time for
// a tenant that does not exist.
func (c *Caller) administers(tenant string) bool {
	return c.operates() || c.belongs(tenant) && c.Principal.May(tenancy.Admin, everywhere)
}

// belongs tells whether c is a user of a tenant.
func (c *Caller) belongs(tenant string) bool {
	return !c.operates() && c.Principal.Tenant.Name == tenant
}

// may tells whether c has a right at addresses of a tenant. Who administers it could give himself any.
func (c *Caller) may(tenant string, right tenancy.Right, f addressing.Filter) bool {
	return c.administers(tenant) || c.belongs(tenant) && c.Principal.May(right, f)
}

// callerKey is where a request's context has its caller.
type callerKey struct{}

func callerOf(ctx context.Context) *Caller {
	return ctx.Value(callerKey{}).(*Caller) // the gate has let nobody through without
}
