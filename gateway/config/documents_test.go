package config

import (
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/manifoldmq/manifold/tenancy/vhost"
)

// setting is one key of the configuration as a document should show it.
type setting struct {
	path string
	text string // its default
}

// settingsOf lists the keys of a section and those below it, with the values that they have.
func settingsOf(v reflect.Value, path string) (all []setting) {
	for _, f := range reflect.VisibleFields(v.Type()) {
		if f.Anonymous {
			continue
		}
		field, path := v.FieldByIndex(f.Index), join(path, f.Tag.Get("yaml"))
		if _, text := field.Interface().(fmt.Stringer); field.Kind() == reflect.Struct && !text {
			all = append(all, settingsOf(field, path)...)
		} else {
			all = append(all, setting{path, shown(field)})
		}
	}
	return all
}

func everySetting() []setting {
	c := Default()
	all := settingsOf(reflect.ValueOf(c), "")
	all = append(all, settingsOf(reflect.ValueOf(Tenant{}), "tenants[]")...)
	all = append(all, settingsOf(reflect.ValueOf(User{}), "users[]")...)
	all = append(all, settingsOf(reflect.ValueOf(Role{}), "roles[]")...)
	all = append(all, settingsOf(reflect.ValueOf(Webhook{}), "webhooks[]")...)
	all = append(all, settingsOf(reflect.ValueOf(Tokens{}), "tokens[]")...)
	all = append(all, settingsOf(reflect.ValueOf(Certificates{}), "certificates[]")...)
	all = append(all, settingsOf(reflect.ValueOf(KeyPair{}), "tls.certificates[]")...)
	all = append(all, settingsOf(reflect.ValueOf(Connector{}), "connectors[]")...)
	all = append(all, settingsOf(reflect.ValueOf(AMQPListener{}), "listeners[]")...)
	all = append(all, settingsOf(reflect.ValueOf(vhost.Host{}), "vhosts[]")...)
	all = append(all, settingsOf(reflect.ValueOf(vhost.Group{}), "groups[]")...)
	all = append(all, settingsOf(reflect.ValueOf(AutoLink{}), "autoLinks[]")...)
	all = append(all, settingsOf(reflect.ValueOf(LinkRoute{}), "linkRoutes[]")...)
	all = append(all, settingsOf(reflect.ValueOf(Federation{}), "federation[]")...)
	return append(all, settingsOf(reflect.ValueOf(Address{}), "addresses[]")...)
}

// shown gives a value as a person writes it.
func shown(v reflect.Value) string {
	if v.Kind() == reflect.Slice || v.Kind() == reflect.Pointer || fmt.Sprint(v.Interface()) == "" {
		return "none"
	}
	switch value := v.Interface().(type) {
	case time.Duration:
		if value >= time.Minute {
			return strings.TrimSuffix(value.String(), "0s")
		}
	case Size:
		if value == 0 {
			return "0"
		}
	}
	return fmt.Sprint(v.Interface())
}

func TestEverySettingIsDocumentedWithItsDefault(t *testing.T) {
	text, err := os.ReadFile("../../docs/configuration.md")
	if err != nil {
		t.Fatal(err)
	}
	required := map[string]bool{"tenants[].name": true, "users[].name": true, "roles[].name": true, "addresses[].name": true, "addresses[].kind": true,
		"webhooks[].name": true, "webhooks[].from": true, "webhooks[].url": true,
		"tokens[].issuer": true, "tokens[].audience": true,
		"connectors[].name": true, "listeners[].name": true, "connectors[].hosts": true, "autoLinks[].address": true, "linkRoutes[].direction": true,
		"federation[].name": true, "federation[].connector": true, "federation[].kind": true, "federation[].direction": true, "federation[].source": true,
		"certificates[].ca": true, "tls.certificates[].certificate": true, "tls.certificates[].key": true}
	rows := 0
	for _, s := range everySetting() {
		cell := "`" + s.text + "`"
		switch {
		case s.path == "tenants": // shown by its own keys
			continue
		case required[s.path]:
			cell = "required"
		case s.text == "none":
			cell = "none"
		}
		rows++
		if row := fmt.Sprintf("\n| `%s` | %s | ", s.path, cell); !strings.Contains(string(text), row) {
			t.Errorf("docs/configuration.md has no row %q", row)
		}
	}
	if have := strings.Count(string(text), "\n| `"); have != rows {
		t.Errorf("docs/configuration.md has %d rows of settings, there are %d settings", have, rows)
	}
}

// TestSettingsOfQueuesAreExplained: docs/broker.md has a row for each, with its default.
func TestSettingsOfQueuesAreExplained(t *testing.T) {
	text, err := os.ReadFile("../../docs/broker.md")
	if err != nil {
		t.Fatal(err)
	}
	_, section, _ := strings.Cut(string(text), "\n## Settings\n")
	section, _, _ = strings.Cut(section, "\n## ")
	others := map[string]bool{
		"name": true, "kind": true, "distribution": true, "waypoint.connectors": true, "waypoint.external": true,
		"egressPhase": true, "fallback": true, "priority": true, "label": true, "written": true, "unavailable": true,
	}
	rows := 0
	for _, s := range settingsOf(reflect.ValueOf(Address{}), "") {
		if others[s.path] {
			continue
		}
		rows++
		cell := "`" + s.text + "`"
		if s.text == "none" {
			cell = "none"
		}
		if row := fmt.Sprintf("\n| `%s` | %s | ", s.path, cell); !strings.Contains(section, row) {
			t.Errorf("docs/broker.md has no row %q", row)
		}
	}
	if have := strings.Count(section, "\n| `"); have != rows {
		t.Errorf("docs/broker.md has %d rows of settings, there are %d settings", have, rows)
	}
}

// short are the settings of the tenant "default" at the top level.
var short = []string{"anonymous", "users", "roles", "defaultRoles", "addresses", "webhooks", "plan"}

func TestProductionShowsEverySettingAndItsDefault(t *testing.T) {
	file := filepath.Join("..", "..", "configs", "production.yaml")
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	doc, problems := parseDocument(file, text)
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	for _, s := range settingsOf(reflect.ValueOf(Default()), "") {
		if !slices.Contains(short, s.path) && !has(doc, s.path) {
			t.Errorf("%s does not show %s", file, s.path)
		}
	}

	got, err := Load(file)
	if err != nil {
		t.Fatal(err)
	}
	want := Default()
	want.Listen, want.DataDir, want.Log.Format = "0.0.0.0", "/var/lib/manifold", "json" // as its comments say
	want.Tenants = got.Tenants
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("%s:\n%+v\nthe defaults:\n%+v", file, got, want)
	}
}

// has tells whether a document has the key at path.
func has(d document, path string) bool {
	t := &d.root
	for step := range steps(path) {
		if t = t.child(step); t == nil {
			return false
		}
	}
	return true
}
