package gateway

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/manifoldmq/manifold/gateway/config"
)

// asked sends a request to the HTTP door, with headers as "Name: value", and gives the answer with its body read.
func asked(t *testing.T, doors map[string]string, method, path, body string, headers ...string) (*http.Response, string) {
	t.Helper()
	r, err := http.NewRequest(method, "http://"+doors["http"]+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		r.Header.Set(name, value)
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer, string(text)
}

// TestDeadLetterSaysHowItDied, in headers and in an envelope.
func TestDeadLetterSaysHowItDied(t *testing.T) {
	doors := start(t, withWebhooks(t, ""))
	for range 2 {
		enqueue(t, doors, "jobs", "x")
		locked, _ := asked(t, doors, "POST", "/v1/default/jobs/messages/head?timeout=30", "")
		if a, _ := asked(t, doors, "POST", locked.Header.Get("Location")+"/reject?reason=why", ""); a.StatusCode != 204 {
			t.Fatalf("status %d", a.StatusCode)
		}
	}
	a, _ := asked(t, doors, "DELETE", "/v1/default/dead/messages/head?timeout=30", "")
	got := strings.Join(a.Header.Values("Manifold-Death"), " ")
	if !strings.HasPrefix(got, "reason=rejected text=why queue=jobs address=jobs time=") || !strings.HasSuffix(got, " count=0") {
		t.Errorf("%q", got)
	}
	_, body := asked(t, doors, "DELETE", "/v1/default/dead/messages/head?timeout=30&max=2", "")
	var envelopes []struct {
		Death struct{ Reason, Text string }
	}
	if err := json.Unmarshal([]byte(body), &envelopes); err != nil || len(envelopes) != 1 || envelopes[0].Death.Text != "why" {
		t.Errorf("%s, %v", body, err)
	}
}

// TestHonoDevicesReachApplicationsOverHTTP at the addresses of configs/hono.yaml.
func TestHonoDevicesReachApplicationsOverHTTP(t *testing.T) {
	c, err := config.Load("../configs/hono.yaml")
	if err != nil {
		t.Fatal(err)
	}
	other := quickstart(t)
	c.DataDir, c.AMQP, c.STOMP, c.CoAP, c.Admin = other.DataDir, other.AMQP, other.STOMP, other.CoAP, other.Admin
	c.MQTT.Port, c.MQTT.WebSocket = 0, other.MQTT.WebSocket
	c.HTTP.Port = 0
	doors := start(t, c)
	if a, _ := asked(t, doors, "PUT", "/v1/default/telemetry/*::app/subscription", ""); a.StatusCode != 201 {
		t.Fatalf("status %d", a.StatusCode)
	}
	a, body := asked(t, doors, "PUT", "/telemetry/default/4711", "21.5", "Content-Type: text/plain", "qos-level: 1")
	if a.StatusCode != 202 {
		t.Fatalf("status %d: %s", a.StatusCode, body)
	}
	a, body = asked(t, doors, "DELETE", "/v1/default/telemetry/*::app/messages/head?timeout=30", "")
	if body != "21.5" || a.Header.Get("Manifold-Address") != "telemetry/4711" {
		t.Errorf("%q with %v", body, a.Header)
	}
}

// TestTenantsHaveOriginsOfTheirOwn as their setting says.
func TestTenantsHaveOriginsOfTheirOwn(t *testing.T) {
	c := quickstart(t)
	c.Tenants = []config.Tenant{{Name: "acme", Anonymous: true, Origins: []string{"https://acme.example"}, Addresses: c.Addresses}}
	doors := start(t, c)
	for path, want := range map[string]string{"/v1/acme/jobs/messages": "https://acme.example", "/v1/default/jobs/messages": ""} {
		a, _ := asked(t, doors, "OPTIONS", path, "", "Origin: https://acme.example", "Access-Control-Request-Method: POST")
		if got := a.Header.Get("Access-Control-Allow-Origin"); got != want {
			t.Errorf("%s: %q, want %q", path, got, want)
		}
	}
}
