package http

import (
	"context"
	"encoding/json"
	"errors"
	nethttp "net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/manifoldmq/manifold/router"
)

const head = "/v1/acme/jobs/a/messages/head"

// jobs gives the queue of acme's jobs.
func (d *door) jobs() *queue {
	d.queues.mu.Lock()
	defer d.queues.mu.Unlock()
	return d.queues.nodes["acme jobs/#"]
}

func TestMessageComesBackAsItWasSent(t *testing.T) {
	inBubble(t, Limits{}, func(t *testing.T, d *door) {
		headers := []string{
			"Content-Type: application/json", "Content-Encoding: br",
			"Manifold-Message-Id: uuid:6ba7b810-9dad-11d1-80b4-00c04fd430c8", "Manifold-Correlation-Id: ulong:42",
			"Manifold-Reply-To: answers/%C3%BC", "Manifold-Subject: a subject", "Manifold-Group-Id: g%20",
			"Manifold-Ttl: 60.5", "Manifold-Priority: 9", "Manifold-Property: Colour=dark%20red",
			"Manifold-Property: colour=", "Manifold-Property: %2C%3D=%25",
		}
		d.do(201, "POST", "/v1/acme/jobs/a/messages", "\x00body\xff", headers...)
		pass(500 * time.Millisecond) // the TTL counts down
		a := d.do(200, "POST", head, "")
		if a.body != "\x00body\xff" {
			t.Errorf("body %q", a.body)
		}
		for _, h := range append(headers, "Manifold-Address: jobs/a", "Manifold-Attempts: 0") {
			name, want, _ := strings.Cut(h, ": ")
			if name == "Manifold-Ttl" {
				want = "60"
			}
			if got := strings.Join(a.Header.Values(name), "\n"); !strings.Contains(got, want) {
				t.Errorf("%s: %q, want %q", name, got, want)
			}
		}
		if l := a.Header.Get("Location"); !strings.HasPrefix(l, "/v1/acme/jobs/a/messages/1/") {
			t.Errorf("Location %q", l)
		}
		if got := a.Header.Get("Manifold-Lock-Expires"); got != "2000-01-01T00:00:30.500Z" {
			t.Errorf("Manifold-Lock-Expires %q", got)
		}
	})
}

func TestMessageWithoutTypeComesBackWithoutOne(t *testing.T) {
	inBubble(t, Limits{}, func(t *testing.T, d *door) {
		d.do(201, "POST", "/v1/acme/jobs/a/messages", "<html>")
		a := d.do(200, "POST", head, "")
		if got, ok := a.Header["Content-Type"]; ok || a.Header.Get("X-Content-Type-Options") != "nosniff" {
			t.Errorf("%q %v", got, a.Header)
		}
	})
}

func TestReceiveWaitsForAMessage(t *testing.T) {
	inBubble(t, Limits{}, func(t *testing.T, d *door) {
		began := time.Now()
		var receiving sync.WaitGroup
		receiving.Go(func() {
			if a := d.do(200, "POST", head+"?timeout=60", ""); a.body != "late" {
				t.Errorf("%q", a.body)
			}
			if took := time.Since(began); took < 20*time.Second || took > 21*time.Second {
				t.Errorf("after %v", took)
			}
		})
		pass(20 * time.Second)
		d.do(201, "POST", "/v1/acme/jobs/a/messages", "late")
		receiving.Wait()
	})
}

func TestReceiveOfNothingEndsAtItsTimeout(t *testing.T) {
	inBubble(t, Limits{}, func(t *testing.T, d *door) {
		for query, want := range map[string]time.Duration{
			"": time.Second, "?timeout=0": 50 * time.Millisecond, "?timeout=2.5&max=7": 2500 * time.Millisecond,
		} {
			began := time.Now()
			d.do(204, "POST", head+query, "")
			if took := time.Since(began); took != want {
				t.Errorf("%q: after %v", query, took)
			}
		}
		if n := len(d.server.locks.held); n != 0 {
			t.Errorf("%d holders of no locks", n)
		}
		if n := d.jobs().attached(); n != 0 {
			t.Errorf("%d receivers left", n)
		}
	})
}

