package network

import (
	"strings"

	"github.com/manifoldmq/manifold/router"
	"github.com/manifoldmq/manifold/router/amqp"
	"github.com/manifoldmq/manifold/router/network/internal/forwarding"
	"github.com/manifoldmq/manifold/router/network/internal/protocol"
)

// Annotations says what of what routers write on messages clients of an entrance may write themselves, and what they see.
type Annotations struct {
	Router   string // the id of this router
	StripIn  bool   // what clients write is taken off
	StripOut bool   // clients do not see what routers write
}

// In gives a message of a client as it goes on. The error is a *router.Error for one on which something is written that no
// router would write.
func (a *Annotations) In(m router.Message) (router.Message, error) {
	view := m.MessageAnnotations()
	if !written(view) {
		return m, nil
	}
	if a.StripIn {
		return annotated(m, protocol.Annotations{}), nil
	}
	if _, err := protocol.ParseAnnotations(view); err != nil {
		return m, router.Errorf(router.Malformed, "Invalid message annotations: %v", err)
	}
	return m, nil
}

// Out gives a delivery's message as a client gets it.
func (a *Annotations) Out(d *router.Delivery) router.Message {
	view := d.Message.MessageAnnotations()
	if a.StripOut {
		if !written(view) {
			return d.Message
		}
		return annotated(d.Message, protocol.Annotations{})
	}
	there, err := protocol.ParseAnnotations(view)
	if m, ok := d.Route.(*forwarding.Message); ok {
		there, err = m.Annotations, nil
	}
	if err != nil {
		return d.Message
	}
	return annotated(d.Message, there.Through(a.Router))
}

// annotationPrefix begins the names of annotations that routers write.
const annotationPrefix = "x-opt-qd."

// written tells whether something is written on a message as routers do.
func written(view amqp.MapView) bool {
	for key := range view.All() {
		if name, _ := key.Text(); strings.HasPrefix(string(name), annotationPrefix) {
			return true
		}
	}
	return false
}

// annotated gives a message with the annotations of routers in place of those that it has. It may be the head of one.
func annotated(m router.Message, a protocol.Annotations) router.Message {
	s := m.Sections()
	rest := m.Bytes()[len(s.Header)+len(s.DeliveryAnnotations)+len(s.MessageAnnotations):]
	encoded := make([]byte, 0, m.Len()+annotationsLen)
	encoded = append(append(encoded, s.Header...), s.DeliveryAnnotations...)
	encoded = a.Append(encoded, m.MessageAnnotations())
	return amqp.Trusted(append(encoded, rest...))
}

// annotationsLen is about what the annotations of a message take that has passed a few routers.
const annotationsLen = 128
