package edge

import (
	"encoding/hex"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/manifoldmq/manifold/router/amqp"
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
		if a, err := ParseAnswer(m); err == nil {
			again, err := ParseAnswer(amqp.Trusted(a.Append(nil, "x")))
			if err != nil || again.ID != a.ID {
				t.Errorf("%+v became %+v (%v)", a, again, err)
			}
		}
	})
}
