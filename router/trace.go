package router

import (
	"iter"
	"sync"
)

// A Tracer follows messages through the router, those that it chooses. Like a Producer its methods, and those of its
// spans, are called with locks held: they wait for nobody and take no lock but leaves. A message that is not followed
// costs one call each way.
type Tracer interface {
	// Sent is told of a message that a client sends, before its node has it. It gives the message as it goes on, which
	// may have got annotations, and who is to hear how it ends; nil if it is not followed.
	Sent(s *Sender, d Delivery) (Message, Span)
	// Delivered is told of a delivery that a receiver gets. It gives who is to hear how it ends; nil if it is not followed.
	Delivered(r *Receiver, d Delivery) Span
}

// Span is a part of the way of a message that is followed.
type Span interface {
	// End says how it ended. Only the first call counts.
	End(o Outcome)
}

// The names under which a message carries its trace context, as application properties or as message annotations
// (W3C Trace Context, and its extension for AMQP).
const (
	TraceParent = "traceparent"
	TraceState  = "tracestate"
)

// TraceFields gives the trace context that was added to a message on its way: its annotations of these names, unless
// its producer said something itself, in the application properties. A door whose protocol has no annotations gives it to
// its client as it would give those.
func TraceFields(m Message) iter.Seq2[string, string] {
	return func(yield func(name, value string) bool) {
		annotations := m.MessageAnnotations()
		if annotations.Len() == 0 {
			return
		}
		if _, said := m.ApplicationPropertiesView().Lookup(TraceParent); said {
			return
		}
		for _, name := range [...]string{TraceParent, TraceState} {
			value, _ := annotations.Lookup(name)
			if text, ok := value.Text(); ok && !yield(name, string(text)) {
				return
			}
		}
	}
}

// Trace has links that are made from now on, over whatever protocol, tell t of their messages. It is called before any is.
func (r *Router) Trace(t Tracer) { r.tracer = t }

// traced is a settler whose delivery is followed.
type traced struct {
	Settler
	span Span
	held *holdings // that it is one of; nil for none
}

// Settle implements Settler.
func (t *traced) Settle(tag uint64, o Outcome, done func(error)) {
	t.end(o)
	t.Settler.Settle(tag, o, done)
}

func (t *traced) end(o Outcome) {
	t.span.End(o)
	if t.held != nil {
		t.held.remove(t)
	}
}

// owner is who hears the outcome of a delivery, whether it is followed or not.
func (d *Delivery) owner() Settler {
	if t, ok := d.origin.(*traced); ok {
		return t.Settler
	}
	return d.origin
}

// follow asks the tracer whether a message is to be followed.
func (s *Sender) follow(d Delivery) Delivery {
	m, span := s.tracer.Sent(s, d)
	if span != nil {
		d.Message = m
		d.origin = &traced{Settler: d.origin, span: span}
	}
	return d
}

// follow asks the tracer whether a delivery is to be followed.
func (r *Receiver) follow(d Delivery) Delivery {
	switch span := r.tracer.Delivered(r, d); {
	case span == nil:
	case d.origin == nil: // nobody settles it
		span.End(Accept())
	default:
		t := &traced{Settler: d.origin, span: span, held: &r.followed}
		r.followed.add(t)
		d.origin = t
	}
	return d
}

// holdings are the deliveries that are followed of those that a receiver holds.
type holdings struct {
	mu  sync.Mutex // guards everything below; a leaf
	all map[*traced]struct{}
}

func (h *holdings) add(t *traced) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.all == nil {
		h.all = make(map[*traced]struct{})
	}
	h.all[t] = struct{}{}
}

func (h *holdings) remove(t *traced) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.all, t)
}

// end ends their spans: what the receiver held goes back.
func (h *holdings) end() {
	h.mu.Lock()
	defer h.mu.Unlock()
	for t := range h.all {
		t.span.End(Fail())
	}
	h.all = nil
}
