package http

import (
	"bytes"
	"encoding/json"
	nethttp "net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/manifoldmq/manifold/router"
)

// FuzzLines checks that each line that is no empty one is answered once, under its number.
func FuzzLines(f *testing.F) {
	for _, seed := range []string{
		"", "\n", "{}\n\n{}", "{\"body\":\"1\"}\r\n{\"ttl\":-1}\nno\n", `{"body":1}{"body":2}`, "\xff\n[]\nnull\n", "\r\r",
		strings.Repeat("{", 2000),
	} {
		f.Add([]byte(seed))
	}
	handler := newDoor(f, Config{}).server.Handler()
	f.Fuzz(func(t *testing.T, body []byte) {
		r := httptest.NewRequest("POST", "/v1/acme/jobs/a/messages/batch?ack=none", bytes.NewReader(body))
		r.Header.Set("Content-Type", typeLines)
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, r)
		if w.Code != nethttp.StatusOK {
			t.Fatalf("%d %s", w.Code, w.Body)
		}
		got := make(map[int]int)
		for decoder := json.NewDecoder(w.Body); decoder.More(); {
			var result result
			if err := decoder.Decode(&result); err != nil {
				t.Fatal(err)
			}
			if result.Status != nethttp.StatusAccepted && result.Status != nethttp.StatusBadRequest {
				t.Errorf("%+v", result)
			}
			got[result.Line]++
		}
		want, number := 0, 0
		for line := range bytes.Lines(body) {
			number++
			if len(bytes.TrimSuffix(bytes.TrimSuffix(line, []byte("\n")), []byte("\r"))) == 0 {
				continue
			}
			want++
			if got[number] != 1 {
				t.Errorf("line %d has %d answers", number, got[number])
			}
		}
		if len(got) != want {
			t.Errorf("%d lines have answers, want %d", len(got), want)
		}
	})
}

// FuzzEventID checks that what is taken for the id of an event is one, and leads back to itself.
func FuzzEventID(f *testing.F) {
	for _, seed := range []string{
		"", ".", "7", newToken() + ".7", newToken() + ".18446744073709551616", newToken() + ".-1", newToken() + ".007",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		id, number, ok := parseEventID(text)
		if !ok {
			return
		}
		back, again, ok := parseEventID((&stay{id: id}).eventID(number))
		if !ok || back != id || again != number {
			t.Errorf("%q: %q, %d became %q, %d", text, id, number, back, again)
		}
	})
}

// FuzzAccept checks that nothing but a wish for lines is taken for one.
func FuzzAccept(f *testing.F) {
	for _, seed := range []string{"", "*/*", typeLines, typeEvents, typeEvents + ", " + typeLines, typeLines + ";q=0", ",;="} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, accept string) {
		if acceptsLines(nethttp.Header{"Accept": {accept}}) && !strings.Contains(accept, typeLines) {
			t.Errorf("%q", accept)
		}
	})
}

// FuzzAttribute checks that each attribute of a CloudEvent passes through a header, and that no header makes trouble.
func FuzzAttribute(f *testing.F) {
	for _, seed := range []string{"", "a", "%", "%41", `"a\"b"`, `"\`, "größe 🚀", "\x00", "\xff"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, value string) {
		if got, err := unescapeAttribute("Ce-Subject", value); err == nil && !utf8.ValidString(got) {
			t.Errorf("%q became %q", value, got)
		}
		if !utf8.ValidString(value) {
			return
		}
		if got, err := unescapeAttribute("Ce-Subject", escape(value, inAttribute)); err != nil || got != value {
			t.Errorf("%q became %q, %v", value, got, err)
		}
	})
}

// FuzzQuery checks that no query makes trouble, and that what is taken is within its bounds.
func FuzzQuery(f *testing.F) {
	for _, seed := range []string{
		"", "timeout=1&max=2&failed=true&reason=x", "timeout=NaN", "timeout=1e-9", "max=1&max=2", "timeout=%zz", "max=+1",
		"a;b", "&&=",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		q := parseQuery(&url.URL{RawQuery: raw})
		timeout := q.seconds("timeout", time.Second, 0, time.Minute, "http.maxPoll")
		most := q.integer("max", 1, 1, 100, "http.maxBatch")
		q.choice("failed", "true", "false", "false")
		reason := q.text("reason", "", 10)
		if err := q.err(); err != nil {
			if router.ReasonOf(err) != router.Malformed {
				t.Error(err)
			}
			return
		}
		if timeout < 0 || timeout > time.Minute || most < 1 || most > 100 || len(reason) > 10 || !utf8.ValidString(reason) {
			t.Errorf("%q: %v, %d, %q", raw, timeout, most, reason)
		}
	})
}

// FuzzHono checks that no path of a device makes trouble, and that what is taken says what it is.
func FuzzHono(f *testing.F) {
	for _, seed := range []string{
		"/telemetry", "/t/acme/4711", "/event//", "/command/res/a%2Fb", "/command/res/acme/4711/7", "/e/%zz/x", "", "/", "//////",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		form, ok := parseHono(raw)
		if ok && (form.kind == 0 || form.kind != honoAnswer && form.request != "") || !ok && form != (honoForm{}) {
			t.Errorf("%q: %+v, %t", raw, form, ok)
		}
	})
}
