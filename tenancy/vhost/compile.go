package vhost

import (
	"fmt"
	"slices"
	"strings"

	"github.com/manifoldmq/manifold/addressing"
)

// unlimited is what stands for no limit of connections.
const unlimited = 65535

// host is a declaration in a form to be asked.
type host struct {
	*Host
	groups map[string]*group // by their names
	of     map[string]*group // by their users
}

// group is a declaration in a form to be asked.
type group struct {
	*Group
	sources, targets names
	from             []network
}

// compile checks a host. An error is in the words of Dispatch, without its name.
func compile(h *Host) (*host, error) {
	c := &host{Host: h, groups: make(map[string]*group), of: make(map[string]*group)}
	for i, alias := range h.Aliases {
		switch {
		case alias == h.Name:
			return nil, fmt.Errorf("option 'aliases' value '%s' duplicates vhost name", alias)
		case slices.Contains(h.Aliases[:i], alias):
			return nil, fmt.Errorf("option 'aliases' value '%s' is duplicated", alias)
		}
	}
	for _, limit := range []struct {
		name string
		most *int
	}{
		{"maxConnections", h.MaxConnections}, {"maxConnectionsPerUser", h.MaxConnectionsPerUser}, {"maxConnectionsPerHost", h.MaxConnectionsPerHost},
	} {
		if err := inRange(limit.name, limit.most); err != nil {
			return nil, err
		}
	}
	if h.MaxMessageSize != nil && *h.MaxMessageSize < 0 {
		return nil, fmt.Errorf("option 'maxMessageSize' is %d, below 0", *h.MaxMessageSize)
	}
	for i := range h.Groups {
		g, err := compileGroup(&h.Groups[i])
		if err != nil {
			return nil, fmt.Errorf("user group '%s': %w", h.Groups[i].Name, err)
		}
		if c.groups[g.Name] != nil {
			return nil, fmt.Errorf("user group '%s' is declared twice", g.Name)
		}
		c.groups[g.Name] = g
		for _, user := range g.Users {
			if err := c.enroll(user, g); err != nil {
				return nil, err
			}
		}
	}
	if h.AllowUnknownUser && c.groups[Default] == nil {
		return nil, fmt.Errorf("allows connections by default but default settings are not defined")
	}
	return c, nil
}

// enroll puts a user into a group. Here users are called without what follows @.
func (h *host) enroll(user string, g *group) error {
	name, _, _ := strings.Cut(user, "@")
	for _, name := range []string{user, name} {
		if other := h.of[name]; other != nil && other != g {
			return fmt.Errorf("user '%s' is in multiple user groups '%s' and '%s'", name, other.Name, g.Name)
		}
		h.of[name] = g
	}
	return nil
}

func inRange(name string, n *int) error {
	if n != nil && (*n < 0 || *n > unlimited) {
		return fmt.Errorf("option '%s' is %d, not from 0 to %d", name, *n, unlimited)
	}
	return nil
}

func compileGroup(g *Group) (*group, error) {
	c := &group{Group: g, sources: names{texts: g.Sources}, targets: names{texts: g.Targets}}
	switch {
	case len(g.Sources) > 0 && len(g.SourcePatterns) > 0:
		return nil, fmt.Errorf("specifies conflicting 'sources' and 'sourcePattern' attributes: use only one or the other")
	case len(g.Targets) > 0 && len(g.TargetPatterns) > 0:
		return nil, fmt.Errorf("specifies conflicting 'targets' and 'targetPattern' attributes: use only one or the other")
	}
	for _, list := range []struct {
		names    *names
		patterns []string
	}{{&c.sources, g.SourcePatterns}, {&c.targets, g.TargetPatterns}} {
		for _, written := range list.patterns {
			p, err := parsePattern(written)
			if err != nil {
				return nil, err
			}
			list.names.patterns = append(list.names.patterns, p)
		}
		for _, text := range list.names.texts {
			if strings.Count(text, userToken) > 1 {
				return nil, fmt.Errorf("item '%s' contains multiple user substitution tokens", text)
			}
		}
	}
	for _, written := range g.RemoteHosts {
		n, err := parseNetwork(written)
		if err != nil {
			return nil, fmt.Errorf("option 'remoteHosts' connectionOption %w", err)
		}
		c.from = append(c.from, n)
	}
	for _, limit := range []struct {
		name string
		most *int
	}{{"maxConnectionsPerUser", g.MaxConnectionsPerUser}, {"maxConnectionsPerHost", g.MaxConnectionsPerHost}} {
		if err := inRange(limit.name, limit.most); err != nil {
			return nil, err
		}
	}
	for _, limit := range []struct {
		name string
		most int64
	}{
		{"maxFrameSize", int64(g.MaxFrameSize)}, {"maxSessionWindow", int64(g.MaxSessionWindow)}, {"maxSessions", int64(g.MaxSessions)},
		{"maxSenders", int64(orZero(g.MaxSenders))}, {"maxReceivers", int64(orZero(g.MaxReceivers))}, {"maxMessageSize", orZero(g.MaxMessageSize)},
	} {
		if limit.most < 0 {
			return nil, fmt.Errorf("option '%s' is %d, below 0", limit.name, limit.most)
		}
	}
	return c, nil
}

