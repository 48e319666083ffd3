package config

import (
	"bytes"
	"encoding"
	"encoding/json"
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"time"

	"github.com/manifoldmq/manifold/addressing"
)

// Kept is written in place of a secret, and read as the one that is there already.
const Kept = "kept"

// encoder makes trees of Go values, the reverse of a decoder. It leaves out what is zero.
type encoder struct {
	secrets bool // write them as they are, which is as good as giving them away
}

// JSON gives a value of this package in the words of a configuration, on one line. Secrets are Kept unless they are asked
// for.
func JSON(v any, secrets bool) []byte {
	var b bytes.Buffer
	t := encoder{secrets}.value(reflect.Indirect(reflect.ValueOf(v)))
	t.writeJSON(&b)
	return b.Bytes()
}

// revealer is a secret that can be written as it is.
type revealer interface{ Reveal() string }

func (e encoder) value(v reflect.Value) tree {
	switch x := v.Interface().(type) {
	case Properties:
		return x.section()
	case revealer:
		return tree{form: value, text: x.Reveal()}
	case addressing.Priority:
		return tree{form: value, text: x.String(), style: number}
	case encoding.TextMarshaler:
		text, err := x.MarshalText()
		if err != nil {
			panic(fmt.Sprintf("config: %v", err)) // what was decoded can be encoded
		}
		return tree{form: value, text: string(text)}
	case time.Duration:
		return tree{form: value, text: duration(x), style: word}
	case Size:
		return tree{form: value, text: x.String(), style: word}
	}
	switch v.Kind() {
	case reflect.Struct:
		t := tree{form: section}
		e.fields(v, &t)
		return t
	case reflect.Slice:
		t := tree{form: list}
		for i := range v.Len() {
			t.items = append(t.items, e.value(v.Index(i)))
		}
		return t
	case reflect.Pointer:
		return e.value(v.Elem())
	case reflect.String:
		return tree{form: value, text: v.String()}
	}
	return tree{form: value, text: fmt.Sprint(v.Interface()), style: number}
}

// fields adds those of a struct that are not zero.
func (e encoder) fields(v reflect.Value, t *tree) {
	for f, field := range v.Fields() {
		switch key := f.Tag.Get("yaml"); {
		case f.Anonymous:
			e.fields(field, t)
		case field.IsZero() || key == "" || field.Kind() == reflect.Slice && field.Len() == 0:
		case f.Tag.Get("secret") != "" && !e.secrets:
			t.entries = append(t.entries, entry{key: key, value: tree{form: value, text: Kept}})
		default:
			t.entries = append(t.entries, entry{key: key, value: e.value(field)})
		}
	}
}

// duration writes a duration without the parts that say nothing.
func duration(d time.Duration) string {
	text := d.String()
	if strings.HasSuffix(text, "m0s") {
		text = strings.TrimSuffix(text, "0s")
	}
	if strings.HasSuffix(text, "h0m") {
		text = strings.TrimSuffix(text, "0m")
	}
	return text
}

func (t *tree) writeJSON(b *bytes.Buffer) {
	switch t.form {
	case section:
		b.WriteByte('{')
		for i := range t.entries {
			if i > 0 {
				b.WriteByte(',')
			}
			writeString(b, t.entries[i].key)
			b.WriteByte(':')
			t.entries[i].value.writeJSON(b)
		}
		b.WriteByte('}')
	case list:
		b.WriteByte('[')
		for i := range t.items {
			if i > 0 {
				b.WriteByte(',')
			}
			t.items[i].writeJSON(b)
		}
		b.WriteByte(']')
	case value:
		if t.style == number {
			b.WriteString(t.text)
		} else {
			writeString(b, t.text)
		}
	default:
		b.WriteString("null")
	}
}

// writeString writes a string of JSON.
func writeString(b *bytes.Buffer, text string) {
	encoder := json.NewEncoder(b)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(text); err != nil {
		panic(err) // every string has a form in JSON
	}
	b.Truncate(b.Len() - 1) // the line's end
}

// YAML gives a document of JSON as a person writes it: what is small stays on one line.
func YAML(document []byte) ([]byte, error) {
	t, err := plantJSON(document)
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	switch {
	case t.form == section && len(t.entries) > 0:
		t.writeEntries(&b, "")
	default:
		t.writeYAML(&b, "")
		if t.isFlat() {
			b.WriteByte('\n')
		}
	}
	return b.Bytes(), nil
}

// writeYAML writes a tree whose lines begin with indent; the caller has begun the first one.
func (t *tree) writeYAML(b *bytes.Buffer, indent string) {
	switch {
	case t.isFlat():
		t.writeFlow(b)
	case t.form == list:
		for i := range t.items {
			if i > 0 {
				b.WriteString(indent)
			}
			b.WriteString("- ")
			t.items[i].writeYAML(b, indent+"  ")
			if t.items[i].isFlat() {
				b.WriteByte('\n')
			}
		}
	default:
		t.writeEntries(b, indent)
	}
}

