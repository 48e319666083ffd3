package gatewaytest

import (
	"compress/gzip"
	"encoding/hex"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	collector "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	common "go.opentelemetry.io/proto/otlp/common/v1"
	otlp "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"
)

// Span is what a collector was told of a span. Ids are in hexadecimal, as in a traceparent.
type Span struct {
	Name, Trace, ID, Parent string
	Kind                    string // such as SPAN_KIND_PRODUCER
	Failed                  bool
	Attributes              map[string]string // those that are text
}

// Collector takes traces of OpenTelemetry, in OTLP over HTTP.
type Collector struct {
	URL   string
	Spans <-chan Span // as they come

	t       testing.TB
	spans   chan Span
	headers chan http.Header // of the last request
}

// NewCollector starts a collector that ends with the test.
func NewCollector(t testing.TB) *Collector {
	t.Helper()
	c := &Collector{t: t, spans: make(chan Span, 1<<16), headers: make(chan http.Header, 1)}
	c.Spans = c.spans
	server := httptest.NewServer(http.HandlerFunc(c.take))
	t.Cleanup(server.Close)
	c.URL = server.URL
	return c
}

func (c *Collector) take(w http.ResponseWriter, r *http.Request) {
	body := io.Reader(r.Body)
	if r.Header.Get("Content-Encoding") == "gzip" {
		unpacked, err := gzip.NewReader(r.Body)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		body = unpacked
	}
	text, err := io.ReadAll(body)
	var told collector.ExportTraceServiceRequest
	if err == nil {
		err = proto.Unmarshal(text, &told)
	}
	if err != nil || r.URL.Path != "/v1/traces" {
		c.t.Errorf("the collector was sent to %s what it cannot read: %v", r.URL.Path, err)
		http.Error(w, "no traces", http.StatusBadRequest)
		return
	}
	select {
	case <-c.headers:
	default:
	}
	c.headers <- r.Header
	for _, resource := range told.ResourceSpans {
		for _, scope := range resource.ScopeSpans {
			for _, s := range scope.Spans {
				c.spans <- spanOf(s)
			}
		}
	}
}

func spanOf(s *otlp.Span) Span {
	return Span{
		Name: s.Name, Kind: s.Kind.String(), Failed: s.GetStatus().GetCode() == otlp.Status_STATUS_CODE_ERROR,
		Trace: hex.EncodeToString(s.TraceId), ID: hex.EncodeToString(s.SpanId), Parent: hex.EncodeToString(s.ParentSpanId),
		Attributes: texts(s.Attributes),
	}
}

func texts(attributes []*common.KeyValue) map[string]string {
	all := make(map[string]string)
	for _, a := range attributes {
		all[a.Key] = a.GetValue().GetStringValue()
	}
	return all
}

// Next gives n spans by their names, which differ, when they have come.
func (c *Collector) Next(n int) map[string]Span {
	c.t.Helper()
	all := make(map[string]Span)
	given := time.After(time.Minute)
	for range n {
		select {
		case s := <-c.spans:
			if _, twice := all[s.Name]; twice {
				c.t.Errorf("there are two spans %q", s.Name)
			}
			all[s.Name] = s
		case <-given:
			c.t.Fatalf("of %d spans only came %v", n, all)
		}
	}
	return all
}

// Headers are those of the latest request that brought spans.
func (c *Collector) Headers() http.Header { return <-c.headers }
