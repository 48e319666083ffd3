package amqp

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"time"
)

// Other protocols have no AMQP types: their headers are text, and their structured bodies JSON (RFC 8259).

// ValueText writes a value of any AMQP type as the text of another protocol's header: strings and symbols as they are, a
// binary as base64, what has parts as JSON, everything else as JSONValue says. A null is no text.
func ValueText(v any) string {
	switch v := v.(type) {
	case nil:
		return ""
	case string:
		return v
	case Symbol:
		return string(v)
	case []byte:
		return base64.StdEncoding.EncodeToString(v)
	}
	switch v := JSONValue(v).(type) {
	case string:
		return v
	default:
		return string(encodeJSON(v))
	}
}

// JSONValue turns a value of any AMQP type into one that encoding/json writes as the nearest JSON has: numbers and
// booleans as themselves, a binary as base64, and what JSON has no type for as text.
func JSONValue(v any) any {
	switch v := v.(type) {
	case nil, bool, string, []byte,
		uint8, uint16, uint32, uint64, int8, int16, int32, int64:
		return v
	case float32:
		return jsonFloat(float64(v), 32)
	case float64:
		return jsonFloat(v, 64)
	case Symbol:
		return string(v)
	case Char:
		return string(rune(v))
	case Timestamp:
		return v.Time().Format(time.RFC3339Nano)
	case UUID:
		return v.String()
	case List:
		return jsonList(v)
	case Array:
		return jsonArray(v)
	case Map:
		return jsonMap(v)
	case Described:
		return JSONValue(v.Value)
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
		out[i] = JSONValue(v)
	}
	return out
}

func jsonArray(a Array) []any {
	out := []any{}
	for v := range a.All() {
		out = append(out, JSONValue(v))
	}
	return out
}

// jsonMap writes keys as text; of keys with the same text the last stays.
func jsonMap(m Map) map[string]any {
	out := make(map[string]any, len(m))
	for _, e := range m {
		out[ValueText(e.Key)] = JSONValue(e.Value)
	}
	return out
}

// JSON writes a body that has no Payload, for protocols whose bodies are bytes: a value as itself, sequences as one list.
func (b Body) JSON() []byte {
	if b.kind == BodyValue {
		return encodeJSON(JSONValue(b.Value().Value()))
	}
	all := []any{}
	for list := range b.Sequences() {
		all = append(all, jsonList(list)...)
	}
	return encodeJSON(all)
}

// encodeJSON writes one JSON value on one line, with '<' and '&' as they are: it goes to programs, not into HTML.
func encodeJSON(v any) []byte {
	var out bytes.Buffer
	e := json.NewEncoder(&out)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		panic(err) // every value that gets here was built of JSON's own types
	}
	return bytes.TrimSuffix(out.Bytes(), []byte("\n"))
}
