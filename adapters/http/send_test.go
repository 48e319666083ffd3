package http

import (
	"bufio"
	"bytes"
	"context"
	"io"
	nethttp "net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/manifoldmq/manifold/router"
)

func TestAddressIsWhatThePathSaysDecodedOnce(t *testing.T) {
	inBubble(t, Limits{}, func(t *testing.T, d *door) {
		c, r := d.consume("acme", "#")
		defer r.Close()
		for path, want := range map[string]string{
			"a/b":              "a/b",
			"a%2Fb":            "a/b",
			"a//b":             "a//b",
			"a%2F%2Fb":         "a//b",
			"/a":               "/a",
			"a/":               "a/",
			"/":                "/",
			"..":               "..",
			"a/../b":           "a/../b",
			"./a/.":            "./a/.",
			"%2e%2E":           "..",
			"a%20b/c%20":       "a b/c ",
			"a%252Fb":          "a%2Fb",
			"a+b":              "a+b",
			"a/*/b":            "a/*/b",
			"messages/head":    "messages/head",
			"a/messages":       "a/messages",
			"a/stream":         "a/stream",
			"%E2%82%AC/%C3%BC": "€/ü",
			"a::b":             "a::b",
		} {
			d.do(201, "POST", "/v1/acme/"+path+"/messages", "x")
			if got := (<-c).To; string(got) != want {
				t.Errorf("%s: sent to %q, want %q", path, got, want)
			}
		}
	})
}

