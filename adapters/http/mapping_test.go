package http

import (
	nethttp "net/http"
	"net/http/httptest"
	"reflect"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/manifoldmq/manifold/router"
	"github.com/manifoldmq/manifold/router/amqp"
)

// drawID draws a message id of each of its types.
func drawID(t *rapid.T, label string) any {
	return rapid.OneOf(
		rapid.Just(any(nil)),
		rapid.Map(rapid.StringN(1, 20, -1), func(s string) any { return s }),
		rapid.Map(rapid.SampledFrom([]string{"ulong:1", "uuid:", "binary:", "string:x", ":"}), func(s string) any { return s }),
		rapid.Map(rapid.Uint64(), func(n uint64) any { return n }),
		rapid.Map(rapid.SliceOfN(rapid.Byte(), 0, 20), func(b []byte) any { return b }),
		rapid.Map(rapid.SliceOfN(rapid.Byte(), 16, 16), func(b []byte) any { return amqp.UUID(b) }),
	).Draw(t, label)
}

func drawLetter(t *rapid.T) letter {
	text := rapid.StringN(0, 30, -1)
	symbol := rapid.StringMatching(`[!-~]{0,20}`)
	l := letter{
		properties: amqp.Properties{
			To:              "a",
			MessageID:       drawID(t, "message id"),
			CorrelationID:   drawID(t, "correlation id"),
			ReplyTo:         text.Draw(t, "reply to"),
			Subject:         text.Draw(t, "subject"),
			GroupID:         text.Draw(t, "group id"),
			ContentType:     symbol.Draw(t, "content type"),
			ContentEncoding: symbol.Draw(t, "content encoding"),
		},
		ttl:      rapid.Uint32().Draw(t, "ttl"),
		priority: rapid.Uint8Range(0, maxPriority).Draw(t, "priority"),
	}
	for name := range rapid.MapOf(text, rapid.Just(0)).Draw(t, "names") {
		l.pairs = append(l.pairs, pair{name, text.Draw(t, "value")})
	}
	return l
}

// TestHeadersSurviveTheWayThroughAMessage sends a message of any properties out and takes it in again.
func TestHeadersSurviveTheWayThroughAMessage(t *testing.T) {
	now := time.UnixMilli(1_700_000_000_000)
	rapid.Check(t, func(t *rapid.T) {
		want := drawLetter(t)
		body := rapid.SliceOfN(rapid.Byte(), 0, 1000).Draw(t, "body")
		d, err := want.delivery(body, false, now)
		if err != nil {
			t.Fatal(err)
		}
		d.To = "a"
		opened := read(&d)
		if string(opened.body) != string(body) || !opened.header.Durable || opened.header.TTL != want.ttl {
			t.Fatalf("%+v", opened)
		}
		h := nethttp.Header{}
		opened.writeHeaders(h, now)
		for name := range h { // what only answers have, and a type that is not there
			if name == headerAddress || name == headerAttempts || h[name] == nil {
				delete(h, name)
			}
		}
		got, err := readLetter(overTheWire(t, h), "a")
		if err != nil {
			t.Fatalf("%v: %v", h, err)
		}
		if !reflect.DeepEqual(*got, want) {
			t.Fatalf("got  %+v\nwant %+v\nin %v", got, want, h)
		}
	})
}

// overTheWire gives the headers as they arrive: in whatever case, with spaces at the ends gone.
func overTheWire(t *rapid.T, h nethttp.Header) nethttp.Header {
	r := httptest.NewRequest("POST", "/", nil)
	for name, values := range h {
		for _, v := range values {
			for i := range len(v) {
				if v[i] < ' ' || v[i] >= 0x7F {
					t.Fatalf("%s: %q cannot be sent", name, v)
				}
			}
			if v == "" || v[0] == ' ' || v[len(v)-1] == ' ' {
				t.Fatalf("%s: %q would be trimmed", name, v)
			}
			r.Header.Add(name, v)
		}
	}
	return r.Header
}

func TestTypedPropertiesBecomeText(t *testing.T) {
	b := amqp.BeginApplicationProperties(nil)
	b.Int("int", -5)
	b.Bool("bool", true)
	b.Timestamp("at", 1000)
	b.Binary("bin", []byte{0xFF})
	b.Symbol("sym,bol", "s")
	b.Double("double", 0.5)
	m, err := amqp.ParseMessage(amqp.AppendData(b.End(), nil))
	if err != nil {
		t.Fatal(err)
	}
	d := router.Delivery{Message: m, To: "a"}
	opened := read(&d)
	h := nethttp.Header{}
	opened.writeHeaders(h, time.Time{})
	want := []string{"int=-5", "bool=true", "at=1970-01-01T00:00:01Z", "bin=/w%3D%3D", "sym%2Cbol=s", "double=0.5"}
	if got := h[headerProperty]; !reflect.DeepEqual(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}

func TestHostileContentTypeDoesNotReachAnAnswer(t *testing.T) {
	p := amqp.Properties{ContentType: "text/html\r\nSet-Cookie: a=b", ContentEncoding: "\x00"}
	m, err := amqp.ParseMessage(amqp.AppendData(p.Append(nil), nil))
	if err != nil {
		t.Fatal(err)
	}
	d := router.Delivery{Message: m, To: "a"}
	opened := read(&d)
	h := nethttp.Header{}
	opened.writeHeaders(h, time.Time{})
	if h.Get("Content-Type") != "" || h.Get("Content-Encoding") != "" {
		t.Errorf("%v", h)
	}
}

// FuzzHeaders checks that no header makes trouble, and that what is taken has an AMQP form.
func FuzzHeaders(f *testing.F) {
	for name, value := range map[string]string{
		headerTTL: "1e9", headerPriority: "-1", headerProperty: "a=b,c=%2C", headerMessageID: "uuid:x", headerSubject: "%",
		"Content-Type": "text/plain", headerRetain: "true", "Manifold-": "",
	} {
		f.Add(name, value)
	}
	f.Fuzz(func(t *testing.T, name, value string) {
		l, err := readLetter(nethttp.Header{name: {value}}, "a")
		if err != nil {
			if router.ReasonOf(err) != router.Malformed {
				t.Error(err)
			}
			return
		}
		if _, err := l.delivery(nil, false, time.Time{}); err != nil {
			t.Errorf("%q: %q: %v", name, value, err)
		}
	})
}
