package dispatch

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/manifoldmq/manifold/gateway/config"
	"github.com/manifoldmq/manifold/gateway/internal/dispatchconf"
	"github.com/manifoldmq/manifold/tenancy"
)

// rules are what is said of who may do what.
type rules struct {
	line         int
	enabled      bool
	defaultVhost string
	hosts        []vhost
}

// vhost is a virtual host: how many may come to it, and what they may do.
type vhost struct {
	file   string
	line   int
	fields map[string]any // by the names of attributes, but for groups
	groups map[string]map[string]any
}

// defaultName is the name of the virtual host, and of the group, of those who have none of their own.
const defaultName = "$default"

// policy reads whether anything is said of who may do what, and the files that do.
func (t *translator) policy(e *entity) error {
	t.rules.line = e.Line
	var err error
	if t.rules.enabled, err = e.flag(false, "enableVhostPolicy"); err != nil {
		return err
	}
	t.rules.defaultVhost = cmp.Or(e.text("defaultVhost"), defaultName)
	for names, setting := range map[string]*int64{
		"maxConnections": &t.tenant.Limits.MaxConnections, "maxMessageSize": (*int64)(&t.tenant.Limits.MaxMessageSize),
	} {
		n, err := e.number(0, names)
		if err != nil {
			return err
		}
		if n > 0 && n != unlimited {
			*setting = int64(n)
		}
	}
	if patterns, err := e.flag(false, "enableVhostNamePatterns"); err != nil || patterns {
		e.lacks("enableVhostNamePatterns", "tenants have one name each")
	}
	e.used["enableVhostNamePatterns"] = true
	if folder := e.text("policyDir"); folder != "" {
		return t.policyFolder(folder)
	}
	return nil
}

// unlimited is what the router has for no limit.
const unlimited = 65535

// policyFolder reads the files of a folder, each a list of virtual hosts.
func (t *translator) policyFolder(folder string) error {
	files, err := filepath.Glob(filepath.Join(folder, "*.json"))
	if err != nil {
		return err
	}
	slices.Sort(files)
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		var sections [][2]json.RawMessage
		if err := json.Unmarshal(withoutComments(text), &sections); err != nil {
			return fmt.Errorf("%s: %w", file, err)
		}
		for _, section := range sections {
			h := vhost{file: file, line: 1}
			if err := json.Unmarshal(section[1], &h.fields); err != nil {
				return fmt.Errorf("%s: %w", file, err)
			}
			groups, err := json.Marshal(h.fields["groups"])
			if err == nil {
				err = json.Unmarshal(groups, &h.groups)
			}
			if err != nil {
				return fmt.Errorf("%s: groups: %w", file, err)
			}
			delete(h.fields, "groups")
			t.rules.hosts = append(t.rules.hosts, h)
		}
	}
	return nil
}

// withoutComments leaves out the lines of JSON that are comments.
func withoutComments(text []byte) []byte {
	lines := strings.Split(string(text), "\n")
	for i, line := range lines {
		if strings.HasPrefix(strings.TrimSpace(line), "#") {
			lines[i] = ""
		}
	}
	return []byte(strings.Join(lines, "\n"))
}

// vhost keeps a virtual host until it is known whether it counts.
func (t *translator) vhost(e *entity) error {
	h := vhost{file: t.file, line: e.Line, fields: make(map[string]any)}
	for _, a := range e.Attributes {
		e.used[a.Name] = true
		if a.Name != "groups" {
			h.fields[a.Name] = a.Value
			continue
		}
		if err := json.Unmarshal(groupsOf(a), &h.groups); err != nil {
			return fmt.Errorf("groups: %w", err)
		}
	}
	t.rules.hosts = append(t.rules.hosts, h)
	return nil
}

// groupsOf gives the groups of a virtual host as JSON, however they were written.
func groupsOf(a dispatchconf.Attribute) []byte {
	if a.JSON != nil {
		return a.JSON
	}
	groups := make(map[string]map[string]string)
	for _, group := range a.Map {
		groups[group.Name] = make(map[string]string)
		for _, setting := range group.Map {
			groups[group.Name][setting.Name] = setting.Value
		}
	}
	text, err := json.Marshal(groups)
	if err != nil {
		panic(err) // texts have a form in JSON
	}
	return text
}

// name is the host name that clients ask for.
func (h *vhost) name() string { return cmp.Or(textOf(h.fields["hostname"]), textOf(h.fields["id"])) }

