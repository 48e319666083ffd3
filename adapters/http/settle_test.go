package http

import (
	"strings"
	"testing"
	"time"

	"github.com/manifoldmq/manifold/router"
)

func TestRenewedLockLastsLonger(t *testing.T) {
	inBubble(t, Limits{}, func(t *testing.T, d *door) {
		d.do(201, "POST", "/v1/acme/jobs/a/messages", "1")
		d.do(201, "POST", "/v1/acme/jobs/a/messages", "2")
		first := d.do(200, "POST", head+"?lock=10", "").Header.Get("Location")
		d.do(200, "POST", head+"?lock=20", "")
		pass(9 * time.Second)
		a := d.do(204, "POST", first+"/renew?lock=30", "")
		if got := a.Header.Get("Manifold-Lock-Expires"); got != "2000-01-01T00:00:39.000Z" {
			t.Errorf("Manifold-Lock-Expires %q", got)
		}
		pass(12 * time.Second) // the second lock has expired meanwhile
		if a := d.do(200, "POST", head, ""); a.body != "2" {
			t.Errorf("%q", a.body)
		}
		d.do(204, "DELETE", first, "")
		d.do(404, "POST", first+"/renew", "")
		p := d.do(400, "POST", first+"/renew?lock=601", "").problem(t)
		if !strings.Contains(p.Detail, "http.maxLockTime") {
			t.Error(p.Detail)
		}
	})
}

func TestReasonReachesTheSender(t *testing.T) {
	inBubble(t, Limits{}, func(t *testing.T, d *door) {
		for _, c := range []struct {
			method, settle string
			status         int
			detail         string
		}{
			{"POST", "/reject?reason=no%20such%20order", 400, "no such order"},
			{"POST", "/reject", 400, "rejected by its consumer"},
			{"PUT", "", 503, "nobody took"},
			{"PUT", "?failed=true&reason=disk", 503, "disk"},
			{"PUT", "?failed=false", 503, "nobody took"},
			{"DELETE", "", 201, ""},
		} {
			answered := make(chan answer)
			locked := make(chan string)
			go func() {
				locked <- d.do(200, "POST", "/v1/acme/cmd/a/messages/head?timeout=10", "").Header.Get("Location")
			}()
			pass(time.Second) // a consumer is there
			go func() { answered <- d.do(c.status, "POST", "/v1/acme/cmd/a/messages", "x") }()
			d.do(204, c.method, <-locked+c.settle, "")
			if a := <-answered; c.detail != "" && !strings.Contains(a.body, c.detail) {
				t.Errorf("%s %s: %s", c.method, c.settle, a.body)
			}
		}
		d.do(201, "POST", "/v1/acme/jobs/a/messages", "x")
		at := d.do(200, "POST", head, "").Header.Get("Location")
		for _, wrong := range []string{"?failed=yes", "?reason=x", "/reject?reason=" + strings.Repeat("x", 1025), "/reject?reason=%ff"} {
			method := "PUT"
			if strings.HasPrefix(wrong, "/") {
				method = "POST"
			}
			d.do(400, method, at+wrong, "").problem(t)
		}
		d.do(204, "PUT", at+"?failed=true", "")
		if got := d.do(200, "DELETE", head, "").Header.Get("Manifold-Attempts"); got != "1" {
			t.Errorf("%s attempts after a failure", got)
		}
	})
}

func TestTakenMessageIsAcceptedBeforeItIsAnswered(t *testing.T) {
	inBubble(t, Limits{OutcomeTimeout: 5 * time.Second}, func(t *testing.T, d *door) {
		for _, body := range []string{"1", "2", "3"} {
			d.do(201, "POST", "/v1/acme/jobs/a/messages", body)
		}
		a := d.do(200, "DELETE", head, "")
		if a.body != "1" || a.Header.Get("Location") != "" {
			t.Errorf("%q %v", a.body, a.Header)
		}
		if a := d.do(200, "DELETE", head+"?max=10", ""); !strings.Contains(a.body, `"body":"3"`) || strings.Contains(a.body, "lock") {
			t.Error(a.body)
		}
		d.do(204, "DELETE", head+"?timeout=0", "")
		d.do(400, "DELETE", head+"?lock=5", "")
		if got := d.jobs().outcomes(); len(got) != 3 || got[2] != router.Accept() || d.jobs().attached() != 0 {
			t.Error(got)
		}
		d.jobs().stuck = true // accepted, but never safe
		d.do(201, "POST", "/v1/acme/jobs/a/messages", "4")
		d.do(504, "DELETE", head, "").problem(t)
	})
}

func TestReplyIsTheAnswerToARequest(t *testing.T) {
	inBubble(t, Limits{}, func(t *testing.T, d *door) {
		const requests = "/v1/acme/cmd/a/requests"
		c, r := d.consume("acme", "cmd/a")
		reply := func() {
			request := <-c
			p, _ := request.Message.Properties()
			request.Settle(router.Accept())
			d.do(201, "POST", "/v1/acme/"+p.ReplyTo+"/messages", "pong", "Manifold-Correlation-Id: c", "Content-Type: text/x")
		}
		for _, body := range []string{"ping", `{"body":"ping"}`} {
			var headers []string
			if body[0] == '{' {
				headers = []string{asEnvelope}
			}
			go reply()
			a := d.do(200, "POST", requests, body, headers...)
			if a.body != "pong" || a.Header.Get("Manifold-Correlation-Id") != "c" || a.Header.Get("Location") != "" {
				t.Errorf("%q %v", a.body, a.Header)
			}
		}
		began := time.Now()
		go func() { (<-c).Settle(router.Accept()) }()
		if p := d.do(504, "POST", requests+"?timeout=3", "").problem(t); !strings.Contains(p.Detail, "was accepted") {
			t.Error(p.Detail)
		}
		if took := time.Since(began); took != 3*time.Second {
			t.Errorf("after %v", took)
		}
		go func() { (<-c).Settle(router.Reject(router.TooLarge, "for me")) }()
		d.do(413, "POST", requests, "").problem(t)
		d.do(504, "POST", requests+"?timeout=1", "").problem(t) // nobody settles
		r.Close()
		d.do(503, "POST", requests, "").problem(t)
		d.do(400, "POST", requests, "", "Manifold-Reply-To: mine").problem(t)
		d.do(400, "POST", requests+"?timeout=61", "").problem(t)
	})
}
