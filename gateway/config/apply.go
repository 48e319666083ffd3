package config

import (
	"bytes"
	"fmt"
	"slices"

	"github.com/manifoldmq/manifold/tenancy"
)

// Part is what a file says of one tenant or plan, as the admin API takes it.
type Part struct {
	Name string
	Plan bool   // it is a plan
	JSON []byte // ReadJSON reads it
	file string
	tree tree
}

// shortKeys are those at the top level that are of the tenant "default".
var shortKeys = []string{"anonymous", "plan", "users", "roles", "defaultRoles", "addresses", "webhooks"}

// ReadParts reads a file that declares tenants and nothing else, or one tenant. What it says is checked by who takes it; the
// error is Problems all the same when it is no such file.
func ReadParts(file string, text []byte) ([]Part, error) {
	doc, problems := parseDocument(file, text)
	if len(problems) > 0 {
		return nil, problems
	}
	if doc.root.form != section {
		return nil, Problems{{file, doc.root.line, "", "no tenants are declared here"}}
	}
	if doc.root.child("name") != nil {
		return partsOf(file, []tree{doc.root})
	}
	short := tree{form: section, line: doc.root.line, entries: []entry{{key: "name", value: tree{form: value, text: tenancy.DefaultTenant}}}}
	var plans, all []tree
	for _, e := range doc.root.entries {
		switch {
		case e.key == "tenants" && e.value.form == list:
			all = append(all, e.value.items...)
		case e.key == "plans" && e.value.form == list:
			plans = append(plans, e.value.items...)
		case slices.Contains(shortKeys, e.key):
			short.entries = append(short.entries, e)
		default:
			return nil, Problems{{file, e.line, e.key, "is about neither tenants nor plans: only who starts the gateway can set it"}}
		}
	}
	if len(short.entries) > 1 {
		all = append([]tree{short}, all...)
	}
	parts, err := partsOf(file, plans)
	for i := range parts {
		parts[i].Plan = true
	}
	if err != nil {
		return nil, err
	}
	tenants, err := partsOf(file, all)
	return append(parts, tenants...), err
}

func partsOf(file string, trees []tree) (parts []Part, err error) {
	for _, t := range trees {
		name := t.child("name")
		if name == nil || name.form != value {
			return nil, Problems{{file, t.line, "name", "is missing"}}
		}
		var b bytes.Buffer
		t.writeJSON(&b)
		parts = append(parts, Part{Name: name.text, JSON: b.Bytes(), file: file, tree: t})
	}
	return parts, nil
}

// Place says where in the file a setting of the tenant is, or the closest one above it that is there.
func (p *Part) Place(path string) string {
	doc := document{file: p.file, root: p.tree}
	line := doc.line(path)
	if path == "" {
		line = p.tree.line
	}
	return fmt.Sprintf("%s:%d", p.file, line)
}
