package tracing

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil/promlint"

	"github.com/manifoldmq/manifold/addressing"
	"github.com/manifoldmq/manifold/gateway/gatewaytest"
	"github.com/manifoldmq/manifold/router"
	"github.com/manifoldmq/manifold/router/amqp"
	"github.com/manifoldmq/manifold/router/routertest"
)

const (
	traceID = "0af7651916cd43dd8448eb211c80319c"
	spanID  = "b7ad6b7169203331"
	sampled = "00-" + traceID + "-" + spanID + "-01"
)

// open gives links of a router whose messages are followed.
func open(t testing.TB, s Settings) (*Tracing, routertest.Links) {
	t.Helper()
	s.Log = slog.New(slog.DiscardHandler)
	if s.MaxRate == 0 {
		s.MaxRate = 1000
	}
	s.MaxQueued, s.Interval = 2048, time.Hour // until Close
	tracing, err := Open(s)
	if err != nil {
		t.Fatal(err)
	}
	direct := router.NewDirect(router.Limits{})
	r := router.New(router.Limits{}, map[addressing.Kind]router.Resolver{addressing.Anycast: direct, addressing.Broadcast: direct})
	r.Trace(tracing)
	user := routertest.User(t, "acme",
		routertest.Define(t, "commands/#", addressing.Anycast), routertest.Define(t, "alerts/#", addressing.Broadcast))
	return tracing, routertest.Links{T: t, Router: r.Through("mqtt"), User: user}
}

// message gives a delivery with application properties, names and values in turn.
func message(t testing.TB, properties ...string) router.Delivery {
	t.Helper()
	fields := amqp.Properties{MessageID: "order-1"}
	b := fields.Append(nil)
	if len(properties) > 0 {
		w := amqp.BeginApplicationProperties(b)
		for i := 0; i < len(properties); i += 2 {
			w.String(properties[i], properties[i+1])
		}
		b = w.End()
	}
	m, err := amqp.ParseMessage(amqp.AppendData(b, []byte("body")))
	if err != nil {
		t.Fatal(err)
	}
	return router.Delivery{Message: m}
}

func TestSpansAreChildrenOfTheProducers(t *testing.T) {
	collector := gatewaytest.NewCollector(t)
	tracing, links := open(t, Settings{Endpoint: collector.URL, Headers: map[string]string{"Authorization": "Bearer x"}})
	out, in := links.Receiver("commands/a", 1), links.Sender("commands/a")
	sent := message(t, router.TraceParent, sampled, router.TraceState, "vendor=1")
	in.SendDelivery(sent)
	got := out.Next()
	if string(got.Message.Sections().Bare()) != string(sent.Message.Sections().Bare()) {
		t.Error("the bare message has changed")
	}
	got.Settle(router.Reject(router.Malformed, "unreadable"))
	tracing.Close()

	spans := collector.Next(2)
	route, deliver := spans["route commands/#"], spans["deliver commands/a"]
	if route.Trace != traceID || route.Parent != spanID || route.Kind != "SPAN_KIND_CONSUMER" || !route.Failed {
		t.Errorf("the route is %+v", route)
	}
	if deliver.Trace != traceID || deliver.Parent != route.ID || deliver.Kind != "SPAN_KIND_PRODUCER" || !deliver.Failed {
		t.Errorf("the delivery is %+v", deliver)
	}
	for name, want := range map[string]string{
		"messaging.system": "manifold", "messaging.operation.name": "route", "messaging.operation.type": "receive",
		"messaging.destination.name": "commands/a", "messaging.destination.template": "commands/#",
		"messaging.message.id": "order-1", "network.protocol.name": "mqtt", "manifold.tenant": "acme",
		"manifold.outcome": "rejected", "error.type": "malformed",
	} {
		if got := route.Attributes[name]; got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
	c := contextOf(got.Message)
	if want := "00-" + traceID + "-" + route.ID + "-01"; string(c.parent) != want || string(c.state) != "vendor=1" {
		t.Errorf("the message went on with %q and %q, want %q", c.parent, c.state, want)
	}
	if got := collector.Headers().Get("Authorization"); got != "Bearer x" {
		t.Errorf("the collector saw the authorization %q", got)
	}
}

func TestWhoIsFollowed(t *testing.T) {
	for _, c := range []struct {
		name       string
		ratio      float64
		properties []string
		spans      string // the trace of its spans, or none, or new
	}{
		{"no trace", 0, nil, "none"},
		{"no trace, all begin one", 1, nil, "new"},
		{"sampled", 0, []string{router.TraceParent, sampled}, traceID},
		{"sampled, other flags too", 0, []string{router.TraceParent, sampled[:53] + "03"}, traceID},
		{"sampled, of a later version", 0, []string{router.TraceParent, "01" + sampled[2:] + "-more"}, traceID},
		{"not sampled", 1, []string{router.TraceParent, sampled[:53] + "00"}, "none"},
		{"not sampled, other flags", 1, []string{router.TraceParent, sampled[:53] + "0a"}, "none"},
		{"too short", 0, []string{router.TraceParent, sampled[:54]}, "none"},
		{"no ids", 1, []string{router.TraceParent, "00-" + strings.Repeat("0", 32) + "-" + spanID + "-01"}, "new"},
		{"in capitals", 0, []string{router.TraceParent, strings.ToUpper(sampled)}, "none"},
	} {
		t.Run(c.name, func(t *testing.T) {
			collector := gatewaytest.NewCollector(t)
			tracing, links := open(t, Settings{Endpoint: collector.URL, Ratio: c.ratio})
			out, in := links.Receiver("commands/a", 1), links.Sender("commands/a")
			sent := message(t, c.properties...)
			in.SendDelivery(sent)
			got := out.Next()
			got.Settle(router.Accept())
			tracing.Close()
			if c.spans == "none" {
				if len(collector.Spans) > 0 || string(got.Message.Bytes()) != string(sent.Message.Bytes()) {
					t.Error("it was followed")
				}
				return
			}
			spans := collector.Next(2)
			route, deliver := spans["route commands/#"], spans["deliver commands/a"]
			if c.spans == "new" && (route.Parent != "" || route.Trace == traceID) || c.spans == traceID && route.Trace != traceID {
				t.Errorf("the route is %+v", route)
			}
			if deliver.Trace != route.Trace || deliver.Parent != route.ID {
				t.Errorf("the delivery is %+v", deliver)
			}
		})
	}
}

func TestAnnotationsGoBeforeWhatTheProducerSaid(t *testing.T) {
	collector := gatewaytest.NewCollector(t)
	tracing, links := open(t, Settings{Endpoint: collector.URL})
	d := message(t, router.TraceParent, sampled)
	hop := strings.Repeat("1", 16)
	w := amqp.BeginMessageAnnotations(nil)
	w.String("x-opt-note", "kept")
	w.String(router.TraceParent, "00-"+traceID+"-"+hop+"-01")
	w.String(router.TraceState, "old=1")
	m, err := amqp.ParseMessage(append(w.End(), d.Message.Bytes()...))
	if err != nil {
		t.Fatal(err)
	}
	d.Message = m
	out, in := links.Receiver("alerts/#", 1), links.Sender("alerts/a")
	in.SendDelivery(d)
	got := out.Next()
	tracing.Close()
	spans := collector.Next(2)
	if parent := spans["route alerts/#"].Parent; parent != hop {
		t.Errorf("the parent is %s, want %s", parent, hop)
	}
	if note, _ := got.Message.MessageAnnotations().Lookup("x-opt-note"); note.Value() != "kept" {
		t.Errorf("another annotation became %v", note.Value())
	}
	if n := got.Message.MessageAnnotations().Len(); n != 3 {
		t.Errorf("there are %d annotations", n)
	}
}

func TestRateBoundsWhatIsFollowed(t *testing.T) {
	collector := gatewaytest.NewCollector(t)
	tracing, links := open(t, Settings{Endpoint: collector.URL, MaxRate: 1, Ratio: 1})
	in := links.Sender("alerts/a")
	for range 100 {
		in.SendDelivery(message(t))
	}
	tracing.Close()
	if n := len(collector.Spans); n < 1 || n > 50 {
		t.Errorf("of 100 messages %d were followed", n)
	}
	if ended, skipped := tracing.figures.ended.Load(), tracing.figures.skipped.Load(); ended+skipped != 100 {
		t.Errorf("%d ended and %d were skipped", ended, skipped)
	}
}

func TestCollectorThatIsNotThereHarmsNobody(t *testing.T) {
	refusing := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		http.Error(w, "no", http.StatusForbidden)
	}))
	defer refusing.Close()
	tracing, links := open(t, Settings{Endpoint: refusing.URL, Ratio: 1})
	out, in := links.Receiver("commands/a", 100), links.Sender("commands/a")
	for range 100 {
		in.SendDelivery(message(t))
		out.Next().Settle(router.Accept())
	}
	tracing.Close()
	if n := tracing.exporter.failed.Load(); n != 200 {
		t.Errorf("%d spans are counted as failed", n)
	}
}

