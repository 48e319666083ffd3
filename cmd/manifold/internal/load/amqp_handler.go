package load

import (
	"errors"
	"fmt"

	"github.com/manifoldmq/manifold/router/amqp/engine"
	"github.com/manifoldmq/manifold/router/amqp/frame"
)

var (
	errNoSession = errors.New("the server allows no session")
	errNoLink    = errors.New("the server allows no more links")
)

var _ engine.Handler = (*amqpLine)(nil)

// Authenticate implements engine.Handler; a client authenticates nobody.
func (l *amqpLine) Authenticate(engine.Authentication) {}

// Opened implements engine.Handler.
func (l *amqpLine) Opened(*frame.Open) {}

// Closed implements engine.Handler.
func (l *amqpLine) Closed(e engine.Ending) { l.over("closed the connection", e.Error) }

// Begun implements engine.Handler.
func (l *amqpLine) Begun(*engine.Session) {}

// Ended implements engine.Handler.
func (l *amqpLine) Ended(s *engine.Session, e *frame.Error) {
	if s == l.session {
		l.over("ended the session", e)
	}
}

// Requested implements engine.Handler; nobody asks this client for links.
func (l *amqpLine) Requested(link *engine.Link) {
	link.Refuse(&frame.Error{Condition: frame.NotAllowed, Description: "the load driver takes no links"})
}

// Attached implements engine.Handler.
func (l *amqpLine) Attached(*engine.Link) { l.attached++ }

// Detached implements engine.Handler.
func (l *amqpLine) Detached(link *engine.Link, d engine.Detachment) {
	l.over(fmt.Sprintf("detached the link %q", link.Name()), d.Error)
}

// Sendable implements engine.Handler: who waits for credit looks at it after each Feed.
func (l *amqpLine) Sendable(*engine.Link) {}

// Drained implements engine.Handler.
func (l *amqpLine) Drained(*engine.Link) {}

// Received implements engine.Handler.
func (l *amqpLine) Received(*engine.Link, *engine.Transfer) {}

// Progressed implements engine.Handler.
func (l *amqpLine) Progressed(*engine.Link, engine.Update) {}

// over notes what has ended; the first end counts.
func (l *amqpLine) over(what string, e *frame.Error) {
	switch {
	case l.fault != nil:
	case e != nil:
		l.fault = fmt.Errorf("the server %s: %s: %s", what, e.Condition, e.Description)
	default:
		l.fault = fmt.Errorf("the server %s", what)
	}
}
