package authenticator

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/manifoldmq/manifold/tenancy"
)

// Settings say how authenticators are asked.
type Settings struct {
	Timeout       time.Duration // for an answer, with the wait for a turn
	MaxConcurrent int           // questions to one authenticator at a time
	RememberYes   time.Duration // how long a yes is good; 0 for that one question
	RememberNo    time.Duration // likewise, a no
	MaxRemembered int           // answers of one authenticator
}

// Service asks the authenticators of tenants. Its methods may be called from any goroutine.
type Service struct {
	settings  Settings
	log       *slog.Logger
	client    *http.Client
	asked     atomic.Pointer[map[string]*authority] // by tenant
	questions [outcomes]atomic.Uint64
}

var _ tenancy.PasswordJudge = (*Service)(nil)

// Outcome is what became of a question.
type Outcome int

// The outcomes. Remembered is a question that was not asked, because the answer was known.
const (
	Yes Outcome = iota
	No
	NoAnswer
	Remembered
	outcomes
)

// Outcomes are all there are.
var Outcomes = []Outcome{Yes, No, NoAnswer, Remembered}

// String names an outcome.
func (o Outcome) String() string { return [outcomes]string{"yes", "no", "none", "remembered"}[o] }

// New gives a service that nobody has asked for yet.
func New(s Settings, log *slog.Logger) *Service {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.MaxIdleConnsPerHost = s.MaxConcurrent
	service := &Service{settings: s, log: log, client: &http.Client{
		Timeout: s.Timeout, Transport: transport,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }, // a password goes where it was sent
	}}
	service.asked.Store(new(map[string]*authority))
	return service
}

// Define says anew whom tenants have asked, by tenant. What is known of those who stay is kept.
func (s *Service) Define(urls map[string]string) {
	was, is := *s.asked.Load(), make(map[string]*authority, len(urls))
	for tenant, url := range urls {
		if is[tenant] = was[tenant]; is[tenant] == nil || is[tenant].url != url {
			is[tenant] = newAuthority(tenant, url, s.settings, s.log)
		}
	}
	s.asked.Store(&is)
}

// Close lets go of connections that nobody uses.
func (s *Service) Close() { s.client.CloseIdleConnections() }

// Questions counts what became of questions.
func (s *Service) Questions(o Outcome) uint64 { return s.questions[o].Load() }

// JudgePassword implements tenancy.PasswordJudge.
func (s *Service) JudgePassword(ctx context.Context, a tenancy.Attempt) (tenancy.Identity, error) {
	asked, ok := (*s.asked.Load())[a.Tenant]
	if !ok {
		return tenancy.Identity{}, errors.New("the tenant has nobody asked any more")
	}
	q := questionOf(a)
	if v, ok := asked.memory.recall(time.Now(), &q); ok {
		s.questions[Remembered].Add(1)
		return v.identity, v.err
	}
	if a.Known {
		return tenancy.Identity{}, tenancy.ErrBusy
	}
	v, err := asked.ask(ctx, s.client, &q)
	switch {
	case err != nil:
		s.questions[NoAnswer].Add(1)
		return tenancy.Identity{}, fmt.Errorf("%w: %w", tenancy.ErrBusy, err)
	case v.err != nil:
		s.questions[No].Add(1)
	default:
		s.questions[Yes].Add(1)
	}
	asked.memory.keep(time.Now(), &q, v)
	return v.identity, v.err
}
