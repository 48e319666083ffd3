package declared

import (
	"errors"
	"fmt"
	"maps"

	"github.com/manifoldmq/manifold/gateway/config"
	"github.com/manifoldmq/manifold/tenancy"
)

// Why a change is refused, besides Invalid.
var (
	ErrNotFound = errors.New("there is no such thing")
	ErrStale    = errors.New("it is not what it was: look at it again")
	ErrFile     = errors.New("the configuration file declares it, and only there it can be changed")
	ErrScalars  = errors.New("only who runs the gateway may change the tenant itself, not what is in it")
	ErrName     = errors.New("the name is another one than that of what is to be changed")
)

// Invalid refuses a tenant that would not be valid.
type Invalid struct {
	Tenant   string
	Problems config.Problems
	declared *config.Tenant // what is not valid; nil for one that does not come into being
}

// Error shows one problem a line.
func (e *Invalid) Error() string { return fmt.Sprintf("tenant %q: %s", e.Tenant, e.Problems.Paths()) }

// Terms are those of a change.
type Terms struct {
	Match  string // the tag that what is to be changed must have, "*" for any as long as it exists, None if it must not; empty for all
	DryRun bool   // only tell what would change
	Within bool   // the tenant itself stays as it is, but for its lists
	File   bool   // what the file declares may be taken away too, until that is read again
}

// None is the match for what is not there yet.
const None = "!"

// met tells whether something has the tag that is wanted; tag is empty when it is not there.
func (terms Terms) met(tag string) error {
	switch {
	case terms.Match == "", terms.Match == tag, terms.Match == "*" && tag != "", terms.Match == None && tag == "":
		return nil
	}
	return ErrStale
}

// Put declares a tenant as a draft of it says. What is already there and not mentioned stays if merge is set: settings, and
// items of lists. Otherwise all that the API has declared of it and is not in t is gone. What t says like the file does is
// no change.
func (b *Book) Put(t *config.Tenant, draft config.Draft, merge bool, terms Terms) ([]Difference, error) {
	return b.change(t.Name, terms, func(was *Tenant) (*config.Tenant, error) {
		if err := terms.met(was.tagIfAny()); err != nil {
			return nil, err
		}
		if err := keep(t, orNone(was.declaration()), draft.Kept); err != nil {
			return nil, err
		}
		t = ordered(t)
		switch {
		case was == nil || was.file == nil && !merge:
			return t, nil
		case was.file == nil:
			api := was.ownPart()
			config.Overlay(api, t, draft.Keys)
			return api, was.putAll(api, t)
		}
		wanted := t
		if merge {
			wanted = was.file.Clone()
			config.Overlay(wanted, t, draft.Keys)
		}
		if fields := fieldsOf(bare(was.file), bare(wanted)); len(fields) > 0 {
			return nil, fmt.Errorf("%s: %w", fields[0].Path, ErrFile)
		}
		api := was.ownPart()
		if !merge {
			api = bare(api)
		}
		return api, was.putAll(api, t)
	})
}

// keep is config.Keep with an error of this package.
func keep(part, was any, kept []string) error {
	err := config.Keep(part, was, kept)
	if problems, ok := errors.AsType[config.Problems](err); ok {
		return &Invalid{Problems: problems}
	}
	return err
}

// putAll puts the items of a tenant into the API's part of it.
func (t *Tenant) putAll(api, from *config.Tenant) error {
	for _, key := range config.Lists {
		items := from.Items(key)
		for i := range items.Len() {
			item := items.At(i)
			switch same, there := t.fileHas(key, item); {
			case !there:
				api.Items(key).Put(item)
			case !same:
				return fmt.Errorf("%s %q: %w", key, items.Name(i), ErrFile)
			}
		}
	}
	return nil
}

// fileHas tells whether the file declares an item of this name, and whether it declares it so.
func (t *Tenant) fileHas(key string, item any) (same, there bool) {
	if t.file == nil {
		return false, false
	}
	items := t.file.Items(key)
	i, there := items.Find(config.NameOf(item))
	return there && config.Equal(items.At(i), item), there
}

// Delete takes back a tenant with all it has. What it has stored stays stored.
func (b *Book) Delete(name string, terms Terms) ([]Difference, error) {
	return b.change(name, terms, func(was *Tenant) (*config.Tenant, error) {
		switch {
		case was == nil:
			return nil, ErrNotFound
		case was.file != nil:
			return nil, ErrFile
		}
		return nil, terms.met(was.Tag())
	})
}

