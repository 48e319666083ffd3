package config

import (
	"bytes"
	"cmp"
	"reflect"
	"slices"
	"sort"
)

// Lists are those keys of a tenant that have lists of items with names.
var Lists = []string{"addresses", "roles", "users", "webhooks"}

// Items is one of the Lists of a tenant.
type Items struct{ v reflect.Value }

// Items gives the list that key names; it is one of Lists.
func (t *Tenant) Items(key string) Items {
	v, ok := fieldOf(reflect.ValueOf(t).Elem(), key)
	if !ok || v.Kind() != reflect.Slice {
		panic("config: a tenant has no list " + key)
	}
	return Items{v}
}

// Len is how many items there are.
func (l Items) Len() int { return l.v.Len() }

// Name gives the name of an item.
func (l Items) Name(i int) string { return nameOf(l.v.Index(i)) }

// At gives a pointer to an item.
func (l Items) At(i int) any { return l.v.Index(i).Addr().Interface() }

// New gives a pointer to an item that is in no list.
func (l Items) New() any { return reflect.New(l.v.Type().Elem()).Interface() }

// Sort puts the items into the order of their names, for Find.
func (l Items) Sort() {
	order := make([]int, l.Len())
	names := make([]string, l.Len())
	for i := range order {
		order[i], names[i] = i, l.Name(i)
	}
	slices.SortStableFunc(order, func(i, j int) int { return cmp.Compare(names[i], names[j]) })
	sorted := reflect.MakeSlice(l.v.Type(), len(order), len(order))
	for to, from := range order {
		sorted.Index(to).Set(l.v.Index(from))
	}
	l.set(sorted)
}

// set replaces the list; an empty one is none.
func (l Items) set(v reflect.Value) {
	if v.Len() == 0 {
		l.v.SetZero()
	} else {
		l.v.Set(v)
	}
}

// Find gives the position of the item with a name in a sorted list, or where it would be.
func (l Items) Find(name string) (i int, ok bool) {
	return sort.Find(l.Len(), func(i int) int { return cmp.Compare(name, l.Name(i)) })
}

// Put puts an item, given by a pointer, into a sorted list, in the place of one that has its name.
func (l Items) Put(item any) {
	v := reflect.ValueOf(item).Elem()
	i, ok := l.Find(nameOf(v))
	rest := i
	if ok {
		rest++
	}
	l.set(reflect.AppendSlice(reflect.Append(l.slice(0, i), v), l.slice(rest, l.Len())))
}

// Remove takes an item out.
func (l Items) Remove(i int) {
	l.set(reflect.AppendSlice(l.slice(0, i), l.slice(i+1, l.Len())))
}

// slice copies a part of the list.
func (l Items) slice(from, to int) reflect.Value {
	part := reflect.MakeSlice(l.v.Type(), to-from, l.Len()+1)
	reflect.Copy(part, l.v.Slice(from, to))
	return part
}

// Equal tells whether two items, given by pointers, say the same: a list that is empty is as good as none.
func Equal(a, b any) bool {
	return reflect.DeepEqual(a, b) || bytes.Equal(JSON(a, true), JSON(b, true))
}

// SetName gives an item, given by a pointer, its name.
func SetName(item any, name string) error {
	field, _ := fieldOf(reflect.ValueOf(item).Elem(), "name")
	return setScalar(field, name)
}

// Clone copies a tenant as far as its lists, whose items are not to be changed.
func (t *Tenant) Clone() *Tenant {
	c := *t
	for _, key := range Lists {
		l := c.Items(key)
		l.set(l.slice(0, l.Len()))
	}
	return &c
}

// NameOf gives the name of an item, given by a pointer.
func NameOf(item any) string { return nameOf(reflect.ValueOf(item).Elem()) }

// Clear takes all items out.
func (l Items) Clear() { l.v.SetZero() }
