package api

import (
	"encoding"
	"encoding/json"
	"reflect"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/manifoldmq/manifold/gateway/config"
)

// document is a part of a configuration in its own words, of type T.
type document[T any] struct{ text json.RawMessage }

// documentOf gives what is shown of a part of a configuration.
func documentOf[T any](v *T) document[T] { return document[T]{config.JSON(v, false)} }

// MarshalJSON implements json.Marshaler.
func (d document[T]) MarshalJSON() ([]byte, error) { return d.text, nil }

// Schema implements huma.SchemaProvider.
func (document[T]) Schema(huma.Registry) *huma.Schema { return schemaOf(reflect.TypeFor[T]()) }

// takes has an operation take a part of a configuration.
func takes[T any](op huma.Operation) huma.Operation {
	op.RequestBody = &huma.RequestBody{Required: true, Content: map[string]*huma.MediaType{
		"application/json": {Schema: schemaOf(reflect.TypeFor[T]())},
	}}
	op.Errors = append(op.Errors, 409, 412, 422)
	return op
}

var textType = reflect.TypeFor[encoding.TextUnmarshaler]()

// schemaOf describes a type of package config in JSON, as its decoder reads it.
func schemaOf(t reflect.Type) *huma.Schema {
	switch {
	case t == reflect.TypeFor[time.Duration]():
		return &huma.Schema{Type: huma.TypeString, Description: "a duration", Examples: []any{"30s"}}
	case t == reflect.TypeFor[config.Size]():
		return &huma.Schema{Type: huma.TypeString, Description: "a size", Examples: []any{"1MiB"}}
	case reflect.PointerTo(t).Implements(textType):
		return &huma.Schema{Type: huma.TypeString}
	}
	switch t.Kind() {
	case reflect.Struct:
		s := &huma.Schema{Type: huma.TypeObject, Properties: make(map[string]*huma.Schema), AdditionalProperties: false}
		addFields(s, t)
		return s
	case reflect.Slice:
		return &huma.Schema{Type: huma.TypeArray, Items: schemaOf(t.Elem())}
	case reflect.Bool:
		return &huma.Schema{Type: huma.TypeBoolean}
	case reflect.Float64:
		return &huma.Schema{Type: huma.TypeNumber}
	case reflect.Int, reflect.Int64:
		return &huma.Schema{Type: huma.TypeInteger}
	}
	return &huma.Schema{Type: huma.TypeString}
}

func addFields(s *huma.Schema, t reflect.Type) {
	for f := range t.Fields() {
		if f.Anonymous {
			addFields(s, f.Type)
		} else if key := f.Tag.Get("yaml"); key != "" {
			s.Properties[key] = schemaOf(f.Type)
		}
	}
}
