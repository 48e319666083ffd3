package gateway

import (
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	goamqp "github.com/Azure/go-amqp"
	"github.com/cockroachdb/pebble/v2/vfs"
	paho3 "github.com/eclipse/paho.mqtt.golang"
	"github.com/go-stomp/stomp/v3"

	"github.com/manifoldmq/manifold/gateway/config"
	"github.com/manifoldmq/manifold/gateway/internal/audit"
	"github.com/manifoldmq/manifold/tenancy"
)

// withName are the ways to send a message to the queue jobs with a name and a password.
var withName = map[string]func(t *testing.T, doors map[string]string, user, password string) error{
	"AMQP": func(t *testing.T, doors map[string]string, user, password string) error {
		return sendWithSASL(t.Context(), doors["amqp"], goamqp.SASLTypePlain(user, password))
	},
	"MQTT": func(_ *testing.T, doors map[string]string, user, password string) error {
		client := paho3.NewClient(paho3.NewClientOptions().AddBroker("tcp://" + doors["mqtt"]).SetAutoReconnect(false).
			SetClientID("pump").SetUsername(user).SetPassword(password))
		if err := wait(client.Connect()); err != nil {
			return err
		}
		defer client.Disconnect(0)
		return wait(client.Publish("jobs", 1, false, "x"))
	},
	"STOMP": func(_ *testing.T, doors map[string]string, user, password string) error {
		return sendSTOMP(doors["stomp"], stomp.ConnOpt.Login(user, password))
	},
	"HTTP": func(t *testing.T, doors map[string]string, user, password string) error {
		transport := &http.Transport{}
		request, err := http.NewRequestWithContext(t.Context(), http.MethodPost,
			"http://"+doors["http"]+pathOf("default", "jobs", "messages"), strings.NewReader("x"))
		if err != nil {
			return err
		}
		defer transport.CloseIdleConnections()
		request.SetBasicAuth(user, password)
		answer, err := transport.RoundTrip(request)
		if err != nil {
			return err
		}
		answer.Body.Close()
		if answer.StatusCode != http.StatusCreated {
			return &refusedBy{answer.Status}
		}
		return nil
	},
}

type refusedBy struct{ status string }

func (r *refusedBy) Error() string { return r.status }

// TestAuthenticatorJudgesUsersThatAreNotDeclared over each protocol, and only those.
func TestAuthenticatorJudgesUsersThatAreNotDeclared(t *testing.T) {
	var asked atomic.Int64
	var down atomic.Bool
	oracle := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var q struct{ Tenant, User, Password string }
		json.NewDecoder(r.Body).Decode(&q)
		asked.Add(1)
		switch {
		case down.Load():
			w.WriteHeader(http.StatusBadGateway)
		case q.User == "ann":
			t.Error("it is asked about a user that is declared")
		case q.Tenant == "default" && q.Password == "right":
			json.NewEncoder(w).Encode(map[string]any{"user": q.User, "roles": []string{"worker"}})
		case q.Password == "poor":
			w.WriteHeader(http.StatusOK)
		default:
			w.WriteHeader(http.StatusForbidden)
		}
	}))
	t.Cleanup(oracle.Close)
	c := quickstart(t)
	jobs, err := tenancy.ParsePattern("jobs")
	if err != nil {
		t.Fatal(err)
	}
	c.Tenants = []config.Tenant{{
		Name: "default", Addresses: c.Addresses, Authenticator: config.Authenticator{URL: oracle.URL},
		Users:        []config.User{{Name: "ann", Credential: credential(t, passwordA), Roles: []string{"worker"}}},
		Roles:        []config.Role{{Name: "worker", Send: []tenancy.Pattern{jobs}}, {Name: "nothing"}},
		DefaultRoles: []string{"nothing"},
	}}
	c.Anonymous, c.Addresses, c.Login.Delay = false, nil, 0
	c.Audit.File = filepath.Join(t.TempDir(), "audit.log")
	t.Run("a gateway", func(t *testing.T) {
		doors := startOn(t, vfs.NewMem(), c, slog.New(slog.DiscardHandler))
		for protocol, send := range withName {
			for _, c := range []struct {
				user, password string
				ok             bool
			}{
				{"ann", "a", true}, {"ann", "right", false}, {"ben", "right", true}, {"ben", "wrong", false}, {"ben", "poor", false},
				{"ben@nobody", "right", false},
			} {
				if err := send(t, doors, c.user, c.password); (err == nil) != c.ok {
					t.Errorf("%s: %s with %s: %v", protocol, c.user, c.password, err)
				}
			}
		}
		before := asked.Load()
		down.Store(true)
		for protocol, send := range withName {
			if err := send(t, doors, "ben", "right"); err != nil {
				t.Errorf("%s: who was let in before, while nobody answers: %v", protocol, err)
			}
			if err := send(t, doors, "cid", "right"); err == nil {
				t.Errorf("%s: somebody is let in while nobody answers", protocol)
			}
		}
		if asked.Load() == before {
			t.Error("nobody was asked")
		}
		if _, page := get(t, "http://"+doors["admin"]+"/metrics"); !strings.Contains(page, `manifold_authenticator_questions_total{answer="none"}`) ||
			!strings.Contains(page, `manifold_logins_failed_total{reason="authenticator"}`) {
			t.Error("metrics do not tell of it")
		}
	})
	record := recordOf(t, c.Audit.File)
	for protocol := range withName {
		for _, want := range []audit.Event{
			{Event: "failed", Protocol: protocol, User: "ben", Reason: "authenticator", Detail: "403"},
			{Event: "failed", Protocol: protocol, User: "ann", Reason: "credentials"},
			{Event: "failed", Protocol: protocol, User: "cid", Reason: "busy"},
		} {
			if !record.has(want) {
				t.Errorf("no %+v in the record", want)
			}
		}
	}
}
