package client

import (
	"fmt"
	"io"
	"math"
	"reflect"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/Azure/go-amqp"
)

// formatJSON writes everything that a message says, as one JSON object on one line. The body is text if it is UTF-8
// and stands under "bodyBase64" if it is not; a body that is a value and not bytes keeps its type.
func formatJSON(w io.Writer, source string, m *amqp.Message) error {
	object := map[string]any{"address": addressOf(m, source)}
	if h := header(m); h != nil {
		object["header"] = camelCased(h)
	}
	if p := properties(m); p != nil {
		object["properties"] = camelCased(p)
	}
	for name, section := range map[string]any{
		"deliveryAnnotations":   m.DeliveryAnnotations,
		"messageAnnotations":    m.Annotations,
		"applicationProperties": m.ApplicationProperties,
		"footer":                m.Footer,
	} {
		if reflect.ValueOf(section).Len() > 0 {
			object[name] = jsonValue(section)
		}
	}
	addBody(object, m)
	_, err := w.Write(append(mustJSON(object), '\n'))
	return err
}

func addBody(object map[string]any, m *amqp.Message) {
	_, isBytes := m.Value.([]byte)
	switch body := bodyBytes(m); {
	case m.Value != nil && !isBytes:
		object["body"] = jsonValue(m.Value)
	case m.Sequence != nil:
		object["body"] = jsonValue(m.Sequence)
	case utf8.Valid(body):
		object["body"] = string(body)
	default:
		object["bodyBase64"] = body
	}
}

func camelCased(fields []field) map[string]any {
	object := make(map[string]any, len(fields))
	for _, f := range fields {
		object[camelCase(f.name)] = jsonValue(f.value)
	}
	return object
}

// camelCase turns the standard's reply-to into replyTo.
func camelCase(name string) string {
	var b strings.Builder
	upper := false
	for _, r := range name {
		switch {
		case r == '-':
			upper = true
		case upper:
			b.WriteRune(unicode.ToUpper(r))
			upper = false
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}

// jsonValue gives a value of AMQP as one that encoding/json writes: numbers, booleans, text, lists and maps stay what
// they are; bytes become {"base64": ...}, times text as in RFC 3339, and numbers that JSON does not know text.
func jsonValue(value any) any {
	switch v := value.(type) {
	case nil, amqp.Null:
		return nil
	case []byte:
		return map[string]any{"base64": v}
	case time.Time:
		return v.UTC().Format(time.RFC3339Nano)
	case amqp.UUID:
		return v.String()
	}
	v := reflect.ValueOf(value)
	switch v.Kind() {
	case reflect.Bool, reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64,
		reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return value
	case reflect.Float32, reflect.Float64:
		if f := v.Float(); math.IsNaN(f) || math.IsInf(f, 0) {
			return fmt.Sprint(f)
		}
		return value
	case reflect.Slice, reflect.Array:
		list := make([]any, v.Len())
		for i := range list {
			list[i] = jsonValue(v.Index(i).Interface())
		}
		return list
	case reflect.Map:
		object := make(map[string]any, v.Len())
		for k, item := range v.Seq2() {
			object[fmt.Sprint(jsonValue(k.Interface()))] = jsonValue(item.Interface())
		}
		return object
	default:
		return fmt.Sprint(value) // text, symbols, and what the standard may add
	}
}
