package oidc

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/manifoldmq/manifold/tenancy"
)

// maxToken is the greatest length of a token that is looked at, in bytes.
const maxToken = 16 << 10

// Judge judges tokens. Its methods may be called from any goroutine.
type Judge struct {
	log     *slog.Logger
	client  *http.Client
	trusted atomic.Pointer[trusted]
}

var _ tenancy.TokenJudge = (*Judge)(nil)

// trusted is whose word is taken at one time. It does not change.
type trusted struct {
	trusts  map[string][]Trust // by issuer
	issuers map[source]*issuer
	roles   map[string][]string // that tenants declare
}

// New gives a judge that takes nobody's word yet.
func New(log *slog.Logger) *Judge {
	j := &Judge{log: log, client: newClient()}
	j.trusted.Store(new(trusted))
	return j
}

// Define says anew whose word is taken, and the names of the roles that each tenant declares: of others it is logged that
// they are passed over. What is known of issuers that stay is kept.
func (j *Judge) Define(all []Trust, roles map[string][]string) {
	was := j.trusted.Load()
	is := &trusted{trusts: make(map[string][]Trust), issuers: make(map[source]*issuer), roles: roles}
	for _, t := range all {
		is.trusts[t.Issuer] = append(is.trusts[t.Issuer], t)
		from := source{t.Issuer, t.Keys}
		if is.issuers[from] == nil {
			is.issuers[from] = was.issuers[from]
		}
		if is.issuers[from] == nil {
			is.issuers[from] = newIssuer(from, j.client, j.log)
		}
	}
	j.trusted.Store(is)
}

// Judge implements tenancy.TokenJudge. A token of which no tenant was named is one for the tenant that its claim names, or
// else for the default one.
func (j *Judge) Judge(ctx context.Context, tenant, token string) (tenancy.Identity, error) {
	if len(token) > maxToken {
		return tenancy.Identity{}, faultf("it is longer than %d bytes", maxToken)
	}
	says, err := peek(token)
	if err != nil {
		return tenancy.Identity{}, err
	}
	all := j.trusted.Load()
	candidates := all.candidates(tenant, says)
	if len(candidates) == 0 {
		return tenancy.Identity{}, faultf("the tenant does not take the word of its issuer, %.200q, or it names another tenant", says.text("iss"))
	}
	var refusal error
	for _, t := range candidates {
		whose, err := all.judge(ctx, t, token)
		if err == nil {
			j.logRoles(all, &whose)
			return whose, nil
		}
		if refusal == nil || errors.Is(err, tenancy.ErrBusy) {
			refusal = err
		}
	}
	return tenancy.Identity{}, refusal
}

// candidates gives the declarations under which a token that says so could be good: those of the tenant that was named, or
// that its claim names, or else of the default one. Nothing of what it says is proven.
func (all *trusted) candidates(tenant string, says claims) (named []Trust) {
	var unnamed []Trust
	for _, t := range all.trusts[says.text("iss")] {
		if tenant != "" && t.Tenant != tenant {
			continue
		}
		switch claimed := t.Claims.Tenant != ""; {
		case claimed && says.text(t.Claims.Tenant) == t.Tenant:
			named = append(named, t)
		case !claimed && (tenant != "" || t.Tenant == tenancy.DefaultTenant):
			unnamed = append(unnamed, t)
		}
	}
	return append(named, unnamed...)
}

// judge finds out whose a token is that could be good under one declaration.
func (all *trusted) judge(ctx context.Context, t Trust, token string) (tenancy.Identity, error) {
	payload, err := all.issuers[source{t.Issuer, t.Keys}].verify(ctx, token)
	if err != nil {
		return tenancy.Identity{}, err
	}
	says, err := parseClaims(payload)
	if err != nil {
		return tenancy.Identity{}, faultf("its claims are no JSON object")
	}
	expires, err := t.check(says, time.Now())
	if err != nil {
		return tenancy.Identity{}, err
	}
	return tenancy.Identity{
		Tenant: t.Tenant, Issuer: t.Issuer, User: says.text(t.Claims.User), Roles: says.list(t.Claims.Roles), Expires: expires,
	}, nil
}

// check tells until when a token is good that says so (RFC 7519 section 4.1), or why it is not.
func (t *Trust) check(says claims, now time.Time) (expires time.Time, err error) {
	switch {
	case says["iss"] != t.Issuer:
		return expires, faultf("it is another issuer's")
	case !says.has("aud", t.Audience):
		return expires, faultf("it is for another audience than %q", t.Audience)
	case t.Claims.Tenant != "" && says.text(t.Claims.Tenant) != t.Tenant:
		return expires, faultf("it is for another tenant")
	case says.text(t.Claims.User) == "":
		return expires, faultf("the claim %q names no user", t.Claims.User)
	}
	exp, expErr := says.instant("exp")
	begins, beginsErr := says.instant("nbf")
	issued, issuedErr := says.instant("iat")
	if err := errors.Join(expErr, beginsErr, issuedErr); err != nil {
		return expires, err
	}
	switch expires = exp.Add(t.Leeway); {
	case exp.IsZero():
		return expires, faultf("it has no expiry")
	case !now.Before(expires):
		return expires, faultf("it expired at %v", exp.UTC().Format(time.RFC3339))
	case now.Add(t.Leeway).Before(begins), now.Add(t.Leeway).Before(issued):
		return expires, faultf("it is not good yet")
	}
	return expires, nil
}

// logRoles tells of roles that nobody declares.
func (j *Judge) logRoles(all *trusted, whose *tenancy.Identity) {
	if !j.log.Enabled(context.Background(), slog.LevelDebug) {
		return
	}
	strange := slices.DeleteFunc(slices.Clone(whose.Roles), func(role string) bool {
		return slices.Contains(all.roles[whose.Tenant], role)
	})
	if len(strange) > 0 {
		j.log.Debug("roles of a token are passed over: the tenant does not declare them", "tenant", whose.Tenant,
			"user", whose.User, "roles", strange)
	}
}

// header is what a token says of its signature (RFC 7515 section 4.1), as far as it is looked at here.
type header struct {
	Critical json.RawMessage `json:"crit"`
}

// peek reads what a token says without looking whether it is true. One with a header that must be understood is refused:
// there is none that is.
func peek(token string) (claims, error) {
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return nil, faultf("it is no JSON Web Token")
	}
	var h header
	text, err := base64.RawURLEncoding.DecodeString(parts[0])
	if err != nil || json.Unmarshal(text, &h) != nil {
		return nil, faultf("its header is not one of a JSON Web Token")
	}
	if h.Critical != nil {
		return nil, faultf("it has a header that must be understood (crit)")
	}
	payload, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		return nil, faultf("its claims are not in base64url")
	}
	says, err := parseClaims(payload)
	if err != nil {
		return nil, faultf("its claims are no JSON object")
	}
	return says, nil
}

// faultf says what is wrong with a token.
func faultf(format string, args ...any) error { return fmt.Errorf("the token: "+format, args...) }
