package authenticator

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"time"

	"github.com/manifoldmq/manifold/tenancy"
)

// question is what is asked, as JSON.
type question struct {
	Tenant   string  `json:"tenant"`
	User     string  `json:"user"`
	Password *string `json:"password,omitempty"` // none when anybody could read it on its way here
	Protocol string  `json:"protocol"`
	Address  string  `json:"address,omitempty"` // of IP, without the port
	Client   string  `json:"clientId,omitempty"`
}

func questionOf(a tenancy.Attempt) question {
	q := question{Tenant: a.Tenant, User: a.User, Protocol: a.Protocol, Client: a.Client}
	if a.Private {
		password := string(a.Password)
		q.Password = &password
	}
	if a.Address.IsValid() {
		q.Address = a.Address.Addr().String()
	}
	return q
}

// answer is what may be in a yes.
type answer struct {
	User    string     `json:"user"`    // none is the one that was asked about
	Roles   []string   `json:"roles"`   // none for the tenant's default ones
	Expires *time.Time `json:"expires"` // RFC 3339; none for never
}

// verdict is an answer as it is remembered.
type verdict struct {
	identity tenancy.Identity
	err      error // of a no
}

// refusal is a no.
type refusal struct{ status string }

func (r *refusal) Error() string { return "the answer is " + r.status }

// maxAnswer bounds an answer, in bytes.
const maxAnswer = 64 << 10

// authority is an authenticator of a tenant.
type authority struct {
	tenant   string
	url      string
	settings Settings
	log      *slog.Logger
	turns    chan struct{}
	breaker  breaker
	memory   memory
}

func newAuthority(tenant, url string, s Settings, log *slog.Logger) *authority {
	a := &authority{
		tenant: tenant, url: url, settings: s, turns: make(chan struct{}, s.MaxConcurrent), log: log.With("tenant", tenant),
	}
	a.memory.init(s)
	return a
}

// ask asks when it is the question's turn. Its error is why there is no answer.
func (a *authority) ask(asking context.Context, client *http.Client, q *question) (v verdict, err error) {
	ctx, cancel := context.WithTimeout(asking, a.settings.Timeout)
	defer cancel()
	select {
	case a.turns <- struct{}{}:
		defer func() { <-a.turns }()
	case <-ctx.Done():
		return v, context.Cause(ctx)
	}
	if err := a.breaker.enter(time.Now()); err != nil {
		return v, err
	}
	v, err = a.post(ctx, client, q)
	if err != nil && asking.Err() != nil { // nobody waits for it any more
		a.breaker.leave()
		return v, err
	}
	if a.breaker.answered(time.Now(), err == nil) {
		a.log.Warn("an authenticator does not answer", "err", err)
	}
	return v, err
}

func (a *authority) post(ctx context.Context, client *http.Client, q *question) (v verdict, err error) {
	body, err := json.Marshal(q)
	if err != nil {
		return v, err
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, a.url, bytes.NewReader(body))
	if err != nil {
		return v, err
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Accept", "application/json")
	got, err := client.Do(r)
	if err != nil {
		return v, err
	}
	defer got.Body.Close()
	body, err = io.ReadAll(io.LimitReader(got.Body, maxAnswer))
	switch {
	case err != nil:
		return v, err
	case got.StatusCode == http.StatusUnauthorized || got.StatusCode == http.StatusForbidden:
		return verdict{err: &refusal{got.Status}}, nil
	case got.StatusCode != http.StatusOK:
		return v, fmt.Errorf("its answer is %s", got.Status)
	}
	return a.read(q, body)
}

// read reads a yes. One with nothing in it is a yes as well.
func (a *authority) read(q *question, body []byte) (v verdict, err error) {
	var says answer
	if len(bytes.TrimSpace(body)) > 0 {
		if err := json.Unmarshal(body, &says); err != nil {
			return v, fmt.Errorf("its answer is not what it should be: %w", err)
		}
	}
	if says.User == "" {
		says.User = q.User
	}
	v.identity = tenancy.Identity{Tenant: a.tenant, Issuer: a.url, User: says.User, Roles: says.Roles}
	if says.Expires != nil {
		v.identity.Expires = *says.Expires
	}
	return v, nil
}
