package gateway

import (
	"cmp"
	"context"
	"errors"
	"iter"
	"slices"
	"strconv"

	"github.com/manifoldmq/manifold/addressing"
	"github.com/manifoldmq/manifold/gateway/config"
	"github.com/manifoldmq/manifold/gateway/internal/audit"
	"github.com/manifoldmq/manifold/gateway/internal/declared"
	"github.com/manifoldmq/manifold/gateway/internal/management"
	"github.com/manifoldmq/manifold/router"
)

// Declarations implements management.Model.
func (m *managedTenant) Declarations(offset int) iter.Seq[management.Declaration] {
	return func(yield func(management.Declaration) bool) {
		for _, a := range m.inOrder() {
			if m.isDefault(a) {
				continue
			}
			if offset--; offset < 0 && !yield(declarationOf(a)) {
				return
			}
		}
	}
}

// inOrder gives what is declared of addresses: those of the file as it has them, and then the others by their names.
func (m *managedTenant) inOrder() (all []*config.Address) {
	t, ok := m.book.Lookup(m.name)
	if !ok {
		return nil
	}
	first := make(map[int]bool)
	for _, name := range m.book.Written(m.name) {
		if i, ok := t.Items(addressList).Find(name); ok {
			first[i], all = true, append(all, &t.Addresses[i])
		}
	}
	for i := range t.Addresses {
		if !first[i] {
			all = append(all, &t.Addresses[i])
		}
	}
	return all
}

// isDefault tells whether a declaration is what Dispatch calls the default distribution, and not an address.
func (m *managedTenant) isDefault(a *config.Address) bool {
	return m.isDispatch() && a.Name.String() == anyAddress
}

// anyAddress is the filter of what nothing else is declared for.
const anyAddress = "tokens:#"

// defaultDistribution is that of addresses for which nothing else is declared.
func (m *managedTenant) defaultDistribution() string {
	if d, ok := m.Declaration(anyAddress); ok {
		return d.Distribution
	}
	return management.Unavailable
}

// Declaration implements management.Model.
func (m *managedTenant) Declaration(id string) (d management.Declaration, ok bool) {
	t, ok := m.book.Lookup(m.name)
	if !ok {
		return d, false
	}
	if i, ok := t.Items(addressList).Find(id); ok {
		return declarationOf(&t.Addresses[i]), true
	}
	i := slices.IndexFunc(t.Addresses, func(a config.Address) bool { return a.Label != "" && a.Label == id })
	if i < 0 {
		return d, false
	}
	return declarationOf(&t.Addresses[i]), true
}

// definition finds a definition by its name.
func (m *managedTenant) definition(filter string) (*addressing.Definition, bool) {
	t, ok := m.book.Lookup(m.name)
	if !ok {
		return nil, false
	}
	i, ok := t.Items(addressList).Find(filter)
	if !ok {
		return nil, false
	}
	return new(t.Addresses[i].Definition()), true
}

// declarationOf gives what is declared of an address in the words of package management.
func declarationOf(a *config.Address) management.Declaration {
	d := management.NewDeclaration(a.Name, a.Kind, a.Distribution)
	d.Name, d.EgressPhase = cmp.Or(a.Label, d.Name), a.EgressPhase
	d.EnableFallback, d.Priority = a.Fallback, a.Priority.Number()
	if a.Unavailable {
		d.Distribution = management.Unavailable
	}
	d.Write(a.Written)
	d.MaxMessageSize, d.MaxMessages, d.MaxBytes = int(a.MaxMessageSize), int(a.MaxMessages), int(a.MaxBytes)
	d.MaxDeliveries, d.DeadLetter = a.MaxDeliveries, a.DeadLetter
	return d
}

// addressList is the list of a tenant in which its addresses are declared.
const addressList = "addresses"

