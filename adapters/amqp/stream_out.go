package amqp

import (
	"slices"

	"github.com/manifoldmq/manifold/router"
	"github.com/manifoldmq/manifold/router/amqp/engine"
)

// download is a message that goes out while it comes in. The link can send no other until it is complete.
type download struct {
	delivery router.Delivery
	ready    func()            // tells the connection that more has come
	spare    []byte            // the memory of the last piece, for another when that is written
	behind   []router.Delivery // what has come for the link meanwhile
}

// sendStream begins to send a message of which head is the beginning. It reports false when that took no credit of the
// client.
func (out *outgoing) sendStream(d router.Delivery, head []byte) bool {
	ready := func() { out.conn.mail.streams.Put(out) }
	p := d.Stream.Take(ready, nil)
	if p.Void != nil {
		out.finish(d, *p.Void)
		return false
	}
	if !out.sendBytes(d, slices.Concat(head, p.Bytes), !p.Last) {
		return false
	}
	if !p.Last {
		out.download = &download{delivery: d, ready: ready, spare: p.Bytes}
	}
	return true
}

// continueDownload passes on what has come of the message that is under way, once the client has taken what came before.
func (out *outgoing) continueDownload() {
	down := out.download
	if down == nil || out.link.Unwritten() > 0 {
		return
	}
	p := down.delivery.Stream.Take(down.ready, down.spare)
	down.spare = p.Bytes
	switch {
	case p.Void != nil:
		out.finish(down.delivery, *p.Void)
	case len(p.Bytes) == 0 && !p.Last: // ready will be called
	case out.link.Continue(p.Bytes, !p.Last) == engine.TooLarge:
		out.receiver.Drop()
		out.finish(down.delivery, tooLarge())
	case p.Last:
		out.sendBehind()
	}
}

func tooLarge() router.Outcome {
	return router.Reject(router.TooLarge, "larger than the receiver's max-message-size")
}

// stopDownload ends the sending of a message that has come to its end in another way; the client is told to forget what it
// has of it.
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
