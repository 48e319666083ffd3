package gateway

import (
	"context"
	"reflect"

	"github.com/manifoldmq/manifold/gateway/config"
	"github.com/manifoldmq/manifold/gateway/internal/audit"
)

// define makes what is declared of tenants known to who serves their addresses.
func (a *assembly) define() {
	for _, name := range a.directory.Names() {
		t, _ := a.directory.Lookup(name)
		a.router.Define(t)
		a.store.Define(t)
	}
}

// follow takes over each new configuration until ctx ends, as far as it is about tenants. Everything else takes a new
// start.
func (a *assembly) follow(ctx context.Context, changes <-chan config.Config) {
	was := *a.config
	for {
		select {
		case <-ctx.Done():
			return
		case c := <-changes:
			a.reload(was, c)
		}
	}
}

// reload takes over a new configuration, or says why not.
func (a *assembly) reload(was, is config.Config) {
	changes, err := a.declare(&is)
	a.recordReload(changes, err)
	if err != nil {
		a.log.Error("the new configuration is not taken over", "err", err)
		return
	}
	if !reflect.DeepEqual(withoutTenants(was), withoutTenants(is)) {
		a.log.Warn("only tenants are taken over; what else has changed takes a new start")
	}
	a.log.Info("the new configuration is taken over")
}

// declare declares all tenants anew, and tells what that has changed for the record. With an error nothing has changed.
func (a *assembly) declare(c *config.Config) (changes []audit.Event, err error) {
	tenants, err := tenantsOf(c.AllTenants())
	if err != nil {
		return nil, err
	}
	hooks, err := webhooksOf(c)
	if err != nil {
		return nil, err
	}
	changes = a.changes(tenants, hooks)
	if err := a.directory.Replace(tenants...); err != nil {
		return nil, err
	}
	a.judge.Define(trustsOf(c.AllTenants()))
	a.define()
	a.webhooks.Define(hooks)
	return changes, nil
}

// withoutTenants is all of a configuration that takes a new start.
func withoutTenants(c config.Config) config.Config {
	c.Tenants, c.Anonymous, c.Users, c.Roles, c.DefaultRoles, c.Addresses, c.Webhooks = nil, false, nil, nil, nil, nil, nil
	return c
}