func TestSendIsRefused(t *testing.T) {
	inBubble(t, Limits{MaxBody: 1000}, func(t *testing.T, d *door) {
		for _, c := range []struct {
			status             int
			method, path, body string
			headers            []string
			detail             string
		}{
			{status: 404, method: "POST", path: "/"},
			{status: 404, method: "POST", path: "/v1"},
			{status: 404, method: "POST", path: "/v1/acme"},
			{status: 404, method: "POST", path: "/v1/acme/messages"},
			{status: 404, method: "POST", path: "/v2/acme/a/messages"},
			{status: 404, method: "POST", path: "/v1/acme/a/messages/"},
			{status: 404, method: "POST", path: "/v1/acme/a/%6Dessages"},
			{status: 404, method: "POST", path: "/v1/acme/a/messages%2Fhead"},
			{status: 400, method: "POST", path: "/v1/acme//messages", detail: "empty"},
			{status: 400, method: "POST", path: "/v1/acme/a%00b/messages", detail: "control character"},
			{status: 400, method: "POST", path: "/v1/acme/%ff/messages", detail: "UTF-8"},
			{status: 400, method: "POST", path: "/v1/acme/a/%23/messages", detail: "filter"},
			{status: 400, method: "POST", path: "/v1/acme/a/messages?ack=maybe", detail: "parameter ack"},
			{status: 400, method: "POST", path: "/v1/acme/a/messages?akc=none", detail: `"akc"`},
			{status: 400, method: "POST", path: "/v1/acme/a/messages?ack=none&ack=none", detail: "2 times"},
			{status: 400, method: "POST", path: "/v1/acme/a/messages?%zz", detail: "percent-encoded"},
			{status: 400, headers: []string{"Manifold-Delay: soon"}, detail: "Manifold-Delay"},
			{status: 501, method: "POST", path: "/v1/acme/cmd/a/messages", headers: []string{"Manifold-Delay: 1"}, detail: "anycast"},
			{status: 400, headers: []string{"Idempotency-Key: \"a"}, detail: "quote"},
			{status: 400, headers: []string{"Idempotency-Key: \"\""}, detail: "empty"},
			{status: 400, headers: []string{"Idempotency-Key: a", "Manifold-Message-Id: b"}, detail: "has an id already"},
			{status: 400, headers: []string{"Ce-Id: 1"}, detail: "needs it"},
			{status: 400, headers: []string{"Ce-Datacontenttype: text/plain"}, detail: "Content-Type"},
			{status: 400, headers: []string{"Ce-My-Name: x"}, detail: "Ce-My-Name"},
			{status: 400, headers: []string{"Ce-Id: %ff"}, detail: "UTF-8"},
			{status: 400, headers: []string{"Manifold-Ttl: 0"}, detail: "Manifold-Ttl"},
			{status: 400, headers: []string{"Manifold-Ttl: NaN"}, detail: "0.001 to"},
			{status: 400, headers: []string{"Manifold-Priority: 10"}, detail: "0 to 9"},
			{status: 400, headers: []string{"Manifold-Retain: yes"}, detail: "true or false"},
			{status: 400, headers: []string{"Manifold-Subject: 100%"}, detail: "%25"},
			{status: 400, headers: []string{"Manifold-Subject: %ff"}, detail: "UTF-8"},
			{status: 400, headers: []string{"Manifold-Subject: a", "Manifold-Subject: b"}, detail: "2 times"},
			{status: 400, headers: []string{"Manifold-Message-Id: ulong:x"}, detail: "ulong"},
			{status: 400, headers: []string{"Manifold-Message-Id: uuid:1-2-3"}, detail: "uuid"},
			{status: 400, headers: []string{"Manifold-Property: colour"}, detail: "name=value"},
			{status: 400, headers: []string{"Manifold-Property: a=1, a=2"}, detail: "twice"},
			{status: 400, headers: []string{"Manifold-Colour: red"}, detail: "Manifold-Colour"},
			{status: 400, headers: []string{"Content-Type: t\u00e9xt"}, detail: "ASCII"},
			{status: 401, method: "POST", path: "/v1/closed/a/messages"},
			{status: 401, method: "POST", path: "/v1/nobody/a/messages"},
			{status: 401, method: "POST", path: "/v1/ACME/a/messages"},
			{status: 401, method: "POST", path: "/v1//a/messages"},
			{status: 401, headers: []string{"Authorization: Bearer x"}},
			{status: 401, headers: []string{"Authorization: Basic YUBvdGhlcjp4"}}, // a@other
			{status: 403, headers: []string{"Origin: https://evil.example"}},
			{status: 413, body: strings.Repeat("x", 1001), detail: "1000 bytes (http.maxBody)"},
			{status: 413, method: "POST", path: "/v1/acme/small/messages", body: strings.Repeat("x", 101)},
			{status: 413, method: "POST", path: "/v1/acme/small/messages", body: strings.Repeat("x", 99)},
			{status: 501, method: "POST", path: "/v1/other/topics/a/messages", detail: "topic"},
			{status: 503, method: "POST", path: "/v1/acme/cmd/a/messages", detail: "nobody"},
			{status: 503, method: "POST", path: "/v1/acme/a/messages", detail: "nobody"},
		} {
			if c.path == "" {
				c.method, c.path = "POST", "/v1/acme/jobs/a/messages"
			}
			a := d.do(c.status, c.method, c.path, c.body, c.headers...)
			p := a.problem(t)
			if !strings.Contains(p.Detail, c.detail) {
				t.Errorf("%s %v: detail %q, want %q in it", c.path, c.headers, p.Detail, c.detail)
			}
			if got := a.Header.Get("Www-Authenticate") != ""; got != (c.status == 401) {
				t.Errorf("%s: WWW-Authenticate %v", c.path, got)
			}
			if got := a.Header.Get("Retry-After") != ""; got != (c.status == 503) {
				t.Errorf("%s: Retry-After %v", c.path, got)
			}
		}
	})
}

func TestUnknownAndClosedTenantsLookTheSame(t *testing.T) {
	inBubble(t, Limits{}, func(t *testing.T, d *door) {
		a := d.do(401, "POST", "/v1/closed/a/messages", "")
		b := d.do(401, "POST", "/v1/nobody/a/messages", "")
		if a.body != b.body {
			t.Errorf("%s differs from %s", a.body, b.body)
		}
	})
}

