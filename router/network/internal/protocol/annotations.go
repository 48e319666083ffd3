package protocol

import (
	"errors"
	"strings"

	"github.com/manifoldmq/manifold/router/amqp"
)

// MaxTrace is how many routers a message may have passed.
const MaxTrace = 1024

// Names of the message annotations that routers add.
const (
	prefix            = "x-opt-qd."
	annotationPhase   = prefix + "phase"
	annotationStream  = prefix + "stream"
	annotationTo      = prefix + "to"
	annotationIngress = prefix + "ingress"
	annotationTrace   = prefix + "trace"

	annotationRetain = "x-opt-manifold-retain" // for Qpid Dispatch one of a client, which it passes on
	annotationAuthor = "x-opt-manifold-author" // likewise
)

// Annotations are what routers write on a message for each other. Clients do not see them.
type Annotations struct {
	Ingress   string   // the router where it came into the network, as a NodeName; empty before that
	Trace     []string // the routers that it has passed, as NodeNames, the newest last; not to be changed
	To        string   // the address to use instead of that in its properties; empty for none
	Phase     uint8    // of the address, 0 to HighestPhase, or FallbackPhase
	Streaming bool     // it began to be sent on before all of it was there
	Retain    bool     // its publisher asked the topic to keep it
	Author    string   // a mark of who has sent it, for subscribers who leave out what is their own; empty for none
}

// Passed tells whether the message has passed a router.
func (a Annotations) Passed(router string) bool {
	for _, node := range a.Trace {
		if len(node) == len(nodePrefix)+len(router) && strings.HasSuffix(node, router) && strings.HasPrefix(node, nodePrefix) {
			return true
		}
	}
	return false
}

// Through gives the annotations of a message that router sends on.
func (a Annotations) Through(router string) Annotations {
	node := NodeName(router)
	if a.Ingress == "" {
		a.Ingress = node
	}
	a.Trace = append(a.Trace[:len(a.Trace):len(a.Trace)], node)
	return a
}

// ErrAnnotations says that a peer wrote annotations that no router writes.
var ErrAnnotations = errors.New("malformed router annotations")

// ParseAnnotations reads what routers wrote on a message. The error is ErrAnnotations.
func ParseAnnotations(view amqp.MapView) (Annotations, error) {
	var a Annotations
	ok := true
	for key, value := range view.All() {
		name, _ := key.Text()
		switch string(name) {
		case annotationRetain:
			a.Retain = true
		case annotationAuthor:
			a.Author, _ = text(value)
		}
		if !strings.HasPrefix(string(name), prefix) {
			continue
		}
		fine := true
		switch string(name) {
		case annotationPhase:
			var phase int64
			phase, fine = integer(value)
			a.Phase = uint8(phase)
			fine = fine && IsPhase(phase)
		case annotationStream:
			var streaming int64
			streaming, fine = integer(value)
			a.Streaming = streaming != 0
		case annotationTo:
			a.To, fine = text(value)
		case annotationIngress:
			a.Ingress, fine = text(value)
		case annotationTrace:
			a.Trace, fine = texts(value, MaxTrace)
		}
		ok = ok && fine
	}
	if !ok {
		return Annotations{}, ErrAnnotations
	}
	return a, nil
}

// ours tells whether routers write an annotation.
func ours(name string) bool {
	return strings.HasPrefix(name, prefix) || name == annotationRetain || name == annotationAuthor
}

// Append appends the section of message annotations that has those of others that no router wrote, then these. Without
// any it appends nothing. Qpid Dispatch wants the routers' annotations last, and in this order.
func (a Annotations) Append(dst []byte, others amqp.MapView) []byte {
	start := len(dst)
	fields := amqp.BeginMessageAnnotations(dst)
	for key, value := range others.All() {
		if name, _ := key.Text(); !ours(string(name)) {
			fields.Pair(key, value)
		}
	}
	if a.Retain {
		fields.Bool(annotationRetain, true)
	}
	if a.Author != "" {
		fields.String(annotationAuthor, a.Author)
	}
	if a.Phase != 0 {
		fields.Int(annotationPhase, int32(a.Phase))
	}
	if a.Streaming {
		fields.Int(annotationStream, 1)
	}
	if a.To != "" {
		fields.String(annotationTo, a.To)
	}
	if a.Ingress != "" {
		fields.String(annotationIngress, a.Ingress)
	}
	if len(a.Trace) > 0 {
		fields.Put(appendTexts(fields.Key(annotationTrace), a.Trace))
	}
	if fields.Len() == 0 {
		return dst[:start]
	}
	return fields.End()
}
