package gateway

import (
	"context"
	"reflect"

	"github.com/manifoldmq/manifold/gateway/config"
	"github.com/manifoldmq/manifold/tenancy"
)

// define makes what is declared of tenants known to who serves their addresses.
func (a *assembly) define(d *tenancy.Directory) {
	for _, name := range d.Names() {
		t, _ := d.Lookup(name)
		a.router.Define(t)
		a.store.Define(t)
	}
}

// follow takes over each new configuration until ctx ends: of the tenants that the gateway began with, their addresses
// with all settings. Everything else takes a new start.
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
	directory, err := newDirectory(is.AllTenants())
	if err != nil {
		a.log.Error("the new configuration is not taken over", "err", err)
		return
	}
	for _, name := range a.directory.Names() {
		if _, ok := directory.Lookup(name); !ok {
			a.log.Warn("a tenant goes on until the next start, although it is declared no longer", "tenant", name)
		}
	}
	for _, name := range directory.Names() {
		if _, ok := a.directory.Lookup(name); !ok {
			a.log.Warn("a new tenant is not known before the next start", "tenant", name)
		}
	}
	if !reflect.DeepEqual(withoutAddresses(was), withoutAddresses(is)) {
		a.log.Warn("only addresses are taken over; what else has changed takes a new start")
	}
	a.define(directory)
	a.log.Info("the new configuration is taken over")
}

// withoutAddresses is all of a configuration that takes a new start.
func withoutAddresses(c config.Config) config.Config {
	all := c.AllTenants()
	c.Tenants, c.Anonymous, c.Users, c.Addresses = nil, false, nil, nil
	for _, t := range all {
		t.Addresses = nil
		c.Tenants = append(c.Tenants, t)
	}
	return c
}