func TestReceiveIsRefused(t *testing.T) {
	inBubble(t, Limits{}, func(t *testing.T, d *door) {
		for query, detail := range map[string]string{
			"?timeout=61":  "parameter timeout: want seconds from 0 to 60",
			"?timeout=-1":  "parameter timeout",
			"?timeout=NaN": "parameter timeout",
			"?timeout=1s":  "parameter timeout",
			"?max=0":       "parameter max: want an integer from 1 to 100",
			"?max=101":     "parameter max",
			"?lock=0.5":    "parameter lock: want seconds from 1 to 600",
			"?wait=1":      `"wait"`,
		} {
			if p := d.do(400, "POST", head+query, "").problem(t); !strings.Contains(p.Detail, detail) {
				t.Errorf("%s: %q", query, p.Detail)
			}
		}
		d.do(501, "POST", "/v1/acme/jobs/a::worker/messages/head", "") // only a topic has subscriptions
		d.do(400, "POST", "/v1/acme/jobs/a::/messages/head", "")
		d.do(204, "POST", "/v1/acme/jobs/fe80::1/b/messages/head?timeout=0", "") // an address like any other
		d.do(400, "POST", "/v1/acme/jobs/+/messages/head", "")
		d.do(404, "POST", "/v1/acme/messages/head", "")
	})
}

func TestDeleteAcceptsOnce(t *testing.T) {
	inBubble(t, Limits{}, func(t *testing.T, d *door) {
		d.do(201, "POST", "/v1/acme/jobs/a/messages", "x")
		at := d.do(200, "POST", head, "").Header.Get("Location")
		d.do(204, "DELETE", at, "")
		d.do(404, "DELETE", at, "").problem(t)
		d.do(204, "POST", head, "")
		if got := d.jobs().outcomes(); len(got) != 1 || got[0] != router.Accept() {
			t.Error(got)
		}
		if n := d.jobs().attached(); n != 0 {
			t.Errorf("%d receivers left", n)
		}
	})
}

func TestPutReleasesAndRejectRejects(t *testing.T) {
	inBubble(t, Limits{}, func(t *testing.T, d *door) {
		d.do(201, "POST", "/v1/acme/jobs/a/messages", "x")
		d.do(204, "PUT", d.do(200, "POST", head, "").Header.Get("Location"), "")
		a := d.do(200, "POST", head, "")
		if got := a.Header.Get("Manifold-Attempts"); got != "0" {
			t.Errorf("%s attempts after a release", got)
		}
		d.do(204, "POST", a.Header.Get("Location")+"/reject", "")
		d.do(204, "POST", head, "")
		if got := d.jobs().outcomes(); len(got) != 2 || got[1].State != router.Rejected {
			t.Error(got)
		}
	})
}

func TestLockExpires(t *testing.T) {
	inBubble(t, Limits{}, func(t *testing.T, d *door) {
		d.do(201, "POST", "/v1/acme/jobs/a/messages", "1")
		d.do(201, "POST", "/v1/acme/jobs/a/messages", "2")
		long := d.do(200, "POST", head+"?lock=100", "").Header.Get("Location")
		short := d.do(200, "POST", head+"?lock=10", "").Header.Get("Location")
		pass(10*time.Second - 60*time.Millisecond)
		d.do(204, "POST", head+"?timeout=0", "") // which takes 50 ms
		a := d.do(200, "POST", head+"?timeout=1", "")
		if a.body != "2" || a.Header.Get("Manifold-Attempts") != "1" {
			t.Errorf("%q %v", a.body, a.Header)
		}
		d.do(404, "DELETE", short, "")
		d.do(204, "DELETE", long, "")
	})
}

