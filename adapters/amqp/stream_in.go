package amqp

import (
	"slices"

	"github.com/manifoldmq/manifold/router"
	codec "github.com/manifoldmq/manifold/router/amqp"
	"github.com/manifoldmq/manifold/router/amqp/engine"
	"github.com/manifoldmq/manifold/router/amqp/frame"
)

// upload is a message of several frames that is coming in. The engine gathers it, until there is no more of it for the
// moment; then it is offered to a consumer as a stream, if its address has such. One that finds none is gathered whole.
type upload struct {
	link    *incoming
	id      uint32 // of the delivery
	settled bool
	sender  *router.Sender // nil until its head is there
	body    codec.BodyScanner
	scanned int            // octets of the body that are known to be valid
	stream  *router.Stream // nil while it is gathered
	waits   bool           // for a consumer; room will be called
	over    bool           // nothing of it will be streamed any more
	full    bool           // there is no room for more of it
}

// receivedPiece takes in a piece of a message.
func (in *incoming) receivedPiece(t *engine.Transfer) {
	u := in.upload
	switch {
	case t.First:
		in.link.Gather()
		if t.Format == 0 && t.State.Kind == frame.NoState { // what is part of a transaction waits for its end
			in.upload = &upload{link: in, id: t.ID, settled: t.Settled}
			in.conn.uploads = append(in.conn.uploads, in.upload)
		}
	case u == nil: // nobody wants the rest of it
	case t.Aborted:
		in.voidUpload(router.Release())
	case !u.valid(t):
		in.voidUpload(router.Reject(router.Malformed, "the body of the message is not valid"))
	default:
		u.full = !u.stream.Append(t.Payload, t.Last)
		if t.Last {
			u.over, in.upload = true, nil
		}
	}
}

// valid checks a piece of the body.
func (u *upload) valid(t *engine.Transfer) bool {
	return u.body.Scan(t.Payload) == nil && (!t.Last || u.body.Complete())
}

// voidUpload gives up a message that will not become whole, with how its delivery ends.
func (in *incoming) voidUpload(o router.Outcome) {
	u := in.upload
	if u == nil {
		return
	}
	u.over, u.full, in.upload = true, false, nil
	if u.stream != nil {
		u.stream.Void(o)
	}
}

// uploadSettled forgets the rest of a message that has its outcome. One that is settled by its sender has it as soon as a
// consumer has the beginning.
func (in *incoming) uploadSettled(o outcome) {
	u := in.upload
	if u == nil || u.stream == nil || u.id != o.id || u.settled && o.outcome.State == router.Accepted {
		return
	}
	u.over, u.full, in.upload = true, false, nil
	u.stream.Abandon()
}

// continueUploads offers what is coming in and not whole, and holds back the sessions in which there is too much of it.
func (c *conn) continueUploads() {
	for _, u := range c.mail.rooms.Take() {
		u.waits, u.full = false, false
	}
	if len(c.uploads)+len(c.heldSessions) == 0 {
		return
	}
	for _, u := range c.uploads {
		if u.stream == nil && !u.over {
			u.offer()
		}
	}
	c.uploads = slices.DeleteFunc(c.uploads, func(u *upload) bool { return u.over && !u.full })
	c.holdSessions()
}

// offer looks for a consumer, as soon as what has come holds all that is needed for that. What cannot be streamed, or is not
// right, is left to be gathered: its sender is told why when it is whole.
func (u *upload) offer() {
	l := u.link.link
	begun := l.Gathered()
	if u.link.upload != u || len(begun) == 0 { // it has become whole
		u.end()
		return
	}
	head, ok := codec.ParseHead(begun)
	if !ok {
		if len(begun) > maxHead {
			u.end()
		}
		return
	}
	body := begun[head.Len():]
	d, names, err := readHead(head)
	if err != nil || !u.find(names) || u.body.Scan(body[u.scanned:]) != nil {
		u.end()
		return
	}
	u.scanned = len(body)
	u.full = len(body) >= u.sender.StreamBuffer()
	if u.waits {
		return
	}
	d.Settled = u.settled
	var reception router.Reception
	u.stream, reception = u.sender.SendStream(uint64(u.id), d, body, u.roomAgain)
	switch reception {
	case router.Taken:
		l.Take()
	case router.Busy:
		u.waits = true
	case router.WholeOnly:
		u.end()
	}
}

// maxHead is how far the sections before the body are waited for, in bytes.
const maxHead = 64 << 10

// find sets the sender. It is false when the message cannot be streamed to where it goes; why is told when it is whole.
func (u *upload) find(n names) bool {
	if u.sender == nil {
		s, err := u.link.senderFor(n)
		if err != nil {
			return false
		}
		u.sender = s
	}
	return u.sender.Streams()
}

// end leaves the message to be gathered whole.
func (u *upload) end() {
	u.over, u.full = true, false
	if u.sender != nil {
		u.link.landed(u.sender)
	}
}

// roomAgain is called by the stream, or by the node.
func (u *upload) roomAgain() { u.link.conn.mail.rooms.Put(u) }

// holdSessions holds those sessions back in which more has come of a message than there is room for. What waits for a
// consumer holds a session back only while nothing else streams in through it: that may be what the consumer is busy
// with.
func (c *conn) holdSessions() {
	held := c.heldSessions
	c.heldSessions = nil
	for _, u := range c.uploads {
		s := u.link.link.Session()
		if u.full && (u.stream != nil || !c.streamsIn(s)) && !slices.Contains(c.heldSessions, s) {
			c.heldSessions = append(c.heldSessions, s)
			s.Hold()
		}
	}
	for _, s := range held {
		if !slices.Contains(c.heldSessions, s) {
			s.Resume()
		}
	}
}

// streamsIn tells whether a message streams in through a session.
func (c *conn) streamsIn(s *engine.Session) bool {
	return slices.ContainsFunc(c.uploads, func(u *upload) bool {
		return u.stream != nil && !u.over && u.link.link.Session() == s
	})
}
