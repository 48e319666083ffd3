package gateway

import (
	"bufio"
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	adapter "github.com/manifoldmq/manifold/adapters/http"
	"github.com/manifoldmq/manifold/gateway/config"
)

func TestHTTPDefaultsAreThoseOfTheDoor(t *testing.T) {
	c := config.Default()
	if got, want := httpLimits(&c.HTTP, c.DrainTimeout), adapter.DefaultLimits(); got != want {
		t.Errorf("the configuration's defaults give\n%+v\nthe door has\n%+v", got, want)
	}
}

// webUser is a client of the HTTP door that expects what it is answered.
type webUser struct {
	*httpClient
	t *testing.T
}

func newWebUser(t *testing.T) webUser {
	return webUser{newHTTPClient(t, start(t, quickstart(t))["http"]), t}
}

// do makes a request, with headers as "Name: value", and checks the status.
func (u webUser) do(want int, method, path, body string, headers ...string) page {
	u.t.Helper()
	h := make(http.Header)
	for _, line := range headers {
		name, value, _ := strings.Cut(line, ": ")
		h.Set(name, value)
	}
	p, err := u.ask(u.t.Context(), method, "/v1/default/"+path, h, []byte(body))
	if err != nil {
		u.t.Fatal(err)
	}
	if p.code != want {
		u.t.Fatalf("%s %s: status %d, want %d; %s", method, path, p.code, want, p.body)
	}
	return p
}

// bodies gives what the messages of an answer say.
func (p page) bodies(t *testing.T) string {
	t.Helper()
	var all []struct{ Body string }
	if err := json.Unmarshal(p.body, &all); err != nil {
		t.Fatalf("%v: %s", err, p.body)
	}
	var texts []string
	for _, e := range all {
		texts = append(texts, e.Body)
	}
	return strings.Join(texts, " ")
}

func TestQueueIsBrowsedOverHTTP(t *testing.T) {
	u := newWebUser(t)
	const three = `[{"body":"1","properties":{"n":1}},{"body":"2","properties":{"n":2}},{"body":"3","properties":{"n":3}}]`
	u.do(201, "POST", "jobs/messages/batch", three, "Content-Type: application/json")
	held := u.do(200, "POST", "jobs/messages/head?lock=600", "").header.Get("Location")
	if got := u.do(200, "GET", "jobs/messages", "").bodies(t); got != "1 2 3" {
		t.Errorf("the queue shows %q", got)
	}
	if got := u.do(200, "GET", "jobs/messages?max=2", "").bodies(t); got != "1 2" {
		t.Errorf("the first two are %q", got)
	}
	if got := u.do(200, "GET", "jobs/messages?selector=n%3E%3D2", "").bodies(t); got != "2 3" {
		t.Errorf("the selection is %q", got)
	}
	if got := u.do(200, "DELETE", "jobs/messages/head?max=10", "").bodies(t); got != "2 3" {
		t.Errorf("a receive after the browsing took %q", got)
	}
	u.do(204, "DELETE", strings.TrimPrefix(held, "/v1/default/"), "")
	if got := u.do(200, "GET", "jobs/messages", "").bodies(t); got != "" {
		t.Errorf("the empty queue shows %q", got)
	}
	u.do(501, "GET", "alerts/messages", "")
	u.do(404, "GET", "telemetry/a::none/subscription", "")
}

func TestSubscriptionIsAResource(t *testing.T) {
	u := newWebUser(t)
	const resource = "telemetry/%23::billing/subscription"
	u.do(404, "GET", resource, "")
	u.do(201, "PUT", resource+"?shared=true&selector=n%3E1", "")
	u.do(204, "PUT", resource, "") // it is there, and stays what it is
	u.do(409, "PUT", resource+"?shared=false", "")
	u.do(409, "PUT", resource+"?selector=n%3E2", "")
	const want = `{"name":"billing","filter":"telemetry/#","shared":true,"selector":"n>1"}`
	if got := string(u.do(200, "GET", resource, "").body); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	for _, n := range []string{"1", "2", "3"} {
		u.do(201, "POST", "telemetry/a/messages", `{"body":"`+n+`","properties":{"n":`+n+`}}`, "Content-Type: application/vnd.manifold+json")
	}
	first := u.do(200, "POST", "telemetry/%23::billing/messages/head", "")
	second := u.do(200, "POST", "telemetry/%23::billing/messages/head", "") // it is shared
	if got := string(first.body) + string(second.body); got != "23" {
		t.Errorf("the subscription kept %q", got)
	}
	u.do(409, "DELETE", resource, "") // it has consumers: the locks
	for _, p := range []page{first, second} {
		u.do(204, "DELETE", strings.TrimPrefix(p.header.Get("Location"), "/v1/default/"), "")
	}
	u.do(204, "DELETE", resource, "")
	u.do(404, "DELETE", resource, "")
	u.do(404, "PUT", "telemetry/a/subscription", "")
	u.do(400, "PUT", "telemetry/a::%FF/subscription", "") // with which the page of metrics could not be written any more
	u.do(501, "PUT", "jobs::billing/subscription", "")
}

