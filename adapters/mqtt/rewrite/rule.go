// Package rewrite renames topics: what firmware calls a thing, to what the address space calls it, and back.
//
// A Rule pairs two patterns, the topics that it matches and the addresses that they become, level by level. It is pure,
// and the way back is the same as the way there with the patterns exchanged.
//
// Promises:
//   - A rule is one-to-one: what Inward gives for a topic, Outward gives the topic for.
//   - A filter that a rule renames selects the same topics before as it selects addresses after.
//   - What no rule matches keeps its name.
package rewrite

import (
	"fmt"
	"strings"

	"github.com/manifoldmq/manifold/addressing"
)

// Rule is one way to rename. It comes from Parse; it may be used by several goroutines.
type Rule struct {
	match, to     string
	topic, result pattern
}

// Parse reads a rule. match is an MQTT topic filter. to names the address: $1 is what the first "+" of match stands for,
// $2 the second and so on, each a level of its own, and "#" as the last level is what "#" of match stands for. Each has to
// be there once, else deliveries could not be named back. In both, the levels $user, $client and $tenant are those of the
// client.
func Parse(match, to string) (*Rule, error) {
	if match == "" || to == "" {
		return nil, fmt.Errorf("a rule has both match and to")
	}
	if _, err := addressing.ParseMQTTFilter(match); err != nil {
		return nil, fmt.Errorf("match %.80q: %w", match, err)
	}
	r := &Rule{match: match, to: to, topic: topicPattern(match)}
	var err error
	if r.result, err = resultPattern(to); err != nil {
		return nil, fmt.Errorf("to %.80q: %w", to, err)
	}
	if err := r.oneToOne(); err != nil {
		return nil, fmt.Errorf("to %.80q: %w", to, err)
	}
	return r, nil
}

// Match is the pattern of topics, and To that of addresses, as they were given to Parse.
func (r *Rule) Match() string { return r.match }

// To is the pattern of addresses.
func (r *Rule) To() string { return r.to }

// oneToOne checks that the two patterns hold the same.
func (r *Rule) oneToOne() error {
	var uses [addressing.MaxWildcards + 1]int
	for _, l := range r.result {
		if l.kind == captured {
			uses[l.number]++
		}
	}
	captures := r.topic.count(captured)
	for n := 1; n < len(uses); n++ {
		switch {
		case n > captures && uses[n] > 0:
			return fmt.Errorf("there is no $%d: match has %d levels \"+\"", n, captures)
		case n <= captures && uses[n] != 1:
			return fmt.Errorf("$%d is there %d times, not once", n, uses[n])
		}
	}
	if r.topic.count(rest) != r.result.count(rest) {
		return fmt.Errorf(`"#" has to be the last level of both or of neither`)
	}
	return nil
}

// Who is the client that a rule is applied for.
type Who struct{ User, Client, Tenant string }

// Inward gives the address of a topic, or the filter of addresses for a filter of topics. It is false when the rule does
// not match all that the text may stand for.
func (r *Rule) Inward(topic string, who Who) (address string, ok bool) {
	return rename(topic, r.topic, r.result, who)
}

// Outward gives the topic of an address that Inward may give.
func (r *Rule) Outward(address string, who Who) (topic string, ok bool) {
	return rename(address, r.result, r.topic, who)
}

// Rules are tried in order; the first that matches counts.
type Rules []*Rule

// Inward gives the address of a topic or filter, and the rule it is named by: nil when it keeps its name.
func (rs Rules) Inward(topic string, who Who) (address string, by *Rule) {
	for _, r := range rs {
		if address, ok := r.Inward(topic, who); ok {
			return address, r
		}
	}
	return topic, nil
}

// rename reads text by one pattern and writes it by another.
func rename(text string, from, to pattern, who Who) (string, bool) {
	var found findings
	if text == "" || hidden(text, from) || !from.read(text, who, &found) {
		return "", false
	}
	var b strings.Builder
	b.Grow(len(text) + 16)
	if !to.write(&b, who, &found) {
		return "", false
	}
	renamed := b.String()
	return renamed, renamed != "" && !hidden(renamed, to)
}

// hidden tells whether a name begins with $ where the pattern begins with a wildcard, which does not stand for such names
// [MQTT-4.7.2-1].
func hidden(name string, p pattern) bool {
	return strings.HasPrefix(name, "$") && (p[0].kind == captured || p[0].kind == rest)
}
