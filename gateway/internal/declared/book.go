package declared

import (
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/manifoldmq/manifold/gateway/config"
)

// Options say where a book is kept. All must be set.
type Options struct {
	FS  vfs.FS
	Dir string // the folder of what the API declares; made when it is needed
	// Adopt makes what is declared ready to be in force. The book calls commit when it is on disk. An error, which may be
	// config.Problems, refuses the change.
	Adopt func(News) (commit func(), err error)
}

// News is what a change comes to.
type News struct {
	All     []config.Tenant  // in the order of their names
	Changed []*config.Tenant // those that are new or not what they were
	Gone    []string
	Frame   *config.Config // what holds for all of them
}

// Book is what is declared. Its methods may be called from any goroutine.
type Book struct {
	adopt   func(News) (func(), error)
	edition atomic.Pointer[edition]
	written atomic.Pointer[map[string][]string] // the names of addresses, by tenant, as the file has them

	mu     sync.Mutex // guards everything below, and that there is one change at a time
	folder folder
	frame  config.Config // all but tenants, with all plans

	filePlans, apiPlans []config.Plan
}

// edition is the book at one time.
type edition struct {
	tenants map[string]*Tenant
	names   []string // in order
}

// Open reads what the API has declared, and puts it together with a configuration. Nothing is adopted by that.
func Open(o Options, c config.Config) (*Book, error) {
	b := &Book{adopt: o.Adopt, folder: folder{fs: o.FS, dir: o.Dir}}
	api, err := b.folder.load()
	if err != nil {
		return nil, fmt.Errorf("tenants of the API: %w", err)
	}
	b.frame, b.filePlans = c.WithoutTenants(), c.Plans
	if b.apiPlans, err = b.folder.loadPlans(); err != nil {
		return nil, fmt.Errorf("plans of the API: %w", err)
	}
	b.frame.Plans = mergedPlans(b.filePlans, b.apiPlans)
	if problems := b.frame.ValidatePlans(); len(problems) > 0 {
		return nil, fmt.Errorf("plans of the configuration and the API: %s", problems.Paths())
	}
	e := &edition{tenants: make(map[string]*Tenant)}
	for _, t := range c.AllTenants() {
		e.tenants[t.Name] = newTenant(ordered(&t), api[t.Name])
	}
	for name, t := range api {
		if e.tenants[name] == nil {
			e.tenants[name] = newTenant(nil, t)
		}
	}
	for name, t := range e.tenants {
		if problems := b.frame.ValidateTenant(t.Tenant); t.api != nil && len(problems) > 0 {
			return nil, fmt.Errorf("tenant %q, as %s and the configuration declare it: %s", name, b.folder.path(name), problems.Paths())
		}
	}
	b.publish(e)
	b.keepOrder(c)
	return b, nil
}

func (b *Book) publish(e *edition) {
	e.sort()
	b.edition.Store(e)
}

func (e *edition) sort() { e.names = slices.Sorted(maps.Keys(e.tenants)) }

// all gives all tenants in the order of their names.
func (e *edition) all() []config.Tenant {
	all := make([]config.Tenant, len(e.names))
	for i, name := range e.names {
		all[i] = *e.tenants[name].Tenant
	}
	return all
}

// Lookup finds a tenant.
func (b *Book) Lookup(name string) (*Tenant, bool) {
	t, ok := b.edition.Load().tenants[name]
	return t, ok
}

// keepOrder keeps in which order a configuration has addresses.
func (b *Book) keepOrder(c config.Config) {
	written := make(map[string][]string)
	for _, t := range c.AllTenants() {
		for i := range t.Addresses {
			written[t.Name] = append(written[t.Name], t.Addresses[i].Name.String())
		}
	}
	b.written.Store(&written)
}

// Written gives the names of the addresses that the configuration file has for a tenant, in its order. They are not to be changed.
func (b *Book) Written(tenant string) []string { return (*b.written.Load())[tenant] }

// Names gives the names of all tenants in order. They are not to be changed.
func (b *Book) Names() []string { return b.edition.Load().names }

// Tenants gives all tenants in the order of their names.
func (b *Book) Tenants() []config.Tenant { return b.edition.Load().all() }

// Reload takes over a new configuration, as far as it is about tenants, and tells what that changes. With an error nothing
// has changed.
func (b *Book) Reload(c config.Config) ([]Difference, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	frame := c.WithoutTenants()
	frame.Plans = mergedPlans(c.Plans, b.apiPlans)
	was := b.edition.Load()
	is := &edition{tenants: make(map[string]*Tenant, len(was.tenants))}
	for _, t := range c.AllTenants() {
		is.tenants[t.Name] = b.reread(was.tenants[t.Name], ordered(&t))
	}
	for name, t := range was.tenants {
		switch {
		case is.tenants[name] != nil || t.api == nil:
		case t.file == nil:
			is.tenants[name] = t
		default:
			is.tenants[name] = newTenant(nil, t.api)
		}
	}
	is.sort()
	all, commit, err := b.prepare(was, is, &frame)
	if err != nil {
		return nil, err
	}
	b.frame, b.filePlans = frame, c.Plans
	commit()
	b.publish(is)
	b.keepOrder(c)
	return all, nil
}

// reread gives a tenant whose part of the file is new: the same one if nothing of it has changed.
func (b *Book) reread(was *Tenant, file *config.Tenant) *Tenant {
	switch {
	case was == nil:
		return newTenant(file, nil)
	case was.file != nil && reflect.DeepEqual(was.file, file):
		return was
	}
	return newTenant(file, was.api)
}

// prepare checks the tenants that differ, and has them made ready.
func (b *Book) prepare(was, is *edition, frame *config.Config) (all []Difference, commit func(), err error) {
	news := News{All: is.all(), Frame: frame}
	anew, plans := differ(b.frame, *frame), changedPlans(b.frame.Plans, frame.Plans)
	for name, t := range is.tenants {
		former := was.tenants[name]
		if former == t && !anew && !plans[t.Plan] {
			continue
		}
		if problems := frame.ValidateTenant(t.Tenant); len(problems) > 0 {
			return nil, nil, &Invalid{name, problems, t.Tenant}
		}
		news.Changed = append(news.Changed, t.Tenant)
		all = append(all, differences(former.declaration(), t.Tenant)...)
	}
	for name, t := range was.tenants {
		if is.tenants[name] == nil {
			news.Gone = append(news.Gone, name)
			all = append(all, differences(t.Tenant, nil)...)
		}
	}
	if len(news.Changed)+len(news.Gone) == 0 {
		return nil, func() {}, nil
	}
	commit, err = b.adopt(news)
	if problems, ok := errors.AsType[config.Problems](err); ok && len(news.Changed) == 1 {
		err = &Invalid{news.Changed[0].Name, problems, news.Changed[0]}
	}
	return all, commit, err
}

// differ tells whether configurations differ in what holds for all tenants.
func differ(a, b config.Config) bool {
	a.Plans, b.Plans = nil, nil
	return !reflect.DeepEqual(a, b)
}

// declaration is what is declared of a tenant; nil for none.
func (t *Tenant) declaration() *config.Tenant {
	if t == nil {
		return nil
	}
	return t.Tenant
}
