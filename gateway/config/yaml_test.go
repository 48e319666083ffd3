package config

import (
	"bytes"
	"encoding/json"
	"testing"
)

// FuzzYAMLSaysWhatJSONSays: whatever text a tenant has in it, what is shown of it as YAML is read as the same again.
func FuzzYAMLSaysWhatJSONSays(f *testing.F) {
	for _, text := range []string{"a", "", " a ", "yes", "1", "1e3", "0x1F", "-", "- a", "a: b", "#", "t/#", "*", "&a", "!x", "|", "'", `"`, "\\", "a\nb", "\t",
		"2026-11-22", "é", "😀", "\x00", "\u2028", "null", "~", "{", "[", "%", "@", "`", "=", "<<", ".5", "1_000", "12:30:45", "kept", "\x7f", "\ufeff"} {
		f.Add(text, "b", true)
	}
	f.Fuzz(func(t *testing.T, text, other string, nested bool) {
		document := map[string]any{"name": "acme", "key": text, "list": []any{text, other}, text + "k": other}
		if nested {
			document["deep"] = []any{map[string]any{"name": text, "inner": map[string]any{"x": []any{other, text}}}, map[string]any{}, []any{}}
		}
		encoded, err := json.Marshal(document)
		if err != nil {
			t.Fatal(err)
		}
		was, err := plantJSON(encoded)
		if err != nil {
			return // two keys that are one in JSON
		}
		shown, err := YAML(encoded)
		if err != nil {
			t.Fatal(err)
		}
		parts, err := ReadParts("f.yaml", shown)
		if err != nil {
			t.Fatalf("%v\n%q", err, shown)
		}
		var want bytes.Buffer
		was.writeJSON(&want)
		if len(parts) != 1 || !bytes.Equal(parts[0].JSON, want.Bytes()) {
			t.Errorf("%s\nis shown as\n%s\nand read as\n%s", want.Bytes(), shown, parts[0].JSON)
		}
	})
}

func TestDurationsAndSizesAreShownAsPeopleWriteThem(t *testing.T) {
	for text, want := range map[string]string{
		`{"name":"q","kind":"queue","ttl":{"default":"3600s"},"maxBytes":"1024","maxMessages":5}`: `{"name":"q","kind":"queue","maxMessages":5,"maxBytes":"1KiB","ttl":{"default":"1h"}}`,
		`{"name":"q","kind":"queue","ttl":{"default":"90s"}}`:                                     `{"name":"q","kind":"queue","ttl":{"default":"1m30s"}}`,
		`{"name":"q","kind":"queue","ttl":{"default":"100ms","max":"24h0m5s"}}`:                   `{"name":"q","kind":"queue","ttl":{"default":"100ms","max":"24h0m5s"}}`,
	} {
		a := new(Address)
		if _, err := ReadJSON([]byte(text), a); err != nil {
			t.Fatal(err)
		}
		if got := string(JSON(a, false)); got != want {
			t.Errorf("%s is shown as\n%s, want\n%s", text, got, want)
		}
	}
}

func TestJSONIsReadStrictly(t *testing.T) {
	for _, text := range []string{
		``, `{`, `{"name":"a"} {}`, `{"name":"a","name":"b"}`, `"name"`, `{"users":{}}`, `{"users":[{"roles":"a"}]}`,
		`{"nam":"a"}`, `{"disabled":1}`, `{"name":["a"]}`,
		`{"users":` + string(bytes.Repeat([]byte("["), 100_000)),
	} {
		if _, err := ReadJSON([]byte(text), new(Tenant)); err == nil {
			t.Errorf("%.40s is taken", text)
		}
	}
}
