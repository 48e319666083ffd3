// Package datagram is the server's side of a CoAP conversation with one peer over datagrams, UDP or DTLS: datagrams and
// time in, datagrams and calls of a session.Handler out.
//
// It is the message layer of RFC 7252 section 4 with what belongs to it: acknowledgements, piggybacked and separate
// responses, retransmission, deduplication with the stored answer, pings and resets; blocks (package block), No-Response
// (RFC 7967), the message part of observations (RFC 7641), and Echo (RFC 9175). What a request means is decided by its owner,
// who listens as a Handler and answers with the methods of session.Session.
//
// Promises:
//   - Pure: no goroutine, no lock, no clock, no I/O, no randomness but what is passed in. A Session has one owner at a time,
//     and so have all that share a Shared.
//   - A request is handed on once, however often its datagram comes (section 4.5): it is known by its message id, its token
//     and a digest of the rest. A confirmable one is answered again byte for byte. A message id that comes again with another
//     token or content is another request.
//   - Message ids of the two directions have nothing to do with each other. A Reset is never an acknowledgement.
//   - Until the peer's address is proven, no more than Limits.Amplification bytes are sent for each byte received.
//   - Memory is bounded by Limits, whatever the peer sends; a silent peer without observations holds nothing after
//     Limits.ExchangeLifetime, and one with observations is pinged after Limits.PingAfter.
//
// Specification: https://www.rfc-editor.org/rfc/rfc7252; sections without a number of an RFC are of that one.
package datagram

import (
	"hash/maphash"
	"time"

	"github.com/plgd-dev/go-coap/v3/message"

	"github.com/manifoldmq/manifold/adapters/coap/internal/block"
	"github.com/manifoldmq/manifold/adapters/coap/internal/session"
)

// Carrier takes the datagrams of one session to its peer.
type Carrier interface {
	// Buffer gives an empty slice with room for a datagram, until the next call of either method.
	Buffer() []byte
	// Send sends a datagram; it is borrowed until it returns, unless it lies in the Buffer.
	Send(datagram []byte)
	// Origin gives the address of the peer as bytes, which an Echo value is bound to. It is not asked of a proven peer.
	Origin() []byte
}

// Shared is what sessions with one owner have in common. Copy it before its first use, not after.
type Shared struct {
	Limits  Limits
	Budget  block.Budget  // of bodies under way, of all peers
	EchoKey [32]byte      // a secret; processes with the same one know each other's Echo values
	Random  func() uint64 // uniformly distributed

	seed     maphash.Seed    // of digests
	options  message.Options // of the request at hand
	spare    message.Options // of the message being composed
	request  session.Request // the request at hand
	exchange exchange        // and its exchange
	begun    bool
}

// Session is the conversation with one peer. Create it with New.
type Session struct {
	shared  *Shared
	carrier Carrier
	handler session.Handler

	transfers    block.Transfers
	past         past
	current      *exchange // the request that the handler is being told of
	exchanges    map[session.Exchange]*exchange
	observations map[token]*observation
	posts        []*post        // confirmable messages of ours, the first of them under way
	held         []held         // answers that wait until the peer has proven its address
	written      []*observation // with a notification that was not confirmable, which the handler is to be told of
	dropped      []token        // of observations that there is no room for, likewise

	next         time.Time // when Advance is to be called
	heard        time.Time // when the last datagram came
	lastExchange session.Exchange
	sentBytes    int // to an address that is not proven
	heardBytes   int // from it
	underway     int // posts that were sent and not acknowledged
	sequence     uint32
	lastID       uint16 // of our messages
	guesses      uint8  // acknowledgements of nothing, from an address that is not proven
	proven       bool   // the peer is where it says
	proofs       uint8  // answers to messages of ours, from such an address
	draining     bool
	over         bool
}

var _ session.Session = (*Session)(nil)

