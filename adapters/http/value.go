package http

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"time"

	"github.com/manifoldmq/manifold/router/amqp"
)

// valueText writes a value of any AMQP type as the text of a header.
func valueText(v any) string {
	switch v := v.(type) {
	case nil:
		return ""
	case string:
		return v
	case amqp.Symbol:
		return string(v)
	case []byte:
		return base64.StdEncoding.EncodeToString(v)
	}
	switch v := jsonValue(v).(type) {
	case string:
		return v
	default:
		return string(encodeJSON(v))
	}
}

// jsonValue turns a value of any AMQP type into one that encoding/json writes as the nearest JSON has: numbers and
// booleans as themselves, a binary as base64, and what JSON has no type for as text.
func jsonValue(v any) any {
	switch v := v.(type) {
	case nil, bool, string, []byte,
		uint8, uint16, uint32, uint64, int8, int16, int32, int64:
		return v
	case float32:
		return jsonFloat(float64(v), 32)
	case float64:
		return jsonFloat(v, 64)
	case amqp.Symbol:
		return string(v)
	case amqp.Char:
		return string(rune(v))
	case amqp.Timestamp:
		return v.Time().Format(time.RFC3339Nano)
	case amqp.UUID:
		return v.String()
	case amqp.List:
		return jsonList(v)
	case amqp.Array:
		return jsonArray(v)
	case amqp.Map:
		return jsonMap(v)
	case amqp.Described:
		return jsonValue(v.Value)
	}
	return fmt.Sprint(v) // decimals, as their bits
}

// jsonFloat keeps the shortest digits of its width; JSON has no infinities (RFC 8259 section 6).
func jsonFloat(v float64, bits int) any {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return strconv.FormatFloat(v, 'g', -1, bits)
	}
	return json.Number(strconv.FormatFloat(v, 'g', -1, bits))
}

func jsonList(values []any) []any {
	out := make([]any, len(values))
	for i, v := range values {
		out[i] = jsonValue(v)
	}
	return out
}

func jsonArray(a amqp.Array) []any {
	out := []any{}
	for v := range a.All() {
		out = append(out, jsonValue(v))
	}
	return out
}

// jsonMap writes keys as text; of keys with the same text the last stays.
func jsonMap(m amqp.Map) map[string]any {
	out := make(map[string]any, len(m))
	for _, e := range m {
		out[valueText(e.Key)] = jsonValue(e.Value)
	}
	return out
}

// bodyJSON writes a body that is neither data nor text: a value as itself, sequences as one list.
func bodyJSON(b amqp.Body) []byte {
	if b.Kind() == amqp.BodyValue {
		return encodeJSON(jsonValue(b.Value().Value()))
	}
	all := []any{}
	for list := range b.Sequences() {
		all = append(all, jsonList(list)...)
	}
	return encodeJSON(all)
}
