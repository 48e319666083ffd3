package oidc

import (
	"encoding/json"
	"slices"
	"strings"
	"time"
)

// Trust is that a tenant takes the word of an issuer.
type Trust struct {
	Tenant   string
	Issuer   string // its URL, as tokens have it in iss
	Audience string // one that tokens must have in aud
	Keys     string // URL of its keys; empty to ask the issuer for it (OpenID Connect Discovery section 4)
	Claims   Claims
	Leeway   time.Duration // by which the clocks of issuer and gateway may differ
}

// Claims are the names of claims. One inside another is named with a dot between, such as realm_access.roles.
type Claims struct {
	User   string // a text
	Tenant string // a text that has to be the tenant's name; empty when tokens are good for any tenant that takes them
	Roles  string // a list of texts, or a text with spaces between; empty for none
}

// claims are what a token says.
type claims map[string]any

// parseClaims reads what a token says. Numbers are kept as they are written.
func parseClaims(payload []byte) (c claims, err error) {
	d := json.NewDecoder(strings.NewReader(string(payload)))
	d.UseNumber()
	return c, d.Decode(&c)
}

// at gives a claim by its name, which may itself have dots in it, as those that are URLs do.
func (c claims) at(name string) any {
	if value, ok := c[name]; ok {
		return value
	}
	for i, r := range name {
		if inner, ok := c[name[:i]].(map[string]any); ok && r == '.' {
			if value := claims(inner).at(name[i+1:]); value != nil {
				return value
			}
		}
	}
	return nil
}

// text gives a claim that is a text, else nothing.
func (c claims) text(name string) string {
	text, _ := c.at(name).(string)
	return text
}

// list gives a claim that is a list of texts, or a text with spaces between (RFC 8693 section 4.2).
func (c claims) list(name string) (all []string) {
	switch value := c.at(name).(type) {
	case string:
		return strings.Fields(value)
	case []any:
		for _, item := range value {
			if text, ok := item.(string); ok {
				all = append(all, text)
			}
		}
	}
	return all
}

// has tells whether a claim is a text, or a list with it.
func (c claims) has(name, text string) bool {
	if value, ok := c[name].(string); ok {
		return value == text
	}
	return slices.Contains(c.list(name), text)
}

// instant gives a claim that is a point in time (RFC 7519 section 2), in whole seconds. One that is not there is zero.
func (c claims) instant(name string) (at time.Time, err error) {
	value, ok := c[name]
	if !ok {
		return time.Time{}, nil
	}
	number, _ := value.(json.Number)
	seconds, err := number.Int64()
	if err != nil || seconds < 0 || seconds > maxInstant {
		return time.Time{}, faultf("%s is not in whole seconds", name)
	}
	return time.Unix(seconds, 0), nil
}

// maxInstant is the end of the year 9999.
const maxInstant = 253402300799
