package client

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"

	"github.com/Azure/go-amqp"
)

// format writes a message that came from a source, in one call of Write.
type format func(w io.Writer, source string, m *amqp.Message) error

// formatBody writes the body and ends the line.
func formatBody(w io.Writer, _ string, m *amqp.Message) error {
	_, err := w.Write(append(bodyBytes(m), '\n'))
	return err
}

// formatFull writes the address, what the message says about itself, and the body.
func formatFull(w io.Writer, source string, m *amqp.Message) error {
	var b bytes.Buffer
	fmt.Fprintln(&b, shown(addressOf(m, source)))
	for _, f := range append(header(m), properties(m)...) {
		if f.name != "to" {
			fmt.Fprintf(&b, "  %s: %s\n", f.name, shown(f.value))
		}
	}
	for _, name := range slices.Sorted(maps.Keys(m.ApplicationProperties)) {
		fmt.Fprintf(&b, "  property %s: %s\n", shown(name), shown(m.ApplicationProperties[name]))
	}
	b.Write(bodyBytes(m))
	b.WriteByte('\n')
	_, err := w.Write(b.Bytes())
	return err
}

// shown gives a value for people: text as it is, unless it could confuse a terminal.
func shown(value any) string {
	value = jsonValue(value)
	if text, ok := value.(string); ok && isPlain(text) {
		return text
	}
	return string(mustJSON(value))
}

// bodyBytes gives the body: bytes and text as they are, other values as JSON.
func bodyBytes(m *amqp.Message) []byte {
	switch value := m.Value.(type) {
	case []byte:
		return value
	case string:
		return []byte(value)
	}
	switch {
	case m.Value != nil:
		return mustJSON(jsonValue(m.Value))
	case m.Sequence != nil:
		return mustJSON(jsonValue(m.Sequence))
	default:
		return bytes.Join(m.Data, nil)
	}
}

// mustJSON encodes what jsonValue has made, which has nothing that JSON does not know.
func mustJSON(value any) []byte {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(value); err != nil {
		panic(err)
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n"))
}
