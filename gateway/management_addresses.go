package gateway

import (
	"fmt"
	"iter"
	"maps"
	"slices"
	"strings"

	"github.com/manifoldmq/manifold/addressing"
	"github.com/manifoldmq/manifold/gateway/internal/management"
)

// Keys of addresses begin with a letter for their class: those that clients know, followed by their phase, and those of
// this router only.
const (
	mobileKey = "M0"
	localKey  = "L"
)

// temporaryLevel is what temporary addresses begin with, outside of a network.
const temporaryLevel = "temp/"

// keyOf gives the key of an address.
func (m *managedTenant) keyOf(address string) string {
	for _, own := range []string{"_topo/0/" + m.routerID() + "/", "_edge/" + m.routerID() + "/", "_local/"} {
		if rest, ok := strings.CutPrefix(address, own); ok {
			return localKey + rest
		}
	}
	if strings.HasPrefix(address, temporaryLevel) {
		return localKey + address
	}
	return mobileKey + address
}

// use is what links of now do with an address.
type use struct {
	kind        addressing.Kind
	subscribers int
	unsettled   uint64
	in, out     uint64
	redirected  uint64   // of what came in, to the fallback
	routers     []string // others, that have consumers
}

// uses gathers what links do, by what they send to or receive from, and who has consumers elsewhere.
func (m *managedTenant) uses() map[string]use {
	all, passed := make(map[string]use), make(map[string]uint64)
	for l := range m.links() {
		if l.Sends && l.Way {
			passed[l.Address] += l.Delivered
			continue
		}
		u := all[l.Address]
		u.kind = l.Kind
		u.redirected += l.Redirected
		switch {
		case l.Sends:
			u.in += l.Delivered
		case !l.Way: // its consumers are among those of the routers that have them
			u.subscribers++
			u.out += l.Delivered
			u.unsettled += l.Unsettled
		}
		all[l.Address] = u
	}
	for _, remote := range m.network.RemoteAddresses() {
		if remote.Tenant == m.name {
			u := all[remote.Name]
			u.routers = slices.Compact(slices.Sorted(slices.Values(append(u.routers, remote.Routers...))))
			all[remote.Name] = u
		}
	}
	for address, n := range passed { // which nobody may use any more
		if u, ok := all[address]; ok {
			u.in += n
			all[address] = u
		}
	}
	return all
}

// Addresses implements management.Model: those of link routes, what is declared, in order, and then what else is stored or
// in use.
func (m *managedTenant) Addresses(offset int) iter.Seq[management.Address] {
	return func(yield func(management.Address) bool) {
		for _, a := range m.linkAddresses() {
			if offset--; offset < 0 && !yield(a) {
				return
			}
		}
		uses := m.uses()
		for def := range m.tenant.Addresses.All() {
			if def.Name.IsTokens() { // a router has no row for what may be
				continue
			}
			if offset--; offset >= 0 {
				continue
			}
			if name := def.Name.String(); !yield(m.addressOf(name, def, uses[name])) {
				return
			}
		}
		for _, name := range m.undeclared(uses) {
			if offset--; offset >= 0 {
				continue
			}
			if !yield(m.addressOf(name, m.covering(name), uses[name])) {
				return
			}
		}
	}
}

// linkAddresses are those whose links lead to somebody else.
func (m *managedTenant) linkAddresses() (all []management.Address) {
	for _, l := range m.network.LinkAddresses() {
		if l.Tenant == m.name {
			all = append(all, management.Address{
				Names: management.Names{Name: l.Key, Identity: l.Key}, Key: l.Key, Priority: -1,
				Distribution: "linkBalanced", ContainerCount: l.Containers, RemoteCount: l.Routers,
			})
		}
	}
	return all
}

// Address implements management.Model.
func (m *managedTenant) Address(key string) (a management.Address, ok bool) {
	for _, a := range m.linkAddresses() {
		if a.Key == key {
			return a, true
		}
	}
	for a := range m.candidates(key) {
		if a.Key == key {
			return a, true
		}
	}
	return a, false
}

// candidates are addresses that may have a key.
func (m *managedTenant) candidates(key string) iter.Seq[management.Address] {
	return func(yield func(management.Address) bool) {
		used := m.uses()
		for _, form := range []string{"%s", "_topo/0/" + m.routerID() + "/%s", "_edge/" + m.routerID() + "/%s", "_local/%s"} {
			name := fmt.Sprintf(form, strings.TrimPrefix(strings.TrimPrefix(key, mobileKey), localKey))
			def, isDeclared := m.definition(name)
			_, isStored := m.store.StatisticsOf(m.name, name)
			u, isUsed := used[name]
			if !isDeclared && !isStored && !isUsed {
				continue
			}
			if !isDeclared {
				def = m.covering(name)
			}
			if !yield(m.addressOf(name, def, u)) {
				return
			}
		}
	}
}

// undeclared names what is stored or in use, and is not a name that is declared.
func (m *managedTenant) undeclared(uses map[string]use) (names []string) {
	names = append(m.store.Stored(m.name), slices.Collect(maps.Keys(uses))...)
	slices.Sort(names)
	return slices.DeleteFunc(slices.Compact(names), func(name string) bool {
		_, declared := m.definition(name)
		return declared
	})
}

// covering finds the definition that an address falls under; nil for none.
func (m *managedTenant) covering(name string) *addressing.Definition {
	topic, _, _ := strings.Cut(name, "::")
	f, err := addressing.ParseFilter(topic)
	if err != nil {
		return nil
	}
	for def := range m.tenant.Addresses.Overlapping(f) {
		return def
	}
	return nil
}

// addressOf describes an address.
func (m *managedTenant) addressOf(name string, def *addressing.Definition, u use) management.Address {
	key := m.keyOf(name)
	a := management.Address{
		Names: management.Names{Name: key, Identity: key}, Key: key, Priority: -1,
		SubscriberCount: u.subscribers, DeliveriesIngress: u.in, DeliveriesEgress: u.out, TrackedDeliveries: int(u.unsettled),
		RemoteCount: len(u.routers), RemoteHostRouters: u.routers, DeliveriesRedirectedToFallback: u.redirected,
	}
	if def != nil {
		a.Priority = def.Priority.Number()
	}
	kind, distribution := u.kind, addressing.Balanced
	if def != nil {
		kind, distribution = def.Kind, def.Distribution
	}
	s, isStored := m.store.StatisticsOf(m.name, name)
	if isStored && kind == addressing.AnyKind { // it was declared once
		kind = addressing.Queue
	}
	a.Kind, a.Distribution = kind.String(), management.DistributionOf(kind, distribution)
	if isStored {
		a.Messages, a.Bytes, a.SubscriberCount, a.TrackedDeliveries = s.Messages, s.Bytes, s.Consumers, s.Unacknowledged
		a.DeliveriesIngress, a.DeliveriesEgress = s.In, s.Out
	}
	return a
}