func TestFiguresHaveExemplars(t *testing.T) {
	collector := gatewaytest.NewCollector(t)
	tracing, links := open(t, Settings{Endpoint: collector.URL})
	registry := prometheus.NewPedanticRegistry()
	registry.MustRegister(tracing)
	links.Sender("alerts/a").SendDelivery(message(t, router.TraceParent, sampled))
	tracing.Close()
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	exemplars := 0
	for _, family := range families {
		for _, m := range family.Metric {
			for _, bucket := range m.GetHistogram().GetBucket() {
				for _, label := range bucket.GetExemplar().GetLabel() {
					if label.GetName() == "trace_id" && label.GetValue() == traceID {
						exemplars++
					}
				}
			}
		}
	}
	if exemplars != 1 {
		t.Errorf("%d exemplars name the trace", exemplars)
	}
	if problems, err := promlint.NewWithMetricFamilies(families).Lint(); err != nil || len(problems) > 0 {
		t.Errorf("the figures are not as Prometheus wants them: %v, %v", problems, err)
	}
}

func TestTracesURL(t *testing.T) {
	for endpoint, want := range map[string]string{
		"http://localhost:4318":     "http://localhost:4318/v1/traces",
		"http://localhost:4318/":    "http://localhost:4318/v1/traces",
		"https://otlp.example/own/": "https://otlp.example/own/",
	} {
		if got := tracesURL(endpoint); got != want {
			t.Errorf("%s becomes %s, want %s", endpoint, got, want)
		}
	}
}

// TestWhatIsNotFollowedCostsNoMemory: the way of a message through a router with a tracer allocates as much as without.
func TestWhatIsNotFollowedCostsNoMemory(t *testing.T) {
	for name, d := range map[string]router.Delivery{
		"no trace":    message(t, "zone", "north"),
		"not sampled": message(t, router.TraceParent, sampled[:53]+"00"),
	} {
		tracing, _ := open(t, Settings{Endpoint: "http://127.0.0.1:1"})
		if n := testing.AllocsPerRun(100, func() {
			if _, ok := tracing.choose(contextOf(d.Message), tracing.begins); ok {
				t.Error("it is followed")
			}
		}); n > 0 {
			t.Errorf("%s: %v allocations", name, n)
		}
		tracing.Close()
	}
}
