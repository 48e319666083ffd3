package config

import (
	"fmt"
	"net/url"
	"time"

	"github.com/manifoldmq/manifold/gateway/internal/oidc"
	"github.com/manifoldmq/manifold/tenancy"
)

// Tokens declares that a tenant takes the word of an issuer of tokens, such as a provider of OpenID Connect.
type Tokens struct {
	Issuer   string        `yaml:"issuer"`   // its URL, as tokens have it in iss
	Audience string        `yaml:"audience"` // one that tokens must have in aud
	JWKSURL  string        `yaml:"jwksURL"`  // of its keys; none asks the issuer for it
	Claims   TokenClaims   `yaml:"claims"`
	Leeway   time.Duration `yaml:"leeway"` // by which the clocks of issuer and gateway may differ
}

// TokenClaims names what tells who somebody is. A claim inside another is named with a dot between.
type TokenClaims struct {
	User   string `yaml:"user"`   // none is sub
	Tenant string `yaml:"tenant"` // has to be the tenant's name; none is no such claim
	Roles  string `yaml:"roles"`  // none is no such claim
}

// Trust gives the declaration in the words of package oidc.
func (t *Tokens) Trust(tenant string) oidc.Trust {
	return oidc.Trust{
		Tenant: tenant, Issuer: t.Issuer, Audience: t.Audience, Keys: t.JWKSURL, Leeway: t.Leeway,
		Claims: oidc.Claims{User: orElse(t.Claims.User, "sub"), Tenant: t.Claims.Tenant, Roles: t.Claims.Roles},
	}
}

const maxLeeway = 5 * time.Minute

// validateTokens looks at whose word a tenant takes.
func validateTokens(k *check, path string, t *Tenant) {
	type key struct{ issuer, audience string }
	first := make(map[key]int, len(t.Tokens))
	for i, token := range t.Tokens {
		at := fmt.Sprintf("%stokens[%d]", path, i)
		k.refuse(!isIssuer(token.Issuer), at+".issuer", "is not a URL such as https://id.example/realms/acme, without a user")
		k.refuse(token.JWKSURL != "" && !isIssuer(token.JWKSURL), at+".jwksURL", "is not a URL such as https://id.example/keys, without a user")
		k.refuse(token.Audience == "", at+".audience", "is missing: a token for somebody else would be as good")
		k.refuse(token.Leeway < 0 || token.Leeway > maxLeeway, at+".leeway", "%v is not from 0s to %v", token.Leeway, maxLeeway)
		j, twice := first[key{token.Issuer, token.Audience}]
		k.refuse(twice, at, "is declared in tokens[%d] already", j)
		first[key{token.Issuer, token.Audience}] = i
	}
	if t.TokenUser == "" {
		return
	}
	if _, err := tenancy.ParseUserName(t.TokenUser); err != nil {
		k.refuse(true, path+"tokenUser", "%v", err)
	}
	for i, u := range t.Users {
		k.refuse(u.Name == t.TokenUser, fmt.Sprintf("%susers[%d].name", path, i), "is the tokenUser, whose password is a token")
	}
}

// isIssuer tells whether a text is a URL that can be asked for something.
func isIssuer(text string) bool {
	u, err := url.Parse(text)
	return err == nil && (u.Scheme == "https" || u.Scheme == "http") && u.Hostname() != "" && u.User == nil && u.Fragment == ""
}
