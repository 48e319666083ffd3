package tenancy

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/manifoldmq/manifold/addressing"
)

// Right is something that a principal may do at an address.
type Right uint8

// The rights. Those of links are asked for when a link is created.
const (
	Send    Right = iota + 1 // to put messages there
	Receive                  // to take messages from there
	Browse                   // to look at messages there without taking them
	Manage                   // to purge, move and replay what is stored there, and to change the address itself
	Admin                    // to change the tenant: its users, roles and plan; at which address says nothing
)

// Rights are all there are, by name.
var Rights = map[string]Right{"send": Send, "receive": Receive, "browse": Browse, "manage": Manage, "admin": Admin}

// String gives the right's name.
func (r Right) String() string {
	for name, right := range Rights {
		if right == r {
			return name
		}
	}
	return fmt.Sprintf("Right(%d)", uint8(r))
}

// Role grants rights under a name. It is immutable.
type Role struct {
	Name   string
	Grants map[Right][]Pattern
}

// ParseRoleName checks a role's name: that of a tenant would do.
func ParseRoleName(s string) (string, error) {
	if _, err := ParseName(s); err != nil {
		return "", fmt.Errorf("role name %q: 1 to %d characters, only a-z, 0-9 and inner hyphens", s, MaxNameLength)
	}
	return s, nil
}

// Pattern is a filter of addresses in which {tenant}, {user} and {client} stand for the names of whoever uses it. It is
// comparable.
type Pattern struct{ text string }

// Everywhere is the pattern that has all addresses.
var Everywhere = Pattern{"#"}

// placeholders are what a pattern may have in braces.
var placeholders = []string{"{tenant}", "{user}", "{client}"}

// ParsePattern checks a pattern: it has to be a filter (addressing.ReadFilter) whatever its placeholders stand for.
func ParsePattern(s string) (Pattern, error) {
	p := Pattern{s}
	plain := p.with("x", "x", "x")
	if strings.ContainsAny(plain, "{}") {
		return Pattern{}, fmt.Errorf("pattern %q: braces are for %s", s, strings.Join(placeholders, ", "))
	}
	if _, err := addressing.ReadFilter(plain); err != nil {
		return Pattern{}, fmt.Errorf("pattern %q: %w", s, err)
	}
	return p, nil
}

// String gives the pattern as it was parsed.
func (p Pattern) String() string { return p.text }

// MarshalText implements encoding.TextMarshaler.
func (p Pattern) MarshalText() ([]byte, error) { return []byte(p.text), nil }

// UnmarshalText implements encoding.TextUnmarshaler.
func (p *Pattern) UnmarshalText(text []byte) (err error) {
	*p, err = ParsePattern(string(text))
	return err
}

// with gives the pattern with its placeholders replaced, in one pass: what a name contains is not replaced again.
func (p Pattern) with(tenant, user, client string) string {
	return strings.NewReplacer(placeholders[0], tenant, placeholders[1], user, placeholders[2], client).Replace(p.text)
}

// For gives the filter that the pattern is for somebody. There is none if a placeholder stands for a name that is not
// there, or that could widen the pattern: a name is a part of one level, and has neither separator nor wildcard in it.
func (p Pattern) For(who *Principal) (f addressing.Filter, ok bool) {
	for i, name := range []string{who.Tenant.Name, who.User, who.Client} {
		if strings.Contains(p.text, placeholders[i]) && !isPlainLevel(name, p.isTokens()) {
			return addressing.Filter{}, false
		}
	}
	f, err := addressing.ReadFilter(p.with(who.Tenant.Name, who.User, who.Client))
	return f, err == nil
}

// isTokens tells whether the pattern is one of tokens, which dots part as well.
func (p Pattern) isTokens() bool { return strings.HasPrefix(p.text, addressing.TokensPrefix) }

// isPlainLevel tells whether a name means nothing but itself inside a level, or inside a token if it is to be that.
func isPlainLevel(name string, isToken bool) bool {
	return name != "" && !strings.ContainsAny(name, "/*#+") && !(isToken && strings.Contains(name, "."))
}

// checkRoles finds roles that are declared twice, and names of roles that are not declared.
func (t *Tenant) checkRoles() error {
	known := make(map[string]bool, len(t.Roles))
	for _, r := range t.Roles {
		if _, err := ParseRoleName(r.Name); err != nil {
			return err
		}
		if known[r.Name] {
			return fmt.Errorf("role %q is declared twice", r.Name)
		}
		known[r.Name] = true
	}
	check := func(whose string, names []string) error {
		for _, name := range names {
			if !known[name] {
				return fmt.Errorf("%s: no role %q is declared; there are %s", whose, name, strings.Join(slices.Sorted(maps.Keys(known)), ", "))
			}
		}
		return nil
	}
	for _, u := range t.Users {
		if err := check(fmt.Sprintf("user %q", u.Name), u.Roles); err != nil {
			return err
		}
	}
	return check("defaultRoles", t.DefaultRoles)
}

// grants are the filters of somebody's rights.
type grants map[Right][]addressing.Filter

// grantsOf gathers what roles of a tenant, or else its default ones, grant to somebody. Roles that it does not declare, as
// tokens may name, are passed over. Who was made out of nothing gets nothing.
func grantsOf(p *Principal, t *Tenant, names []string) grants {
	g := make(grants)
	if p.directory == nil {
		return g
	}
	declared := func(name string) bool {
		return slices.ContainsFunc(t.Roles, func(r Role) bool { return r.Name == name })
	}
	if !slices.ContainsFunc(names, declared) {
		names = t.DefaultRoles
	}
	for _, role := range t.Roles {
		if !slices.Contains(names, role.Name) {
			continue
		}
		for right, patterns := range role.Grants {
			for _, pattern := range patterns {
				if f, ok := pattern.For(p); ok {
					g[right] = append(g[right], f)
				}
			}
		}
	}
	return g
}

// covers tells whether one of the grants of a right has all addresses that f selects.
func (g grants) covers(right Right, f addressing.Filter) bool {
	return slices.ContainsFunc(g[right], func(granted addressing.Filter) bool { return f.Within(granted) })
}
