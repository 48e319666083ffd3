package gateway

import (
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/manifoldmq/manifold/gateway/config"
)

// posted is a request that a webhook's server got.
type posted struct {
	body, id string
	attempts string
	answer   chan int // the status
}

// webhookServer takes requests of webhooks and leaves their answers to the test.
func webhookServer(t *testing.T) (url string, came <-chan posted) {
	t.Helper()
	requests, ended := make(chan posted), make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		p := posted{string(body), r.Header.Get("Webhook-Id"), r.Header.Get("Manifold-Attempts"), make(chan int, 1)}
		select {
		case requests <- p:
		case <-ended:
			return
		}
		select {
		case status := <-p.answer:
			w.WriteHeader(status)
		case <-ended:
		}
	}))
	t.Cleanup(server.Close)
	t.Cleanup(func() { close(ended) })
	return server.URL, requests
}

// nextPosted waits for a request and answers it.
func nextPosted(t *testing.T, came <-chan posted, body string, status int) posted {
	t.Helper()
	select {
	case p := <-came:
		if p.body != body {
			t.Fatalf("%q was posted, want %q", p.body, body)
		}
		p.answer <- status
		return p
	case <-time.After(time.Minute):
		t.Fatalf("%q was not posted", body)
		panic("unreachable")
	}
}

// enqueue sends a message over HTTP.
func enqueue(t *testing.T, doors map[string]string, address, body string) {
	t.Helper()
	answer, err := http.Post("http://"+doors["http"]+"/v1/default/"+address+"/messages", "text/plain", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	answer.Body.Close()
	if answer.StatusCode != http.StatusCreated {
		t.Fatalf("%s to %s: status %d", body, address, answer.StatusCode)
	}
}

// takeOver receives a message over HTTP and accepts it.
func takeOver(t *testing.T, doors map[string]string, address string) string {
	t.Helper()
	r, err := http.NewRequest("DELETE", "http://"+doors["http"]+"/v1/default/"+address+"/messages/head?timeout=30", nil)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil || answer.StatusCode != http.StatusOK {
		t.Fatalf("from %s: status %d, %v", address, answer.StatusCode, err)
	}
	return string(body)
}

// withWebhooks is a gateway's configuration with a queue, its dead letters, a topic, and webhooks.
func withWebhooks(t *testing.T, hooks string) config.Config {
	t.Helper()
	c, err := config.Parse("webhooks.yaml", fmt.Appendf(nil, `
anonymous: true
http: {webhooks: {allowPrivate: true, retry: {initial: 10ms, max: 10ms}}}
addresses:
  - {name: jobs, kind: queue, maxDeliveries: 3, deadLetter: dead}
  - {name: dead, kind: queue, consumeOnly: true}
  - {name: "news/#", kind: topic}
webhooks: [%s]
`, hooks))
	if err != nil {
		t.Fatal(err)
	}
	other := quickstart(t)
	c.DataDir, c.MQTT, c.AMQP, c.STOMP, c.CoAP, c.Admin = other.DataDir, other.MQTT, other.AMQP, other.STOMP, other.CoAP, other.Admin
	c.HTTP.Port = 0
	return c
}

func TestWebhookTakesWhatIsStoredUntilItIsDead(t *testing.T) {
	url, came := webhookServer(t)
	c := withWebhooks(t, "{name: a, from: jobs, url: '"+url+"', concurrency: 1}, {name: b, from: 'news/#::b', url: '"+url+"'}")
	doors := start(t, c)
	enqueue(t, doors, "jobs", "good")
	nextPosted(t, came, "good", 204)

	enqueue(t, doors, "jobs", "unwanted")
	nextPosted(t, came, "unwanted", 422)
	if body := takeOver(t, doors, "dead"); body != "unwanted" {
		t.Errorf("%q is dead", body)
	}

	enqueue(t, doors, "jobs", "failing")
	id := ""
	for try := range 3 {
		p := nextPosted(t, came, "failing", 500)
		if id != "" && p.id != id || p.id == "" || p.attempts != fmt.Sprint(try) {
			t.Errorf("try %d: id %q after %q, with %s attempts", try, p.id, id, p.attempts)
		}
		id = p.id
	}
	if body := takeOver(t, doors, "dead"); body != "failing" {
		t.Errorf("%q is dead", body)
	}

	enqueue(t, doors, "news/today", "news")
	nextPosted(t, came, "news", 200)
	_, metrics := get(t, "http://"+doors["admin"]+"/metrics")
	for _, line := range []string{
		`manifold_webhook_requests_total{result="accepted",tenant="default",webhook="a"} 1`,
		`manifold_webhook_requests_total{result="rejected",tenant="default",webhook="a"} 1`,
		`manifold_webhook_requests_total{result="failed",tenant="default",webhook="a"} 3`,
		`manifold_webhook_running{tenant="default",webhook="b"} 1`,
	} {
		if !strings.Contains(metrics, line) {
			t.Errorf("no line %s", line)
		}
	}
}

// TestMessagesOfWebhooksOutliveTheProcess, when it ends in the middle of a request.
func TestMessagesOfWebhooksOutliveTheProcess(t *testing.T) {
	url, came := webhookServer(t)
	c := withWebhooks(t, "{name: a, from: jobs, url: '"+url+"', concurrency: 1}")
	c.DrainTimeout = 50 * time.Millisecond
	fs := vfs.NewMem()
	t.Run("first life", func(t *testing.T) {
		doors := startOn(t, fs, c, slog.New(slog.DiscardHandler))
		enqueue(t, doors, "jobs", "1")
		enqueue(t, doors, "jobs", "2")
		if p := <-came; p.body != "1" {
			t.Errorf("%q was posted", p.body)
		}
	})
	t.Run("second life", func(t *testing.T) {
		startOn(t, fs, c, slog.New(slog.DiscardHandler))
		if p := nextPosted(t, came, "1", 200); p.attempts != "1" {
			t.Errorf("it was tried %s times", p.attempts)
		}
		nextPosted(t, came, "2", 200)
	})
}

func TestReloadChangesWebhooks(t *testing.T) {
	oldURL, old := webhookServer(t)
	newURL, fresh := webhookServer(t)
	changes := make(chan config.Config)
	c := withWebhooks(t, "{name: a, from: jobs, url: '"+oldURL+"'}")
	doors := startChanging(t, nil, c, changes, slog.New(slog.DiscardHandler))
	enqueue(t, doors, "jobs", "1")
	nextPosted(t, old, "1", 200)
	changes <- withWebhooks(t, "{name: a, from: jobs, url: '"+newURL+"', secretFile: /nowhere}") // which is not taken over
	enqueue(t, doors, "jobs", "2")
	nextPosted(t, old, "2", 200)
	changes <- withWebhooks(t, "{name: b, from: jobs, url: '"+newURL+"'}")
	changes <- withWebhooks(t, "{name: b, from: jobs, url: '"+newURL+"'}") // the one before has been taken over then
	enqueue(t, doors, "jobs", "3")
	for taken := false; !taken; { // the old one may get it while it ends
		select {
		case p := <-old:
			p.answer <- http.StatusGone
		case p := <-fresh:
			p.answer <- 200
			taken = p.body == "3"
		case <-time.After(time.Minute):
			t.Fatal("it was not posted")
		}
	}
}
