package oidc

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"

	"github.com/manifoldmq/manifold/tenancy"
)

// algorithms are those of signatures that are taken, all with public keys. Where a shared secret was taken too, a public
// key could be passed off as one, and tokens made from what everybody knows (RFC 8725 section 2.1).
var algorithms = []string{
	oidc.RS256, oidc.RS384, oidc.RS512, oidc.PS256, oidc.PS384, oidc.PS512, oidc.ES256, oidc.ES384, oidc.ES512, oidc.EdDSA,
}

// source is where the keys of an issuer come from.
type source struct {
	issuer string
	keys   string // URL; empty when the issuer is asked for it
}

// issuer verifies the signatures of one issuer's tokens.
type issuer struct {
	source  source
	log     *slog.Logger
	context context.Context // as the library wants it: with the client in it
	breaker breaker

	finding sync.Mutex  // who holds it looks for the keys
	mu      sync.Mutex  // guards everything below; a leaf
	keys    oidc.KeySet // nil until it is known where they are
}

func newIssuer(from source, client *http.Client, log *slog.Logger) *issuer {
	i := &issuer{source: from, log: log.With("issuer", from.issuer)}
	guarded := *client
	guarded.Transport = &guard{issuer: i, next: client.Transport}
	i.context = oidc.ClientContext(context.Background(), &guarded)
	return i
}

// verify gives what a token says, if its issuer has signed it. It fails with tenancy.ErrBusy if that cannot be found out now.
func (i *issuer) verify(ctx context.Context, token string) ([]byte, error) {
	keys, err := i.find(ctx)
	if err != nil {
		return nil, errors.Join(tenancy.ErrBusy, err)
	}
	// Issuer, audience and times are checked with the claims.
	settings := oidc.Config{SupportedSigningAlgs: algorithms, SkipClientIDCheck: true, SkipExpiryCheck: true, SkipIssuerCheck: true}
	looked := &look{keys: keys}
	_, err = oidc.NewVerifier(i.source.issuer, looked, &settings).Verify(ctx, token)
	switch {
	case errors.Is(looked.err, errUnavailable):
		return nil, errors.Join(tenancy.ErrBusy, looked.err)
	case err != nil:
		return nil, faultf("%w", err)
	}
	return looked.payload, nil
}

// look is a key set that is asked once, with what it has answered: the library tells neither.
type look struct {
	keys    oidc.KeySet
	payload []byte
	err     error
}

// VerifySignature implements oidc.KeySet.
func (l *look) VerifySignature(ctx context.Context, token string) ([]byte, error) {
	l.payload, l.err = l.keys.VerifySignature(ctx, token)
	return l.payload, l.err
}

// find gives the keys, after having asked the issuer where they are if that is not known yet.
func (i *issuer) find(ctx context.Context) (oidc.KeySet, error) {
	if keys := i.found(); keys != nil {
		return keys, nil
	}
	i.finding.Lock()
	defer i.finding.Unlock()
	if keys := i.found(); keys != nil {
		return keys, nil
	}
	at := i.source.keys
	if at == "" {
		var err error
		if at, err = i.discover(ctx); err != nil {
			return nil, err
		}
	}
	i.mu.Lock()
	defer i.mu.Unlock()
	i.keys = oidc.NewRemoteKeySet(i.context, at)
	return i.keys, nil
}

func (i *issuer) found() oidc.KeySet {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.keys
}

// discover asks the issuer where its keys are (OpenID Connect Discovery section 4).
func (i *issuer) discover(ctx context.Context) (at string, err error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	provider, err := oidc.NewProvider(withClient(ctx, i.context), i.source.issuer)
	if err != nil {
		if !errors.Is(err, errUnavailable) && !errors.Is(err, errAskedBefore) {
			i.log.Warn("an issuer of tokens says something else about itself", "err", err)
		}
		return "", err
	}
	var document struct {
		Keys string `json:"jwks_uri"`
	}
	if err := provider.Claims(&document); err != nil || document.Keys == "" {
		return "", errors.New("the issuer does not tell where its keys are (jwks_uri)")
	}
	return document.Keys, nil
}

// bag is a context with the values of another.
type bag struct {
	context.Context
	values context.Context
}

// Value implements context.Context.
func (b bag) Value(key any) any { return b.values.Value(key) }

// withClient gives a context that ends with ctx and has the client of another in it.
func withClient(ctx, values context.Context) context.Context { return bag{ctx, values} }

// How an issuer is asked.
const (
	patience  = 5 * time.Second // for one answer
	maxAnswer = 1 << 20         // bytes of it
	pause     = 5 * time.Second // at least between two times that the same thing is asked
	firstRest = time.Second     // after an issuer has not answered
	longest   = time.Minute     // likewise, after it has not for a long time
)

// newClient gives the client that asks issuers, each too seldom to keep a connection to it. It follows no redirection: keys
// come from where the configuration says.
func newClient() *http.Client {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.DisableKeepAlives = true
	return &http.Client{
		Timeout: patience, Transport: transport,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// guard asks an issuer for something unless its breaker is open, and bounds the answer.
type guard struct {
	issuer *issuer
	next   http.RoundTripper
}

// RoundTrip implements http.RoundTripper.
func (g *guard) RoundTrip(r *http.Request) (*http.Response, error) {
	b := &g.issuer.breaker
	if err := b.enter(time.Now(), r.URL.String()); err != nil {
		return nil, err
	}
	answer, err := g.next.RoundTrip(r)
	if err == nil && answer.StatusCode != http.StatusOK {
		answer.Body.Close()
		err = errors.New(answer.Status)
	}
	b.answered(time.Now(), err == nil)
	if err != nil {
		g.issuer.log.Warn("an issuer of tokens cannot be asked for its keys", "url", r.URL.Redacted(), "err", err)
		return nil, fmt.Errorf("%w: %w", errUnavailable, err)
	}
	answer.Body = struct {
		io.Reader
		io.Closer
	}{io.LimitReader(answer.Body, maxAnswer), answer.Body}
	return answer, nil
}
