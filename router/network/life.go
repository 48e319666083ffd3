package network

import (
	"errors"
	"io"
	"time"

	"github.com/manifoldmq/manifold/router/amqp/engine"
)

// life is how long a connection was open, and why it is not any more.
type life struct {
	openedAt time.Time // zero before
	endedAt  time.Time // zero before
	ending   engine.Ending
}

// errClosed is for a peer that hangs up without a word.
var errClosed = errors.New("the other side closed the connection")

// lasted is how long the connection was open.
func (l *life) lasted() time.Duration {
	if l.openedAt.IsZero() {
		return 0
	}
	return l.endedAt.Sub(l.openedAt)
}

// why gives the reason why the connection ended: what was said in AMQP, or what the transport says.
func (l *life) why(err error) error {
	switch {
	case l.ending.Error != nil:
		return l.ending.Error
	case err == nil, errors.Is(err, io.EOF):
		return errClosed
	default:
		return err
	}
}
