package webhook

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net"
	nethttp "net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/manifoldmq/manifold/adapters/http"
	"github.com/manifoldmq/manifold/addressing"
	"github.com/manifoldmq/manifold/router"
	"github.com/manifoldmq/manifold/router/amqp"
	"github.com/manifoldmq/manifold/router/routertest"
	"github.com/manifoldmq/manifold/tenancy"
)

// relay stands for a store: what it is given goes to a consumer at once, and its sender hears the consumer's outcome.
type relay struct{ *router.Direct }

func (r relay) Resolve(
	ctx context.Context, t *tenancy.Tenant, def *addressing.Definition, source router.Source,
) (router.Node, error) {
	passing := *def
	passing.Kind = addressing.Anycast
	return r.Direct.Resolve(ctx, t, &passing, source)
}

// stand is a service with a server for its hooks, over in-memory connections.
type stand struct {
	routertest.Links
	service *Service
	pipes   pipes
	asked   chan *nethttp.Request // with its body read
	stop    context.CancelFunc
	stopped chan error
}

// inBubble runs a test with fake time. When it ends every goroutine must have ended.
func inBubble(t *testing.T, answer nethttp.HandlerFunc, test func(t *testing.T, s *stand)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		user := routertest.User(t, "acme", routertest.Define(t, "jobs/#", addressing.Queue), routertest.Define(t, "news", addressing.Broadcast))
		directory, err := tenancy.NewDirectory(user.Tenant)
		if err != nil {
			t.Fatal(err)
		}
		direct := router.NewDirect(router.Limits{})
		r := router.New(router.Limits{}, map[addressing.Kind]router.Resolver{addressing.Queue: relay{direct}, addressing.Broadcast: direct})
		s := &stand{
			Links:   routertest.Links{T: t, Router: r, User: user},
			service: New(Config{Router: r, Directory: directory}),
			pipes:   make(pipes), asked: make(chan *nethttp.Request, 1000), stopped: make(chan error, 1),
		}
		s.service.client = newClient(s.pipes.dial)
		server := &nethttp.Server{Handler: nethttp.HandlerFunc(func(w nethttp.ResponseWriter, r *nethttp.Request) {
			body, _ := io.ReadAll(r.Body)
			r.Body = io.NopCloser(bytes.NewReader(body))
			s.asked <- r
			answer(w, r)
		})}
		served := make(chan error, 1)
		go func() { served <- server.Serve(s.pipes) }()
		s.run()
		test(t, s)
		s.end()
		server.Close()
		<-served
	})
}

func (s *stand) run() {
	ctx, cancel := context.WithCancel(context.Background())
	s.stop = cancel
	go func() { s.stopped <- s.service.Run(ctx) }()
}

func (s *stand) end() {
	s.T.Helper()
	s.stop()
	if err := <-s.stopped; err != nil {
		s.T.Errorf("Run: %v", err)
	}
}

// define declares hooks and waits until they run.
func (s *stand) define(hooks ...Hook) {
	s.service.Define(hooks)
	synctest.Wait()
}

// jobs is a hook of a queue.
func (s *stand) jobs() Hook {
	return Hook{
		Tenant: "acme", Name: "jobs", From: router.Source{Filter: routertest.Filter(s.T, "jobs/a")}, URL: "http://example.com/hook?x=1",
		Concurrency: 2, Timeout: 5 * time.Second, Retry: Retry{Initial: time.Second, Multiplier: 2, Max: time.Minute},
	}
}

// figure gives what there is to tell of the only hook.
func (s *stand) figure() Figure {
	s.T.Helper()
	all := s.service.Figures()
	if len(all) != 1 {
		s.T.Fatalf("%d hooks", len(all))
	}
	all[0].Spent = 0
	return all[0]
}

type pipes chan net.Conn

