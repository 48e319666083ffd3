package federation

import "github.com/manifoldmq/manifold/router/amqp"

// The annotations of a message.
const (
	traceKey    = "x-opt-manifold-trace"
	toKey       = "x-opt-manifold-to"
	identityKey = "x-opt-manifold-id"
)

// Trace gives the networks that a message has left.
func Trace(m amqp.Message) Path {
	list, _ := m.MessageAnnotations().Lookup(traceKey)
	return readPath(list)
}

// To gives the address that a message was published to; empty if it does not say.
func To(m amqp.Message) string {
	value, _ := m.MessageAnnotations().Lookup(toKey)
	text, _ := value.Text()
	return string(text)
}

// Identity gives what the queue that a message comes from calls it, borrowed; nil if it does not say.
func Identity(m amqp.Message) []byte {
	value, ok := m.MessageAnnotations().Lookup(identityKey)
	if !ok {
		return nil
	}
	id, _ := value.Binary()
	return id
}

// HasMessageID tells whether a message has a message-id of its own [3.2.4].
func HasMessageID(m amqp.Message) bool {
	raw := m.Property(amqp.PropertyMessageID)
	return len(raw) > 0 && raw.Code() != amqp.CodeNull
}

// Traced gives a message with another trace, and without an address.
func Traced(m amqp.Message, trace Path) amqp.Message {
	return annotated(m, func(w *amqp.MapWriter) {
		if trace != "" {
			w.Put(trace.list(w.Key(traceKey)))
		}
	}, traceKey, toKey)
}

// Addressed gives a message that says which address it was published to.
func Addressed(m amqp.Message, to string) amqp.Message {
	return annotated(m, func(w *amqp.MapWriter) { w.String(toKey, to) }, toKey)
}

// Identified gives a message that says what its queue calls it.
func Identified(m amqp.Message, id []byte) amqp.Message {
	return annotated(m, func(w *amqp.MapWriter) { w.Binary(identityKey, id) }, identityKey)
}

// annotated gives a message with the annotations that add writes, in place of those with these keys.
func annotated(m amqp.Message, add func(*amqp.MapWriter), replaced ...string) amqp.Message {
	s := m.Sections()
	bare := s.Bare()
	encoded := make([]byte, 0, m.Len()+64)
	encoded = append(encoded, s.Header...)
	encoded = append(encoded, s.DeliveryAnnotations...)
	before := len(encoded)
	w := amqp.BeginMessageAnnotations(encoded)
	for key, value := range m.MessageAnnotations().All() {
		if !isOne(key, replaced) {
			w.Pair(key, value)
		}
	}
	add(&w)
	if n := w.Len(); n > 0 {
		encoded = w.End()
	} else {
		encoded = w.End()[:before]
	}
	return amqp.Trusted(append(append(encoded, bare...), s.Footer...))
}

func isOne(key amqp.RawValue, of []string) bool {
	text, ok := key.Text()
	if !ok {
		return false
	}
	for _, name := range of {
		if string(text) == name {
			return true
		}
	}
	return false
}
