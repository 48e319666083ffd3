package http

import (
	"bufio"
	"context"
	"encoding/base64"
	"encoding/json"
	"io"
	"math"
	nethttp "net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/manifoldmq/manifold/addressing"
	"github.com/manifoldmq/manifold/router"
	"github.com/manifoldmq/manifold/router/amqp"
)

// watcher reads an event stream as a browser does.
type watcher struct {
	t     *testing.T
	lines *bufio.Scanner
	body  io.Closer
}

// event is what a browser would dispatch, or a comment.
type event struct{ id, kind, data, comment string }

// watch opens a stream and reads the comment that begins it.
func (d *door) watch(t *testing.T, client *nethttp.Client, path string, headers ...string) *watcher {
	t.Helper()
	r := d.begin(client, context.Background(), "GET", path, "", headers...)
	if r.StatusCode != 200 || r.Header.Get("Content-Type") != "text/event-stream" {
		t.Fatal(r.Status, r.Header)
	}
	w := &watcher{t: t, lines: bufio.NewScanner(r.Body), body: r.Body}
	w.lines.Buffer(nil, 1<<20)
	if e := w.next(); e.comment == "" {
		t.Errorf("begins with %+v", e)
	}
	return w
}

// next reads one event; it is zero at the end of the stream.
func (w *watcher) next() (e event) {
	var data []string
	for w.lines.Scan() {
		name, value, _ := strings.Cut(w.lines.Text(), ":")
		value = strings.TrimPrefix(value, " ")
		switch {
		case w.lines.Text() == "":
			e.data = strings.Join(data, "\n")
			return e
		case name == "":
			e.comment = ":" + value
		case name == "id":
			e.id = value
		case name == "event":
			e.kind = value
		case name == "data":
			data = append(data, value)
		default:
			w.t.Errorf("line %q", w.lines.Text())
		}
	}
	return event{}
}

func TestStreamShowsWhatIsPublished(t *testing.T) {
	inBubble(t, Limits{}, func(t *testing.T, d *door) {
		h2 := d.newClient(true)
		defer h2.CloseIdleConnections()
		for _, client := range []*nethttp.Client{d.client, h2} {
			w := d.watch(t, client, "/v1/acme/news/%23/stream")
			d.do(201, "POST", "/v1/acme/news/a/messages", "line\r\n\"two\"\n")
			d.do(201, "POST", "/v1/acme/news/b/messages", "\x00\xff", "Manifold-Message-Id: m%0A1")
			d.do(201, "POST", "/v1/acme/news/b/messages", "text", "Content-Type: image/png")
			for _, want := range []event{
				{"1", "message", `{"address":"news/a","body":"line\r\n\"two\"\n"}`, ""},
				{"m%0A1", "message", `{"address":"news/b","messageId":"m\n1","bodyBase64":"AP8="}`, ""},
				{"3", "message", `{"address":"news/b","contentType":"image/png","bodyBase64":"dGV4dA=="}`, ""},
			} {
				if got := w.next(); got != want {
					t.Errorf("got  %+v\nwant %+v", got, want)
				}
			}
			w.body.Close()
			synctest.Wait()
			d.do(503, "POST", "/v1/acme/news/a/messages", "nobody is left")
		}
	})
}

func TestRawStreamIsThePayload(t *testing.T) {
	inBubble(t, Limits{}, func(t *testing.T, d *door) {
		w := d.watch(t, d.client, "/v1/acme/news/a/stream?data=raw")
		defer w.body.Close()
		for body, want := range map[string]event{
			"":             {"", "message", "", ""},
			"text":         {"", "message", "text", ""},
			" a\n\nb\n":    {"", "message", " a\n\nb\n", ""},
			"a\rb":         {"", "binary", "YQ1i", ""},
			"\xff":         {"", "binary", "/w==", ""},
			"id: 7\n\n\ne": {"", "message", "id: 7\n\n\ne", ""},
		} {
			d.do(201, "POST", "/v1/acme/news/a/messages", body)
			got := w.next()
			if got.id = ""; got != want {
				t.Errorf("%q: %+v", body, got)
			}
		}
	})
}

