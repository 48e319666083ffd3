// Package stream is the server's side of one CoAP conversation over a reliable transport (RFC 8323): TCP, TLS, or a
// WebSocket that package websocket has made a stream of. Bytes and time come in, whole requests go to the door's
// session.Client, and bytes come out. router/transport drives it.
//
// Promises:
//   - Pure: no goroutine, no lock, no I/O. Its only clock is the one it is given for Flush. An Engine has one owner at
//     a time.
//   - Our CSM is the first message written, and nothing but a CSM is taken as the first message of the client.
//   - A client that breaks the protocol is told why in an Abort, which is the last message.
//   - A response goes out under the token of its request, whatever the order. Notified is called once a notification
//     has been handed over to be written, and never before.
//   - Memory is bounded by Limits before it is spent, and an idle engine keeps no buffer: a length is checked before
//     anything is gathered for it, bodies wait uncopied until they are written, and who does not read its answers is
//     not read either.
package stream

import (
	"time"

	"github.com/plgd-dev/go-coap/v3/message"

	"github.com/manifoldmq/manifold/adapters/coap/internal/block"
	"github.com/manifoldmq/manifold/adapters/coap/internal/session"
)

// Engine is the state of one connection. Create it with New.
type Engine struct {
	shared *Shared
	client session.Client

	state    state
	deadline time.Time // of the CSM, or of the answers that are still owed; zero for none

	in      []byte          // received and not handled yet: a part of a message, or more while the engine is stalled
	waiting bool            // in starts with a message that was not looked at because the engine was stalled
	options message.Options // of the message that is handled; kept so as not to take memory for each

	peer      capabilities
	transfers block.Transfers
	last      session.Exchange
	open      map[session.Exchange]exchange
	pings     []ping // with Custody, in the order they came

	observations map[token]block.Reply // by token (RFC 7641 section 4.1), how each was asked for
	sequence     uint32                // of the newest notification
	forgotten    []token               // of observations that were too many; the client is told when it is flushed

	queue []outgoing // to be written
	owed  int        // about how many octets that is
}

var _ session.Session = (*Engine)(nil)

// state is where the conversation stands. It only moves forward.
type state byte

const (
	fresh   state = iota // nothing but a CSM is welcome
	greeted              // everything is
	leaving              // one side has said Release: the connection ends when all requests have been answered
	ended                // what is left in the queue may still be flushed
)

// Shared is what the conversations of a server have in common. It must not change.
type Shared struct {
	Limits Limits
	Blocks block.Limits
	Budget block.Budget
	Clock  func() time.Time // for Flush, to which nobody tells the time
}

// New starts the conversation of a connection that was opened now.
func New(shared *Shared, client session.Client) *Engine {
	e := &Engine{
		shared: shared, client: client, deadline: shared.Clock().Add(shared.Limits.GreetingTimeout),
		peer: capabilities{maxMessage: baseMaxMessage},
		open: make(map[session.Exchange]exchange), observations: make(map[token]block.Reply),
	}
	e.transfers.Init(&shared.Blocks, shared.Budget)
	e.greet()
	client.Attach(e)
	return e
}

// Ready implements transport.Engine.
func (e *Engine) Ready() bool { return e.state == ended || !e.stalled() }

// stalled tells whether messages have to wait: for the client's answers, or for room in the output.
func (e *Engine) stalled() bool {
	return e.owed >= e.shared.Limits.MaxOwed || len(e.open)+len(e.pings) >= e.shared.Limits.MaxExchanges
}

// Closed implements transport.Engine.
func (e *Engine) Closed() bool { return e.state == ended && len(e.queue) == 0 }

// Deadline implements transport.Engine.
func (e *Engine) Deadline() time.Time {
	if e.state == ended {
		return time.Time{}
	}
	return earliest(e.deadline, earliest(e.client.Deadline(), e.transfers.Deadline()))
}

// earliest gives the earlier of two times, where zero is never.
func earliest(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}

// Advance implements transport.Engine.
func (e *Engine) Advance(now time.Time) error {
	switch {
	case e.state == ended:
	case e.deadline.IsZero() || now.Before(e.deadline):
		e.transfers.Advance(now)
		e.client.Collect(now)
	case e.state == fresh:
		e.abort(now, 0, "no CSM came in time")
	default:
		e.end(now)
	}
	return nil
}

// Drain implements transport.Engine: it says Release (RFC 8323 section 5.5), and ends when all requests have been
// answered.
func (e *Engine) Drain(now time.Time) {
	if e.state >= leaving {
		return
	}
	e.client.Drain(now)
	e.release()
	e.leave(now)
}

// leave makes the connection end once everything is answered, or has taken too long.
func (e *Engine) leave(now time.Time) {
	if e.state < leaving {
		e.state, e.deadline = leaving, now.Add(e.shared.Limits.CloseTimeout)
	}
}

// Lost tells that the connection is over. Nothing will be flushed any more.
func (e *Engine) Lost(now time.Time) {
	e.end(now)
	e.queue, e.owed = nil, 0
}

// end tells the client that the session is over, once. What is in the queue is still written.
func (e *Engine) end(now time.Time) {
	if e.state == ended {
		return
	}
	e.state, e.in = ended, nil
	e.open, e.observations, e.forgotten, e.pings = nil, nil, nil, nil
	e.transfers.Close()
	e.client.Disconnected(now)
}