func TestSubscriptionsStreamGoesOnAfterTheLastEvent(t *testing.T) {
	u := newWebUser(t)
	u.do(201, "PUT", "telemetry/%23::feed/subscription", "")
	for _, body := range []string{"1", "2", "3"} {
		u.do(201, "POST", "telemetry/a/messages", body)
	}
	_, last := u.watch("telemetry/%23::feed/stream?data=raw", "", 2) // of three: the third was written, and is not seen
	u.do(201, "POST", "telemetry/a/messages", "4")
	if got, _ := u.watch("telemetry/%23::feed/stream?data=raw", last, 2); got != "3 4" {
		t.Errorf("the stream went on with %q", got)
	}
	// A page that is loaded anew knows no last event: what it may have missed comes again.
	if got, _ := u.watch("telemetry/%23::feed/stream?data=raw", "", 2); got != "3 4" {
		t.Errorf("a new stream began with %q", got)
	}
}

// watch gives the data of the next n events after the last one, and the id of the newest.
func (u webUser) watch(path, last string, n int) (data, newest string) {
	u.t.Helper()
	ctx, leave := context.WithTimeout(u.t.Context(), time.Minute)
	defer leave()
	answer := u.openStream(ctx, path, last)
	defer answer.Body.Close()
	var all []string
	for lines := bufio.NewScanner(answer.Body); len(all) < n; {
		if !lines.Scan() {
			u.t.Fatalf("the stream ended after %q: %v", all, lines.Err())
		}
		name, value, _ := strings.Cut(lines.Text(), ": ")
		switch name {
		case "id":
			newest = value
		case "data":
			all = append(all, value)
		}
	}
	return strings.Join(all, " "), newest
}

// openStream opens a stream. While the server has not noticed that the last one of an exclusive subscription is gone, it is
// in the way.
func (u webUser) openStream(ctx context.Context, path, last string) *http.Response {
	u.t.Helper()
	for {
		answer, err := u.open(ctx, http.MethodGet, "/v1/default/"+path, http.Header{"Last-Event-Id": {last}}, nil)
		if err != nil {
			u.t.Fatal(err)
		}
		switch answer.StatusCode {
		case http.StatusOK:
			return answer
		case http.StatusConflict:
			answer.Body.Close()
		default:
			u.t.Fatalf("%s: status %d", path, answer.StatusCode)
		}
	}
}

func TestIdempotencyKeyIsRememberedByTheQueue(t *testing.T) {
	c := quickstart(t)
	for i := range c.Addresses {
		if a := &c.Addresses[i]; a.Name.String() == "jobs" {
			a.DedupWindow.Messages = 10
		}
	}
	u := webUser{newHTTPClient(t, start(t, c)["http"]), t}
	for range 3 {
		u.do(201, "POST", "jobs/messages", "once", "Idempotency-Key: \"8e03978e\"")
	}
	if got := u.do(200, "GET", "jobs/messages", "").bodies(t); got != "once" {
		t.Errorf("the queue has %q", got)
	}
}

func TestDelayedMessageWaits(t *testing.T) {
	u := newWebUser(t)
	began := time.Now()
	u.do(201, "POST", "jobs/messages", "later", "Manifold-Delay: 0.5")
	got := string(u.do(200, "DELETE", "jobs/messages/head?timeout=30", "").body)
	if took := time.Since(began); got != "later" || took < 498*time.Millisecond { // the queue counts in milliseconds
		t.Errorf("%q came after %v", got, took)
	}
}