// New starts a session. proven says that its peer's address needs no proof, as after a DTLS handshake.
func New(now time.Time, shared *Shared, c Carrier, h session.Handler, proven bool) *Session {
	if !shared.begun {
		shared.begun, shared.seed = true, maphash.MakeSeed()
		shared.options = make(message.Options, 0, 16)
	}
	s := &Session{shared: shared, carrier: c, handler: h, proven: proven || shared.Limits.Amplification == 0}
	s.transfers.Init(&shared.Limits.Block, shared.Budget)
	s.lastID = uint16(shared.Random())
	// Sequence numbers go on rising when the process starts anew (RFC 7641 section 4.4): up to 8 a second.
	s.sequence = uint32(now.Unix()) << 3
	return s
}

// Deadline is when Advance is to be called; zero for never.
func (s *Session) Deadline() time.Time { return s.next }

// Quiet tells that nothing is under way: all that is left is the memory of what to take for a duplicate.
func (s *Session) Quiet() bool {
	return len(s.exchanges) == 0 && len(s.posts) == 0 && len(s.observations) == 0 && len(s.written) == 0 &&
		len(s.dropped) == 0 && len(s.held) == 0 && s.transfers.Idle()
}

// Idle tells that nothing is left that a new session with the same peer would not have.
func (s *Session) Idle() bool { return s.Quiet() && s.past.empty() }

// Proven tells whether the peer is known to be where it says.
func (s *Session) Proven() bool { return s.proven }

// Advance lets time pass; call it when Deadline has come, and Flush after it.
func (s *Session) Advance(now time.Time) {
	if s.over || s.next.IsZero() || now.Before(s.next) {
		return
	}
	s.retransmit(now)
	s.pingSilent(now)
	s.acknowledgeSlow(now)
	s.past.expire(now)
	s.transfers.Advance(now)
	s.schedule(now)
}

// Flush tells the handler of what was sent. Call it after each Feed and Advance, and after calls of the handler's own.
func (s *Session) Flush(now time.Time) {
	for n := len(s.dropped); n > 0 && !s.over; n-- {
		t := s.dropped[0]
		s.dropped = s.dropped[1:]
		s.handler.Forgotten(now, t.bytes())
	}
	// What the handler says meanwhile waits for the next call, so that others get their turn.
	for n := len(s.written); n > 0 && !s.over; n-- {
		o := s.written[0]
		s.written = s.written[1:]
		if s.observations[o.token] == o {
			s.handler.Notified(now, o.token.bytes())
		}
	}
	if len(s.written) > 0 {
		s.wake(now)
	} else {
		s.written = nil
	}
}

// Drain says that the process is stopping: requests that come now get 5.03, those that have come are still answered.
func (s *Session) Drain(time.Time) { s.draining = true }

// Closed tells that a draining session has nothing more to do.
func (s *Session) Closed() bool {
	return s.over || s.draining && len(s.exchanges) == 0 && len(s.posts) == 0
}

// Close ends the session: the handler hears that it is disconnected, and nothing after that.
func (s *Session) Close(now time.Time) {
	if s.over {
		return
	}
	s.over = true
	s.transfers.Close()
	s.letGo()
	s.past, s.exchanges, s.observations, s.posts, s.written, s.dropped = past{}, nil, nil, nil, nil, nil
	s.handler.Disconnected(now)
}

// wake asks for Advance at a time, unless it comes sooner anyway.
func (s *Session) wake(at time.Time) {
	if !at.IsZero() && (s.next.IsZero() || at.Before(s.next)) {
		s.next = at
	}
}

// schedule finds out when Advance is to be called next.
func (s *Session) schedule(now time.Time) {
	s.next = time.Time{}
	for _, p := range s.posts[:s.underway] {
		s.wake(p.due)
	}
	for e := range s.unacknowledged() {
		s.wake(e.ackBy)
	}
	s.wake(s.past.deadline())
	s.wake(s.transfers.Deadline())
	s.wake(s.pingDue())
	if len(s.written) > 0 {
		s.wake(now)
	}
}