func (p pipes) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	client, server := net.Pipe()
	select {
	case p <- server:
		return client, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (p pipes) Accept() (net.Conn, error) {
	nc, ok := <-p
	if !ok {
		return nil, net.ErrClosed
	}
	return nc, nil
}

func (p pipes) Close() error   { close(p); return nil }
func (p pipes) Addr() net.Addr { return &net.UnixAddr{Name: "pipe", Net: "pipe"} }

func respond(status int) nethttp.HandlerFunc {
	return func(w nethttp.ResponseWriter, _ *nethttp.Request) { w.WriteHeader(status) }
}

// message encodes a message with an id.
func message(t testing.TB, p amqp.Properties, body string) router.Delivery {
	t.Helper()
	m, err := amqp.ParseMessage(amqp.AppendData(p.Append(nil), []byte(body)))
	if err != nil {
		t.Fatal(err)
	}
	return router.Delivery{Message: m}
}

func TestMessageIsPostedAndAccepted(t *testing.T) {
	var secret Secret
	if err := secret.UnmarshalText([]byte("whsec_" + strings.Repeat("QUJD", 10))); err != nil {
		t.Fatal(err)
	}
	inBubble(t, respond(204), func(t *testing.T, s *stand) {
		h := s.jobs()
		h.Secrets = []Secret{secret}
		h.Headers = []Header{{"Authorization", "Bearer x"}, {"Content-Type", "text/html"}}
		s.define(h)
		from := s.Sender("jobs/a")
		from.SendDelivery(message(t, amqp.Properties{MessageID: "é.1", Subject: "sub", ContentType: "text/plain"}, "hello"))
		from.Accepted(1)
		r := <-s.asked
		body, _ := io.ReadAll(r.Body)
		for name, want := range map[string]string{
			"Content-Type": "text/html", "Authorization": "Bearer x", "Manifold-Address": "jobs/a", "Manifold-Subject": "sub",
			"Manifold-Message-Id": "%C3%A9.1", "Webhook-Id": "%C3%A9.1", "Webhook-Timestamp": formatTime(time.Now()),
			"Webhook-Signature": sign([]Secret{secret}, "%C3%A9.1", time.Now(), []byte("hello")), "User-Agent": "Manifold-Webhook/1",
		} {
			if got := r.Header.Get(name); got != want {
				t.Errorf("%s: %q, want %q", name, got, want)
			}
		}
		if r.Method != "POST" || r.URL.String() != "/hook?x=1" || r.Host != "example.com" || string(body) != "hello" {
			t.Errorf("%s %s of %s with %q", r.Method, r.URL, r.Host, body)
		}
		if f := s.figure(); f != (Figure{Tenant: "acme", Name: "jobs", Accepted: 1, Running: true}) {
			t.Errorf("%+v", f)
		}
	})
}

func TestMessagesBecomeCloudEvents(t *testing.T) {
	event := func(t *testing.T) router.Delivery {
		properties := amqp.Properties{ContentType: "application/json"}
		w := amqp.BeginApplicationProperties(properties.Append(nil))
		for name, value := range map[string]string{"cloudEvents:specversion": "1.0", "cloudEvents:id": "7", "cloudEvents:source": "/s",
			"cloudEvents_type": "t", "colour": "red"} {
			w.String(name, value)
		}
		m, err := amqp.ParseMessage(amqp.AppendData(w.End(), []byte(`{"n":1}`)))
		if err != nil {
			t.Fatal(err)
		}
		return router.Delivery{Message: m}
	}
	inBubble(t, respond(200), func(t *testing.T, s *stand) {
		post := func(form http.Form, d router.Delivery) (*nethttp.Request, string) {
			h := s.jobs()
			h.Form = form
			s.define(h)
			from := s.Sender("jobs/a")
			from.SendDelivery(d)
			from.Accepted(1)
			r := <-s.asked
			body, _ := io.ReadAll(r.Body)
			return r, string(body)
		}
		plain := message(t, amqp.Properties{MessageID: "m1", Subject: "sub", CreationTime: 1_000, ContentType: "text/plain"}, "hi")
		if r, body := post(http.Binary, plain); body != "hi" || r.Header.Get("Ce-Id") != "m1" || r.Header.Get("Ce-Source") != "/v1/acme/jobs/a" ||
			r.Header.Get("Ce-Type") != "manifold.message" || r.Header.Get("Ce-Specversion") != "1.0" ||
			r.Header.Get("Ce-Subject") != "sub" || r.Header.Get("Ce-Time") != "1970-01-01T00:00:01.000Z" {
			t.Errorf("%q with %v", body, r.Header)
		}
		for _, c := range []struct {
			d    router.Delivery
			want string
		}{
			{plain, `{"data":"hi","datacontenttype":"text/plain","id":"m1","source":"/v1/acme/jobs/a","specversion":"1.0","subject":"sub",` +
				`"time":"1970-01-01T00:00:01.000Z","type":"manifold.message"}`},
			{event(t), `{"data":{"n":1},"datacontenttype":"application/json","id":"7","source":"/s","specversion":"1.0","type":"t"}`},
			{message(t, amqp.Properties{MessageID: "m2", ContentEncoding: "gzip"}, "\x1f\x8b"),
				`{"contentencoding":"gzip","data_base64":"H4s=","id":"m2","source":"/v1/acme/jobs/a","specversion":"1.0","type":"manifold.message"}`},
			{message(t, amqp.Properties{ContentType: "application/cloudevents+json"}, `{"as":"it is"}`), `{"as":"it is"}`},
		} {
			r, body := post(http.Structured, c.d)
			if body != c.want || !strings.HasPrefix(r.Header.Get("Content-Type"), "application/cloudevents+json") || !json.Valid([]byte(body)) ||
				r.Header.Get("Content-Encoding") != "" || r.Header.Get("Ce-Id") != "" {
				t.Errorf("%s\nwant %s\nwith %v", body, c.want, r.Header)
			}
		}
		if r, body := post(http.Binary, event(t)); body != `{"n":1}` || r.Header.Get("Ce-Id") != "7" || r.Header.Get("Ce-Type") != "t" ||
			r.Header.Get("Manifold-Property") != "colour=red" {
			t.Errorf("%q with %v", body, r.Header)
		}
	})
}

func TestRefusedMessageIsRejected(t *testing.T) {
	inBubble(t, respond(422), func(t *testing.T, s *stand) {
		s.define(s.jobs())
		from := s.Sender("jobs/a")
		from.Send("x")
		if o := from.Next().Outcome; o.State != router.Rejected || o.Text != "the webhook answered 422" {
			t.Errorf("%+v", o)
		}
	})
}

// TestFailureComesBackAfterTheDelay: before, its place is not taken by the next message. The id that was made for it is noted.
func TestFailureComesBackAfterTheDelay(t *testing.T) {
	inBubble(t, respond(500), func(t *testing.T, s *stand) {
		h := s.jobs()
		h.Concurrency = 1
		s.define(h)
		from := s.Sender("jobs/a")
		begun := time.Now()
		from.Send("x")
		from.Send("y")
		<-time.After(499 * time.Millisecond)
		if len(s.asked) != 1 || s.figure().Waiting != 1 {
			t.Errorf("%d requests before the delay was over, %+v", len(s.asked), s.figure())
		}
		o := from.Next().Outcome
		if after := time.Since(begun); o.State != router.Modified || after < 500*time.Millisecond || after > time.Second {
			t.Errorf("%+v after %v", o, after)
		}
		annotations, _ := amqp.RawValue(o.Annotations).Map()
		noted, _ := annotations.Lookup(annotationID)
		if id, _ := noted.Text(); string(id) != (<-s.asked).Header.Get(headerID) {
			t.Errorf("%q is noted", id)
		}
	})
}

// TestServerMayAskForAPause, in which nothing is posted.
func TestServerMayAskForAPause(t *testing.T) {
	busy := true
	inBubble(t, func(w nethttp.ResponseWriter, _ *nethttp.Request) {
		if busy {
			busy = false
			w.Header().Set("Retry-After", "8")
			w.WriteHeader(429)
		}
	}, func(t *testing.T, s *stand) {
		s.define(s.jobs())
		from := s.Sender("jobs/a")
		begun := time.Now()
		from.Send("x")
		<-s.asked
		synctest.Wait()
		from.Send("y")
		for range 2 {
			o := from.Next()
			if want := map[uint64]router.State{1: router.Modified, 2: router.Accepted}; o.Outcome.State != want[o.Tag] {
				t.Errorf("%+v", o)
			}
			if after := time.Since(begun); after != 8*time.Second {
				t.Errorf("message %d after %v", o.Tag, after)
			}
		}
	})
}

func TestGoneServerGetsNothingMore(t *testing.T) {
	inBubble(t, respond(410), func(t *testing.T, s *stand) {
		s.define(s.jobs())
		from := s.Sender("jobs/a")
		from.Send("x")
		if o := from.Next().Outcome; o.State != router.Released {
			t.Errorf("%+v", o)
		}
		synctest.Wait()
		from.Send("y") // nobody is there
		if o := from.Next().Outcome; o.State != router.Released || len(s.asked) != 1 || s.figure().Running {
			t.Errorf("%+v after %d requests, %+v", o, len(s.asked), s.figure())
		}
		again := s.jobs()
		again.Timeout++
		s.define(again)
		from.Send("z")
		if from.Next(); len(s.asked) != 2 {
			t.Errorf("%d requests of the hook that was declared anew", len(s.asked))
		}
	})
}

func TestConcurrencyIsBounded(t *testing.T) {
	var release chan struct{}
	inBubble(t, func(nethttp.ResponseWriter, *nethttp.Request) { <-release }, func(t *testing.T, s *stand) {
		release = make(chan struct{})
		s.define(s.jobs())
		from := s.Sender("jobs/a")
		for range 5 {
			from.Send("x")
		}
		synctest.Wait()
		if f := s.figure(); len(s.asked) != 2 || f.Posting != 2 {
			t.Errorf("%d requests, %+v", len(s.asked), f)
		}
		close(release)
		from.Accepted(5)
	})
}

func TestRedirectionIsNotFollowed(t *testing.T) {
	inBubble(t, func(w nethttp.ResponseWriter, r *nethttp.Request) {
		nethttp.Redirect(w, r, "/elsewhere", nethttp.StatusTemporaryRedirect)
	}, func(t *testing.T, s *stand) {
		s.define(s.jobs())
		from := s.Sender("jobs/a")
		from.Send("x")
		if o := from.Next().Outcome; o.State != router.Modified || len(s.asked) != 1 {
			t.Errorf("%+v after %d requests", o, len(s.asked))
		}
	})
}

func TestSilentServerIsLeft(t *testing.T) {
	inBubble(t, func(_ nethttp.ResponseWriter, r *nethttp.Request) { <-r.Context().Done() }, func(t *testing.T, s *stand) {
		h := s.jobs()
		h.Retry.Attempts = 1
		s.define(h)
		from := s.Sender("jobs/a")
		begun := time.Now()
		from.Send("x")
		o := from.Next().Outcome
		if after := time.Since(begun); o.State != router.Rejected || after != 5*time.Second || !strings.Contains(o.Text, "no answer") {
			t.Errorf("%+v after %v", o, after)
		}
	})
}

// TestStopLetsRequestsFinish: what waits goes back at once.
func TestStopLetsRequestsFinish(t *testing.T) {
	inBubble(t, func(w nethttp.ResponseWriter, r *nethttp.Request) {
		if r.ContentLength == 1 {
			w.WriteHeader(500)
			return
		}
		<-time.After(3 * time.Second)
	}, func(t *testing.T, s *stand) {
		h := s.jobs()
		h.Retry.Initial = time.Hour
		h.Retry.Max = time.Hour
		s.define(h)
		from := s.Sender("jobs/a")
		from.Send("1")
		<-s.asked
		synctest.Wait()
		from.Send("22")
		from.Send("333")
		<-s.asked
		synctest.Wait()
		if f := s.figure(); f.Waiting != 1 || f.Posting != 1 {
			t.Errorf("%+v", f)
		}
		begun := time.Now()
		s.end()
		if after := time.Since(begun); after != 3*time.Second {
			t.Errorf("it took %v", after)
		}
		for range 3 {
			want := map[uint64]router.State{1: router.Modified, 2: router.Accepted, 3: router.Released}
			if o := from.Next(); o.Outcome.State != want[o.Tag] {
				t.Errorf("message %d: %+v", o.Tag, o.Outcome)
			}
		}
		s.run()
	})
}

// TestRequestsAreCutOffAtTheDrainTimeout: whether they were taken is not known, so they count as tries.
func TestRequestsAreCutOffAtTheDrainTimeout(t *testing.T) {
	inBubble(t, func(_ nethttp.ResponseWriter, r *nethttp.Request) { <-r.Context().Done() }, func(t *testing.T, s *stand) {
		s.service.drain = 2 * time.Second
		h := s.jobs()
		h.Timeout = time.Hour
		s.define(h)
		from := s.Sender("jobs/a")
		from.Send("x")
		<-s.asked
		begun := time.Now()
		s.define()
		if o := from.Next().Outcome; o.State != router.Modified || time.Since(begun) != 2*time.Second {
			t.Errorf("%+v after %v", o, time.Since(begun))
		}
		synctest.Wait()
		if all := s.service.Figures(); len(all) != 0 {
			t.Errorf("%+v", all)
		}
	})
}

func TestWhatIsNotStoredIsNotPosted(t *testing.T) {
	inBubble(t, respond(200), func(t *testing.T, s *stand) {
		log := new(bytes.Buffer)
		s.service.log = slog.New(slog.NewTextHandler(log, nil))
		h := s.jobs()
		h.From.Filter = routertest.Filter(t, "news")
		s.define(h)
		<-time.After(time.Hour)
		if said := log.String(); strings.Count(said, "news is neither a queue nor a durable subscription") != 1 || s.figure().Running {
			t.Errorf("%s%+v", said, s.figure())
		}
	})
}

// respondAndTell answers 200 and tells that it was asked.
func respondAndTell(asked chan<- bool) nethttp.HandlerFunc {
	return func(nethttp.ResponseWriter, *nethttp.Request) { asked <- true }
}

// TestHookThatIsDeclaredAsBeforeGoesOn, with what it is posting.
func TestHookThatIsDeclaredAsBeforeGoesOn(t *testing.T) {
	inBubble(t, func(nethttp.ResponseWriter, *nethttp.Request) { <-time.After(3 * time.Second) }, func(t *testing.T, s *stand) {
		s.define(s.jobs())
		from := s.Sender("jobs/a")
		from.Send("x")
		from.Send("y")
		<-s.asked
		<-s.asked
		synctest.Wait()
		s.define(s.jobs())
		from.Send("z")
		from.Accepted(3)
	})
}
