package wire

import (
	"slices"

	"github.com/manifoldmq/manifold/router"
	"github.com/manifoldmq/manifold/router/amqp/engine"
	"github.com/manifoldmq/manifold/router/amqp/frame"
)

// Uploads are the messages of several frames that are coming in over a connection.
type Uploads struct {
	under []*Upload
	held  []*engine.Session // that are held back for them
}

// Received takes in a piece of a message on a link that streams; was is what Received gave for the piece before. It gives
// the upload that further pieces belong to, nil if nobody wants them.
func (s *Uploads) Received(in Inlet, l *engine.Link, was *Upload, t *engine.Transfer) *Upload {
	switch {
	case t.First:
		was.GatherWhole() // it was aborted, of which the engine says nothing, or has been Received whole
		return s.begin(in, l, t)
	case was == nil || was.over || was.stream == nil || !was.receive(t):
		return nil
	default:
		return was
	}
}

// begin has a message gathered that has begun, and offered later. What is part of a transaction waits for its end.
func (s *Uploads) begin(in Inlet, l *engine.Link, t *engine.Transfer) *Upload {
	l.Gather()
	if t.Format != 0 || t.State.Kind != frame.NoState {
		return nil
	}
	u := &Upload{inlet: in, link: l, id: t.ID, settled: t.Settled}
	s.under = append(s.under, u)
	return u
}

// Continue offers what is coming in and not whole, and holds back the sessions in which there is too much of it. roomFor are
// the uploads that may go on. It is called before each Flush of the engine.
func (s *Uploads) Continue(roomFor []*Upload) {
	for _, u := range roomFor {
		u.waits, u.full = false, false
	}
	if len(s.under)+len(s.held) == 0 {
		return
	}
	for _, u := range s.under {
		if u.stream == nil && !u.over {
			u.offer()
		}
	}
	s.under = slices.DeleteFunc(s.under, func(u *Upload) bool { return u.over && !u.full })
	s.hold()
}

// Streaming tells whether a consumer has the beginning of a message whose end has not come.
func (s *Uploads) Streaming() bool { return slices.ContainsFunc(s.under, (*Upload).open) }

// open tells whether more is expected of a message that streams.
func (u *Upload) open() bool { return u.stream != nil && !u.over }

// Expire gives up the messages of which nothing has come since it was called last, though their sender was not held back: they
// are void, with how their deliveries end. Until then they hold the links of their consumers.
func (s *Uploads) Expire(o router.Outcome) {
	for _, u := range s.under {
		heldBack := u.full || u.link.Session().Held()
		switch {
		case !u.open():
		case u.moved || heldBack:
			u.moved = heldBack // then it has the whole time again
		default:
			u.Void(o)
		}
	}
}

// hold holds those sessions back in which more has come of a message than there is room for. What waits for a consumer holds
// a session back only while nothing else streams in through it: that may be what the consumer is busy with.
func (s *Uploads) hold() {
	held := s.held
	s.held = nil
	for _, u := range s.under {
		session := u.link.Session()
		if u.full && (u.stream != nil || !s.streamsIn(session)) && !slices.Contains(s.held, session) {
			s.held = append(s.held, session)
			session.Hold()
		}
	}
	for _, session := range held {
		if !slices.Contains(s.held, session) {
			session.Resume()
		}
	}
}

// streamsIn tells whether a message streams in through a session.
func (s *Uploads) streamsIn(session *engine.Session) bool {
	return slices.ContainsFunc(s.under, func(u *Upload) bool {
		return u.open() && u.link.Session() == session
	})
}
