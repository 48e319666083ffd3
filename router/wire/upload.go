package wire

import (
	"github.com/manifoldmq/manifold/router"
	"github.com/manifoldmq/manifold/router/amqp"
	"github.com/manifoldmq/manifold/router/amqp/engine"
)

// Inlet is the receiving end of a link, as its [Upload] needs it.
type Inlet interface {
	// Find reads the head of a message and finds the sender to where it goes. When it is asked again for the same message it
	// is given the one that it found. An error leaves the message to be gathered whole, and is told of then.
	Find(head amqp.Message, found *router.Sender) (router.Delivery, *router.Sender, error)
	// Decided tells that what comes of the message streams to where it goes, or else that it will come whole.
	Decided(u *Upload, streams bool)
	// RoomFor takes note that the message may go on, for [Uploads.Continue]. It is called by any goroutine, and only puts the
	// upload into a mailbox.
	RoomFor(u *Upload)
}

// Upload is a message of several frames that is coming in. The engine gathers it, until there is no more of it for the
// moment; then it is offered to a consumer as a stream, if its address has such. One that finds none is gathered whole.
type Upload struct {
	inlet   Inlet
	link    *engine.Link
	id      uint32 // of the delivery
	settled bool
	sender  *router.Sender // nil until its head is there
	body    amqp.BodyScanner
	scanned int            // octets of the body that are known to be valid
	stream  *router.Stream // nil while it is gathered
	waits   bool           // for a consumer; RoomFor will be called
	over    bool           // nothing of it will be streamed any more
	full    bool           // there is no room for more of it
	moved   bool           // it streams, and something has become of it since Uploads.Expire
}

// Sender is where the message goes; nil while that is not known.
func (u *Upload) Sender() *router.Sender { return u.sender }

// Settled tells whether its sender has settled the message, and so hears of no outcome.
func (u *Upload) Settled() bool { return u.settled }

// Awaited tells whether the message streams, or may, and its sender waits for an outcome that there is not. It is false for no upload.
func (u *Upload) Awaited() bool { return u != nil && !u.over && !u.settled }

// Streams tells whether this is, or was, the delivery of that number, and whether a consumer gets it as a stream. It is false
// for no upload.
func (u *Upload) Streams(id uint32) bool { return u != nil && u.id == id && u.stream != nil }

// receive takes in a piece of a message that streams. It tells whether there is more to come.
func (u *Upload) receive(t *engine.Transfer) (more bool) {
	u.moved = true
	switch {
	case t.Aborted:
		u.Void(router.Release())
	case u.body.Scan(t.Payload) != nil || t.Last && !u.body.Complete():
		u.Void(router.Reject(router.Malformed, "the body of the message is not valid"))
	default:
		u.full = !u.stream.Append(t.Payload, t.Last)
		u.over = t.Last
	}
	return !u.over
}

// Void gives up a message that will not become whole, with how its delivery ends. It does nothing for no upload.
func (u *Upload) Void(o router.Outcome) {
	if u == nil {
		return
	}
	u.over, u.full = true, false
	if u.stream != nil {
		u.stream.Void(o)
	}
}

// Ends tells whether the outcome of this delivery ends the upload too: then nobody wants the rest of the message, which is
// forgotten. One that is settled by its sender has its outcome as soon as a consumer has the beginning.
func (u *Upload) Ends(id uint32, o router.Outcome) bool {
	if !u.Streams(id) || u.settled && o.State == router.Accepted {
		return false
	}
	u.over, u.full = true, false
	u.stream.Abandon()
	return true
}

// GatherWhole leaves the message to be gathered whole, unless it streams. It does nothing for no upload.
func (u *Upload) GatherWhole() {
	if u == nil || u.over || u.stream != nil {
		return
	}
	u.over, u.full = true, false
	u.inlet.Decided(u, false)
}

// offer looks for a consumer, as soon as what has come holds all that is needed for that. What cannot be streamed, or is not
// right, is left to be gathered: its sender is told why when it is whole.
func (u *Upload) offer() {
	begun := u.link.Gathered()
	if len(begun) == 0 { // it has become whole, or was aborted
		u.GatherWhole()
		return
	}
	head, ok := amqp.ParseHead(begun)
	if !ok {
		if len(begun) > maxHead {
			u.GatherWhole()
		}
		return
	}
	body := begun[head.Len():]
	d, to, err := u.inlet.Find(head, u.sender)
	if u.sender = to; err != nil || !to.Streams() || u.body.Scan(body[u.scanned:]) != nil {
		u.GatherWhole()
		return
	}
	u.scanned = len(body)
	u.full = len(body) >= to.StreamBuffer()
	if !u.waits {
		d.Settled = u.settled
		u.give(d, body)
	}
}

// maxHead is how far the sections before the body are waited for, in bytes.
const maxHead = 64 << 10

// give offers what has come to a consumer.
func (u *Upload) give(d router.Delivery, body []byte) {
	var reception router.Reception
	u.stream, reception = u.sender.SendStream(uint64(u.id), d, body, func() { u.inlet.RoomFor(u) })
	switch reception {
	case router.Taken:
		u.moved = true
		u.link.Take()
		u.inlet.Decided(u, true)
	case router.Busy:
		u.waits = true
	case router.WholeOnly:
		u.GatherWhole()
	}
}