func TestTokenIsBoundToItsPath(t *testing.T) {
	inBubble(t, Limits{}, func(t *testing.T, d *door) {
		d.do(201, "POST", "/v1/acme/jobs/a/messages", "x")
		at := d.do(200, "POST", head, "").Header.Get("Location")
		for _, wrong := range []string{
			strings.Replace(at, "/acme/", "/other/", 1),
			strings.Replace(at, "/jobs/a/", "/jobs/b/", 1),
			strings.Replace(at, "/messages/1/", "/messages/2/", 1),
			at[:len(at)-1] + "_",
		} {
			d.do(404, "DELETE", wrong, "")
			d.do(404, "PUT", wrong, "")
		}
		d.do(204, "DELETE", strings.Replace(at, "/jobs/a/", "/jobs%2Fa/", 1), "") // the same address
	})
}

func TestSettlementIsAnsweredOnceItIsSafe(t *testing.T) {
	inBubble(t, Limits{OutcomeTimeout: 5 * time.Second}, func(t *testing.T, d *door) {
		d.do(201, "POST", "/v1/acme/jobs/a/messages", "x")
		at := d.do(200, "POST", head, "").Header.Get("Location")
		jobs := d.jobs()
		jobs.mu.Lock()
		jobs.held = make(map[uint64]holding) // somebody took it away
		jobs.mu.Unlock()
		if p := d.do(409, "DELETE", at, "").problem(t); p.Reason != "conflict" {
			t.Errorf("%+v", p)
		}
		for _, failure := range []struct {
			status int
			settle settler
		}{
			{500, func(done func(error)) { done(errors.New("disk")) }},
			{504, func(func(error)) {}},
		} {
			path, err := parsePath(head)
			if err != nil {
				t.Fatal(err)
			}
			source, _ := path.source()
			in, err := d.server.openIntake(t.Context(), d.principal("acme"), source, 1)
			if err != nil {
				t.Fatal(err)
			}
			held := holder{tenant: "acme"}
			d.server.locks.reserve(held, 1)
			came := []router.Delivery{router.Delivery{}.From(failure.settle, 1)}
			l := d.server.lockAll(in, came, held, &path, time.Now().Add(time.Minute))[0]
			if p := d.do(failure.status, "DELETE", path.location(l.id), "").problem(t); strings.Contains(p.Detail, "disk") {
				t.Errorf("%+v", p)
			}
		}
	})
}

// settler is the origin of a delivery that ends in its own way.
type settler func(done func(error))

func (s settler) Settle(_ uint64, _ router.Outcome, done func(error)) { s(done) }

func TestClientThatLeavesItsReceiveGivesBackWhatCame(t *testing.T) {
	inBubble(t, Limits{Gather: time.Second}, func(t *testing.T, d *door) {
		d.queues.delay = 700 * time.Millisecond
		d.do(201, "POST", "/v1/acme/jobs/a/messages", "x")
		ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
		defer cancel()
		request, _ := nethttp.NewRequestWithContext(ctx, "POST", "http://door"+head+"?max=2", nil)
		if _, err := d.client.Do(request); err == nil {
			t.Error("answered")
		}
		pass(time.Second)
		if got := d.jobs().outcomes(); len(got) != 1 || got[0] != router.Release() || d.jobs().attached() != 0 {
			t.Error(got)
		}
	})
}

func TestBatchHasWhatIsOnItsWay(t *testing.T) {
	inBubble(t, Limits{Gather: time.Second}, func(t *testing.T, d *door) {
		d.queues.delay = 40 * time.Millisecond
		d.do(201, "POST", "/v1/acme/jobs/a/messages", "1")
		began := time.Now()
		var receiving sync.WaitGroup
		receiving.Go(func() {
			a := d.do(200, "POST", head+"?max=10", "")
			if !strings.Contains(a.body, `"body":"2"`) || time.Since(began) != 60*time.Millisecond {
				t.Errorf("after %v: %s", time.Since(began), a.body)
			}
		})
		pass(20 * time.Millisecond)
		d.do(201, "POST", "/v1/acme/jobs/a/messages", "2")
		receiving.Wait()
	})
}

