package tracing

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
	"golang.org/x/time/rate"
)

// Settings say what is followed, and who is told.
type Settings struct {
	Endpoint  string            // the collector's URL, for OTLP over HTTP, such as http://localhost:4318
	Headers   map[string]string // that it wants to see; none leaves it to OTEL_EXPORTER_OTLP_HEADERS
	Ratio     float64           // of the messages that name no trace, from 0 to 1, how many begin one
	MaxRate   int               // spans a second
	MaxQueued int               // spans that wait for the collector
	Interval  time.Duration     // how long spans gather before they are sent
	Version   string            // of the gateway
	Log       *slog.Logger
}

// Tracing is a router.Tracer that tells a collector. It is also a prometheus.Collector of how that goes, and of how long
// what it followed took.
type Tracing struct {
	ratio    float64
	allowed  *rate.Limiter
	provider *sdktrace.TracerProvider
	tracer   trace.Tracer
	exporter *exporter
	figures  *figures
}

// Open begins to follow messages. Nothing is sent before there is something to tell, so a collector that is not there
// is no error. Variables of OpenTelemetry fill in what the settings do not say: OTEL_SERVICE_NAME, OTEL_RESOURCE_ATTRIBUTES,
// and those that begin with OTEL_EXPORTER_OTLP_.
func Open(s Settings) (*Tracing, error) {
	about, err := aboutUs(s.Version)
	if err != nil {
		return nil, fmt.Errorf("tracing: %w", err)
	}
	options := []otlptracehttp.Option{otlptracehttp.WithEndpointURL(tracesURL(s.Endpoint))}
	if len(s.Headers) > 0 {
		options = append(options, otlptracehttp.WithHeaders(s.Headers))
	}
	client, err := otlptracehttp.New(context.Background(), options...)
	if err != nil {
		return nil, fmt.Errorf("tracing: %w", err)
	}
	t := &Tracing{
		ratio:    s.Ratio,
		allowed:  rate.NewLimiter(rate.Limit(s.MaxRate), s.MaxRate),
		exporter: &exporter{next: client, log: s.Log},
		figures:  newFigures(),
	}
	t.provider = sdktrace.NewTracerProvider(
		sdktrace.WithResource(about),
		sdktrace.WithSampler(sdktrace.AlwaysSample()), // what is not followed has no span to begin with
		sdktrace.WithBatcher(t.exporter,
			sdktrace.WithMaxQueueSize(s.MaxQueued),
			sdktrace.WithMaxExportBatchSize(min(s.MaxQueued, maxBatch)),
			sdktrace.WithBatchTimeout(s.Interval),
		),
	)
	t.tracer = t.provider.Tracer("github.com/manifoldmq/manifold", trace.WithInstrumentationVersion(s.Version))
	return t, nil
}

// maxBatch is how many spans the collector is told of at once.
const maxBatch = 512

// lastWords is how long the collector gets for what is left in the end.
const lastWords = 3 * time.Second

// Close tells the collector of what is left. It comes when no link can send or receive any more.
func (t *Tracing) Close() {
	ctx, cancel := context.WithTimeout(context.Background(), lastWords)
	defer cancel()
	if err := t.provider.Shutdown(ctx); err != nil {
		t.exporter.log.Warn("the last spans did not reach the collector", "err", err)
	}
}

// aboutUs is who tells the collector.
func aboutUs(version string) (*resource.Resource, error) {
	return resource.New(context.Background(),
		resource.WithAttributes(
			attribute.String("service.name", "manifold"), attribute.String("service.version", version),
		),
		resource.WithHost(), resource.WithTelemetrySDK(), resource.WithFromEnv(),
	)
}

// Describe implements prometheus.Collector.
func (t *Tracing) Describe(out chan<- *prometheus.Desc) { t.figures.describe(out) }

// Collect implements prometheus.Collector.
func (t *Tracing) Collect(out chan<- prometheus.Metric) { t.figures.collect(out, t.exporter) }
