package authenticator

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/manifoldmq/manifold/tenancy"
)

// usual are settings that no test waits for.
var usual = Settings{Timeout: time.Minute, MaxConcurrent: 4, RememberYes: time.Hour, RememberNo: time.Hour, MaxRemembered: 100}

// oracle is an authenticator.
type oracle struct {
	*httptest.Server
	asked  atomic.Int64
	mu     sync.Mutex // guards everything below
	answer func(w http.ResponseWriter)
	last   map[string]any
}

func (o *oracle) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	o.asked.Add(1)
	body, _ := io.ReadAll(r.Body)
	o.mu.Lock()
	o.last = nil
	json.Unmarshal(body, &o.last)
	answer := o.answer
	o.mu.Unlock()
	answer(w)
}

// says has it answer so from now on.
func (o *oracle) says(status int, body string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.answer = func(w http.ResponseWriter) {
		w.WriteHeader(status)
		io.WriteString(w, body)
	}
}

// ask starts a service that asks one authenticator for the tenant acme.
func ask(t *testing.T, s Settings) (*Service, *oracle) {
	t.Helper()
	o := new(oracle)
	o.says(http.StatusOK, "")
	o.Server = httptest.NewServer(o)
	t.Cleanup(o.Close)
	service := New(s, slog.New(slog.DiscardHandler))
	t.Cleanup(service.Close)
	service.Define(map[string]string{"acme": o.URL})
	return service, o
}

// attempt is one of ann's over TLS.
func attempt(password string) tenancy.Attempt {
	v := tenancy.Visitor{Private: true}.Through("MQTT").From("192.0.2.7:50700")
	return tenancy.Attempt{Visitor: v, Tenant: "acme", User: "ann", Password: []byte(password), Client: "pump"}
}

func TestAnswersAreTaken(t *testing.T) {
	end := time.Date(2999, 1, 1, 0, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		status int
		body   string
		user   string // empty for a refusal
		roles  string
		ends   time.Time
		busy   bool
	}{
		{status: 200, user: "ann"},
		{status: 200, body: "{}", user: "ann"},
		{status: 200, body: `{"user": "device-7", "roles": ["device", "x"], "expires": "2999-01-01T00:00:00Z"}`, user: "device-7", roles: "device x", ends: end},
		{status: 401},
		{status: 403, body: `{"user": "ann"}`},
		{status: 200, body: "yes", busy: true},
		{status: 200, body: `{"expires": 5}`, busy: true},
		{status: 204, busy: true},
		{status: 302, busy: true},
		{status: 404, busy: true},
		{status: 500, busy: true},
	} {
		s, o := ask(t, usual)
		o.says(c.status, c.body)
		got, err := s.JudgePassword(t.Context(), attempt("a"))
		if got.User != c.user || strings.Join(got.Roles, " ") != c.roles || !got.Expires.Equal(c.ends) {
			t.Errorf("%d %s: %+v", c.status, c.body, got)
		}
		if (err == nil) != (c.user != "") || errors.Is(err, tenancy.ErrBusy) != c.busy {
			t.Errorf("%d %s: %v", c.status, c.body, err)
		}
		if err == nil && (got.Tenant != "acme" || got.Issuer != o.URL) {
			t.Errorf("it is %+v", got)
		}
	}
}

func TestQuestionHasWhatIsKnownAndNoPasswordThatIsNoSecret(t *testing.T) {
	s, o := ask(t, usual)
	s.JudgePassword(t.Context(), attempt("a"))
	want := map[string]any{
		"tenant": "acme", "user": "ann", "password": "a", "protocol": "MQTT", "address": "192.0.2.7", "clientId": "pump",
	}
	if got, _ := json.Marshal(o.last); string(got) != string(must(json.Marshal(want))) {
		t.Errorf("asked %s", got)
	}
	open := attempt("a")
	open.Private = false
	s.JudgePassword(t.Context(), open)
	delete(want, "password")
	if got, _ := json.Marshal(o.last); string(got) != string(must(json.Marshal(want))) || o.asked.Load() != 2 {
		t.Errorf("over a connection that anybody reads: asked %s", got)
	}
}

func must(b []byte, err error) []byte {
	if err != nil {
		panic(err)
	}
	return b
}

func TestAnswersAreRemembered(t *testing.T) {
	for _, status := range []int{http.StatusOK, http.StatusForbidden} {
		s, o := ask(t, usual)
		o.says(status, "")
		for range 3 {
			if _, err := s.JudgePassword(t.Context(), attempt("a")); (err == nil) != (status == http.StatusOK) {
				t.Error(err)
			}
		}
		if n := o.asked.Load(); n != 1 || s.Questions(Remembered) != 2 || s.Questions(Yes)+s.Questions(No) != 1 {
			t.Errorf("%d: asked %d times", status, n)
		}
		s.JudgePassword(t.Context(), attempt("b"))
		elsewhere := attempt("a")
		elsewhere.Visitor = elsewhere.From("192.0.2.8:1")
		s.JudgePassword(t.Context(), elsewhere)
		if n := o.asked.Load(); n != 3 {
			t.Errorf("of other questions %d were asked, want 2", n-1)
		}
	}
}