func TestBatchIsJSON(t *testing.T) {
	inBubble(t, Limits{}, func(t *testing.T, d *door) {
		d.do(201, "POST", "/v1/acme/jobs%2Fa/messages", `{"a":1}`, "Content-Type: application/json",
			"Manifold-Property: k=v", "Manifold-Priority: 0")
		d.do(201, "POST", "/v1/acme/jobs%2Fa/messages", "\xff\xfe", "Manifold-Message-Id: m")
		a := d.do(200, "POST", "/v1/acme/jobs%2Fa/messages/head?max=10", "")
		var got []envelope
		if err := json.Unmarshal([]byte(a.body), &got); err != nil || len(got) != 2 {
			t.Fatalf("%v %s", err, a.body)
		}
		if e := got[0]; *e.Body != `{"a":1}` || e.Properties["k"] != "v" || *e.Priority != 0 || e.Address != "jobs/a" {
			t.Errorf("%s", a.body)
		}
		if e := got[1]; e.Body != nil || string(e.BodyBase64) != "\xff\xfe" || e.MessageID != "m" {
			t.Errorf("%s", a.body)
		}
		for _, e := range got {
			if !strings.HasSuffix(e.Location, e.LockToken) || !strings.HasPrefix(e.Location, "/v1/acme/jobs%2Fa/messages/") {
				t.Error(e.Location)
			}
			d.do(204, "DELETE", e.Location, "")
		}
		if n := d.jobs().attached(); n != 0 {
			t.Errorf("%d receivers left", n)
		}
	})
}

func TestUnusedCreditIsWithdrawn(t *testing.T) {
	inBubble(t, Limits{}, func(t *testing.T, d *door) {
		d.do(201, "POST", "/v1/acme/jobs/a/messages", "1")
		d.do(200, "POST", head+"?max=10", "") // its link stays open for the one lock
		d.do(201, "POST", "/v1/acme/jobs/a/messages", "2")
		if a := d.do(200, "POST", head, ""); a.body != "2" {
			t.Errorf("%q", a.body)
		}
	})
}

func TestSlowStoreIsWaitedForAndWhatComesTooLateGoesBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := open(t, Config{})
		defer d.close()
		d.queues.delay = 40 * time.Millisecond
		d.do(201, "POST", "/v1/acme/jobs/a/messages", "1")
		d.do(201, "POST", "/v1/acme/jobs/a/messages", "2")
		if a := d.do(200, "POST", head+"?timeout=0&max=5", ""); strings.Count(a.body, "lockToken") != 2 {
			t.Error(a.body)
		}
		jobs := d.jobs()
		jobs.setDelay(time.Second)
		d.do(201, "POST", "/v1/acme/jobs/a/messages", "3")
		d.do(204, "POST", head+"?timeout=0&max=5", "")
		pass(time.Minute)
		if a := d.do(200, "POST", head+"?timeout=2&max=5", ""); strings.Count(a.body, "lockToken") != 3 {
			t.Error(a.body)
		}
	})
}

func TestLateDeliveryOfAnOpenLinkIsReleased(t *testing.T) {
	inBubble(t, Limits{}, func(t *testing.T, d *door) {
		d.do(201, "POST", "/v1/acme/jobs/a/messages", "1")
		path, err := parsePath("/v1/acme/jobs/a/messages/head")
		if err != nil {
			t.Fatal(err)
		}
		source, _ := path.source()
		in, err := d.server.openIntake(t.Context(), d.principal("acme"), source, 2)
		if err != nil {
			t.Fatal(err)
		}
		came := in.gather(t.Context(), nil, 2, time.Millisecond)
		held := holder{tenant: "acme"}
		d.server.locks.reserve(held, 1)
		d.server.lockAll(in, came, held, &path, time.Now().Add(time.Minute))
		jobs := d.jobs()
		jobs.mu.Lock()
		jobs.held[99] = holding{router.Delivery{To: "jobs/a"}, in.link}
		in.Deliver(in.link, router.Delivery{To: "jobs/a"}.From(jobs, 99))
		jobs.mu.Unlock()
		synctest.Wait()
		if got := jobs.outcomes(); len(got) != 1 || got[0] != router.Release() {
			t.Error(got)
		}
	})
}