func TestWrongMethodNamesTheRightOnes(t *testing.T) {
	inBubble(t, Limits{}, func(t *testing.T, d *door) {
		token := strings.Repeat("A", tokenLength)
		for path, allow := range map[string]string{
			"/v1/acme/a/messages":                         "GET, OPTIONS, POST",
			"/v1/acme/a/messages/batch":                   "OPTIONS, POST",
			"/v1/acme/a/messages/head":                    "DELETE, OPTIONS, POST",
			"/v1/acme/a/requests":                         "OPTIONS, POST",
			"/v1/acme/a::b/subscription":                  "DELETE, GET, OPTIONS, PUT",
			"/v1/acme/a/messages/1/" + token:              "DELETE, OPTIONS, PUT",
			"/v1/acme/a/messages/1/" + token + "/reject":  "OPTIONS, POST",
			"/v1/acme/a/messages/1/" + token + "/renew":   "OPTIONS, POST",
			"/v1/acme/a/messages/1/" + token + "x/reject": "",
			"/v1/acme/a/messages/one/" + token:            "",
			"/v1/acme/a/stream":                           "GET, HEAD, OPTIONS",
		} {
			if allow == "" {
				d.do(404, "PATCH", path, "")
				continue
			}
			a := d.do(405, "PATCH", path, "")
			a.problem(t)
			o := d.do(204, "OPTIONS", path, "")
			for _, got := range []string{a.Header.Get("Allow"), o.Header.Get("Allow")} {
				if got != allow {
					t.Errorf("%s: Allow %q, want %q", path, got, allow)
				}
			}
		}
	})
}

func TestTrustedOriginGetsItsHeaders(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := open(t, Config{Origins: []string{"https://app.example"}})
		defer d.close()
		a := d.do(204, "OPTIONS", "/v1/acme/jobs/a/messages", "", "Origin: https://app.example",
			"Access-Control-Request-Method: POST", "Access-Control-Request-Headers: manifold-subject")
		if a.Header.Get("Access-Control-Allow-Origin") != "https://app.example" ||
			a.Header.Get("Access-Control-Allow-Headers") != "manifold-subject" ||
			a.Header.Get("Access-Control-Allow-Methods") != "GET, OPTIONS, POST" {
			t.Error(a.Header)
		}
		d.do(201, "POST", "/v1/acme/jobs/a/messages", "", "Origin: https://app.example")
		d.do(403, "POST", "/v1/acme/jobs/a/messages", "", "Origin: https://evil.example")
		if a := d.do(204, "OPTIONS", "/v1/acme/a/messages", "", "Origin: https://evil.example"); a.Header.Get(
			"Access-Control-Allow-Origin") != "" {
			t.Error(a.Header)
		}
	})
}

func TestUnconfirmedSendIsTakenAtOnce(t *testing.T) {
	inBubble(t, Limits{}, func(t *testing.T, d *door) {
		d.do(202, "POST", "/v1/acme/a/messages?ack=none", "nobody listens")
		c, r := d.consume("acme", "cmd/a")
		defer r.Close()
		d.do(202, "POST", "/v1/acme/cmd/a/messages?ack=none", "x")
		if got := <-c; got.Owned() {
			t.Error("somebody waits for the outcome")
		}
	})
}

func TestOutcomeOfTheConsumerIsTheAnswer(t *testing.T) {
	inBubble(t, Limits{}, func(t *testing.T, d *door) {
		c, r := d.consume("acme", "cmd/a")
		defer r.Close()
		for _, want := range []struct {
			status  int
			outcome router.Outcome
		}{
			{201, router.Accept()},
			{503, router.Release()},
			{503, router.Fail()},
			{429, router.Reject(router.Quota, "full")},
			{400, router.Reject(router.Malformed, "")},
		} {
			settled := make(chan struct{})
			go func() {
				(<-c).Settle(want.outcome)
				close(settled)
			}()
			d.do(want.status, "POST", "/v1/acme/cmd/a/messages", "x")
			<-settled
		}
	})
}

