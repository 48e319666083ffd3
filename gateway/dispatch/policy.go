package dispatch

import (
	"cmp"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/manifoldmq/manifold/gateway/config"
	"github.com/manifoldmq/manifold/gateway/internal/dispatchconf"
	"github.com/manifoldmq/manifold/tenancy"
	"github.com/manifoldmq/manifold/tenancy/vhost"
)

// rules are what is said of who may do what.
type rules struct {
	line         int
	enabled      bool
	defaultVhost string
	patterns     bool
	maxSize      int64
	hosts        []declaredHost
}

// declaredHost is a virtual host, and where it is declared.
type declaredHost struct {
	file   string
	line   int
	fields map[string]any // by the names of attributes; groups is a map of maps, or JSON
}

// policy reads whether anything is said of who may do what, and the files that do.
func (t *translator) policy(e *entity) error {
	t.rules.line = e.Line
	var err error
	if t.rules.enabled, err = e.flag(false, "enableVhostPolicy"); err != nil {
		return err
	}
	t.rules.defaultVhost = cmp.Or(e.text("defaultVhost"), vhost.Default)
	if t.rules.patterns, err = e.flag(false, "enableVhostNamePatterns"); err != nil {
		return err
	}
	connections, err1 := e.number(unlimited, "maxConnections")
	size, err2 := e.number(0, "maxMessageSize")
	if err := firstError(err1, err2); err != nil {
		return err
	}
	if connections > 0 && connections != unlimited {
		t.tenant.Limits.MaxConnections = int64(connections)
	}
	t.rules.maxSize = int64(size)
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
			h := declaredHost{file: file, line: 1}
			if err := json.Unmarshal(section[1], &h.fields); err != nil {
				return fmt.Errorf("%s: %w", file, err)
			}
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
	h := declaredHost{file: t.file, line: e.Line, fields: make(map[string]any)}
	for _, a := range e.Attributes {
		e.used[a.Name] = true
		if a.Name == "groups" {
			h.fields[a.Name] = string(groupsOf(a))
			continue
		}
		h.fields[a.Name] = a.Value
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

func (t *translator) remarkHost(h *declaredHost, attribute, format string, args ...any) {
	t.out.Remarks = append(t.out.Remarks, Remark{h.file, h.line, "vhost", attribute, fmt.Sprintf(format, args...)})
}

// nobodysRole is the role of who comes in by another door than that of AMQP, of which a policy says nothing: he may do nothing.
const nobodysRole = "nobody"

// applyPolicy has the policy hold, if one is to.
func (t *translator) applyPolicy() error {
	if !t.rules.enabled {
		for i := range t.rules.hosts {
			t.remarkHost(&t.rules.hosts[i], "", "policy.enableVhostPolicy is not set, so that it does not count")
		}
		if t.rules.maxSize > 0 {
			t.tenant.Limits.MaxMessageSize = config.Size(t.rules.maxSize)
		}
		return nil
	}
	p := &t.out.Config.AMQP.Policy
	p.Enabled, p.DefaultVhost, p.VhostNamePatterns = true, t.rules.defaultVhost, t.rules.patterns
	p.MaxMessageSize = config.Size(t.rules.maxSize)
	t.tenant.Roles, t.tenant.DefaultRoles = []config.Role{{Name: nobodysRole}}, []string{nobodysRole}
	for i := range t.rules.hosts {
		declared := &t.rules.hosts[i]
		h, unknown, err := vhost.Read(declared.fields)
		if err != nil {
			return refusal("PolicyError: Policy '%s' is invalid: %v", h.Name, err)
		}
		for _, attribute := range unknown {
			t.remarkHost(declared, attribute, "has no counterpart")
		}
		p.Vhosts = append(p.Vhosts, h)
		for j := range h.Groups {
			t.users(declared, &h.Groups[j])
		}
	}
	return nil
}

// users declares those of a group. How they show who they are, is not in the file.
func (t *translator) users(h *declaredHost, g *vhost.Group) {
	for _, written := range g.Users {
		if written == vhost.Anonymous || written == vhost.Anybody {
			continue
		}
		name, _, _ := strings.Cut(written, "@")
		if _, err := tenancy.ParseUserName(name); err != nil {
			t.remarkHost(h, "groups."+g.Name+".users", "%v", err)
			continue
		}
		if slices.ContainsFunc(t.tenant.Users, func(u config.User) bool { return u.Name == name }) {
			continue
		}
		t.remarkHost(h, "groups."+g.Name+".users", "%s has to be given a password (manifold passwd), unless a certificate names that user", name)
		t.tenant.Users = append(t.tenant.Users, config.User{Name: name})
	}
}
