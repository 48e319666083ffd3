package oidc_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/manifoldmq/manifold/gateway/gatewaytest"
	"github.com/manifoldmq/manifold/gateway/internal/oidc"
	"github.com/manifoldmq/manifold/tenancy"
)

type claims = map[string]any

// trust is that a tenant takes the word of an issuer for the audience "manifold".
func trust(tenant string, i *gatewaytest.Issuer) oidc.Trust {
	return oidc.Trust{
		Tenant: tenant, Issuer: i.URL, Audience: "manifold",
		Claims: oidc.Claims{User: "sub", Roles: "realm_access.roles"}, Leeway: time.Minute,
	}
}

func newJudge(trusts ...oidc.Trust) *oidc.Judge {
	j := oidc.New(slog.New(slog.DiscardHandler))
	j.Define(trusts, nil)
	return j
}

func TestTokenTellsUserRolesAndExpiry(t *testing.T) {
	issuer := gatewaytest.NewIssuer(t)
	exp := time.Now().Add(time.Hour).Truncate(time.Second)
	token := issuer.Token(claims{
		"sub": "ann", "aud": []string{"other", "manifold"}, "exp": exp.Unix(),
		"realm_access": claims{"roles": []string{"device", "offline_access"}},
	})
	for _, keys := range []string{"", issuer.URL + "/keys"} {
		declared := trust("default", issuer)
		declared.Keys = keys
		got, err := newJudge(declared).Judge(t.Context(), "", token)
		want := tenancy.Identity{Tenant: "default", Issuer: issuer.URL, User: "ann", Expires: exp.Add(time.Minute)}
		roles := got.Roles
		got.Roles = nil
		if err != nil || fmt.Sprint(got) != fmt.Sprint(want) || !slices.Equal(roles, []string{"device", "offline_access"}) {
			t.Errorf("keys at %q: got %+v %v, %v", keys, got, roles, err)
		}
	}
}

