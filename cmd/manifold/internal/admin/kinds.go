package admin

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// kind is a type of things that can be looked at.
type kind struct {
	name     string   // plural, as the API has it
	others   []string // how people call it too
	platform bool     // it is not of one tenant
	declared bool     // it is in a configuration
	removed  string   // what a DELETE does to it; empty when there is none
	columns  []column
	identity string // the member that names it
}

// column is one of a table: the path of a member, and how it is shown.
type column struct {
	title, member string
	show          func(any) string // plainly if nil
}

var kinds = []kind{
	{name: "tenants", others: []string{"tenant"}, platform: true, declared: true, removed: "removed", identity: "name", columns: []column{
		{"NAME", "name", nil}, {"SOURCE", "source", nil}, {"PLAN", "plan", nil}, {"DISABLED", "disabled", nil},
		{"ADDRESSES", "addresses", nil}, {"USERS", "users", nil}, {"ROLES", "roles", nil}, {"WEBHOOKS", "webhooks", nil},
	}},
	{name: "addresses", others: []string{"address"}, declared: true, removed: "removed", identity: "value.name", columns: []column{
		{"NAME", "value.name", nil}, {"KIND", "value.kind", nil}, {"SOURCE", "source", nil}, {"SETTINGS", "value", settings},
	}},
	{name: "roles", others: []string{"role"}, declared: true, removed: "removed", identity: "value.name", columns: []column{
		{"NAME", "value.name", nil}, {"SOURCE", "source", nil}, {"GRANTS", "value", settings},
	}},
	{name: "users", others: []string{"user"}, declared: true, removed: "removed", identity: "value.name", columns: []column{
		{"NAME", "value.name", nil}, {"SOURCE", "source", nil}, {"ROLES", "value.roles", nil},
	}},
	{name: "webhooks", others: []string{"webhook", "hook"}, declared: true, removed: "removed", identity: "value.name", columns: []column{
		{"NAME", "value.name", nil}, {"FROM", "value.from", nil}, {"URL", "value.url", nil}, {"SOURCE", "source", nil},
	}},
	{name: "queues", others: []string{"queue", "subscriptions"}, identity: "name", columns: []column{
		{"NAME", "name", nil}, {"MESSAGES", "messages", nil}, {"READY", "ready", nil}, {"HELD", "unacknowledged", nil},
		{"BYTES", "bytes", nil}, {"CONSUMERS", "consumers", nil}, {"OLDEST", "oldest", age},
	}},
	{name: "sessions", others: []string{"session"}, removed: "expired", identity: "client", columns: []column{
		{"CLIENT", "client", nil}, {"USER", "user", nil}, {"CONNECTED", "connected", nil},
		{"SUBSCRIPTIONS", "subscriptions", nil}, {"ENDS", "ends", nil},
	}},
	{name: "connections", others: []string{"connection", "conn"}, platform: true, removed: "closed", identity: "id", columns: []column{
		{"ID", "id", nil}, {"TENANT", "tenant", nil}, {"USER", "user", nil}, {"CLIENT", "client", nil},
		{"PROTOCOL", "protocol", nil}, {"ADDRESS", "address", nil}, {"TLS", "tls", nil}, {"SINCE", "since", age},
		{"IN", "messagesIn", nil}, {"OUT", "messagesOut", nil},
	}},
	{name: "links", others: []string{"link"}, platform: true, identity: "id", columns: []column{
		{"ID", "id", nil}, {"CONNECTION", "connection", nil}, {"TENANT", "tenant", nil}, {"DIR", "direction", nil},
		{"ADDRESS", "address", nil}, {"KIND", "kind", nil}, {"CREDIT", "credit", nil}, {"DELIVERED", "delivered", nil},
		{"UNSETTLED", "unsettled", nil}, {"DROPPED", "dropped", nil},
	}},
	{name: "plans", others: []string{"plan"}, platform: true, declared: true, removed: "removed", identity: "value.name", columns: []column{
		{"NAME", "value.name", nil}, {"SOURCE", "source", nil}, {"ALLOWS", "value", settings},
	}},
	{name: "usage", others: []string{"limit", "limits"}, identity: "limit", columns: []column{
		{"LIMIT", "limit", nil}, {"USED", "used", nil}, {"MOST", "most", limit}, {"BREACHES", "breaches", nil},
	}},
}

// kindOf finds a kind by one of its names.
func kindOf(name string) (*kind, error) {
	for i := range kinds {
		if k := &kinds[i]; k.name == name || slices.Contains(k.others, name) {
			return k, nil
		}
	}
	return nil, fmt.Errorf("there is no type %q; one of %s", name, strings.Join(kindNames(), ", "))
}

func kindNames() []string {
	names := make([]string, len(kinds))
	for i := range kinds {
		names[i] = kinds[i].name
	}
	return names
}

// list is the path of all things of a kind.
func (k *kind) list(s *server) string {
	if k.platform {
		return path(k.name)
	}
	return s.of(k.name)
}

// one is the path of one thing.
func (k *kind) one(s *server, name string) string {
	if k.platform {
		return path(k.name, name)
	}
	return s.of(k.name, name)
}

// member finds what is at a path in a thing.
func member(thing any, path string) any {
	for step := range strings.SplitSeq(path, ".") {
		object, ok := thing.(map[string]any)
		if !ok || step == "" {
			return thing
		}
		thing = object[step]
	}
	return thing
}

// cell shows a member of a thing.
func (c *column) cell(thing any) string {
	v := member(thing, c.member)
	if c.show != nil {
		return c.show(v)
	}
	return text(v)
}

func text(v any) string {
	switch v := v.(type) {
	case nil:
		return "-"
	case string:
		return v
	case bool:
		return strconv.FormatBool(v)
	case json.Number:
		return v.String()
	case []any:
		parts := make([]string, len(v))
		for i := range v {
			parts[i] = text(v[i])
		}
		return strings.Join(parts, ",")
	}
	encoded, _ := json.Marshal(v) // it was decoded from JSON
	return string(encoded)
}

// settings shows what is declared besides the name and the kind, on one line.
func settings(v any) string {
	object, _ := v.(map[string]any)
	var parts []string
	for key, value := range object {
		if key != "name" && key != "kind" {
			parts = append(parts, key+"="+text(value))
		}
	}
	if len(parts) == 0 {
		return "-"
	}
	slices.Sort(parts)
	return strings.Join(parts, " ")
}

// age shows how long ago a time was.
func age(v any) string {
	at, err := time.Parse(time.RFC3339, text(v))
	if err != nil {
		return "-"
	}
	return time.Since(at).Round(time.Second).String()
}

func limit(v any) string {
	if shown := text(v); shown != "0" {
		return shown
	}
	return "-"
}
