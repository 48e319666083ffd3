package tracing

import (
	"context"
	"log/slog"
	"strings"
	"sync/atomic"

	sdktrace "go.opentelemetry.io/otel/sdk/trace"
)

// exporter counts what reaches the collector. What does not is logged: OpenTelemetry would write it to the standard error.
type exporter struct {
	next sdktrace.SpanExporter
	log  *slog.Logger

	exported atomic.Uint64
	failed   atomic.Uint64
}

var _ sdktrace.SpanExporter = (*exporter)(nil)

// ExportSpans implements sdktrace.SpanExporter.
func (e *exporter) ExportSpans(ctx context.Context, spans []sdktrace.ReadOnlySpan) error {
	if err := e.next.ExportSpans(ctx, spans); err != nil {
		e.failed.Add(uint64(len(spans)))
		e.log.Warn("spans did not reach the collector", "spans", len(spans), "err", err)
		return nil
	}
	e.exported.Add(uint64(len(spans)))
	return nil
}

// Shutdown implements sdktrace.SpanExporter.
func (e *exporter) Shutdown(ctx context.Context) error { return e.next.Shutdown(ctx) }

// tracesURL gives where a collector takes traces: its URL, followed by the path that OTLP has for them unless it names one.
func tracesURL(endpoint string) string {
	host := endpoint
	if _, rest, ok := strings.Cut(endpoint, "://"); ok {
		host = rest
	}
	if _, path, _ := strings.Cut(host, "/"); path == "" {
		return strings.TrimSuffix(endpoint, "/") + "/v1/traces"
	}
	return endpoint
}
