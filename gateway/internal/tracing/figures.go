package tracing

import (
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.opentelemetry.io/otel/trace"
)

// figures are what Prometheus is told.
type figures struct {
	took    *prometheus.HistogramVec
	ended   atomic.Uint64
	skipped atomic.Uint64
}

func newFigures() *figures {
	return &figures{took: prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Name: "manifold_traced_step_seconds",
		Help: "How long steps of those messages took that are traced: route until the sender's outcome, deliver until the " +
			"receiver's.",
		Buckets: prometheus.ExponentialBuckets(100e-6, 4, 10), // 0.1 ms to 26 s
	}, []string{"step", "tenant", "protocol"})}
}

var spansDesc = prometheus.NewDesc("manifold_trace_spans_total",
	"Spans of messages that are traced: all that ended; of these, what the collector has taken and has not; and what was "+
		"not begun, because of tracing.maxRate.", []string{"result"}, nil)

// observe notes how long a step took, with its span as an exemplar.
func (f *figures) observe(p place, took time.Duration, span trace.SpanContext) {
	f.ended.Add(1)
	h := f.took.WithLabelValues(p.step, p.tenant, p.protocol).(prometheus.ExemplarObserver)
	h.ObserveWithExemplar(took.Seconds(), prometheus.Labels{
		"trace_id": span.TraceID().String(), "span_id": span.SpanID().String(),
	})
}

func (f *figures) describe(out chan<- *prometheus.Desc) {
	f.took.Describe(out)
	out <- spansDesc
}

func (f *figures) collect(out chan<- prometheus.Metric, e *exporter) {
	f.took.Collect(out)
	for _, c := range []struct {
		result string
		n      uint64
	}{{"ended", f.ended.Load()}, {"exported", e.exported.Load()}, {"failed", e.failed.Load()}, {"skipped", f.skipped.Load()}} {
		out <- prometheus.MustNewConstMetric(spansDesc, prometheus.CounterValue, float64(c.n), c.result)
	}
}
