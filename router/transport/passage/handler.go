package passage

import (
	"github.com/manifoldmq/manifold/router/amqp/engine"
	"github.com/manifoldmq/manifold/router/amqp/frame"
)

// Handler gives the Handler of a connection with a Desk: the events of routed links go to their ends, all others to h.
func Handler(h engine.Handler) engine.Handler { return handler{h} }

type handler struct{ engine.Handler }

var (
	_ engine.Farewell = handler{}
	_ engine.Parting  = handler{}
)

// of gives the end whose link it is; nil for none.
func of(l *engine.Link) *End {
	e, _ := l.Context.(*End)
	return e
}

// Attached implements engine.Handler.
func (h handler) Attached(l *engine.Link) {
	if e := of(l); e != nil {
		e.hasAttached()
	} else {
		h.Handler.Attached(l)
	}
}

// Parting implements engine.Parting.
func (h handler) Parting(l *engine.Link, d engine.Detachment) bool {
	e := of(l)
	return e != nil && e.parting(d)
}

// Farewell implements engine.Farewell.
func (h handler) Farewell(l *engine.Link, d engine.Detachment) *frame.Error {
	if f, ok := h.Handler.(engine.Farewell); ok && of(l) == nil {
		return f.Farewell(l, d)
	}
	return nil
}

// Detached implements engine.Handler.
func (h handler) Detached(l *engine.Link, d engine.Detachment) {
	if e := of(l); e != nil {
		e.detached(d)
	} else {
		h.Handler.Detached(l, d)
	}
}

// Sendable implements engine.Handler.
func (h handler) Sendable(l *engine.Link) {
	if e := of(l); e != nil {
		e.sendable()
	} else {
		h.Handler.Sendable(l)
	}
}

// Drained implements engine.Handler.
func (h handler) Drained(l *engine.Link) {
	if e := of(l); e != nil {
		e.tell(drained{e.allowed})
	} else {
		h.Handler.Drained(l)
	}
}

// Received implements engine.Handler.
func (h handler) Received(l *engine.Link, t *engine.Transfer) {
	if e := of(l); e != nil {
		e.received(t)
	} else {
		h.Handler.Received(l, t)
	}
}

// Progressed implements engine.Handler.
func (h handler) Progressed(l *engine.Link, u engine.Update) {
	if e := of(l); e != nil {
		e.progressed(u)
	} else {
		h.Handler.Progressed(l, u)
	}
}
