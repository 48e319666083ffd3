package vhost

import (
	"fmt"
	"net/netip"
	"strings"

	"github.com/manifoldmq/manifold/addressing"
)

// names are addresses that a group may use.
type names struct {
	texts    []string // a last * stands for any text
	patterns []pattern
}

// pattern is one of tokens, of which the first or the last may be the user.
type pattern struct{ written string }

// parsePattern checks a pattern.
func parsePattern(s string) (pattern, error) {
	if strings.Count(s, userToken) > 0 {
		_, ahead := strings.CutSuffix(s, userToken)
		rest, after := strings.CutPrefix(s, userToken)
		if ahead == after && s != userToken {
			return pattern{}, fmt.Errorf("item '%s' may contain match pattern '%s' as a prefix or a suffix only", s, userToken)
		}
		whole := after && (rest == "" || isSeparator(rest[0])) || ahead && isSeparator(strings.TrimSuffix(s, userToken)[len(s)-len(userToken)-1])
		if !whole {
			return pattern{}, fmt.Errorf("item '%s': '%s' has to be a whole token", s, userToken)
		}
	}
	if _, err := addressing.ParseTokens(strings.ReplaceAll(s, userToken, "user")); err != nil {
		return pattern{}, fmt.Errorf("item '%s': %w", s, err)
	}
	return pattern{s}, nil
}

func isSeparator(c byte) bool { return c == '.' || c == '/' }

// withUser puts the name of a user in. It is false if that is no token: then the pattern selects nothing.
func withUser(s, user string) (string, bool) {
	if !strings.Contains(s, userToken) {
		return s, true
	}
	if user == "" || strings.ContainsAny(user, "./*#") {
		return "", false
	}
	return strings.ReplaceAll(s, userToken, user), true
}

// allow tells whether a user may use every address that f selects.
func (n *names) allow(user string, f addressing.Filter) bool {
	lead, literal := leadOf(f)
	for _, text := range n.texts {
		if text == Anybody {
			return true
		}
		stem, open := strings.CutSuffix(text, "*")
		stem = strings.ReplaceAll(stem, userToken, user) // whose own * stands for nothing else
		if open && strings.HasPrefix(lead, stem) || literal && !open && stem == lead {
			return true
		}
	}
	for _, p := range n.patterns {
		if p.covers(user, f, lead, literal) {
			return true
		}
	}
	return false
}

// leadOf gives the text that all addresses of a filter begin with: that of the only one, if it is literal.
func leadOf(f addressing.Filter) (lead string, literal bool) {
	if a, ok := f.Literal(); ok {
		return string(a), true
	}
	for level := range strings.SplitAfterSeq(f.String(), "/") {
		if bare := strings.TrimSuffix(level, "/"); bare == "*" || bare == "#" {
			break
		}
		lead += level
	}
	return lead, false
}

// covers tells whether a pattern selects what f does. Here, unlike elsewhere, wildcards stand for what begins with '$', too.
func (p pattern) covers(user string, f addressing.Filter, lead string, literal bool) bool {
	text, ok := withUser(p.written, user)
	if !ok {
		return false
	}
	selects, err := addressing.ParseTokens(text)
	switch {
	case err != nil:
		return false
	case f.Within(selects) || text == "#":
		return true
	}
	rest, hidden := strings.CutPrefix(lead, "$")
	return literal && hidden && strings.IndexAny(text, "*#") == 0 && selects.Matches(addressing.Address("_"+rest))
}

// network is where clients may be: from one address to another.
type network struct {
	any         bool
	first, last netip.Addr
}

// parseNetwork reads one of the remoteHosts: an address, two with a hyphen between, or any.
func parseNetwork(s string) (n network, err error) {
	if s == Anybody {
		return network{any: true}, nil
	}
	first, last, isRange := strings.Cut(s, "-")
	if n.first, err = addressOf(strings.TrimSpace(first)); err != nil {
		return n, err
	}
	n.last = n.first
	if isRange {
		if n.last, err = addressOf(strings.TrimSpace(last)); err != nil {
			return n, err
		}
	}
	if n.first.Is4() != n.last.Is4() {
		return n, fmt.Errorf("'%s': mixed IPv4 and IPv6 host specs in range not allowed", s)
	}
	if n.last.Less(n.first) {
		return n, fmt.Errorf("'%s': host specs in range must have lower numeric address first", s)
	}
	return n, nil
}

// addressOf reads an address. The one name that needs nobody to be asked is that of this machine.
func addressOf(s string) (netip.Addr, error) {
	if s == "localhost" {
		return netip.AddrFrom4([4]byte{127, 0, 0, 1}), nil
	}
	a, err := netip.ParseAddr(s)
	if err != nil {
		return a, fmt.Errorf("'%s' is not an IP address", s)
	}
	return a.Unmap(), nil
}

func (n network) has(a netip.Addr) bool {
	a = a.Unmap()
	return n.any || a.IsValid() && a.Is4() == n.first.Is4() && !a.Less(n.first) && !n.last.Less(a)
}
