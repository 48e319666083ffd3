package edge

import (
	"encoding/hex"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/manifoldmq/manifold/router/amqp"
	"github.com/manifoldmq/manifold/router/network/internal/protocol"
)

// recorded gives what Qpid Dispatch routers said of one kind.
func recorded(t testing.TB, kind string) (messages []amqp.Message) {
	t.Helper()
	file, err := os.ReadFile("testdata/dispatch-1.19.txt")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(file)) {
		name, octets, _ := strings.Cut(strings.TrimSpace(line), " ")
		if name == kind {
			messages = append(messages, parsed(t, octets))
		}
	}
	if len(messages) == 0 {
		t.Fatalf("no %s was recorded", kind)
	}
	return messages
}

func parsed(t testing.TB, octets string) amqp.Message {
	t.Helper()
	b, err := hex.DecodeString(octets)
	if err != nil {
		t.Fatal(err)
	}
	m, err := amqp.ParseMessage(b)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func TestDispatchIsUnderstood(t *testing.T) {
	var news []News
	for _, m := range recorded(t, "news") {
		n, err := ParseNews(m)
		if err != nil {
			t.Fatal(err)
		}
		news = append(news, n)
	}
	if want := []News{{"M0jobs", true}, {"M0later", true}, {"M0later", false}}; !slices.Equal(news[:3], want) {
		t.Errorf("news %v, want %v", news[:3], want)
	}
	var questions []Question
	for _, m := range recorded(t, "question") {
		q, err := ParseQuestion(m)
		if err != nil {
			t.Fatal(err)
		}
		questions = append(questions, q)
	}
	const replyTo = "amqp:/_topo/0/INT/temp.hVST77wjt5X3Cs9"
	want := []Question{
		{Address: "orders", ReplyTo: replyTo, ID: "client-000000006b0378be075b80fb"},
		{Address: "jobs", Sends: true, ReplyTo: replyTo, ID: "client-000000006b0378c0075b80fc"},
	}
	if !slices.Equal(questions[:2], want) {
		t.Errorf("questions %+v\nwant %+v", questions[:2], want)
	}
	a, err := ParseAnswer(recorded(t, "answer")[0])
	if want := (Answer{ID: want[0].ID}); err != nil || a != want {
		t.Errorf("answer %+v (%v), want %+v", a, err, want)
	}
}

func TestWhatIsSaidIsUnderstood(t *testing.T) {
	message := func(b []byte) amqp.Message {
		m, err := amqp.ParseMessage(b)
		if err != nil {
			t.Fatal(err)
		}
		return m
	}
	for _, n := range []News{{"M0a", true}, {"M1b/c", false}} {
		if got, err := ParseNews(message(n.Append(nil))); err != nil || got != n {
			t.Errorf("%+v is understood as %+v (%v)", n, got, err)
		}
	}
	for _, q := range []Question{{"a", true, "here", "1"}, {"b", false, "there", "2"}} {
		if got, err := ParseQuestion(message(q.Append(nil))); err != nil || got != q {
			t.Errorf("%+v is understood as %+v (%v)", q, got, err)
		}
	}
	for _, a := range []Answer{{"1", true, true}, {"2", true, false}, {"3", false, false}} {
		m := message(a.Append(nil, "there"))
		got, err := ParseAnswer(m)
		properties, _ := m.Properties()
		if err != nil || got != a || properties.To != "there" {
			t.Errorf("%+v is understood as %+v (%v), to %q", a, got, err, properties.To)
		}
	}
}

func TestRequestsAreThoseOfDispatch(t *testing.T) {
	for _, c := range []struct {
		request            Request
		properties         string
		pattern, direction any
	}{
		{Request{Key: "Cqueue"}, "CREATE x/proxyLinkRoute/Cqueue", "queue/#", "in"},
		{Request{Key: "Dblue/queue"}, "CREATE x/proxyLinkRoute/Dblue/queue", "blue/queue/#", "out"},
		{Request{Key: "Ea.*.b"}, "CREATE x/proxyLinkRoute/Ea.*.b", "a.*.b", "in"},
		{Request{Key: "Fa.#"}, "CREATE x/proxyLinkRoute/Fa.#", "a.#", "out"},
		{Request{Key: "Cqueue", Identity: "12"}, "DELETE x/proxyLinkRoute/Cqueue 12", nil, nil},
	} {
		c.request.ID, c.request.Edge, c.request.ReplyTo = 3, "x", "here"
		m, err := amqp.ParseMessage(c.request.Append(nil))
		if err != nil {
			t.Fatal(err)
		}
		properties, _ := m.Properties()
		got := make([]string, 0, 3)
		for _, name := range []string{"operation", "name", "identity"} {
			if text, ok := m.ApplicationProperty(name); ok {
				got = append(got, text.(string))
			}
		}
		entityType, _ := m.ApplicationProperty("type")
		body := m.Body().Value().Value().(amqp.Map)
		pattern, _ := body.Get("pattern")
		direction, _ := body.Get("direction")
		if strings.Join(got, " ") != c.properties || pattern != c.pattern || direction != c.direction ||
			entityType != proxyType || properties.ReplyTo != "here" || properties.CorrelationID != "3" {
			t.Errorf("%+v says %q, %v, %v", c.request, got, pattern, direction)
		}
	}
}

// response is one as a router writes it; identity is empty for none.
func response(t testing.TB, correlation any, code int32, identity string) amqp.Message {
	p := amqp.Properties{CorrelationID: correlation}
	w := amqp.BeginApplicationProperties(p.Append(nil))
	w.Int("statusCode", code)
	var body amqp.Map
	if identity != "" {
		body = amqp.Map{{Key: "identity", Value: identity}}
	}
	b, err := amqp.AppendValue(w.End(), body)
	if err != nil {
		t.Fatal(err)
	}
	return amqp.Trusted(b)
}

func TestResponsesAreUnderstood(t *testing.T) {
	for _, c := range []struct {
		correlation any
		code        int32
		identity    string
		want        Response
		fails       bool
	}{
		{"5", 201, "12", Response{ID: 5, Done: true, Identity: "12"}, false},
		{"5", 201, "", Response{ID: 5}, false},
		{"5", 204, "", Response{ID: 5, Done: true}, false},
		{"5", 404, "", Response{ID: 5, Done: true}, false},
		{"5", 400, "", Response{ID: 5}, false},
		{"5", 403, "12", Response{ID: 5}, false},
		{"five", 201, "12", Response{}, true},
		{uint64(5), 201, "12", Response{}, true},
		{nil, 201, "12", Response{}, true},
	} {
		got, err := ParseResponse(response(t, c.correlation, c.code, c.identity))
		if got != c.want || (err != nil) != c.fails {
			t.Errorf("%v %d %q is %+v, %v", c.correlation, c.code, c.identity, got, err)
		}
	}
}

func TestPhasesOfWaypoints(t *testing.T) {
	for _, c := range []struct {
		direction     Direction
		phase, egress uint8
		capability    amqp.Symbol
	}{
		{Send, 0, 1, ""},
		{Receive, 1, 1, ""},
		{Receive, 0, 1, "qd.waypoint.1"},
		{Send, 1, 1, "qd.waypoint.1"},
		{Receive, 0, 0, ""},
		{Receive, 1, 2, "qd.waypoint.2"},
		{Send, 2, 2, "qd.waypoint.2"},
		{Send, protocol.FallbackPhase, 0, "qd.fallback"},
		{Receive, protocol.FallbackPhase, 1, "qd.fallback"},
	} {
		got := Capability(c.direction, c.phase, c.egress)
		if got != c.capability {
			t.Errorf("%s at phase %d of %d: %q, want %q", c.direction, c.phase, c.egress, got, c.capability)
		}
		var capabilities []amqp.Symbol
		if got != "" {
			capabilities = []amqp.Symbol{"other", got}
		}
		if phase := Phase(c.direction, c.egress, capabilities); phase != c.phase {
			t.Errorf("%s with %q of %d: phase %d, want %d", c.direction, got, c.egress, phase, c.phase)
		}
	}
}

func FuzzMessages(f *testing.F) {
	for _, kind := range []string{"news", "question", "answer"} {
		for _, m := range recorded(f, kind) {
			f.Add(m.Bytes())
		}
	}
	f.Add(response(f, "5", 201, "12").Bytes())
	f.Fuzz(func(t *testing.T, b []byte) {
		m, err := amqp.ParseMessage(b)
		if err != nil {
			return
		}
		if n, err := ParseNews(m); err == nil {
			again, err := ParseNews(amqp.Trusted(n.Append(nil)))
			if err != nil || again != n {
				t.Errorf("%+v became %+v (%v)", n, again, err)
			}
		}
		if q, err := ParseQuestion(m); err == nil {
			again, err := ParseQuestion(amqp.Trusted(q.Append(nil)))
			if err != nil || again != q {
				t.Errorf("%+v became %+v (%v)", q, again, err)
			}
		}
		if s, err := ParseResponse(m); err == nil && s.Identity != "" && !s.Done {
			t.Errorf("%+v is not done and has a proxy", s)
		}
		if a, err := ParseAnswer(m); err == nil {
			again, err := ParseAnswer(amqp.Trusted(a.Append(nil, "x")))
			if err != nil || again.ID != a.ID {
				t.Errorf("%+v became %+v (%v)", a, again, err)
			}
		}
	})
}
