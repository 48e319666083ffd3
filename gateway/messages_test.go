package gateway

import (
	"net/http"
	"strings"
	"testing"
)

// post sends a body to a path of the HTTP door and gives the answer's status.
func post(t *testing.T, url, body string) int {
	t.Helper()
	answer, err := http.Post(url, "text/plain", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	answer.Body.Close()
	return answer.StatusCode
}

func TestQueueSurvivesRestart(t *testing.T) {
	c := quickstart(t)
	t.Run("send", func(t *testing.T) {
		jobs := "http://" + start(t, c)["http"] + "/v1/default/jobs/messages"
		if code := post(t, jobs, "kept"); code != http.StatusCreated {
			t.Fatalf("sending gave status %d", code)
		}
	})
	t.Run("receive", func(t *testing.T) {
		jobs := "http://" + start(t, c)["http"] + "/v1/default/jobs/messages"
		if code := post(t, jobs+"/head?timeout=5", ""); code != http.StatusOK {
			t.Errorf("receiving gave status %d", code)
		}
	})
}

func TestMessagesAreCountedByTenantAndKind(t *testing.T) {
	doors := start(t, quickstart(t))
	jobs := "http://" + doors["http"] + "/v1/default/jobs/messages"
	for range 3 {
		if code := post(t, jobs, "x"); code != http.StatusCreated {
			t.Fatalf("sending gave status %d", code)
		}
	}
	alerts := "http://" + doors["http"] + "/v1/default/alerts/messages"
	if code := post(t, alerts, "nobody listens"); code != http.StatusServiceUnavailable {
		t.Fatalf("sending to nobody gave status %d", code)
	}
	_, page := get(t, "http://"+doors["admin"]+"/metrics")
	for _, line := range []string{
		`manifold_messages_total{kind="queue",outcome="accepted",tenant="default"} 3`,
		`manifold_messages_total{kind="broadcast",outcome="released",tenant="default"} 1`,
		`manifold_messages_not_accepted_total{kind="broadcast",reason="unroutable",tenant="default"} 1`,
	} {
		if !strings.Contains(page, line+"\n") {
			t.Errorf("the metrics have no line %s", line)
		}
	}
}
