package tracing

import (
	"context"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	"go.opentelemetry.io/otel/trace"

	"github.com/manifoldmq/manifold/router"
	"github.com/manifoldmq/manifold/router/amqp"
)

var _ router.Tracer = (*Tracing)(nil)

// The steps that have a span each.
const (
	route   = "route"
	deliver = "deliver"
)

// Sent implements router.Tracer.
func (t *Tracing) Sent(s *router.Sender, d router.Delivery) (router.Message, router.Span) {
	ctx, ok := t.choose(contextOf(d.Message), t.begins)
	if !ok {
		return d.Message, nil
	}
	p := place{step: route, tenant: s.Tenant(), protocol: s.Protocol(), name: s.Definition().String()}
	attributes := append(p.attributes(d),
		semconv.MessagingOperationTypeReceive, attribute.String("manifold.address.kind", s.Kind().String()))
	ctx, span := t.start(ctx, p, trace.SpanKindConsumer, attributes)
	return annotated(d.Message, ctx), span
}

// Delivered implements router.Tracer.
func (t *Tracing) Delivered(r *router.Receiver, d router.Delivery) router.Span {
	ctx, ok := t.choose(contextOf(d.Message), never)
	if !ok {
		return nil
	}
	source := r.Source()
	p := place{step: deliver, tenant: r.Tenant(), protocol: r.Protocol(), name: source.Filter.String()}
	attributes := append(p.attributes(d), semconv.MessagingOperationTypeSend)
	if source.Subscription != "" {
		attributes = append(attributes, semconv.MessagingDestinationSubscriptionName(source.Subscription))
	}
	if d.Attempts > 0 {
		attributes = append(attributes, attribute.Int("manifold.attempts", int(d.Attempts)))
	}
	_, span := t.start(ctx, p, trace.SpanKindProducer, attributes)
	return span
}

// never begins no trace: it would be one without a beginning.
func never() bool { return false }

// choose tells whether a message is followed, and as the child of which span. begins is asked if it names none.
func (t *Tracing) choose(c traceContext, begins func() bool) (context.Context, bool) {
	ctx, named := context.Background(), false
	if c.parent != nil {
		if !c.isSampled() {
			return nil, false
		}
		ctx, named = c.in(ctx)
	}
	if !named && !begins() {
		return nil, false
	}
	if !t.allowed.Allow() {
		t.figures.skipped.Add(1)
		return nil, false
	}
	return ctx, true
}

// place is where a step takes place.
type place struct {
	step, tenant, protocol string
	name                   string // of the address, or the pattern that covers it: there are not many
}

// attributes tell of a message at a place what the conventions of OpenTelemetry have a name for, and its tenant.
func (p place) attributes(d router.Delivery) []attribute.KeyValue {
	all := make([]attribute.KeyValue, 0, 16)
	all = append(all,
		semconv.MessagingSystemKey.String("manifold"),
		semconv.MessagingOperationName(p.step),
		semconv.MessagingDestinationName(string(d.To)),
		semconv.MessagingMessageEnvelopeSize(d.Message.Len()),
		semconv.NetworkProtocolName(p.protocol),
		attribute.String("manifold.tenant", p.tenant),
	)
	if p.name != string(d.To) {
		all = append(all, semconv.MessagingDestinationTemplate(p.name))
	}
	if fields, err := d.Message.Properties(); err == nil {
		if fields.MessageID != nil {
			all = append(all, semconv.MessagingMessageID(amqp.FormatID(fields.MessageID)))
		}
		if fields.CorrelationID != nil {
			all = append(all, semconv.MessagingMessageConversationID(amqp.FormatID(fields.CorrelationID)))
		}
	}
	return all
}

// start begins the span of a step.
func (t *Tracing) start(
	ctx context.Context, p place, kind trace.SpanKind, attributes []attribute.KeyValue,
) (context.Context, *step) {
	began := time.Now()
	ctx, span := t.tracer.Start(ctx, p.step+" "+p.name,
		trace.WithSpanKind(kind), trace.WithAttributes(attributes...), trace.WithTimestamp(began))
	return ctx, &step{span: span, place: p, began: began, figures: t.figures}
}

// step is a span that has begun.
type step struct {
	span    trace.Span
	place   place
	began   time.Time
	figures *figures
	over    atomic.Bool
}

// End implements router.Span.
func (s *step) End(o router.Outcome) {
	if s.over.Swap(true) {
		return
	}
	s.span.SetAttributes(attribute.String("manifold.outcome", o.State.String()))
	if o.State != router.Accepted {
		s.span.SetAttributes(semconv.ErrorTypeKey.String(o.Reason.String()))
		s.span.SetStatus(codes.Error, o.Text)
	}
	ended := time.Now()
	s.span.End(trace.WithTimestamp(ended))
	s.figures.observe(s.place, ended.Sub(s.began), s.span.SpanContext())
}
