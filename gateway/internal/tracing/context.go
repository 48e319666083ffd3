package tracing

import (
	"context"
	"math/rand/v2"
	"strconv"

	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"

	"github.com/manifoldmq/manifold/router"
	"github.com/manifoldmq/manifold/router/amqp"
)

// traceContext is what a message says of its trace (W3C Trace Context section 3), borrowed from it.
type traceContext struct{ parent, state []byte }

// contextOf reads the annotations first, and what the producer wrote only if there are none, as the extension for AMQP
// wants it.
func contextOf(m router.Message) (c traceContext) {
	said := m.MessageAnnotations()
	c.parent = textOf(said, router.TraceParent)
	if c.parent == nil {
		said = m.ApplicationPropertiesView()
		c.parent = textOf(said, router.TraceParent)
	}
	if c.parent != nil {
		c.state = textOf(said, router.TraceState)
	}
	return c
}

func textOf(fields amqp.MapView, name string) []byte {
	if fields.Len() == 0 {
		return nil
	}
	value, _ := fields.Lookup(name)
	text, _ := value.Text()
	return text
}

// flagsAt is where the flags stand in a traceparent, whose length is parentLength up to their end (section 3.2.2).
const (
	flagsAt      = 53
	parentLength = 55
)

// isSampled tells whether who wrote the context wants it followed. It looks at the flags only (section 3.2.2.5.1).
func (c traceContext) isSampled() bool {
	if len(c.parent) < parentLength {
		return false
	}
	flags, err := strconv.ParseUint(string(c.parent[flagsAt:parentLength]), 16, 8)
	return err == nil && trace.TraceFlags(flags).IsSampled()
}

// in gives a context of package context with the span that c names, which is a remote one. It is false if c names none:
// then a new trace begins (section 4.3).
func (c traceContext) in(ctx context.Context) (context.Context, bool) {
	ctx = propagation.TraceContext{}.Extract(ctx, carrier{
		router.TraceParent: string(c.parent), router.TraceState: string(c.state),
	})
	return ctx, trace.SpanContextFromContext(ctx).IsValid()
}

// carrier is a propagation.TextMapCarrier.
type carrier = propagation.MapCarrier

// begins tells whether a message that names no trace begins one.
func (t *Tracing) begins() bool { return t.ratio > 0 && rand.Float64() < t.ratio }

// annotated gives a message with the context of ctx as annotations, in place of those that it had.
func annotated(m router.Message, ctx context.Context) router.Message {
	fields := carrier{}
	propagation.TraceContext{}.Inject(ctx, fields)
	sections := m.Sections()
	b := make([]byte, 0, m.Len()+len(fields[router.TraceParent])+len(fields[router.TraceState])+annotationRoom)
	b = append(b, sections.Header...)
	b = append(b, sections.DeliveryAnnotations...)
	w := amqp.BeginMessageAnnotations(b)
	for key, value := range m.MessageAnnotations().All() {
		if name, ok := key.Text(); !ok || string(name) != router.TraceParent && string(name) != router.TraceState {
			w.Pair(key, value)
		}
	}
	w.String(router.TraceParent, fields[router.TraceParent])
	if state := fields[router.TraceState]; state != "" {
		w.String(router.TraceState, state)
	}
	b = append(w.End(), sections.Bare()...)
	return amqp.Trusted(append(b, sections.Footer...))
}

// annotationRoom is what the names of annotations take, and what encloses them.
const annotationRoom = 64