func orZero[N int | int64](n *N) N {
	if n == nil {
		return 0
	}
	return *n
}

// groupFor gives the group of a user; nil for none.
func (h *host) groupFor(user string) *group {
	switch {
	case h.of[user] != nil:
		return h.of[user]
	case h.of[Anybody] != nil:
		return h.of[Anybody]
	case h.AllowUnknownUser:
		return h.groups[Default]
	}
	return nil
}

// book is the hosts of some time, which does not change.
type book struct {
	policy  Policy // but for Hosts
	hosts   map[string]*host
	aliases map[string]string // to names
	space   *addressing.Space // of the names, if they are patterns
	named   map[addressing.Filter]string
}

// newBook puts hosts together. Errors tell which host it is.
func newBook(p Policy, hosts []*host) (*book, error) {
	b := &book{policy: p, hosts: make(map[string]*host), aliases: make(map[string]string), named: make(map[addressing.Filter]string)}
	for _, h := range hosts {
		if b.hosts[h.Name] != nil {
			return nil, fmt.Errorf("Policy for vhost '%s' is declared twice", h.Name)
		}
		b.hosts[h.Name] = h
	}
	for _, h := range hosts {
		for _, alias := range h.Aliases {
			if b.hosts[alias] != nil {
				return nil, fmt.Errorf("Policy for vhost '%s' defines alias '%s' which conflicts with an existing vhost named '%s'", h.Name, alias, alias)
			}
			if other, ok := b.aliases[alias]; ok {
				return nil, fmt.Errorf("Policy for vhost '%s' alias '%s' conflicts with existing alias for vhost '%s'", h.Name, alias, other)
			}
			b.aliases[alias] = h.Name
		}
	}
	if !p.NamePatterns {
		return b, nil
	}
	return b, b.addPatterns(hosts)
}

// addPatterns has hosts found by the patterns that their names and aliases are.
func (b *book) addPatterns(hosts []*host) (err error) {
	var all []addressing.Definition
	for _, h := range hosts {
		for _, name := range append([]string{h.Name}, h.Aliases...) {
			f, err := addressing.ParseTokens(simplest(name))
			if err != nil {
				continue // such as the name of the default host, or none: it is found as it is
			}
			if _, taken := b.named[f]; taken {
				return fmt.Errorf("Policy for vhost '%s' alias '%s' optimized pattern conflicts with existing pattern", h.Name, name)
			}
			b.named[f] = h.Name
			all = append(all, addressing.Definition{Name: f, Kind: addressing.Anycast})
		}
	}
	b.space, err = addressing.NewSpace(all)
	return err
}

// simplest gives the simplest pattern that selects the same: several # in a row are one, and a * behind one comes before it.
func simplest(pattern string) string {
	tokens := strings.FieldsFunc(pattern, func(r rune) bool { return r == '.' || r == '/' })
	for i := 1; i < len(tokens); i++ {
		switch {
		case tokens[i-1] == "#" && tokens[i] == "#":
			tokens = slices.Delete(tokens, i, i+1)
			i--
		case tokens[i-1] == "#" && tokens[i] == "*":
			tokens[i-1], tokens[i] = "*", "#"
			i = max(i-2, 0)
		}
	}
	return strings.Join(tokens, ".")
}

// find gives the host that holds for who asks for a name; nil for none.
func (b *book) find(name string) *host {
	if h := b.hosts[name]; h != nil && b.space == nil {
		return h
	}
	if b.space != nil {
		if a, err := addressing.ParseAddress(name); err == nil {
			if d, ok := b.space.Lookup(a); ok {
				return b.hosts[b.named[d.Name]]
			}
		}
	}
	if to, ok := b.aliases[name]; ok {
		return b.hosts[to]
	}
	if h := b.hosts[name]; h != nil {
		return h
	}
	if b.policy.DefaultHost == "" {
		return nil
	}
	return b.hosts[b.policy.DefaultHost]
}
