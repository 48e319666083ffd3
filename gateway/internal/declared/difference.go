package declared

import (
	"bytes"
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/manifoldmq/manifold/gateway/config"
)

// Difference is one thing that a change adds, removes or alters: an item of a list, or the tenant itself.
type Difference struct {
	Tenant string  `json:"tenant"`
	List   string  `json:"list,omitempty"` // of the item; empty for the tenant itself
	Name   string  `json:"name,omitempty"` // of the item
	Change string  `json:"change"`         // added, removed or altered
	Fields []Field `json:"fields,omitempty"`
}

// Field is a setting that is not what it was.
type Field struct {
	Path string `json:"path"`
	From string `json:"from,omitempty"` // empty for the default
	To   string `json:"to,omitempty"`
}

// Singular gives the name of one item of a list.
func Singular(list string) string {
	if stem, ok := strings.CutSuffix(list, "sses"); ok {
		return stem + "ss"
	}
	return strings.TrimSuffix(list, "s")
}

// What becomes of something.
const (
	Added   = "added"
	Removed = "removed"
	Altered = "altered"
)

// differences tells what turns a tenant into another one; nil is none.
func differences(was, is *config.Tenant) (all []Difference) {
	var name string
	switch {
	case was == nil && is == nil:
		return nil
	case was == nil:
		name, was = is.Name, new(config.Tenant)
		all = append(all, Difference{Change: Added, Fields: fieldsOf(was, bare(is))})
	case is == nil:
		name, is = was.Name, new(config.Tenant)
		all = append(all, Difference{Change: Removed})
	default:
		name = is.Name
		if fields := fieldsOf(bare(was), bare(is)); len(fields) > 0 {
			all = append(all, Difference{Change: Altered, Fields: fields})
		}
	}
	for _, key := range config.Lists {
		all = append(all, itemDifferences(key, was.Items(key), is.Items(key))...)
	}
	for i := range all {
		all[i].Tenant = name
	}
	return all
}

// bare is a tenant without its lists.
func bare(t *config.Tenant) *config.Tenant {
	c := *t
	for _, key := range config.Lists {
		c.Items(key).Clear()
	}
	return &c
}

// itemDifferences walks over two lists in the order of names.
func itemDifferences(list string, was, is config.Items) (all []Difference) {
	for i, j := 0, 0; i < was.Len() || j < is.Len(); {
		switch {
		case j == is.Len() || i < was.Len() && was.Name(i) < is.Name(j):
			all = append(all, Difference{List: list, Name: was.Name(i), Change: Removed})
			i++
		case i == was.Len() || is.Name(j) < was.Name(i):
			all = append(all, Difference{List: list, Name: is.Name(j), Change: Added, Fields: fieldsOf(is.New(), is.At(j))})
			j++
		default:
			if !config.Equal(was.At(i), is.At(j)) {
				all = append(all, Difference{List: list, Name: is.Name(j), Change: Altered, Fields: fieldsOf(was.At(i), is.At(j))})
			}
			i++
			j++
		}
	}
	return all
}

// fieldsOf compares two things setting by setting. Of secrets it tells only that they have changed.
func fieldsOf(was, is any) (fields []Field) {
	before, after := flat(was, false), flat(is, false)
	hidden, shown := flat(was, true), flat(is, true)
	paths := maps.Clone(before)
	maps.Copy(paths, after)
	for _, path := range slices.Sorted(maps.Keys(paths)) {
		from, to := before[path], after[path]
		switch {
		case path == "name":
		case from != to:
			fields = append(fields, Field{path, veiled(from), veiled(to)})
		case hidden[path] != shown[path]:
			fields = append(fields, Field{path, veil, "another " + veil})
		}
	}
	return fields
}

// veil stands for a secret.
const veil = "secret"

func veiled(text string) string {
	if text == config.Kept {
		return veil
	}
	return text
}

// flat gives the settings of something by their paths.
func flat(v any, secrets bool) map[string]string {
	all := make(map[string]string)
	decoder := json.NewDecoder(bytes.NewReader(config.JSON(v, secrets)))
	decoder.UseNumber()
	var document any
	if err := decoder.Decode(&document); err != nil {
		panic(err) // package config writes JSON
	}
	flatten(all, "", document)
	return all
}

func flatten(all map[string]string, path string, v any) {
	switch v := v.(type) {
	case map[string]any:
		for key, value := range v {
			at := key
			if path != "" {
				at = path + "." + key
			}
			flatten(all, at, value)
		}
	case []any:
		for i, value := range v {
			flatten(all, path+"["+strconv.Itoa(i)+"]", value)
		}
	case string:
		all[path] = v
	case bool:
		all[path] = strconv.FormatBool(v)
	case json.Number:
		all[path] = v.String()
	}
}
