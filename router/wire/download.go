package wire

import (
	"slices"

	"github.com/manifoldmq/manifold/router"
	"github.com/manifoldmq/manifold/router/amqp/engine"
)

// Outlet is the sending end of a link, as its [Download] needs it.
type Outlet interface {
	// SendBytes gives a message, or with more its beginning, to the engine. When it reports false that took no credit, and the
	// delivery has come to its end.
	SendBytes(d router.Delivery, payload []byte, more bool) (sent bool)
	// Finish ends a delivery of which nothing was sent.
	Finish(d router.Delivery, o router.Outcome)
	// GiveUp ends a delivery of which a part was sent, and then calls Stop.
	GiveUp(d router.Delivery, o router.Outcome)
	// Arrived takes in what was told to wait behind a message.
	Arrived(d router.Delivery)
}

// Download sends the message of a link that goes out while it comes in. The link can send no other until it is complete.
// The zero Download sends none.
type Download struct{ under *underway }

// underway is a message of which the beginning was sent.
type underway struct {
	link     *engine.Link
	outlet   Outlet
	delivery router.Delivery
	ready    func()            // tells the connection that more has come
	spent    []byte            // the last piece, which goes back when it is written
	behind   []router.Delivery // what has come for the link meanwhile
}

// withHead is how much of the body goes out in one frame with the head, in bytes: a receiver may want to see where it
// begins, and more is not worth copying.
const withHead = 4 << 10

// Start begins to send a message of which head is the beginning. It reports false when that took no credit. ready is called,
// by any goroutine, when more has come: then Continue is to be called.
func (d *Download) Start(out Outlet, l *engine.Link, delivery router.Delivery, head []byte, ready func()) (sent bool) {
	p := delivery.Stream.Take(ready, nil)
	if p.Void != nil {
		out.Finish(delivery, *p.Void)
		return false
	}
	first := p.Bytes[:min(len(p.Bytes), withHead)]
	p.Bytes = p.Bytes[len(first):]
	more := !p.Last || len(p.Bytes) > 0
	if !out.SendBytes(delivery, slices.Concat(head, first), more) {
		return false
	}
	if more {
		d.under = &underway{link: l, outlet: out, delivery: delivery, ready: ready}
		return d.pass(p)
	}
	return true
}

// Busy tells whether a message is under way: what arrives is to wait Behind it.
func (d *Download) Busy() bool { return d.under != nil }

// Behind has a delivery wait until the message that is under way is complete.
func (d *Download) Behind(x router.Delivery) { d.under.behind = append(d.under.behind, x) }

// Continue passes on what has come of the message that is under way, once the receiver has taken what came before.
func (d *Download) Continue() {
	if u := d.under; u != nil && u.link.Unwritten() == 0 {
		d.pass(u.delivery.Stream.Take(u.ready, u.spent))
	}
}

// pass gives a piece of the message that is under way to the engine. It reports false when the message is given up.
func (d *Download) pass(p router.Piece) bool {
	u := d.under
	u.spent = p.Bytes
	switch {
	case p.Void != nil:
		u.outlet.GiveUp(u.delivery, *p.Void)
		return false
	case len(p.Bytes) == 0 && !p.Last: // ready will be called
	case u.link.Continue(p.Bytes, !p.Last) == engine.TooLarge:
		u.outlet.GiveUp(u.delivery, TooLarge())
		return false
	case p.Last:
		d.sendBehind()
	}
	return true
}

// TooLarge is the outcome of a message that the other end of a link does not take for its size [2.7.3].
func TooLarge() router.Outcome {
	return router.Reject(router.TooLarge, "larger than the receiver's max-message-size")
}

// Stop ends the sending of what has come to its end in another way; the receiver is told to forget what it has of it.
func (d *Download) Stop(s *router.Stream) {
	s.Abandon()
	if d.Sends(s) {
		_ = d.under.link.Abort() // if it is not attached any more, there is nobody to tell
		d.sendBehind()
	}
}

// Sends tells whether the message under way is that of a stream.
func (d *Download) Sends(s *router.Stream) bool {
	return d.under != nil && d.under.delivery.Stream == s
}

// End gives up the message that is under way, if there is one, because its link has ended. Its delivery ends otherwise.
func (d *Download) End() {
	if d.under != nil {
		d.Stop(d.under.delivery.Stream)
	}
}

// sendBehind sends what has come while a message was under way.
func (d *Download) sendBehind() {
	u := d.under
	d.under = nil
	for _, x := range u.behind {
		u.outlet.Arrived(x)
	}
}