func TestStreamOfAQueueAcceptsWhatItWrote(t *testing.T) {
	inBubble(t, Limits{StreamWindow: 2}, func(t *testing.T, d *door) {
		for range 5 {
			d.do(201, "POST", "/v1/acme/jobs/a/messages", "x")
		}
		w := d.watch(t, d.client, "/v1/acme/jobs/a/stream?resume=false")
		for range 5 {
			w.next()
		}
		w.body.Close()
		synctest.Wait()
		if got := d.jobs().outcomes(); len(got) != 5 || got[4] != router.Accept() {
			t.Error(got)
		}
		d.do(204, "POST", head, "")
	})
}

func TestQuietStreamBeats(t *testing.T) {
	inBubble(t, Limits{Heartbeat: 7 * time.Second}, func(t *testing.T, d *door) {
		w := d.watch(t, d.client, "/v1/acme/news/a/stream")
		defer w.body.Close()
		for range 3 {
			began := time.Now()
			if e := w.next(); e.comment == "" || time.Since(began) != 7*time.Second {
				t.Errorf("%+v after %v", e, time.Since(began))
			}
		}
	})
}

func TestSlowClientIsCutOff(t *testing.T) {
	inBubble(t, Limits{WriteTimeout: 4 * time.Second, ResumeTime: time.Millisecond}, func(t *testing.T, d *door) {
		h2 := d.newClient(true)
		defer h2.CloseIdleConnections()
		large := strings.Repeat("x", 100_000)
		for _, client := range []*nethttp.Client{d.client, h2} {
			w := d.watch(t, client, "/v1/acme/jobs/a/stream")
			for range 100 {
				d.do(201, "POST", "/v1/acme/jobs/a/messages", large)
			}
			pass(5 * time.Second)
			if n := d.jobs().attached(); n != 0 {
				t.Errorf("%d receivers left", n)
			}
			w.body.Close()
			d.jobs().purge()
		}
	})
}

func TestIdleStreamOutlivesTheWriteTimeout(t *testing.T) {
	inBubble(t, Limits{WriteTimeout: time.Second}, func(t *testing.T, d *door) {
		h2 := d.newClient(true)
		defer h2.CloseIdleConnections()
		for _, client := range []*nethttp.Client{d.client, h2} {
			w := d.watch(t, client, "/v1/acme/news/a/stream")
			pass(5 * time.Second)
			d.do(201, "POST", "/v1/acme/news/a/messages", "x")
			if e := w.next(); e.kind != "message" {
				t.Errorf("%+v", e)
			}
			w.body.Close()
			synctest.Wait()
		}
	})
}

func TestDrainEndsStreamsCleanly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := open(t, Config{})
		h2 := d.newClient(true)
		one, two := d.watch(t, d.client, "/v1/acme/news/a/stream"), d.watch(t, h2, "/v1/acme/news/b/stream")
		if n := d.server.Connections(); n != 2 {
			t.Errorf("%d connections", n)
		}
		began := time.Now()
		var watching sync.WaitGroup
		for _, w := range []*watcher{one, two} {
			watching.Go(func() {
				if e := w.next(); e != (event{}) || w.lines.Err() != nil {
					t.Errorf("%+v, %v", e, w.lines.Err())
				}
				w.body.Close()
			})
		}
		d.close()
		watching.Wait()
		if n := d.server.Connections(); n != 0 {
			t.Errorf("%d connections left", n)
		}
		if took := time.Since(began); took > 2*time.Second {
			t.Errorf("stopped after %v", took)
		}
		h2.CloseIdleConnections()
	})
}