func (t *translator) remarkHost(h *vhost, attribute, format string, args ...any) {
	t.out.Remarks = append(t.out.Remarks, Remark{h.file, h.line, "vhost", attribute, fmt.Sprintf(format, args...)})
}

// applyPolicy turns virtual hosts into tenants, and their groups into roles. Nobody may do more than before: what cannot be
// said here is left out, and remarked.
func (t *translator) applyPolicy() error {
	if !t.rules.enabled {
		for i := range t.rules.hosts {
			t.remarkHost(&t.rules.hosts[i], "", "policy.enableVhostPolicy is not set, so that it does not count")
		}
		return nil
	}
	t.tenant.Anonymous = false
	common := t.tenant.Limits
	for i := range t.rules.hosts {
		h := &t.rules.hosts[i]
		switch name := h.name(); {
		case name == t.rules.defaultVhost:
			if err := t.applyHost(h, &t.tenant); err != nil {
				return err
			}
		case t.multiTenant:
			label, _, _ := strings.Cut(strings.ToLower(name), ".")
			if _, err := tenancy.ParseName(label); err != nil || label == tenancy.DefaultTenant {
				t.remarkHost(h, "hostname", "%q cannot be the name of a tenant", name)
				continue
			}
			other := config.Tenant{Name: label, Addresses: slices.Clone(t.tenant.Addresses), Limits: common}
			if err := t.applyHost(h, &other); err != nil {
				return err
			}
			t.others = append(t.others, other)
		default:
			t.remarkHost(h, "hostname", "who may do what does not depend on the host that a client asks for, unless a listener is multiTenant")
		}
	}
	return nil
}

// applyHost gives a tenant the limits and roles of a virtual host.
func (t *translator) applyHost(h *vhost, tenant *config.Tenant) error {
	limits := map[string]*int64{
		"maxConnections": &tenant.Limits.MaxConnections, "maxConnectionsPerUser": &tenant.Limits.MaxConnectionsPerUser,
		"maxConnectionsPerHost": &tenant.Limits.MaxConnectionsPerAddress, "maxMessageSize": (*int64)(&tenant.Limits.MaxMessageSize),
	}
	for _, name := range slices.Sorted(maps.Keys(h.fields)) {
		setting, isLimit := limits[name]
		switch {
		case isLimit:
			n, err := strconv.ParseInt(textOf(h.fields[name]), 10, 64)
			if err != nil {
				return refusal("Invalid value for %s of vhost %s: %q is not a whole number", name, h.name(), textOf(h.fields[name]))
			}
			if n > 0 && n != unlimited {
				*setting = n
			}
		case name == "aliases":
			t.remarkHost(h, name, "a tenant has one name")
		case !slices.Contains([]string{"hostname", "id", "allowUnknownUser"}, name):
			t.remarkHost(h, name, "has no counterpart")
		}
	}
	for _, name := range slices.Sorted(maps.Keys(h.groups)) {
		if !slices.Contains(list(h.groups[name]["remoteHosts"]), anybody) {
			t.remarkHost(h, "groups."+name+".remoteHosts", "the group is left out: a role does not depend on where its users are")
			delete(h.groups, name)
			continue
		}
		role := t.roleOf(h, name, h.groups[name])
		tenant.Roles = append(tenant.Roles, role)
		for _, user := range list(h.groups[name]["users"]) {
			if user != anonymousUser && user != anybody {
				t.user(h, tenant, user, role.Name)
			}
		}
	}
	if group, ok := h.groupOfUnknown(); ok {
		tenant.Anonymous, tenant.DefaultRoles = true, []string{roleName(group)}
	}
	return nil
}

// Users and hosts that are none: who has not shown who he is, and whoever is not listed.
const (
	anonymousUser = "anonymous"
	anybody       = "*"
)

// groupOfUnknown gives the group of clients that have not shown who they are: the first of the three that the router finds.
func (h *vhost) groupOfUnknown() (group string, ok bool) {
	for _, user := range []string{anonymousUser, anybody} {
		for name := range h.groups {
			if name != defaultName && slices.Contains(list(h.groups[name]["users"]), user) {
				return name, true
			}
		}
	}
	_, ok = h.groups[defaultName]
	return defaultName, ok && flagOf(h.fields["allowUnknownUser"])
}