// writeEntries writes a section with a line for each entry at least.
func (t *tree) writeEntries(b *bytes.Buffer, indent string) {
	for i := range t.entries {
		if i > 0 {
			b.WriteString(indent)
		}
		e := &t.entries[i]
		b.WriteString(plain(e.key) + ":")
		if e.value.isFlat() {
			b.WriteByte(' ')
			e.value.writeFlow(b)
			b.WriteByte('\n')
			continue
		}
		b.WriteString("\n" + indent + "  ")
		e.value.writeYAML(b, indent+"  ")
	}
}

// maxFlat is how many characters a list or section on one line has at most.
const maxFlat = 100

// isFlat tells whether a tree is written on one line: a value, and a short one of values.
func (t *tree) isFlat() bool {
	length := 0
	for i := range t.items {
		length += len(t.items[i].text) + 2
		if t.items[i].form != value {
			return false
		}
	}
	for i := range t.entries {
		e := &t.entries[i]
		length += len(e.key) + len(e.value.text) + 4
		if e.value.form != value {
			return false
		}
	}
	return length <= maxFlat
}

func (t *tree) writeFlow(b *bytes.Buffer) {
	switch t.form {
	case section:
		b.WriteByte('{')
		for i := range t.entries {
			if i > 0 {
				b.WriteString(", ")
			}
			b.WriteString(plain(t.entries[i].key) + ": ")
			t.entries[i].value.writeFlow(b)
		}
		b.WriteByte('}')
	case list:
		b.WriteByte('[')
		for i := range t.items {
			if i > 0 {
				b.WriteString(", ")
			}
			t.items[i].writeFlow(b)
		}
		b.WriteByte(']')
	case value:
		if t.style == number {
			b.WriteString(t.text)
		} else {
			b.WriteString(plain(t.text))
		}
	default:
		b.WriteString("null")
	}
}

// plain gives a text as YAML has it: in quotes, unless it can be taken for nothing else.
func plain(text string) string {
	odd := func(r rune) bool {
		letter := 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9'
		return !letter && !strings.ContainsRune("/-_.", r)
	}
	switch strings.ToLower(text) {
	case "", "true", "false", "yes", "no", "on", "off", "null", "y", "n":
		return strconv.Quote(text)
	}
	if strings.ContainsFunc(text, odd) || strings.ContainsRune("-._/", rune(text[0])) || looksLikeNumber(text) {
		var b bytes.Buffer
		writeString(&b, text)
		return b.String()
	}
	return text
}

// looksLikeNumber tells whether a text could be taken for a number or a date. One with a unit behind it cannot.
func looksLikeNumber(text string) bool {
	if text[0] < '0' || text[0] > '9' {
		return false
	}
	if _, err := strconv.ParseFloat(text, 64); err == nil {
		return true
	}
	if _, err := strconv.ParseInt(text, 0, 64); err == nil {
		return true
	}
	return !strings.ContainsFunc(text, func(r rune) bool { return strings.ContainsRune("smhBuKMGTk", r) })
}

// Written gives a configuration as a file that says it: the settings that are not the default ones.
func Written(c *Config) ([]byte, error) {
	base := Default()
	t := tree{form: section}
	encoder{secrets: true}.differences(reflect.ValueOf(*c), reflect.ValueOf(base), &t)
	var b bytes.Buffer
	t.writeJSON(&b)
	return YAML(b.Bytes())
}

// Differences gives the paths of the settings in which a configuration is not as another one.
func Differences(c, base *Config) []string {
	t := tree{form: section}
	encoder{}.differences(reflect.ValueOf(*c), reflect.ValueOf(*base), &t)
	return t.paths()
}

// paths gives those of all that is in a section.
func (t tree) paths() (all []string) {
	for _, e := range t.entries {
		if e.value.form != section {
			all = append(all, e.key)
		}
		for _, inner := range e.value.paths() {
			all = append(all, e.key+"."+inner)
		}
	}
	return all
}

// differences adds those fields of a struct that are not as in another.
func (e encoder) differences(v, base reflect.Value, t *tree) {
	for f, field := range v.Fields() {
		key, other := f.Tag.Get("yaml"), base.FieldByIndex(f.Index)
		_, isText := field.Interface().(encoding.TextMarshaler)
		switch {
		case f.Anonymous:
			e.differences(field, other, t)
		case reflect.DeepEqual(field.Interface(), other.Interface()):
		case field.Kind() == reflect.Struct && !isText:
			inner := tree{form: section}
			e.differences(field, other, &inner)
			t.entries = append(t.entries, entry{key: key, value: inner})
		default:
			t.entries = append(t.entries, entry{key: key, value: e.value(field)})
		}
	}
}