// TestStreamIsFramedForWhoKnowsChunks: its end is told apart from a connection that broke (RFC 9112 section 7.1). A client of
// HTTP/1.0 gets the plain events.
func TestStreamIsFramedForWhoKnowsChunks(t *testing.T) {
	for version, want := range map[string]string{
		"1.1": "\r\n\r\n00000015\r\n: the route is live\n\n\r\n0000001e\r\nid: 1\nevent: message\ndata: x\n\n\r\n0\r\n\r\n",
		"1.0": "\r\n\r\n: the route is live\n\nid: 1\nevent: message\ndata: x\n\n",
	} {
		synctest.Test(t, func(t *testing.T) {
			d := open(t, Config{})
			conn, err := d.pipes.dial(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			answer := make(chan string)
			go func() {
				all, _ := io.ReadAll(conn)
				answer <- string(all)
			}()
			io.WriteString(conn, "GET /v1/acme/news/a/stream?data=raw HTTP/"+version+"\r\nHost: door\r\n\r\n")
			synctest.Wait()
			d.do(201, "POST", "/v1/acme/news/a/messages", "x")
			synctest.Wait()
			d.close()
			if got := <-answer; !strings.HasSuffix(got, want) {
				t.Errorf("HTTP/%s: %q", version, got)
			}
			conn.Close()
		})
	}
}

func TestStreamIsRefused(t *testing.T) {
	inBubble(t, Limits{}, func(t *testing.T, d *door) {
		d.do(400, "GET", "/v1/acme/news/a/stream?data=xml", "").problem(t)
		d.do(400, "GET", "/v1/acme/news/a/stream?retained=1", "").problem(t)
		d.do(400, "GET", "/v1/acme/news/a/stream?resume=1", "").problem(t)
		d.do(400, "GET", "/v1/acme/news/a/stream?selector=a%3D", "").problem(t)
		d.do(400, "GET", "/v1/acme/news/%23/a/stream", "").problem(t)
		d.do(401, "GET", "/v1/closed/news/a/stream", "").problem(t)
		d.do(404, "GET", "/v1/acme/stream", "").problem(t)
		d.do(501, "GET", "/v1/other/topics/%2A/stream", "").problem(t)
		if a := d.do(200, "HEAD", "/v1/acme/news/a/stream", ""); a.Header.Get("Content-Type") != "text/event-stream" {
			t.Error(a.Header)
		}
		d.do(503, "POST", "/v1/acme/news/a/messages", "HEAD leaves no receiver behind")
	})
}

func TestStreamOfLines(t *testing.T) {
	inBubble(t, Limits{Heartbeat: 7 * time.Second}, func(t *testing.T, d *door) {
		r := d.begin(d.client, context.Background(), "GET", "/v1/acme/jobs/a/stream", "", "Accept: application/x-ndjson")
		defer r.Body.Close()
		if got := r.Header.Get("Content-Type"); got != "application/x-ndjson" {
			t.Error(got)
		}
		lines := bufio.NewScanner(r.Body)
		for _, want := range []string{`{"address":"jobs/a","body":"1"}`, `{"address":"jobs/a","body":"2"}`} {
			d.do(201, "POST", "/v1/acme/jobs/a/messages", want[len(want)-3:len(want)-2])
			if !lines.Scan() || lines.Text() != want {
				t.Errorf("%q, want %s", lines.Text(), want)
			}
		}
		if !lines.Scan() || lines.Text() != "" {
			t.Errorf("%q, want a heartbeat", lines.Text())
		}
		if got := d.jobs().outcomes(); len(got) != 2 {
			t.Error(got)
		}
	})
}

func TestStreamSelects(t *testing.T) {
	inBubble(t, Limits{}, func(t *testing.T, d *door) {
		w := d.watch(t, d.client, "/v1/acme/news/a/stream?data=raw&selector=colour%3D%27red%27")
		defer w.body.Close()
		d.do(503, "POST", "/v1/acme/news/a/messages", "blue", "Manifold-Property: colour=blue")
		d.do(201, "POST", "/v1/acme/news/a/messages", "red", "Manifold-Property: colour=red")
		if e := w.next(); e.data != "red" {
			t.Errorf("%+v", e)
		}
	})
}

// TestSlowStreamMissesOnlyWhatIsBeyondItsRoom: of messages that nobody keeps, as many wait as fit.
func TestSlowStreamMissesOnlyWhatIsBeyondItsRoom(t *testing.T) {
	for _, c := range []struct {
		limits   Limits
		received int
	}{
		{Limits{}, 500},
		{Limits{StreamCredit: 100}, 100},
		{Limits{MaxQueuedBytes: 20_000}, 100},
	} {
		inBubble(t, c.limits, func(t *testing.T, d *door) {
			w := d.watch(t, d.client, "/v1/acme/news/a/stream?data=raw")
			defer w.body.Close()
			dropped := d.router.Counters("acme").Kind(addressing.Broadcast)
			const sent, size = 500, 170 // with what encloses them 200 bytes
			for range sent {
				d.do(202, "POST", "/v1/acme/news/a/messages?ack=none", strings.Repeat("x", size))
			}
			missed := int(dropped.Dropped())
			if got := sent - missed; got < c.received*8/10 || got > c.received*12/10 {
				t.Errorf("%d are on their way, want about %d", got, c.received)
			}
			for range sent - missed {
				w.next()
			}
			d.do(201, "POST", "/v1/acme/news/a/messages", "goes on")
			if e := w.next(); e.data != "goes on" {
				t.Errorf("%.40q", e.data)
			}
		})
	}
}

func TestEventOfAnyAMQPMessage(t *testing.T) {
	value := func(v any) []byte {
		b, err := amqp.AppendValue(nil, v)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	sequence, err := amqp.AppendSequence(nil, amqp.List{int32(1), "two"})
	if err != nil {
		t.Fatal(err)
	}
	list := amqp.List{true, 1.5, "<", []byte{1}, amqp.UUID{1}, amqp.Symbol("s"), amqp.Char('c'), float32(0.1)}
	const listJSON = `[true,1.5,\"<\",\"AQ==\",\"01000000-0000-0000-0000-000000000000\",\"s\",\"c\",0.1]`
	for want, encoded := range map[string][]byte{
		`"contentType":"text/plain; charset=utf-8","body":"grüß"`:                value("grüß"),
		`"contentType":"application/json","body":"18446744073709551615"`:         value(^uint64(0)),
		`"contentType":"application/json","body":"null"`:                         value(nil),
		`"contentType":"application/json","body":"\"NaN\""`:                      value(math.NaN()),
		`"contentType":"application/json","body":"[\"a\",\"b\"]"`:                value(amqp.NewArray[amqp.Symbol]("a", "b")),
		`"contentType":"application/json","body":"[1,\"two\"]"`:                  sequence,
		`"contentType":"application/json","body":"{\"7\":` + listJSON + `}"`:     value(amqp.Map{{Key: int8(7), Value: list}}),
		`"contentType":"application/json","body":"\"1970-01-01T00:00:00.001Z\""`: value(amqp.Timestamp(1)),
		`"body":"ab"`: amqp.AppendData(amqp.AppendData(nil, []byte("a")), []byte("b")),
	} {
		m, err := amqp.ParseMessage(encoded)
		if err != nil {
			t.Fatal(err)
		}
		d := router.Delivery{Message: m, To: "a"}
		opened := read(&d)
		got := string(encodeJSON(opened.envelope(time.Time{})))
		if got != `{"address":"a",`+want+`}` {
			t.Errorf("got  %s\nwant %s", got, want)
		}
	}
}

// FuzzRawEvent checks that no payload breaks out of its event, and that each one can be read back.
func FuzzRawEvent(f *testing.F) {
	for _, seed := range []string{"", "a", "a\nb", "\n", "\r\n", "\xff", "data: x\n\n:y", "\ufeff", "\x00"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, payload []byte) {
		m, err := amqp.ParseMessage(amqp.AppendData(nil, payload))
		if err != nil {
			t.Fatal(err)
		}
		d := router.Delivery{Message: m, To: "a"}
		opened := read(&d)
		encoded := newView(&opened, formRaw, time.Time{}).appendEvent(nil, "", 1)
		encoded = append(encoded, "data: next\n\n"...)
		w := &watcher{t: t, lines: bufio.NewScanner(strings.NewReader(string(encoded)))}
		w.lines.Buffer(nil, 1<<24)
		got := w.next()
		back := []byte(got.data)
		if got.kind == "binary" {
			if back, err = base64.StdEncoding.DecodeString(got.data); err != nil {
				t.Fatal(err)
			}
		}
		if string(back) != string(payload) || w.next().data != "next" {
			t.Errorf("%q became %q", payload, encoded)
		}
		var e envelope
		if err := json.Unmarshal(encodeJSON(opened.envelope(time.Time{})), &e); err != nil {
			t.Fatal(err)
		}
		if e.Body != nil {
			back = []byte(*e.Body)
		} else {
			back = e.BodyBase64
		}
		if string(back) != string(payload) {
			t.Errorf("%q became %q in JSON", payload, back)
		}
	})
}
