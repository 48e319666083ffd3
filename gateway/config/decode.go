package config

import (
	"encoding"
	"fmt"
	"reflect"
	"strings"

	"github.com/goccy/go-yaml/ast"
)

// decoder fills Go values from a syntax tree. A field's key is its yaml tag; the fields of an embedded struct are keys
// of the struct around it. What the tree does not mention keeps its value.
type decoder struct {
	file     string
	problems Problems
}

func (d document) decodeInto(c *Config) Problems {
	dec := decoder{file: d.file}
	if d.root != nil {
		dec.value(d.root, reflect.ValueOf(c).Elem(), "")
	}
	return dec.problems
}

func (d *decoder) refuse(n ast.Node, path, format string, args ...any) {
	d.problems = append(d.problems, Problem{d.file, lineOf(n), path, fmt.Sprintf(format, args...)})
}

// mismatch refuses a node that is not what its key takes.
func (d *decoder) mismatch(n ast.Node, path, expected string) {
	switch n.Type() {
	case ast.AnchorType, ast.AliasType:
		d.refuse(n, path, aliasText)
	default:
		d.refuse(n, path, "%s, where %s expected", describe(n), expected)
	}
}

func (d *decoder) value(n ast.Node, v reflect.Value, path string) {
	if _, isText := v.Addr().Interface().(encoding.TextUnmarshaler); !isText {
		switch v.Kind() {
		case reflect.Struct:
			d.section(n, v, path)
			return
		case reflect.Slice:
			d.list(n, v, path)
			return
		}
	}
	if text, ok := scalar(n); !ok {
		d.mismatch(n, path, "one value is")
	} else if err := setScalar(v, text); err != nil {
		d.refuse(n, path, "%s", err)
	}
}

// section decodes a mapping. One with nothing in it is as good as none: a file whose lines are all commented out.
func (d *decoder) section(n ast.Node, v reflect.Value, path string) {
	mapping, ok := n.(*ast.MappingNode)
	if !ok {
		if n.Type() != ast.NullType {
			d.mismatch(n, path, "keys with values are")
		}
		return
	}
	for _, entry := range mapping.Values {
		key := keyOf(entry)
		field, ok := fieldOf(v, key)
		if !ok {
			d.refuse(entry.Key, path, "%s", unknownKey(key, keysOf(v.Type())))
			continue
		}
		d.value(entry.Value, field, join(path, key))
	}
}

func (d *decoder) list(n ast.Node, v reflect.Value, path string) {
	sequence, ok := n.(*ast.SequenceNode)
	if !ok {
		if n.Type() != ast.NullType {
			d.mismatch(n, path, "a list is")
		}
		return
	}
	v.Set(reflect.MakeSlice(v.Type(), len(sequence.Values), len(sequence.Values)))
	for i, item := range sequence.Values {
		d.value(item, v.Index(i), fmt.Sprintf("%s[%d]", path, i))
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

// scalar gives the text of a node that is one value.
func scalar(n ast.Node) (text string, ok bool) {
	switch n := n.(type) {
	case *ast.LiteralNode: // a block of text
		return n.Value.Value, true
	case *ast.StringNode, *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode, *ast.InfinityNode, *ast.NanNode:
		return n.GetToken().Value, true
	}
	return "", false
}

// describe says what a node is that was not expected.
func describe(n ast.Node) string {
	switch n.Type() {
	case ast.NullType:
		return "nothing"
	case ast.MappingType:
		return "keys with values"
	case ast.SequenceType:
		return "a list"
	}
	if _, ok := scalar(n); ok {
		return "one value"
	}
	return "a " + n.Type().YAMLName()
}