func TestTokenThatIsNotGoodIsRefused(t *testing.T) {
	issuer, other := gatewaytest.NewIssuer(t), gatewaytest.NewIssuer(t)
	judge := newJudge(trust("default", issuer))
	now := time.Now()
	good := claims{"sub": "ann", "aud": "manifold"}
	with := func(name string, value any) string {
		c := claims{"sub": "ann", "aud": "manifold"}
		c[name] = value
		return issuer.Token(c)
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	payload := func(exp string) []byte {
		return fmt.Appendf(nil, `{"iss":%q,"sub":"ann","aud":"manifold","exp":%s}`, issuer.URL, exp)
	}
	in := now.Add(time.Hour).Unix()
	plain := payload(fmt.Sprint(in))
	ours := strings.Split(issuer.Token(good), ".")
	text := base64.RawURLEncoding.EncodeToString
	for name, token := range map[string]string{
		"nothing":        "",
		"no token":       "abc",
		"too long":       strings.Repeat("a", 17<<10),
		"alg none":       text([]byte(`{"alg":"none"}`)) + "." + text(plain) + ".",
		"alg None":       text([]byte(`{"alg":"None"}`)) + "." + text(plain) + ".AAAA",
		"no signature":   ours[0] + "." + ours[1] + ".",
		"other claims":   ours[0] + "." + text(plain) + "." + ours[2],
		"shared secret":  gatewaytest.Sign(t, jose.SigningKey{Algorithm: jose.HS256, Key: []byte(strings.Repeat("k", 32))}, nil, plain),
		"unknown key":    gatewaytest.Sign(t, jose.SigningKey{Algorithm: jose.ES256, Key: jose.JSONWebKey{Key: key, KeyID: "strange"}}, nil, plain),
		"wrong key":      gatewaytest.Sign(t, jose.SigningKey{Algorithm: jose.ES256, Key: jose.JSONWebKey{Key: key, KeyID: "first"}}, nil, plain),
		"own key":        gatewaytest.Sign(t, jose.SigningKey{Algorithm: jose.ES256, Key: key}, &jose.SignerOptions{EmbedJWK: true}, plain),
		"crit":           issuer.TokenWith(good, new(jose.SignerOptions).WithCritical("exp")),
		"known crit":     issuer.TokenWith(good, new(jose.SignerOptions).WithHeader("b64", true).WithCritical("b64")),
		"float exp":      with("exp", float64(in)+0.5),
		"huge exp":       with("exp", 1e300),
		"negative exp":   with("exp", -1),
		"text exp":       with("exp", fmt.Sprint(in)),
		"no exp":         with("exp", 0),
		"null exp":       with("exp", nil),
		"expired":        with("exp", now.Add(-2*time.Minute).Unix()),
		"not yet":        with("nbf", now.Add(2*time.Minute).Unix()),
		"float nbf":      with("nbf", 1.5),
		"from later":     with("iat", now.Add(2*time.Minute).Unix()),
		"other audience": with("aud", "other"),
		"no audience":    with("aud", nil),
		"odd audience":   with("aud", claims{"manifold": true}),
		"other issuer":   other.Token(good),
		"as other":       with("iss", other.URL),
		"its name only":  other.Token(claims{"sub": "ann", "aud": "manifold", "iss": issuer.URL}),
		"no user":        with("sub", ""),
		"a number":       with("sub", 7),
		"no claims":      text([]byte(`{"alg":"ES256"}`)) + "." + text([]byte("7")) + ".AAAA",
	} {
		whose, err := judge.Judge(t.Context(), "", token)
		if err == nil || errors.Is(err, tenancy.ErrBusy) {
			t.Errorf("%s: %+v, %v", name, whose, err)
		}
		if err != nil && len(token) > 20 && strings.Contains(err.Error(), token[len(token)-20:]) {
			t.Errorf("%s: the error has the token in it", name)
		}
	}
	for name, token := range map[string]string{
		"good": issuer.Token(good), "just expired": with("exp", now.Add(-30*time.Second).Unix()), "soon": with("nbf", now.Add(30*time.Second).Unix()),
	} {
		if _, err := judge.Judge(t.Context(), "", token); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestTokenIsForATenantThatTakesIt(t *testing.T) {
	own, shared := gatewaytest.NewIssuer(t), gatewaytest.NewIssuer(t)
	of := func(tenant string) oidc.Trust {
		d := trust(tenant, shared)
		d.Claims.Tenant = "org"
		return d
	}
	judge := newJudge(trust("default", own), trust("beta", own), of("acme"), of("beta"))
	user := claims{"sub": "ann", "aud": "manifold"}
	acme := claims{"sub": "ann", "aud": "manifold", "org": "acme"}
	nobody := claims{"sub": "ann", "aud": "manifold", "org": "nobody"}
	for _, c := range []struct{ named, token, want string }{
		{"", own.Token(user), "default"},
		{"default", own.Token(user), "default"},
		{"beta", own.Token(user), "beta"},
		{"acme", own.Token(user), ""},
		{"acme", own.Token(acme), ""},
		{"", shared.Token(acme), "acme"},
		{"acme", shared.Token(acme), "acme"},
		{"beta", shared.Token(acme), ""},
		{"default", shared.Token(acme), ""},
		{"", shared.Token(user), ""},
		{"acme", shared.Token(user), ""},
		{"", shared.Token(nobody), ""},
	} {
		whose, err := judge.Judge(t.Context(), c.named, c.token)
		if whose.Tenant != c.want || (err == nil) != (c.want != "") {
			t.Errorf("%q was named: %q, %v; want %q", c.named, whose.Tenant, err, c.want)
		}
	}
	judge.Define([]oidc.Trust{trust("beta", own)}, nil)
	if _, err := judge.Judge(t.Context(), "", own.Token(user)); err == nil {
		t.Error("a declaration that is gone still holds")
	}
}

func TestNewKeyIsAskedForButNotForEachToken(t *testing.T) {
	issuer := gatewaytest.NewIssuer(t)
	judge := newJudge(trust("default", issuer))
	good := claims{"sub": "ann", "aud": "manifold"}
	if _, err := judge.Judge(t.Context(), "", issuer.Token(good)); err != nil {
		t.Fatal(err)
	}
	before := issuer.Asked()
	for range 50 {
		if _, err := judge.Judge(t.Context(), "", issuer.Token(good)); err != nil {
			t.Fatal(err)
		}
	}
	if n := issuer.Asked() - before; n != 0 {
		t.Errorf("asked %d times for a key that is known", n)
	}
	issuer.Rotate("second")
	for range 50 {
		judge.Judge(t.Context(), "", issuer.Token(good))
	}
	if n := issuer.Asked() - before; n > 10 {
		t.Errorf("asked %d times within a moment", n)
	}
}

func TestIssuerThatDoesNotAnswerIsLeftAlone(t *testing.T) {
	issuer := gatewaytest.NewIssuer(t)
	issuer.Down(true)
	judge := newJudge(trust("default", issuer))
	token := issuer.Token(claims{"sub": "ann", "aud": "manifold"})
	for range 20 {
		if _, err := judge.Judge(t.Context(), "", token); !errors.Is(err, tenancy.ErrBusy) {
			t.Fatalf("got %v", err)
		}
	}
	if n := issuer.Asked(); n > 5 {
		t.Errorf("asked %d times within a moment", n)
	}
	issuer.Down(false)
	deadline := time.After(20 * time.Second)
	for tick := time.NewTicker(50 * time.Millisecond); ; {
		if _, err := judge.Judge(t.Context(), "", token); err == nil {
			return
		}
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatal("it answers again, and is not asked")
		}
	}
}

func FuzzJudge(f *testing.F) {
	issuer := gatewaytest.NewIssuer(f)
	judge := newJudge(trust("default", issuer))
	good := issuer.Token(claims{"sub": "ann", "aud": "manifold"})
	f.Add(good)
	f.Add("a.b.c")
	f.Fuzz(func(t *testing.T, token string) {
		if whose, err := judge.Judge(t.Context(), "", token); err == nil && whose.User != "ann" {
			t.Errorf("%q is of %q", token, whose.User)
		}
	})
}
