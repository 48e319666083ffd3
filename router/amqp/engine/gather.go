package engine

import (
	"bytes"

	"github.com/manifoldmq/manifold/router/amqp/frame"
)

// Gather has the message whose first piece is being Received kept, and handed over whole when it is complete, as if the
// link did not stream; [Link.Take] ends that. It is called in Received only.
func (l *Link) Gather() {
	c, a := l.session.conn, &l.arriving
	if !a.active || !a.streaming || !c.event.First {
		return
	}
	a.streaming = false
	a.tag = bytes.Clone(c.event.Tag)
	if c.event.State.Kind != frame.NoState {
		state := c.event.State.Clone()
		a.state = &state
	}
	l.keep(c.event.Payload)
}

// Gathered is what has come so far of a message that is kept until it is whole, borrowed until the next Feed; nil for none.
func (l *Link) Gathered() []byte { return l.arriving.kept }

// Take gives the owner what is Gathered, to keep; what follows of that message comes in pieces. On a link that does not
// stream it takes nothing.
func (l *Link) Take() []byte {
	a := &l.arriving
	if !l.streaming || a.streaming {
		return nil
	}
	kept := a.kept
	l.session.conn.partial -= len(kept)
	a.streaming, a.kept, a.tag, a.state = true, nil, nil, nil
	return kept
}