// PutItem declares an item of one of the lists of a tenant, given by a pointer, under a name.
func (b *Book) PutItem(tenant, list, name string, item any, draft config.Draft, terms Terms) ([]Difference, error) {
	all, err := b.change(tenant, terms, func(was *Tenant) (*config.Tenant, error) {
		switch {
		case was == nil:
			return nil, ErrNotFound
		case config.NameOf(item) != name:
			return nil, ErrName
		}
		former, tag := was.Items(list).New(), ""
		if i, ok := was.Items(list).Find(name); ok {
			former = was.Items(list).At(i)
			tag = Tag(former)
		}
		if err := terms.met(tag); err != nil {
			return nil, err
		}
		if err := keep(item, former, draft.Kept); err != nil {
			return nil, err
		}
		switch same, there := was.fileHas(list, item); {
		case same:
			return was.ownPart(), nil
		case there:
			return nil, ErrFile
		}
		api := was.ownPart()
		api.Items(list).Put(item)
		return api, nil
	})
	if invalid, ok := errors.AsType[*Invalid](err); ok {
		invalid.narrow(list, name)
	}
	return all, err
}

// DeleteItem takes back an item of one of the lists of a tenant.
func (b *Book) DeleteItem(tenant, list, name string, terms Terms) ([]Difference, error) {
	return b.changeParts(tenant, terms, func(was *Tenant) (file, api *config.Tenant, err error) {
		if was == nil {
			return nil, nil, ErrNotFound
		}
		i, ok := was.Items(list).Find(name)
		switch owner := was.Owner(list, name); {
		case !ok:
			return nil, nil, ErrNotFound
		case owner == File && !terms.File:
			return nil, nil, ErrFile
		case owner == File:
			file, api = was.file.Clone(), was.api
			without(file.Items(list), name)
		default:
			file, api = was.file, was.ownPart()
			without(api.Items(list), name)
		}
		return file, api, terms.met(Tag(was.Items(list).At(i)))
	})
}

// without takes an item out of a list.
func without(all config.Items, name string) {
	if i, ok := all.Find(name); ok {
		all.Remove(i)
	}
}

// change has the API's part of one tenant become another one. edit gives it, which is nil for none; was is nil when there is
// no such tenant.
func (b *Book) change(name string, terms Terms, edit func(was *Tenant) (*config.Tenant, error)) ([]Difference, error) {
	return b.changeParts(name, terms, func(was *Tenant) (file, api *config.Tenant, err error) {
		if was != nil {
			file = was.file
		}
		api, err = edit(was)
		return file, api, err
	})
}

// changeParts is change for that of the file, too.
func (b *Book) changeParts(
	name string, terms Terms, edit func(was *Tenant) (file, api *config.Tenant, err error),
) ([]Difference, error) {
	if _, err := tenancy.ParseName(name); err != nil {
		return nil, &Invalid{Tenant: name, Problems: config.Problems{{Path: "name", Text: err.Error()}}}
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	was := b.edition.Load()
	file, api, err := edit(was.tenants[name])
	if err != nil {
		return nil, err
	}
	is := &edition{tenants: maps.Clone(was.tenants)}
	delete(is.tenants, name)
	if t := newPart(file, name, api); t != nil {
		is.tenants[name] = t
	}
	is.sort()
	all, commit, err := b.prepare(was, is, &b.frame)
	switch {
	case err != nil:
		return nil, err
	case terms.Within && touchesTenant(all):
		return nil, ErrScalars
	case terms.DryRun || len(all) == 0:
		return all, nil
	}
	if err := b.folder.save(name, is.tenants[name].apiPart()); err != nil {
		return nil, fmt.Errorf("keeping what is declared: %w", err)
	}
	commit()
	b.publish(is)
	return all, nil
}

// newPart gives a tenant of the parts of the file and the API; nil if nobody declares it then.
func newPart(file *config.Tenant, name string, api *config.Tenant) *Tenant {
	if file == nil && api == nil {
		return nil
	}
	if api != nil {
		api.Name = name
		if file != nil && isEmpty(api) {
			api = nil
		}
	}
	return newTenant(file, api)
}

// isEmpty tells whether the API's part of a tenant of the file has nothing in it.
func isEmpty(api *config.Tenant) bool {
	for _, key := range config.Lists {
		if api.Items(key).Len() > 0 {
			return false
		}
	}
	return true
}

func touchesTenant(all []Difference) bool {
	for _, d := range all {
		if d.List == "" {
			return true
		}
	}
	return false
}

func (t *Tenant) tagIfAny() string {
	if t == nil {
		return ""
	}
	return t.Tag()
}

func (t *Tenant) apiPart() *config.Tenant {
	if t == nil {
		return nil
	}
	return t.api
}

// ownPart gives a copy of what the API has declared of a tenant.
func (t *Tenant) ownPart() *config.Tenant {
	if t.api == nil {
		return &config.Tenant{Name: t.Name}
	}
	return t.api.Clone()
}

func orNone(t *config.Tenant) *config.Tenant {
	if t == nil {
		return new(config.Tenant)
	}
	return t
}

// narrow gives the problems as those of one item, if they are all about it.
func (e *Invalid) narrow(list, name string) {
	if e.declared == nil {
		return
	}
	i, _ := e.declared.Items(list).Find(name)
	if under, all := e.Problems.Under(fmt.Sprintf("%s[%d]", list, i)); all {
		e.Problems = under
	}
}
