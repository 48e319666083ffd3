package network

import (
	"time"

	"github.com/manifoldmq/manifold/router/amqp/engine"
	"github.com/manifoldmq/manifold/router/amqp/frame"
)

// peer is the connection as the engine's events find it.
type peer struct{ *conn }

var _ engine.Handler = peer{}

// Authenticate implements engine.Handler; a client is not asked.
func (p peer) Authenticate(engine.Authentication) {}

// Opened implements engine.Handler.
func (p peer) Opened(o *frame.Open) {
	p.openedAt = time.Now()
	p.connector.noteOpened(p.desk.Number, p.host, p.Remote().ContainerID)
	p.connector.heed(p.host, o.Properties)
	p.join()
}

// Closed implements engine.Handler.
func (p peer) Closed(why engine.Ending) { p.ending, p.endedAt = why, time.Now() }

// Begun implements engine.Handler.
func (p peer) Begun(*engine.Session) {}

// Ended implements engine.Handler.
func (p peer) Ended(*engine.Session, *frame.Error) {}

// Requested implements engine.Handler.
func (p peer) Requested(l *engine.Link) {
	l.Refuse(&frame.Error{Condition: frame.NotAllowed, Description: "over a connector only its owner attaches links"})
}

// Attached implements engine.Handler.
func (p peer) Attached(l *engine.Link) { l.Context.(end).attached() }

// Detached implements engine.Handler.
func (p peer) Detached(l *engine.Link, d engine.Detachment) {
	if e, ok := l.Context.(end); ok {
		e.detached(d)
	}
}

// Drained implements engine.Handler.
func (p peer) Drained(l *engine.Link) { l.Context.(receiving).drained() }

// Sendable implements engine.Handler.
func (p peer) Sendable(l *engine.Link) { l.Context.(sending).creditChanged() }

// Received implements engine.Handler.
func (p peer) Received(l *engine.Link, t *engine.Transfer) { l.Context.(receiving).received(t) }

// Progressed implements engine.Handler.
func (p peer) Progressed(l *engine.Link, u engine.Update) {
	if out, ok := l.Context.(sending); ok {
		out.progressed(u)
	}
}
