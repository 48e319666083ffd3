package gateway

import (
	"iter"
	"maps"
	"slices"
	"strings"

	"github.com/manifoldmq/manifold/addressing"
	"github.com/manifoldmq/manifold/gateway/internal/management"
)

// Keys of addresses begin with a letter for their class: those that clients know, in phase 0, and those that last as long
// as a link.
const (
	mobileKey    = "M0"
	temporaryKey = "L"
)

// temporaryLevel is what temporary addresses begin with.
const temporaryLevel = "temp/"

// keyOf gives the key of an address.
func keyOf(address string) string {
	if strings.HasPrefix(address, temporaryLevel) {
		return temporaryKey + address
	}
	return mobileKey + address
}

// use is what links of now do with an address.
type use struct {
	kind        addressing.Kind
	subscribers int
	unsettled   uint64
	in, out     uint64
}

// uses gathers what links do, by what they send to or receive from.
func (m *managedTenant) uses() map[string]use {
	all := make(map[string]use)
	for l := range m.links(0) {
		u := all[l.Address]
		u.kind = l.Kind
		if l.Sends {
			u.in += l.Delivered
		} else {
			u.subscribers++
			u.out += l.Delivered
			u.unsettled += l.Unsettled
		}
		all[l.Address] = u
	}
	return all
}

// Addresses implements management.Model: what is declared, in order, and then what else is stored or in use.
func (m *managedTenant) Addresses(offset int) iter.Seq[management.Address] {
	return func(yield func(management.Address) bool) {
		uses := m.uses()
		for def := range m.tenant.Addresses.All() {
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

// Address implements management.Model.
func (m *managedTenant) Address(key string) (a management.Address, ok bool) {
	name, ok := strings.CutPrefix(key, mobileKey)
	if !ok {
		name, ok = strings.CutPrefix(key, temporaryKey)
	}
	if !ok {
		return a, false
	}
	used := m.uses()
	def, isDeclared := m.definition(name)
	_, isStored := m.store.StatisticsOf(m.name, name)
	if u, isUsed := used[name]; isDeclared || isStored || isUsed {
		if !isDeclared {
			def = m.covering(name)
		}
		return m.addressOf(name, def, u), true
	}
	return a, false
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
	key := keyOf(name)
	a := management.Address{
		Names: management.Names{Name: key, Identity: key}, Key: key, Priority: -1,
		SubscriberCount: u.subscribers, DeliveriesIngress: u.in, DeliveriesEgress: u.out, TrackedDeliveries: int(u.unsettled),
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
