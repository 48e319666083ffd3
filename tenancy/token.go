package tenancy

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"
)

// TokenJudge decides whether bearer tokens (RFC 6750) are good, and whose they are. It is used from many goroutines.
type TokenJudge interface {
	// Judge finds out whose token it is. tenant is the one that the client has named, empty if it has not. The answer
	// names the tenant when the token does; one that differs from the client's is refused. Judge may take as long as ctx.
	// It fails with ErrBusy while it cannot find out, and the client may try again.
	Judge(ctx context.Context, tenant, token string) (Identity, error)
}

// Identity is whom a token speaks for.
type Identity struct {
	Tenant  string // empty for the tenant that the client named, or the default
	Issuer  string // who says so; the tenant has to be one that takes its word
	User    string
	Roles   []string  // those that the tenant does not declare are passed over; if none is left he has its default ones
	Expires time.Time // when he is to leave; zero for never
}

// judgeToken lets in whom a token speaks for. identity is who the client says it is; empty leaves that to the token.
func (d *Directory) judgeToken(ctx context.Context, v Visitor, identity, token string) (*Principal, error) {
	if d.tokens == nil {
		return nil, &tokenError{errors.New("nobody judges tokens")}
	}
	n := d.naming(v, "")
	if _, tenant := SplitUser(identity); d.roll.Load().realms[tenant] != nil {
		n.add(tenant)
	}
	if n.disagree {
		return nil, d.disagreement(v)
	}
	whose, err := d.tokens.Judge(ctx, n.name, token)
	switch {
	case errors.Is(err, ErrBusy):
		return nil, ErrBusy
	case err != nil:
		return nil, &tokenError{err}
	}
	v.Tenant = n.name
	r, user, err := d.realm(v, whose.User+"@"+whose.Tenant)
	switch {
	case err != nil:
		return nil, err
	case !slices.Contains(r.Issuers, whose.Issuer):
		return nil, errIssuer
	case checkTokenUser(user) != nil || identity != "" && identity != user && identity != user+"@"+r.Name:
		return nil, errUser
	}
	p := d.newPrincipal(r.Tenant, user)
	p.roles = append([]string{}, whose.Roles...) // not nil: it was a token that named him
	p.issuer, p.expires = whose.Issuer, whose.Expires
	if p.isOver() {
		return nil, errExpired
	}
	return p, nil
}

// tokenError refuses a token.
type tokenError struct{ fault error }

func (e *tokenError) Error() string { return e.fault.Error() }

// Is tells that it is one of credentials.
func (e *tokenError) Is(target error) bool { return target == ErrCredentials }

// Why a token is refused that a judge has found good.
var (
	errIssuer  = &tokenError{errors.New("the tenant does not take this issuer's word")}
	errUser    = &tokenError{errors.New("its user is none that a tenant can have, or another one than the client has named")}
	errExpired = &tokenError{errors.New("it has expired")}
)

// checkTokenUser is ParseUserName for the user of a token, who may also be called by an e-mail address.
func checkTokenUser(name string) error {
	_, err := ParseUserName(strings.ReplaceAll(name, "@", "."))
	return err
}

// tokenExchange hears a token, in the words of OAUTHBEARER (RFC 7628 section 3.1) or XOAUTH2. A client whose token is
// not good hears so in a challenge and has to answer before it is refused (section 3.2.3).
type tokenExchange struct {
	directory *Directory
	visitor   Visitor
	mechanism string
	named     string // who the client says it is
	refused   error  // why, once it is
}

// tokenFault is the status that the challenge tells (RFC 7628 section 3.2.2, RFC 6750 section 3.1).
const tokenFault = `{"status":"invalid_token"}`

// Step implements Exchange.
func (e *tokenExchange) Step(ctx context.Context, response []byte) ([]byte, *Principal, error) {
	switch {
	case e.refused != nil:
		return nil, nil, e.refused
	case response == nil: // it has to begin (RFC 4422 section 3.3)
		return []byte{}, nil, nil
	}
	identity, token, ok := e.parse(string(response))
	if !ok {
		return nil, nil, ErrCredentials
	}
	e.named = identity
	p, err := e.directory.judgeToken(ctx, e.visitor, identity, token)
	if errors.Is(err, ErrBusy) {
		return nil, nil, err
	}
	if err != nil {
		e.refused = err
		return []byte(tokenFault), nil, nil
	}
	return nil, p, nil
}

func (e *tokenExchange) name() string { return e.named }

// parse takes apart what the client says: a header of GS2 (RFC 5801 section 4) in OAUTHBEARER, then key=value pairs,
// each ended by 0x01, and one more 0x01.
func (e *tokenExchange) parse(message string) (identity, token string, ok bool) {
	if e.mechanism == MechanismOAuthBearer {
		var header string
		header, message, _ = strings.Cut(message, "\x01")
		if identity, ok = parseGS2(header); !ok {
			return "", "", false
		}
	}
	pairs, ok := strings.CutSuffix(message, "\x01\x01")
	if !ok {
		return "", "", false
	}
	for pair := range strings.SplitSeq(pairs, "\x01") {
		switch key, value, _ := strings.Cut(pair, "="); {
		case key == "user" && e.mechanism == MechanismXOAuth2:
			identity = value
		case key == "auth":
			if token, ok = BearerToken(value); !ok {
				return "", "", false
			}
		}
	}
	return identity, token, token != ""
}

// parseGS2 takes apart the header "n,a=identity,". No channel binding is offered, so that "p=..." makes no sense here.
func parseGS2(header string) (identity string, ok bool) {
	flag, rest, _ := strings.Cut(header, ",")
	name, ok := strings.CutSuffix(rest, ",")
	if !ok || flag != "n" && flag != "y" {
		return "", false
	}
	if name == "" {
		return "", true
	}
	name, ok = strings.CutPrefix(name, "a=")
	return strings.NewReplacer("=2C", ",", "=3D", "=").Replace(name), ok
}

// BearerToken takes the token off credentials of the scheme Bearer (RFC 6750 section 2.1), whose name has no case.
func BearerToken(credentials string) (token string, ok bool) {
	scheme, token, _ := strings.Cut(credentials, " ")
	return token, strings.EqualFold(scheme, "Bearer") && token != ""
}
