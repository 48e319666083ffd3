package config

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
)

// Draft is how a part of a configuration was written.
type Draft struct {
	Keys []string // those that are mentioned at its top level
	Kept []string // the paths of secrets that are Kept, which are left out; see Keep
}

// ReadJSON reads a part of a configuration, such as a tenant or a user, from JSON with the words that a configuration
// has for it. Its error is Problems.
func ReadJSON(text []byte, into any) (Draft, error) {
	t, err := plantJSON(text)
	if err != nil {
		return Draft{}, Problems{{Text: err.Error()}}
	}
	if t.form != section {
		return Draft{}, Problems{{Line: t.line, Text: fmt.Sprintf("%v, where keys with values are expected", &t)}}
	}
	d := decoder{keeping: true}
	d.value(&t, reflect.ValueOf(into).Elem(), "")
	if len(d.problems) > 0 {
		return Draft{}, d.problems
	}
	draft := Draft{Kept: d.kept}
	for i := range t.entries {
		draft.Keys = append(draft.Keys, t.entries[i].key)
	}
	return draft, nil
}

// Overlay copies those settings of a tenant that keys name, but for its Lists, to another tenant.
func Overlay(to, from *Tenant, keys []string) {
	for _, key := range keys {
		if v, ok := fieldOf(reflect.ValueOf(from).Elem(), key); ok && !slices.Contains(Lists, key) {
			target, _ := fieldOf(reflect.ValueOf(to).Elem(), key)
			target.Set(v)
		}
	}
}

var errNothingKept = errors.New("there is nothing that could be kept")

// Keep fills in the secrets of one part of a configuration that are to stay what they were. Items of lists are the same
// when they have the same name.
func Keep(part, was any, kept []string) error {
	for _, path := range kept {
		if !keep(reflect.Indirect(reflect.ValueOf(part)), reflect.Indirect(reflect.ValueOf(was)), path) {
			return Problems{{Path: path, Text: errNothingKept.Error()}}
		}
	}
	return nil
}

// keep copies the value at a path, and tells whether there was one.
func keep(v, was reflect.Value, path string) bool {
	for step := range steps(path) {
		if !was.IsValid() {
			return false
		}
		i, err := strconv.Atoi(step)
		if err != nil {
			v, _ = fieldOf(v, step)
			was, _ = fieldOf(was, step)
			continue
		}
		v = v.Index(i)
		was = named(was, nameOf(v))
	}
	if !was.IsValid() || was.IsZero() {
		return false
	}
	v.Set(was)
	return true
}

// named finds the item of a list that has a name.
func named(items reflect.Value, name string) reflect.Value {
	for i := range items.Len() {
		if nameOf(items.Index(i)) == name {
			return items.Index(i)
		}
	}
	return reflect.Value{}
}

// nameOf gives the name of an item.
func nameOf(item reflect.Value) string {
	field, ok := fieldOf(item, "name")
	if !ok {
		return ""
	}
	return fmt.Sprint(field.Interface())
}

// ValidateTenant checks a tenant that was not read from a file. The paths of the problems begin at the tenant.
func (c *Config) ValidateTenant(t *Tenant) Problems {
	k := new(check)
	c.validateTenant(k, "", t)
	return k.problems
}

// ValidatePlans checks the plans alone.
func (c *Config) ValidatePlans() Problems {
	k := new(check)
	(&Config{Plans: c.Plans}).validatePlans(k)
	return k.problems
}

// Under gives those problems that are at a path or below it, as seen from there, and whether these are all.
func (ps Problems) Under(path string) (under Problems, all bool) {
	for _, p := range ps {
		if rest, ok := strings.CutPrefix(p.Path, path); ok && (rest == "" || rest[0] == '.' || rest[0] == '[') {
			p.Path = strings.TrimPrefix(rest, ".")
			under = append(under, p)
		}
	}
	return under, len(under) == len(ps)
}
