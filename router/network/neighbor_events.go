package network

import (
	"time"

	"github.com/manifoldmq/manifold/router/amqp/engine"
	"github.com/manifoldmq/manifold/router/amqp/frame"
)

// router2router is a connection between routers as the engine's events find it.
type router2router struct{ *neighbor }

var _ engine.Handler = router2router{}

// trunk is our end of a link between routers.
type trunk interface {
	bind(*engine.Link) // to its link, before anything else is called
	attached()
	detached()
	sendable()
	received(*engine.Transfer)
	progressed(engine.Update)
}

// parting is a trunk that wants to know why its link has ended.
type parting interface{ parted(engine.Detachment) }

// dry is a trunk that hears when the other side has given back its credit.
type dry interface{ drained() }

// Authenticate implements engine.Handler.
func (k router2router) Authenticate(a engine.Authentication) { k.guest.step(a) }

// Opened implements engine.Handler.
func (k router2router) Opened(o *frame.Open) {
	if k.guest != nil {
		k.greet("")
	}
	k.opened(o)
}

// Closed implements engine.Handler.
func (k router2router) Closed(why engine.Ending) { k.ending, k.endedAt = why, time.Now() }

// Begun implements engine.Handler.
func (k router2router) Begun(*engine.Session) {}

// Ended implements engine.Handler.
func (k router2router) Ended(s *engine.Session, _ *frame.Error) {
	k.loans.gone(s)
}

// Requested implements engine.Handler.
func (k router2router) Requested(l *engine.Link) { k.requested(l) }

// Attached implements engine.Handler.
func (k router2router) Attached(l *engine.Link) { l.Context.(trunk).attached() }

// Detached implements engine.Handler.
func (k router2router) Detached(l *engine.Link, d engine.Detachment) {
	if t, ok := l.Context.(parting); ok {
		t.parted(d)
	}
	if t, ok := l.Context.(trunk); ok {
		k.delist(l)
		t.detached()
	}
}

// Drained implements engine.Handler.
func (k router2router) Drained(l *engine.Link) {
	if t, ok := l.Context.(dry); ok {
		t.drained()
	}
}

// Sendable implements engine.Handler.
func (k router2router) Sendable(l *engine.Link) { l.Context.(trunk).sendable() }

// Received implements engine.Handler.
func (k router2router) Received(l *engine.Link, t *engine.Transfer) { l.Context.(trunk).received(t) }

// Progressed implements engine.Handler.
func (k router2router) Progressed(l *engine.Link, u engine.Update) {
	if t, ok := l.Context.(trunk); ok {
		t.progressed(u)
	}
}
