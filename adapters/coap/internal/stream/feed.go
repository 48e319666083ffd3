package stream

import (
	"errors"
	"time"

	"github.com/plgd-dev/go-coap/v3/message"
	"github.com/plgd-dev/go-coap/v3/message/codes"

	"github.com/manifoldmq/manifold/adapters/coap/internal/option"
)

const (
	// maxBacklog is how much more than one message may be kept while the engine is not Ready: what one read of the
	// transport and the kernel's buffers may still bring.
	maxBacklog = 64 << 10
	// keptBuffer is the largest buffer that is kept between messages.
	keptBuffer = 1 << 10
	// keptOptions is for how many options there is always room.
	keptOptions = 8
	// flushSize is about how much is flushed at a time, as router/transport has it.
	flushSize = 64 << 10
)

// Feed implements transport.Engine. A message that breaks a rule ends the connection with an Abort; octets after that
// are ignored.
func (e *Engine) Feed(now time.Time, p []byte) error {
	if e.state == ended {
		return nil
	}
	if len(e.in)+len(p) > e.shared.Limits.MaxMessage+maxBacklog {
		e.abort(now, 0, "more octets than can be kept while no message is taken")
		return nil
	}
	if len(e.in) > 0 {
		e.in = append(e.in, p...)
		p = e.in
	}
	e.keep(p[e.messages(now, p):])
	return nil
}

// keep copies what has not been handled.
func (e *Engine) keep(rest []byte) {
	if e.state == ended || len(rest) == 0 && cap(e.in) > keptBuffer {
		e.in = nil
		return
	}
	e.in = append(e.in[:0], rest...)
}

// messages handles the whole messages at the start of p, as far as the engine is not stalled, and tells how many octets
// they have.
func (e *Engine) messages(now time.Time, p []byte) (used int) {
	for {
		if e.waiting = e.stalled(); e.waiting || e.state == ended {
			return used
		}
		f, size, err := next(p[used:], e.maxMessage())
		if err == nil && size == 0 {
			return used
		}
		if err == nil {
			err = e.message(now, f)
		}
		if err != nil {
			e.abort(now, badOption(err), err.Error())
			return len(p)
		}
		used += size
	}
}

// maxMessage is how long the next message may be.
func (e *Engine) maxMessage() int {
	if e.state == fresh {
		return baseMaxMessage
	}
	return e.shared.Limits.MaxMessage
}

// message handles one message. An error ends the connection.
func (e *Engine) message(now time.Time, f frame) error {
	if e.state == fresh && f.code != codes.CSM {
		return errNoCSM
	}
	// An Empty message does nothing (RFC 8323 section 3.4).
	if f.code == codes.Empty {
		return nil
	}
	options, payload, err := option.Decode(e.options[:0], f.rest, e.shared.Limits.MaxOptions)
	if err != nil {
		return err
	}
	switch class := f.code >> 5; class {
	case 0:
		e.request(now, f, options, payload)
	case 7:
		err = e.signal(now, f, options)
	case 2, 4, 5:
		// A response to nothing, as no request is ever sent, has no one who waits for it.
	default:
		err = errMalformed
	}
	if e.options = nil; cap(options) <= keptOptions {
		e.options = options
	}
	clear(options[:cap(options)])
	return err
}

var errNoCSM = errors.New("the first message is not a CSM")

// Flush implements transport.Engine. What has come for the client goes into the queue, and out.
func (e *Engine) Flush(dst []byte) []byte {
	now := e.shared.Clock()
	if e.state < ended {
		e.client.Collect(now)
	}
	start := len(dst)
	for {
		e.proceed(now)
		e.sayForgotten(now)
		if len(e.queue) == 0 {
			break
		}
		if dst = e.write(now, dst); len(dst)-start >= flushSize {
			return dst
		}
	}
	if e.state == leaving && len(e.open) == 0 && len(e.pings) == 0 {
		e.end(now)
	}
	return dst
}

// proceed goes on with messages that had to wait.
func (e *Engine) proceed(now time.Time) {
	if e.waiting && !e.stalled() {
		e.keep(e.in[e.messages(now, e.in):])
	}
}

// write appends messages of the queue, and tells the client about notifications. Those may bring further messages.
func (e *Engine) write(now time.Time, dst []byte) []byte {
	limit := len(dst) + flushSize
	written := 0
	for written < len(e.queue) && len(dst) < limit {
		o := &e.queue[written]
		written++
		e.owed -= o.size() + overhead
		dst = append(append(dst, o.head...), o.body...)
	}
	done := e.queue[:written]
	if e.queue = e.queue[written:]; len(e.queue) == 0 {
		e.queue = nil
	}
	for i := range done {
		if done[i].notifies && e.state < ended {
			e.client.Notified(now, message.Token(done[i].token.bytes()))
		}
	}
	return dst
}
