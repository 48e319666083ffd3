package network

import (
	"slices"

	"github.com/manifoldmq/manifold/router"
	"github.com/manifoldmq/manifold/router/amqp/engine"
)

// download is a message that goes out while it comes in. The link can send no other until it is complete.
type download struct {
	delivery router.Delivery
	ready    func()            // tells the connection that more has come
	spent    []byte            // the last piece, which goes back when it is written
	behind   []router.Delivery // what has come for the link meanwhile
}

// withHead is how much of the body goes out in one frame with the head, in bytes.
const withHead = 4 << 10

// sendStream begins to send a message of which head is the beginning. It reports false when that took no credit.
func (out *outgoing) sendStream(d router.Delivery, head []byte) bool {
	ready := func() { out.conn.mail.streams.Put(out) }
	p := d.Stream.Take(ready, nil)
	if p.Void != nil {
		out.finish(d, *p.Void)
		return false
	}
	first := p.Bytes[:min(len(p.Bytes), withHead)]
	p.Bytes = p.Bytes[len(first):]
	more := !p.Last || len(p.Bytes) > 0
	if !out.sendBytes(d, slices.Concat(head, first), more) {
		return false
	}
	if !more {
		return true
	}
	out.download = &download{delivery: d, ready: ready}
	out.pass(p)
	return true
}

// continueDownload passes on what has come of the message that is under way, once the broker has taken what came before.
func (out *outgoing) continueDownload() {
	down := out.download
	if down == nil || out.link.Unwritten() > 0 {
		return
	}
	out.pass(down.delivery.Stream.Take(down.ready, down.spent))
}

// pass gives a piece of the message that is under way to the engine.
func (out *outgoing) pass(p router.Piece) {
	down := out.download
	down.spent = p.Bytes
	switch {
	case p.Void != nil:
		out.giveUp(*p.Void)
	case len(p.Bytes) == 0 && !p.Last: // ready will be called
	case out.link.Continue(p.Bytes, !p.Last) == engine.TooLarge:
		out.giveUp(tooLarge())
	case p.Last:
		out.sendBehind()
	}
}

// giveUp ends the message that is under way without the broker, which forgets what it has of it.
func (out *outgoing) giveUp(o router.Outcome) {
	out.held--
	out.finish(out.download.delivery, o)
}

// stopDownload ends the sending of a message that has come to its end in another way.
func (out *outgoing) stopDownload(s *router.Stream) {
	s.Abandon()
	if out.download != nil && out.download.delivery.Stream == s {
		_ = out.link.Abort() // if it is not attached any more, there is nobody to tell
		out.sendBehind()
	}
}

// sendBehind sends what has come while a message was under way.
func (out *outgoing) sendBehind() {
	behind := out.download.behind
	out.download = nil
	for _, d := range behind {
		out.arrived(d)
	}
}
