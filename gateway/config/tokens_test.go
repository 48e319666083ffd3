package config

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/manifoldmq/manifold/gateway/internal/oidc"
)

func TestTokensSayWhoseWordIsTaken(t *testing.T) {
	c, err := Parse("f.yaml", []byte(`
tenants:
  - name: acme
    tokenUser: token
    tokens:
      - {issuer: "https://id.example", audience: a}
      - {issuer: "https://id.example", audience: b, jwksURL: "http://keys", claims: {user: u, tenant: t, roles: r.s}, leeway: 1m}
`))
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []oidc.Trust{
		{Tenant: "acme", Issuer: "https://id.example", Audience: "a", Claims: oidc.Claims{User: "sub"}},
		{
			Tenant: "acme", Issuer: "https://id.example", Audience: "b", Keys: "http://keys", Leeway: time.Minute,
			Claims: oidc.Claims{User: "u", Tenant: "t", Roles: "r.s"},
		},
	} {
		if got := c.Tenants[0].Tokens[i].Trust("acme"); got != want {
			t.Errorf("got %+v, want %+v", got, want)
		}
	}
}

func TestWrongLoginSettingsAreRefused(t *testing.T) {
	tenant := func(rest string) string { return "tenants: [{name: acme, " + rest + "}]" }
	token := func(text string) string { return tenant("tokens: [{" + text + "}]") }
	const id = `issuer: "https://id.example"`
	for _, c := range []struct{ text, want string }{
		{token("audience: a"), "tenants[0].tokens[0].issuer: is not a URL"},
		{token("audience: a, issuer: id.example"), "tenants[0].tokens[0].issuer: "},
		{token(`audience: a, issuer: "ftp://id.example"`), "tenants[0].tokens[0].issuer: "},
		{token(`audience: a, issuer: "https://user:secret@id.example"`), "tenants[0].tokens[0].issuer: "},
		{token("audience: a, jwksURL: keys, " + id), "tenants[0].tokens[0].jwksURL: "},
		{token(id), "tenants[0].tokens[0].audience: is missing"},
		{token("audience: a, leeway: 1h, " + id), "tenants[0].tokens[0].leeway: 1h0m0s is not from 0s to 5m0s"},
		{tenant(fmt.Sprintf("tokens: [{audience: a, %s}, {audience: a, %s}]", id, id)), "tenants[0].tokens[1]: is declared in tokens[0] already"},
		{tenant("tokenUser: a@b"), "tenants[0].tokenUser: "},
		{tenant("tokenUser: token, users: [{name: token}]"), "tenants[0].users[0].name: is the tokenUser"},
		{"login: {delay: 2m, maxDelay: 3m}", "login.delay: 2m0s is not from 0s to 1m"},
		{"login: {delay: 2s, maxDelay: 1s}", "login.maxDelay: 1s is not from login.delay, 2s, to 1m"},
		{"login: {memory: 1ms}", "login.memory: "},
		{"login: {maxTracked: 1}", "login.maxTracked: "},
		{"audit: {events: [failed, lost]}", `audit.events: "lost" is not one of connected, disconnected, failed, changed`},
	} {
		_, err := Parse("f.yaml", []byte(c.text))
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s\n%v\nwant %s", c.text, err, c.want)
		}
		if err != nil && strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: the error has the secret in it", c.text)
		}
	}
}
