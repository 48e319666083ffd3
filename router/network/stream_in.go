package network

import (
	"github.com/manifoldmq/manifold/router"
	"github.com/manifoldmq/manifold/router/amqp"
	"github.com/manifoldmq/manifold/router/amqp/engine"
	"time"
)

// upload is a message of several frames that is coming in. The engine gathers it, until there is no more of it for the
// moment; then it is offered to a consumer as a stream, if its address has such. One that finds none is gathered whole. While
// there is no room for more of it the session of its link, which has no other, is held back.
type upload struct {
	in      *incoming
	id      uint32 // of the delivery
	settled bool
	body    amqp.BodyScanner
	scanned int            // octets of the body that are known to be valid
	stream  *router.Stream // nil while it is gathered
	waits   bool           // for a consumer; room will be called
	whole   bool           // it is left to be gathered
}

// receivedPiece takes in a piece of a message.
func (in *incoming) receivedPiece(t *engine.Transfer) {
	u := in.upload
	switch {
	case t.First:
		in.link.Gather()
		in.upload = &upload{in: in, id: t.ID, settled: t.Settled, whole: t.Format != 0}
	case u == nil: // nobody wants the rest of it
	case t.Aborted:
		if !u.settled {
			in.open--
		}
		in.voidUpload(router.Release())
	case !u.valid(t):
		in.voidUpload(router.Reject(router.Malformed, "the body of the message is not valid"))
	default:
		full := !u.stream.Append(t.Payload, t.Last)
		u.hold(full && !t.Last)
		if t.Last {
			in.upload = nil
		}
	}
}

// isGathered tells whether what is received is a message that was being gathered, and is whole now. Another message shows
// that the one before was aborted, of which the engine says nothing.
func (in *incoming) isGathered(t *engine.Transfer) bool {
	u := in.upload
	if u == nil || u.stream != nil || !t.First {
		return false
	}
	if u.id == t.ID {
		in.upload = nil
		u.hold(false)
		return true
	}
	u.aborted()
	return false
}

// aborted forgets a message that was being gathered. Its credit the engine has given back.
func (u *upload) aborted() {
	in := u.in
	in.upload = nil
	u.hold(false)
	in.credit++
	if !u.settled {
		in.open--
	}
}

// valid checks a piece of the body.
func (u *upload) valid(t *engine.Transfer) bool {
	return u.body.Scan(t.Payload) == nil && (!t.Last || u.body.Complete())
}

// hold holds back what still comes of it, or has it go on.
func (u *upload) hold(full bool) {
	s := u.in.link.Session()
	if full {
		s.Hold()
	} else {
		s.Resume()
	}
}

// voidUpload gives up a message that will not become whole, with how its delivery ends.
func (in *incoming) voidUpload(o router.Outcome) {
	u := in.upload
	if u == nil {
		return
	}
	in.upload = nil
	u.hold(false)
	if u.stream != nil {
		u.stream.Void(o)
	}
}

// uploadSettled forgets the rest of a message that has its outcome. It tells whether the broker has settled it, and so
// hears of no outcome.
func (in *incoming) uploadSettled(o outcome) (settled bool) {
	u := in.upload
	if u == nil || u.stream == nil || u.id != o.id {
		return false
	}
	if !u.settled || o.outcome.State != router.Accepted { // one that is settled has its outcome with its beginning
		in.upload = nil
		u.hold(false)
		u.stream.Abandon()
	}
	return u.settled
}

// continueUploads offers what is coming in and not whole.
func (k *conn) continueUploads() {
	for _, e := range k.links {
		if in, ok := e.(*incoming); ok && in.upload != nil && in.upload.stream == nil {
			in.upload.offer()
		}
	}
}

// offer looks for a consumer, as soon as what has come holds all that is needed for that. What cannot be streamed, or is not
// right, is left to be gathered: it is answered when it is whole.
func (u *upload) offer() {
	in := u.in
	begun := in.link.Gathered()
	switch {
	case len(begun) == 0:
		u.aborted()
		return
	case u.whole:
		return
	case in.intake == nil || !in.intake.sender.Streams():
		u.whole = true
		return
	}
	head, ok := amqp.ParseHead(begun)
	if !ok {
		u.whole = len(begun) > maxHead
		return
	}
	body := begun[head.Len():]
	d, err := read(head, time.Now())
	if err != nil || u.body.Scan(body[u.scanned:]) != nil {
		u.whole = true
		return
	}
	u.scanned = len(body)
	if u.waits {
		u.hold(len(body) >= in.intake.sender.StreamBuffer())
		return
	}
	d.Settled = u.settled
	u.give(d, body)
}

// give offers what has come to a consumer.
func (u *upload) give(d router.Delivery, body []byte) {
	in := u.in
	var reception router.Reception
	u.stream, reception = in.intake.sender.SendStream(uint64(u.id), d, body, func() { in.conn.mail.rooms.Put(u) })
	switch reception {
	case router.Taken:
		full := len(body) >= in.intake.sender.StreamBuffer()
		in.link.Take()
		u.hold(full)
	case router.Busy:
		u.waits = true
		u.hold(len(body) >= in.intake.sender.StreamBuffer())
	case router.WholeOnly:
		u.whole = true
		u.hold(false)
	}
}

// maxHead is how far the sections before the body are waited for, in bytes.
const maxHead = 64 << 10

// roomMade goes on where there was no room, or no consumer.
func (u *upload) roomMade() {
	u.waits = false
	if u.in.upload == u {
		u.hold(false)
	}
}
