package config

import (
	"encoding"
	"fmt"
	"reflect"
	"strings"
)

// decoder fills Go values from a tree. A field's key is its yaml tag; the fields of an embedded struct are keys of the
// struct around it. What the tree does not mention keeps its value.
type decoder struct {
	file     string
	problems Problems
	keeping  bool     // a secret may be Kept
	kept     []string // paths of those that are
}

func (d document) decodeInto(c *Config) Problems {
	dec := decoder{file: d.file}
	dec.value(&d.root, reflect.ValueOf(c).Elem(), "")
	return dec.problems
}

func (d *decoder) refuse(line int, path, format string, args ...any) {
	d.problems = append(d.problems, Problem{d.file, line, path, fmt.Sprintf(format, args...)})
}

// mismatch refuses a tree that is not what its key takes.
func (d *decoder) mismatch(t *tree, path, expected string) {
	if t.form == alias {
		d.refuse(t.line, path, aliasText)
	} else {
		d.refuse(t.line, path, "%v, where %s expected", t, expected)
	}
}

func (d *decoder) value(t *tree, v reflect.Value, path string) {
	if properties, ok := v.Addr().Interface().(*Properties); ok {
		if t.form != section && t.form != nothing {
			d.mismatch(t, path, "keys with values are")
		}
		*properties = propertiesOf(t)
		return
	}
	if _, isText := v.Addr().Interface().(encoding.TextUnmarshaler); !isText {
		switch v.Kind() {
		case reflect.Pointer:
			v.Set(reflect.New(v.Type().Elem()))
			d.value(t, v.Elem(), path)
			return
		case reflect.Struct:
			d.section(t, v, path)
			return
		case reflect.Slice:
			d.list(t, v, path)
			return
		}
	}
	if t.form != value {
		d.mismatch(t, path, "one value is")
	} else if err := setScalar(v, t.text); err != nil {
		d.refuse(t.line, path, "%s", err)
	}
}

// section decodes keys with values. One with nothing in it is as good as none: a file whose lines are all commented out.
func (d *decoder) section(t *tree, v reflect.Value, path string) {
	if t.form != section {
		if t.form != nothing {
			d.mismatch(t, path, "keys with values are")
		}
		return
	}
	for i := range t.entries {
		e := &t.entries[i]
		field, ok := fieldOf(v, e.key)
		switch {
		case !ok:
			d.refuse(e.line, path, "%s", unknownKey(e.key, keysOf(v.Type())))
			continue
		case d.keeping && e.value.text == Kept && isSecret(v.Type(), e.key):
			d.kept = append(d.kept, join(path, e.key))
			continue
		}
		d.value(&e.value, field, join(path, e.key))
	}
}

func (d *decoder) list(t *tree, v reflect.Value, path string) {
	if t.form != list {
		if t.form != nothing {
			d.mismatch(t, path, "a list is")
		}
		return
	}
	v.Set(reflect.MakeSlice(v.Type(), len(t.items), len(t.items)))
	for i := range t.items {
		d.value(&t.items[i], v.Index(i), fmt.Sprintf("%s[%d]", path, i))
	}
}

// fieldOf finds the field of a struct that key names.
func fieldOf(v reflect.Value, key string) (reflect.Value, bool) {
	for f, field := range v.Fields() {
		switch {
		case f.Anonymous:
			if inner, ok := fieldOf(field, key); ok {
				return inner, true
			}
		case f.Tag.Get("yaml") == key:
			return field, true
		}
	}
	return reflect.Value{}, false
}

// isSecret tells whether the key of a struct has a secret, of which only somebody who must know it is told.
func isSecret(t reflect.Type, key string) bool {
	for f := range t.Fields() {
		if f.Tag.Get("yaml") == key {
			return f.Tag.Get("secret") != ""
		}
	}
	return false
}

// keysOf lists the keys of a struct.
func keysOf(t reflect.Type) []string {
	var keys []string
	for _, f := range reflect.VisibleFields(t) {
		if !f.Anonymous {
			keys = append(keys, f.Tag.Get("yaml"))
		}
	}
	return keys
}

func unknownKey(key string, keys []string) string {
	if name, ok := nearest(key, keys); ok {
		return fmt.Sprintf("key %q does not exist; did you mean %q?", key, name)
	}
	return fmt.Sprintf("key %q does not exist; the keys here are %s", key, strings.Join(keys, ", "))
}

func join(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}
