package gateway

import (
	"log/slog"
	"net/http"
	"strings"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/manifoldmq/manifold/gateway/config"
)

// neighbours are two tenants with addresses of the same names, and one that nobody may enter.
func neighbours(t *testing.T) config.Config {
	t.Helper()
	c := quickstart(t)
	c.Tenants = []config.Tenant{
		{Name: "a", Anonymous: true, Addresses: c.Addresses},
		{Name: "b", Anonymous: true, Addresses: c.Addresses},
		{Name: "closed", Addresses: c.Addresses},
	}
	c.Anonymous, c.Addresses = false, nil
	return c
}

// tenantOf sends and receives within one tenant.
type tenantOf struct {
	name   string
	client mqttClient
	came   chan arrival
	http   *httpClient
}

func enter(t *testing.T, doors map[string]string, protocol, tenant string) *tenantOf {
	t.Helper()
	n := &tenantOf{name: tenant, came: make(chan arrival, 100), http: newHTTPClient(t, doors["http"])}
	n.client = dialMQTT(t, protocol, doors["mqtt"], "x@"+tenant, func(a arrival) { n.came <- a })
	return n
}

// request makes a request of the HTTP door within the tenant.
func (n *tenantOf) request(t *testing.T, method, address, endpoint string, body string) page {
	t.Helper()
	p, err := n.http.ask(t.Context(), method, pathOf(n.name, address, endpoint), nil, []byte(body))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// expect waits for a message and wants it to be this one.
func (n *tenantOf) expect(t *testing.T, address, text string) {
	t.Helper()
	if got := <-n.came; got.address != address || string(got.payload) != text {
		t.Errorf("tenant %s got %q at %s, want %q at %s", n.name, got.payload, got.address, text, address)
	}
}

func TestTenantsOfTheSameAddressesShareNothing(t *testing.T) {
	for _, protocol := range []string{mqtt3, mqtt5} {
		t.Run(protocol, func(t *testing.T) {
			doors := startOn(t, vfs.NewMem(), neighbours(t), slog.New(slog.DiscardHandler))
			tenants := []*tenantOf{enter(t, doors, protocol, "a"), enter(t, doors, protocol, "b")}
			a, b := tenants[0], tenants[1]
			for _, n := range tenants {
				if err := n.client.subscribe("alerts"); err != nil {
					t.Fatal(err)
				}
				if err := n.client.publish("telemetry/kept", letter{payload: []byte("kept of " + n.name)}, true); err != nil {
					t.Fatal(err)
				}
				if p := n.request(t, http.MethodPost, "jobs", "messages", "job of "+n.name); p.code != http.StatusCreated {
					t.Fatalf("sending gave status %d", p.code)
				}
			}
			for _, n := range tenants {
				if err := n.client.subscribe("telemetry/#"); err != nil {
					t.Fatal(err)
				}
				n.expect(t, "telemetry/kept", "kept of "+n.name)
				events := n.http.stream(t.Context(), t, pathOf(n.name, "telemetry/kept", "stream"))
				if text, _ := events.next(); !strings.Contains(string(text), `"body":"kept of `+n.name+`"`) {
					t.Errorf("a stream of tenant %s begins with %s", n.name, text)
				}
				p := n.request(t, http.MethodPost, "jobs", "messages/head?timeout=5", "")
				if string(p.body) != "job of "+n.name {
					t.Errorf("tenant %s received %q", n.name, p.body)
				}
				expectLockOfItsTenantOnly(t, n, p.header.Get("Location"))
				if p := n.request(t, http.MethodPost, "jobs", "messages/head?timeout=0", ""); p.code != http.StatusNoContent {
					t.Errorf("tenant %s finds a second job: %q", n.name, p.body)
				}
			}
			if err := a.client.subscribe("commands/#"); err != nil {
				t.Fatal(err)
			}
			if p := b.request(t, http.MethodPost, "commands/x", "messages", "x"); p.code != http.StatusServiceUnavailable {
				t.Errorf("a command of b was taken in a: status %d", p.code)
			}
			// What comes to a's client is in order, so that its own last message shows that nothing of b came before.
			for _, n := range []*tenantOf{b, a} {
				for _, address := range []string{"alerts", "telemetry/now"} {
					if p := n.request(t, http.MethodPost, address, "messages", "of "+n.name); p.code != http.StatusCreated {
						t.Errorf("sending to %s gave status %d", address, p.code)
					}
				}
			}
			for _, n := range tenants {
				n.expect(t, "alerts", "of "+n.name)
				n.expect(t, "telemetry/now", "of "+n.name)
			}
		})
	}
}

// expectLockOfItsTenantOnly wants a lock to end by its own location, and not by that of the same address elsewhere.
func expectLockOfItsTenantOnly(t *testing.T, n *tenantOf, location string) {
	t.Helper()
	below, ok := strings.CutPrefix(location, "/v1/"+n.name)
	if !ok {
		t.Fatalf("tenant %s got a lock at %q", n.name, location)
	}
	other := map[string]string{"a": "b", "b": "a"}[n.name]
	for _, c := range []struct {
		tenant string
		want   int
	}{
		{other, http.StatusNotFound},
		{"closed", http.StatusUnauthorized},
		{"nobody", http.StatusUnauthorized},
		{n.name, http.StatusNoContent},
	} {
		p, err := n.http.ask(t.Context(), http.MethodDelete, "/v1/"+c.tenant+below, nil, nil)
		if err != nil || p.code != c.want {
			t.Errorf("DELETE of a lock of %s in %s: status %d, %v, want %d", n.name, c.tenant, p.code, err, c.want)
		}
	}
}

// TestNobodyLearnsWhichTenantsExist: a tenant that is closed and one that does not exist are answered alike, whatever
// is asked for, and a user of one tenant is nobody in another.
func TestNobodyLearnsWhichTenantsExist(t *testing.T) {
	doors := startOn(t, vfs.NewMem(), neighbours(t), slog.New(slog.DiscardHandler))
	client := newHTTPClient(t, doors["http"])
	for _, path := range []string{
		"/jobs/messages", "/jobs/messages/head", "/undeclared/messages", "/jobs/messages/1/x/reject",
	} {
		var answers []string
		for _, tenant := range []string{"closed", "nobody", "Closed", "closed%2F", "..", "%00"} {
			p, err := client.ask(t.Context(), http.MethodPost, "/v1/"+tenant+path, nil, nil)
			if err != nil {
				t.Fatal(err)
			}
			if p.code != http.StatusUnauthorized && p.code != http.StatusNotFound {
				t.Errorf("tenant %s, %s: status %d", tenant, path, p.code)
			}
			answers = append(answers, string(p.body)+p.header.Get("WWW-Authenticate"))
		}
		for _, answer := range answers[1:] {
			if answer != answers[0] {
				t.Errorf("%s: %q gives away more than %q", path, answer, answers[0])
			}
		}
	}
	foreign := http.Header{"Authorization": {"Basic eEBhOg=="}} // x@a without a password
	p, err := client.ask(t.Context(), http.MethodPost, "/v1/b/jobs/messages", foreign, nil)
	if err != nil || p.code != http.StatusUnauthorized {
		t.Errorf("x@a in tenant b: status %d, %v", p.code, err)
	}
	for _, protocol := range []string{mqtt3, mqtt5} {
		var refusals []string
		for _, user := range []string{"x@closed", "x@nobody", "x@", "x@a/b"} {
			_, err := connectMQTT(t.Context(), protocol, doors["mqtt"], user, func(arrival) {})
			if err == nil {
				t.Fatalf("%s: %s was let in", protocol, user)
			}
			refusals = append(refusals, err.Error())
		}
		for _, refusal := range refusals[1:] {
			if refusal != refusals[0] {
				t.Errorf("%s: %q gives away more than %q", protocol, refusal, refusals[0])
			}
		}
	}
}