func TestSendWaitsForItsOutcomeAndNoLonger(t *testing.T) {
	inBubble(t, Limits{OutcomeTimeout: 10 * time.Second}, func(t *testing.T, d *door) {
		began := time.Now()
		c := make(consumer, 1)
		r, err := d.router.Receiver(t.Context(), d.principal("acme"), router.Source{Filter: filter(t, "cmd/a")}, c)
		if err != nil {
			t.Fatal(err)
		}
		defer r.Close()
		// Nobody has credit: closing the sender withdraws the message.
		d.do(503, "POST", "/v1/acme/cmd/a/messages", "waits")
		if took := time.Since(began); took != 10*time.Second {
			t.Errorf("answered after %v", took)
		}
		r.Grant(1)
		select {
		case <-c:
			t.Error("a withdrawn message was delivered")
		default:
		}
		// Somebody has taken it and does not settle: nobody knows.
		d.do(504, "POST", "/v1/acme/cmd/a/messages", "taken").problem(t)
		(<-c).Settle(router.Accept())
	})
}

func TestClientThatLeavesWithdrawsItsMessage(t *testing.T) {
	inBubble(t, Limits{}, func(t *testing.T, d *door) {
		c := make(consumer, 1)
		r, err := d.router.Receiver(t.Context(), d.principal("acme"), router.Source{Filter: filter(t, "cmd/a")}, c)
		if err != nil {
			t.Fatal(err)
		}
		defer r.Close()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		request, _ := nethttp.NewRequestWithContext(ctx, "POST", "http://door/v1/acme/cmd/a/messages", nil)
		if _, err := d.client.Do(request); err == nil {
			t.Error("answered")
		}
		synctest.Wait()
		r.Grant(1)
		if len(c) > 0 {
			t.Error("a withdrawn message was delivered")
		}
	})
}

func TestBodyThatDoesNotArriveIsGivenUp(t *testing.T) {
	inBubble(t, Limits{BodyTimeout: 5 * time.Second}, func(t *testing.T, d *door) {
		body, feed := io.Pipe()
		defer feed.Close()
		began := time.Now()
		request, _ := nethttp.NewRequest("POST", "http://door/v1/acme/jobs/a/messages", body)
		response, err := d.client.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		response.Body.Close()
		if response.StatusCode != 408 || time.Since(began) != 5*time.Second {
			t.Errorf("%s after %v", response.Status, time.Since(began))
		}
	})
}

