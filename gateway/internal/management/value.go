package management

import (
	"math"
	"reflect"
	"slices"
	"strconv"

	"github.com/manifoldmq/manifold/router/amqp"
)

// attributeValue gives an attribute of an entity as a value of AMQP; prefix is that of its type's name.
func (t *entityType) attributeValue(a *attribute, entity reflect.Value, prefix string) any {
	if a.field == nil {
		return prefix + t.name
	}
	return valueOf(entity.FieldByIndex(a.field))
}

// valueOf gives what a field holds as a value of AMQP. Numbers are signed ones of 64 bits, as Dispatch's are.
func valueOf(v reflect.Value) any {
	switch v.Kind() {
	case reflect.Pointer:
		if v.IsNil() {
			return nil
		}
		return valueOf(v.Elem())
	case reflect.Int, reflect.Int64:
		return v.Int()
	case reflect.Uint64:
		return int64(min(v.Uint(), math.MaxInt64))
	case reflect.Slice:
		if encoded, isMap := v.Interface().(amqp.RawValue); isMap {
			return mapOf(encoded)
		}
		list := amqp.List{}
		for _, element := range v.Seq2() {
			list = append(list, valueOf(element))
		}
		return list
	case reflect.Bool:
		return v.Bool()
	}
	return v.String()
}

// mapOf gives a map that is encoded already, or an empty one for none.
func mapOf(encoded amqp.RawValue) any {
	if _, isMap := encoded.Map(); !isMap {
		return amqp.Map{}
	}
	return encoded
}

// wholeMap gives all attributes of an entity; null for what it does not have.
func (t *entityType) wholeMap(e named, prefix string) amqp.Map {
	m := make(amqp.Map, len(t.attributes))
	entity := reflect.ValueOf(e)
	for i := range t.attributes {
		a := &t.attributes[i]
		m[i] = amqp.Entry{Key: a.name, Value: t.attributeValue(a, entity, prefix)}
	}
	return m
}

// entityMap gives the attributes of an entity that it has.
func (t *entityType) entityMap(e named, prefix string) amqp.Map {
	return slices.DeleteFunc(t.wholeMap(e, prefix), func(entry amqp.Entry) bool { return entry.Value == nil })
}

// assign sets the field of an attribute to a value of AMQP; nil is what it is without being said.
func (a *attribute) assign(entity reflect.Value, value any) error {
	field := entity.FieldByIndex(a.field)
	if value == nil {
		field.SetZero()
		return nil
	}
	kind := field.Type()
	if kind.Kind() == reflect.Pointer {
		field.Set(reflect.New(kind.Elem()))
		field = field.Elem()
	}
	ok := false
	switch a.kind {
	case "string":
		var text string
		if text, ok = value.(string); !ok && a.number {
			var n int64
			n, ok = integer(value)
			text = strconv.FormatInt(n, 10)
		}
		if ok {
			field.SetString(text)
		}
	case "boolean":
		var set bool
		if set, ok = boolean(value); ok {
			field.SetBool(set)
		}
	case "map":
		var m amqp.Map
		if m, ok = value.(amqp.Map); ok {
			encoded, err := amqp.AppendAny(nil, m)
			if ok = err == nil; ok {
				field.SetBytes(encoded)
			}
		}
	case "integer":
		var n int64
		if n, ok = integer(value); ok {
			field.SetInt(n)
		}
	}
	if !ok {
		return faultf(statusBadRequest, "attribute %q: %.100v is not a %s", a.name, value, a.kind)
	}
	return nil
}
