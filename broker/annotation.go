package broker

import (
	"github.com/manifoldmq/manifold/broker/internal/queue"
	"github.com/manifoldmq/manifold/router"
	"github.com/manifoldmq/manifold/router/amqp"
)

// maxNotes bounds the bytes of what consumers have added to the annotations of a queue's messages.
const maxNotes = 1 << 20

// notes are the annotations that consumers gave messages back with.
type notes map[queue.Seq][]byte

// note remembers what a message was given back with, to be merged into its annotations: AMQP 1.0 [3.4.5]. Beyond the
// bound it is forgotten.
func (n *queueNode) note(seq queue.Seq, annotations string) {
	if annotations == "" {
		return
	}
	old := n.notes[seq]
	merged := merge(old, []byte(annotations))
	if n.noted+len(merged)-len(old) > maxNotes {
		return
	}
	if n.notes == nil {
		n.notes = make(notes)
	}
	n.noted += len(merged) - len(old)
	n.notes[seq] = merged
}

// forgetNote follows a message out of the queue.
func (n *queueNode) forgetNote(seq queue.Seq) {
	if old, ok := n.notes[seq]; ok {
		n.noted -= len(old)
		delete(n.notes, seq)
	}
}

// annotated gives a message with more annotations.
func annotated(m router.Message, more []byte) router.Message {
	s := m.Sections()
	w := amqp.BeginMessageAnnotations(nil)
	mergeInto(&w, m.MessageAnnotations(), viewOf(more))
	encoded := append([]byte(nil), s.Header...)
	encoded = append(encoded, s.DeliveryAnnotations...)
	encoded = append(encoded, w.End()...)
	encoded = append(encoded, s.Bare()...)
	return amqp.Trusted(append(encoded, s.Footer...))
}

// merge gives the encoded map that has the entries of both; those of more win.
func merge(old, more []byte) []byte {
	w := amqp.BeginFields(nil)
	mergeInto(&w, viewOf(old), viewOf(more))
	return w.End()
}

func mergeInto(w *amqp.MapWriter, old, more amqp.MapView) {
	for k, v := range old.All() {
		if text, ok := k.Text(); ok {
			if _, replaced := more.Lookup(string(text)); replaced {
				continue
			}
		}
		w.Pair(k, v)
	}
	for k, v := range more.All() {
		w.Pair(k, v)
	}
}

// viewOf gives the entries of an encoded map, none if it is not one.
func viewOf(encoded []byte) amqp.MapView {
	if len(encoded) == 0 {
		return amqp.MapView{}
	}
	d := amqp.NewDecoder(encoded)
	view := d.ReadMap()
	if d.Err() != nil {
		return amqp.MapView{}
	}
	return view
}
