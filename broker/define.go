package broker

import (
	"github.com/manifoldmq/manifold/addressing"
	"github.com/manifoldmq/manifold/router"
	"github.com/manifoldmq/manifold/tenancy"
)

// Define has the queues and subscriptions of tenants take over the settings of their addresses, at once and from now on:
// at the start, so that what has expired meanwhile leaves before anybody comes, and whenever they change. One whose
// address is declared no longer keeps the settings that it has. Whoever comes with definitions of before gets what holds
// now.
func (b *Broker) Define(tenants ...*tenancy.Tenant) {
	b.mu.Lock()
	defer b.mu.Unlock()
	changed := make(map[string]*tenancy.Tenant, len(tenants))
	for _, t := range tenants {
		b.defined[t.Name], changed[t.Name] = t, t
	}
	for name, n := range b.queues {
		t := changed[name.Tenant]
		if t == nil {
			continue
		}
		if def, ok := definitionOf(n, t.Addresses); ok {
			b.configure(n, t, def.Queue)
		}
	}
}

// definitionOf finds what is declared for a queue or a subscription. A subscription to several definitions takes the last,
// as it does when a receiver comes.
func definitionOf(n *queueNode, space *addressing.Space) (found *addressing.Definition, ok bool) {
	if !n.isSubscription() {
		found, ok = space.Lookup(addressing.Address(n.name.Name))
		return found, ok && found.Kind == addressing.Queue
	}
	for def := range space.Overlapping(n.source.Filter) {
		if def.Kind == addressing.Topic {
			found, ok = def, true
		}
	}
	return found, ok
}

// current gives the tenant and the definition that hold for a source now, if the tenant has been defined.
func (b *Broker) current(
	t *tenancy.Tenant, def *addressing.Definition, source router.Source,
) (*tenancy.Tenant, *addressing.Definition) {
	b.mu.Lock()
	defined, ok := b.defined[t.Name]
	b.mu.Unlock()
	if !ok {
		return t, def
	}
	if a, literal := source.Filter.Literal(); literal {
		if now, ok := defined.Addresses.Lookup(a); ok && now.Kind == def.Kind {
			def = now
		}
	}
	return defined, def
}