func TestLocksOfOneHolderAreBounded(t *testing.T) {
	inBubble(t, Limits{MaxLocks: 3}, func(t *testing.T, d *door) {
		for range 5 {
			d.do(201, "POST", "/v1/acme/jobs/a/messages", "x")
		}
		first := d.do(200, "POST", head, "").Header.Get("Location")
		if a := d.do(200, "POST", head+"?max=5", ""); strings.Count(a.body, "lockToken") != 2 {
			t.Error(a.body)
		}
		a := d.do(429, "POST", head, "")
		a.problem(t)
		if a.Header.Get("Retry-After") != "1" {
			t.Error(a.Header)
		}
		d.do(204, "POST", "/v1/other/jobs/a/messages/head", "")
		d.do(204, "DELETE", first, "")
		d.do(200, "POST", head, "")
	})
}

func TestBroadcastIsReceivedWithoutALock(t *testing.T) {
	inBubble(t, Limits{}, func(t *testing.T, d *door) {
		var receiving sync.WaitGroup
		receiving.Go(func() {
			a := d.do(200, "POST", "/v1/acme/news/%2A/messages/head?timeout=9", "")
			if a.body != "hi" || a.Header.Get("Manifold-Address") != "news/a" || a.Header.Get("Location") != "" {
				t.Errorf("%q %v", a.body, a.Header)
			}
		})
		synctest.Wait()
		d.do(201, "POST", "/v1/acme/news/a/messages", "hi")
		receiving.Wait()
	})
}

func TestDrainEndsWaitingReceivesAndLocks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := open(t, Config{})
		d.do(201, "POST", "/v1/acme/jobs/b/messages", "x")
		d.do(200, "POST", "/v1/acme/jobs/b/messages/head", "")
		began := time.Now()
		var receiving sync.WaitGroup
		receiving.Go(func() { d.do(204, "POST", head+"?timeout=60", "") })
		synctest.Wait()
		d.close()
		receiving.Wait()
		if took := time.Since(began); took > 2*time.Second {
			t.Errorf("stopped after %v", took)
		}
		if got := d.jobs().outcomes(); len(got) != 1 || got[0] != router.Fail() {
			t.Errorf("outcomes %v, want the lock ended as failed", got)
		}
	})
}

func TestDrainCutsOffWhatDoesNotEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := open(t, Config{Limits: Limits{DrainTimeout: 3 * time.Second}})
		r, err := d.router.Receiver(t.Context(), d.principal("acme"),
			router.Source{Filter: filter(t, "cmd/a")}, make(consumer))
		if err != nil {
			t.Fatal(err)
		}
		defer r.Close()
		began := time.Now()
		var sending sync.WaitGroup
		for _, client := range []*nethttp.Client{d.client, d.newClient(true)} {
			sending.Go(func() {
				request, _ := nethttp.NewRequest("POST", "http://door/v1/acme/cmd/a/messages", nil)
				if response, err := client.Do(request); err == nil {
					response.Body.Close()
					if response.StatusCode != 503 {
						t.Error(response.Status)
					}
				}
			})
		}
		synctest.Wait()
		d.close()
		if took := time.Since(began); took < 3*time.Second || took > 4*time.Second {
			t.Errorf("stopped after %v", took)
		}
		sending.Wait()
	})
}