// user gives a user a role. How he shows who he is, is not in the file.
func (t *translator) user(h *vhost, tenant *config.Tenant, name, role string) {
	name, _, _ = strings.Cut(name, "@")
	if _, err := tenancy.ParseUserName(name); err != nil {
		t.remarkHost(h, "groups.users", "%v", err)
		return
	}
	i := slices.IndexFunc(tenant.Users, func(u config.User) bool { return u.Name == name })
	if i < 0 {
		t.remarkHost(h, "groups.users", "%s has to be given a password (manifold passwd), unless a certificate names that user", name)
		tenant.Users = append(tenant.Users, config.User{Name: name})
		i = len(tenant.Users) - 1
	}
	tenant.Users[i].Roles = append(tenant.Users[i].Roles, role)
}

// roleOf gives what the users of a group may do.
func (t *translator) roleOf(h *vhost, name string, group map[string]any) config.Role {
	role := config.Role{
		Name:    roleName(name),
		Send:    t.patterns(h, group, "targets", "targetPattern"),
		Receive: t.patterns(h, group, "sources", "sourcePattern"),
	}
	if slices.ContainsFunc(role.Send, func(p tenancy.Pattern) bool { return p == tenancy.Everywhere || p.String() == "$management" }) {
		role.Manage = []tenancy.Pattern{tenancy.Everywhere}
		role.Admin = group["allowAdminStatusUpdate"] == nil || flagOf(group["allowAdminStatusUpdate"])
	}
	harmless := map[string]bool{ // what has been read, and what says nothing else than we do
		"users": true, "targets": true, "targetPattern": true, "sources": true, "sourcePattern": true, "allowAdminStatusUpdate": true,
		"remoteHosts": true, "allowDynamicSource": flagOf(group["allowDynamicSource"]),
		"allowAnonymousSender": flagOf(group["allowAnonymousSender"]), "allowWaypointLinks": flagOf(group["allowWaypointLinks"]),
	}
	for _, setting := range slices.Sorted(maps.Keys(group)) {
		if !harmless[setting] {
			t.remarkHost(h, "groups."+name+"."+setting, "has no counterpart")
		}
	}
	return role
}

// roleName makes the name of a group one of a role: lower-case letters, digits and hyphens.
func roleName(group string) string {
	name := strings.Trim(strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' {
			return r
		}
		return '-'
	}, strings.ToLower(group)), "-")
	return cmp.Or(name[:min(len(name), tenancy.MaxNameLength)], "group")
}

// patterns gives the addresses that a group may use: a list of names, which may end with any text, and one of patterns.
func (t *translator) patterns(h *vhost, group map[string]any, names, patterns string) (all []tenancy.Pattern) {
	add := func(written, text string) {
		p, err := tenancy.ParsePattern(strings.NewReplacer("${user}", "{user}", "${vhost}", "{tenant}").Replace(text))
		if err != nil {
			t.remarkHost(h, "groups", "%q: %v", written, err)
			return
		}
		all = append(all, p)
	}
	for _, name := range list(group[names]) {
		start, open := strings.CutSuffix(name, "*")
		whole := strings.TrimRight(start, "./")
		switch {
		case name == "*":
			all = append(all, tenancy.Everywhere)
		case !open:
			add(name, name)
		case whole == "":
			t.remarkHost(h, "groups."+names, "%q is left out: a right begins with a whole token", name)
		case whole == start:
			t.remarkHost(h, "groups."+names, "%q has become %s and what is below it: a right ends with a whole token", name, whole)
			add(name, whole)
			add(name, "tokens:"+whole+".#")
		default:
			add(name, "tokens:"+whole+".*.#")
		}
	}
	for _, pattern := range list(group[patterns]) {
		add(pattern, "tokens:"+pattern)
	}
	return all
}

// list reads a list: of JSON, or a text with commas between.
func list(v any) (all []string) {
	if items, ok := v.([]any); ok {
		for _, item := range items {
			all = append(all, list(item)...)
		}
		return all
	}
	for item := range strings.SplitSeq(textOf(v), ",") {
		if item = strings.TrimSpace(item); item != "" {
			all = append(all, item)
		}
	}
	return all
}

func textOf(v any) string {
	switch v := v.(type) {
	case nil:
		return ""
	case string:
		return v
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64)
	default:
		return fmt.Sprint(v)
	}
}

func flagOf(v any) bool {
	return slices.Contains([]string{"true", "yes", "on", "1"}, strings.ToLower(textOf(v)))
}