// Declare implements management.Model.
func (m *managedTenant) Declare(_ context.Context, d management.Declaration) error {
	if _, taken := m.Declaration(d.Name); taken {
		return router.Errorf(router.Conflict, "it is declared already")
	}
	return m.put(d, config.Address{}, declared.Terms{Match: declared.None, Within: true})
}

// Redeclare implements management.Model: settings that a declaration does not have stay as they are.
func (m *managedTenant) Redeclare(_ context.Context, d management.Declaration) error {
	t, ok := m.book.Lookup(m.name)
	if !ok {
		return refused(declared.ErrNotFound)
	}
	i, ok := t.Items(addressList).Find(d.Filter())
	if !ok {
		return refused(declared.ErrNotFound)
	}
	was := declared.Tag(t.Items(addressList).At(i))
	return m.put(d, t.Addresses[i], declared.Terms{Match: was, Within: true})
}

// put declares an address as it was, but for what a declaration says.
func (m *managedTenant) put(d management.Declaration, a config.Address, terms declared.Terms) error {
	kind, distribution, err := d.Form()
	if err != nil {
		return err
	}
	if err := a.Name.UnmarshalText([]byte(d.Filter())); err != nil {
		return router.Errorf(router.Malformed, "%v", err)
	}
	a.Kind, a.Distribution, a.Unavailable, a.EgressPhase = kind, distribution, d.Distribution == management.Unavailable, d.EgressPhase
	a.Fallback = d.EnableFallback
	if a.Priority, err = addressing.ParsePriority(strconv.Itoa(d.Priority)); err != nil {
		return router.Errorf(router.Malformed, "%v", err)
	}
	a.Written = d.Written()
	if a.Label = d.Name; a.Label == d.Filter() {
		a.Label = ""
	}
	a.MaxMessageSize, a.MaxMessages, a.MaxBytes = config.Size(d.MaxMessageSize), int64(d.MaxMessages), config.Size(d.MaxBytes)
	a.MaxDeliveries, a.DeadLetter = d.MaxDeliveries, d.DeadLetter
	changes, err := m.book.PutItem(m.name, addressList, d.Filter(), &a, config.Draft{}, terms)
	return m.changed(changes, err)
}

// Withdraw implements management.Model. Where the gateway stands in for a router of Dispatch, also what the file declares can be
// taken away, until the next start or reload, as there.
func (m *managedTenant) Withdraw(_ context.Context, filter string) error {
	changes, err := m.book.DeleteItem(m.name, addressList, filter, declared.Terms{Match: "*", Within: true, File: m.isDispatch()})
	return m.changed(changes, err)
}

// changed records what has been declared, or tells why nothing has.
func (m *managedTenant) changed(changes []declared.Difference, err error) error {
	if err == nil {
		m.recordChanges(m.who(), changes)
		return nil
	}
	err = refused(err)
	if router.ReasonOf(err) == router.Internal {
		m.log.Error("what a client declares cannot be kept", "tenant", m.name, "err", err)
	}
	return err
}

// who is an event that tells who asks.
func (m *managedTenant) who() audit.Event {
	e := audit.Event{User: m.asker.User, Client: m.asker.Client}
	if v, ok := m.directory.Visit(m.name, m.asker.Visit()); ok {
		e.Protocol, e.Address = v.Protocol(), v.Address().String()
	}
	return e
}

// refused gives an error of a change with its reason.
func refused(err error) error {
	invalid, isInvalid := errors.AsType[*declared.Invalid](err)
	switch {
	case isInvalid:
		return router.Errorf(router.Malformed, "%s", invalid.Problems.Paths())
	case errors.Is(err, declared.ErrNotFound):
		return router.Errorf(router.NotFound, "%v", err)
	case errors.Is(err, declared.ErrStale):
		return router.Errorf(router.Conflict, "it is declared already, or has just been changed")
	case errors.Is(err, declared.ErrFile):
		return router.Errorf(router.Denied, "%v", err)
	}
	return err
}