// TestBodyThatDripsIsGivenUpWhoeverReadsIt: what an endpoint leaves unread, net/http reads before it answers.
func TestBodyThatDripsIsGivenUpWhoeverReadsIt(t *testing.T) {
	inBubble(t, Limits{BodyTimeout: 5 * time.Second}, func(t *testing.T, d *door) {
		for request, want := range map[string]int{
			"POST /v1/acme/jobs/a/messages":                408,
			"POST /v1/acme/jobs/a/nothing":                 404,
			"POST /v1/closed/jobs/a/messages":              401,
			"PATCH /v1/acme/jobs/a/messages":               405,
			"DELETE /v1/acme/jobs/a/messages/1/x":          404,
			"POST /v1/acme/jobs/a/messages/head?timeout=1": 204,
		} {
			began := time.Now()
			conn, err := d.pipes.dial(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			var dripping sync.WaitGroup
			dripping.Go(func() {
				_, err := io.WriteString(conn, request+" HTTP/1.1\r\nHost: door\r\nContent-Length: 100000\r\n\r\n")
				for drip := time.NewTicker(time.Second); err == nil; <-drip.C {
					_, err = conn.Write([]byte("x"))
				}
			})
			response, err := nethttp.ReadResponse(bufio.NewReader(conn), nil)
			if err != nil {
				t.Fatal(err)
			}
			if response.StatusCode != want || !response.Close || time.Since(began) > 6*time.Second {
				t.Errorf("%s: %s after %v, close %t", request, response.Status, time.Since(began), response.Close)
			}
			conn.Close()
			dripping.Wait()
		}
	})
}

// TestStreamOutlivesItsBodysDeadline: a body that nobody asked for does not end a stream.
func TestStreamOutlivesItsBodysDeadline(t *testing.T) {
	for _, http2 := range []bool{false, true} {
		inBubble(t, Limits{BodyTimeout: 5 * time.Second, Heartbeat: 7 * time.Second}, func(t *testing.T, d *door) {
			client := d.newClient(http2)
			defer client.CloseIdleConnections()
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			request, _ := nethttp.NewRequestWithContext(ctx, "GET", "http://door/v1/acme/news/stream", strings.NewReader("x"))
			response, err := client.Do(request)
			if err != nil {
				t.Fatal(err)
			}
			defer response.Body.Close()
			lines := bufio.NewScanner(response.Body)
			for heartbeats := 0; heartbeats < 3; {
				if !lines.Scan() {
					t.Fatalf("HTTP/2 %t: the stream ended after %d heartbeats", http2, heartbeats)
				}
				if lines.Text() == ":" {
					heartbeats++
				}
			}
		})
	}
}

func TestChunkedBodyOverTheLimitIsCut(t *testing.T) {
	inBubble(t, Limits{MaxBody: 1000}, func(t *testing.T, d *door) {
		for _, client := range []*nethttp.Client{d.client, d.newClient(true)} {
			request, _ := nethttp.NewRequest("POST", "http://door/v1/acme/jobs/a/messages",
				io.MultiReader(strings.NewReader(strings.Repeat("x", 2000)))) // whose length is not known
			response, err := client.Do(request)
			if err != nil {
				t.Fatal(err)
			}
			response.Body.Close()
			if response.StatusCode != 413 {
				t.Error(response.Status)
			}
			client.CloseIdleConnections()
		}
	})
}

func TestHTTP2WithPriorKnowledgeOnTheSamePort(t *testing.T) {
	inBubble(t, Limits{}, func(t *testing.T, d *door) {
		client := d.newClient(true)
		defer client.CloseIdleConnections()
		a := d.doAs(client, 201, "POST", "/v1/acme/jobs/a//b/messages", "x", "Manifold-Subject: s")
		if a.ProtoMajor != 2 {
			t.Error(a.Proto)
		}
		a = d.doAs(client, 200, "POST", "/v1/acme/jobs/a//b/messages/head", "")
		if a.body != "x" || a.Header.Get("Manifold-Subject") != "s" {
			t.Errorf("%q %v", a.body, a.Header)
		}
		d.doAs(client, 204, "DELETE", a.Header.Get("Location"), "")
	})
}

func BenchmarkSend(b *testing.B) {
	for _, address := range []string{"news/a", "cmd/a"} {
		b.Run(address, func(b *testing.B) {
			d := newDoor(b, Config{})
			c, r := d.consume("acme", address)
			r.Grant(1 << 40)
			var consuming sync.WaitGroup
			consuming.Go(func() {
				for delivery := range c {
					delivery.Settle(router.Accept())
				}
			})
			defer consuming.Wait()
			defer close(c)
			defer r.Close()
			handler := d.server.Handler()
			body := bytes.Repeat([]byte("x"), 256)
			b.ReportAllocs()
			for b.Loop() {
				request := httptest.NewRequest("POST", "/v1/acme/"+address+"/messages", bytes.NewReader(body))
				request.Header.Set("Content-Type", "application/json")
				w := httptest.NewRecorder()
				handler.ServeHTTP(w, request)
				if w.Code != 201 {
					b.Fatal(w.Code, w.Body)
				}
			}
		})
	}
}