func TestAnswerIsForgottenInTime(t *testing.T) {
	v := verdict{identity: tenancy.Identity{User: "ann", Expires: time.Unix(1030, 0)}}
	q := questionOf(attempt("a"))
	now := time.Unix(1000, 0)
	var m memory
	m.init(Settings{RememberYes: time.Minute, RememberNo: 10 * time.Second, MaxRemembered: 4})
	for _, c := range []struct {
		verdict
		lasts time.Duration
	}{{v, 30 * time.Second}, {verdict{}, time.Minute}, {verdict{err: errors.New("no")}, 10 * time.Second}} {
		m.keep(now, &q, c.verdict)
		if _, ok := m.recall(now.Add(c.lasts-1), &q); !ok {
			t.Errorf("%+v is forgotten too early", c.verdict)
		}
		if _, ok := m.recall(now.Add(c.lasts), &q); ok {
			t.Errorf("%+v is remembered after %v", c.verdict, c.lasts)
		}
	}
	for i := range 100 {
		other := questionOf(attempt(strings.Repeat("x", i)))
		m.keep(now, &other, verdict{})
	}
	if len(m.recent)+len(m.older) > 4 {
		t.Errorf("%d are remembered", len(m.recent)+len(m.older))
	}
	none := memory{}
	none.init(Settings{MaxRemembered: 4})
	if none.keep(now, &q, v); len(none.recent) > 0 {
		t.Error("what is not to be remembered is")
	}
}

// TestSilentAuthenticatorIsLeftAlone and keeps nobody out who was let in a moment ago.
func TestSilentAuthenticatorIsLeftAlone(t *testing.T) {
	s, o := ask(t, usual)
	if _, err := s.JudgePassword(t.Context(), attempt("a")); err != nil {
		t.Fatal(err)
	}
	o.says(http.StatusInternalServerError, "")
	for range 2 * patience {
		if _, err := s.JudgePassword(t.Context(), attempt("b")); !errors.Is(err, tenancy.ErrBusy) {
			t.Errorf("without an answer: %v", err)
		}
	}
	if n := o.asked.Load(); n < 1+patience || n >= 1+2*patience {
		t.Errorf("asked %d times", n)
	}
	if _, err := s.JudgePassword(t.Context(), attempt("a")); err != nil {
		t.Errorf("who was let in before: %v", err)
	}
}

func TestBreakerOpensAndCloses(t *testing.T) {
	var b breaker
	now := time.Unix(0, 0)
	for i := range patience {
		if err := b.enter(now); err != nil || b.answered(now, false) != (i == patience-1) {
			t.Fatalf("after %d misses: %v", i, err)
		}
	}
	for _, rest := range []time.Duration{firstRest, 2 * firstRest, 4 * firstRest} {
		if b.enter(now.Add(rest-1)) == nil {
			t.Errorf("it is asked before %v", rest)
		}
		now = now.Add(rest)
		if b.enter(now) != nil || b.enter(now) == nil {
			t.Errorf("after %v not one question tries it", rest)
		}
		b.answered(now, false)
	}
	now = now.Add(longest)
	for range 2 {
		if b.enter(now) != nil {
			t.Fatal("it is never tried again")
		}
		b.leave() // as the question was given up
	}
	b.answered(now, true)
	for range 2 {
		if err := b.enter(now); err != nil {
			t.Errorf("after an answer: %v", err)
		}
	}
}

func TestFewQuestionsAtATime(t *testing.T) {
	limits := usual
	limits.MaxConcurrent, limits.RememberYes = 2, 0
	s, o := ask(t, limits)
	at, most := 0, 0
	two, resume := make(chan struct{}), make(chan struct{})
	o.answer = func(http.ResponseWriter) {
		o.mu.Lock()
		at++
		if most = max(most, at); at == 2 && most == 2 {
			select {
			case <-two:
			default:
				close(two)
			}
		}
		o.mu.Unlock()
		<-resume
		o.mu.Lock()
		at--
		o.mu.Unlock()
	}
	var asking sync.WaitGroup
	for range 8 {
		asking.Go(func() {
			if _, err := s.JudgePassword(t.Context(), attempt("a")); err != nil {
				t.Error(err)
			}
		})
	}
	<-two
	impatient, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	if _, err := s.JudgePassword(impatient, attempt("b")); !errors.Is(err, tenancy.ErrBusy) {
		t.Errorf("who waits too long gets %v", err)
	}
	close(resume)
	asking.Wait()
	if most != 2 {
		t.Errorf("%d questions were asked at a time", most)
	}
}

func TestNobodyIsAskedWhoIsNotToBe(t *testing.T) {
	s, o := ask(t, usual)
	crowded := attempt("a")
	crowded.Known = true
	if _, err := s.JudgePassword(t.Context(), crowded); !errors.Is(err, tenancy.ErrBusy) {
		t.Errorf("what is not known gives %v", err)
	}
	other := attempt("a")
	other.Tenant = "other"
	if _, err := s.JudgePassword(t.Context(), other); err == nil || errors.Is(err, tenancy.ErrBusy) {
		t.Errorf("of a tenant that asks nobody: %v", err)
	}
	if n := o.asked.Load(); n > 0 {
		t.Errorf("asked %d times", n)
	}
	if _, err := s.JudgePassword(t.Context(), attempt("a")); err != nil {
		t.Fatal(err)
	}
	if _, err := s.JudgePassword(t.Context(), crowded); err != nil {
		t.Errorf("what is known gives %v", err)
	}
	s.Define(nil)
	if _, err := s.JudgePassword(t.Context(), attempt("a")); err == nil {
		t.Error("who is not asked any more lets in")
	}
}
