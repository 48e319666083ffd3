// Package session is the server's side of one STOMP connection: bytes and time in, events and bytes out.
//
// It speaks STOMP 1.0, 1.1 and 1.2 and knows every rule that needs no other connection: framing and its bounds, versions
// and their escapes, heart-beats, receipts, which deliveries an ACK covers, which transactions are open. What a
// destination means, who may use it and where a message goes is decided by its owner, who listens as a Handler and
// answers with commands (Accept, Done, Fail, Deliver, ...).
//
// Promises:
//   - Pure: no goroutines, no locks, no clock, no I/O. A Session has one owner at a time; it is not safe for concurrent use.
//   - The Handler is called synchronously, from Feed, Advance, Flush, Done, Fail, Lost and Disconnect only. It may give
//     commands from inside a call. It must not call Feed, Advance or Flush there.
//   - A RECEIPT is written after Done, and never before. An ERROR is the last frame, and comes after the receipts of what
//     was under way, as far as that is done within Limits.CloseTimeout.
//   - Each delivery that Deliver said to be held is reported exactly once, as part of a Settle or to Settled, at the
//     latest when the session ends.
//   - Memory is bounded by Limits before it is spent, whatever the peer sends, and an idle session holds no large buffer.
//
// Frames are read by the codec github.com/go-stomp/stomp/v3/frame. It bounds nothing, takes memory for whatever
// content-length says and lets undefined escapes pass, so it only gets frames that were scanned here and are whole. It
// always unescapes and escapes as STOMP 1.2 does; what a version does otherwise is done around it.
//
// Specifications: https://stomp.github.io/stomp-specification-1.2.html, -1.1.html and -1.0.html.
package session

import (
	"time"

	"github.com/go-stomp/stomp/v3/frame"
)

// A Handler hears what the client wants. The owner of the session implements it; see the package comment for when its
// methods run. Each request but Connect is answered with Done or Fail, now or later; what a request refers to is the
// Handler's to keep.
type Handler interface {
	// Connect is a valid CONNECT. Nothing else is read until Accept or Refuse, now or later.
	Connect(*Connect)
	Send(Send)
	Subscribe(Subscribe)
	Unsubscribe(Unsubscribe)
	Settle(Settle)
	Begin(Transacting)
	Commit(Transacting)
	Abort(Transacting)
	// Settled tells that the client will not acknowledge a delivery any more: token is the one given to Deliver.
	Settled(token any)
	// Fill is called when there is room for messages: the Handler gives them to Deliver as long as Room tells so.
	Fill()
	// Disconnected is the last call, made exactly once, after every held delivery has been reported. why is nil when the
	// client said goodbye or the connection was lost.
	Disconnected(why *Refusal)
}

// A Session is the state of one connection. Create it with New.
type Session struct {
	handler Handler
	limits  *Limits

	state   state
	version Version
	since   time.Time // when the connection was opened

	in    []byte // received and not yet parsed: a part of a frame, or more while the session is stalled
	scan  scan   // how far the first frame of in has been scanned
	codec *frame.Reader
	whole whole  // what codec reads from
	out   []byte // to be written

	beats heartBeats
	held  bool // by Hold

	requests map[Receipt]request // not answered yet
	receipt  Receipt             // of the newest request
	inflight int                 // octets of the bodies of requests

	name          string // of the session, in the ids of its deliveries
	subscriptions map[string]*Subscription
	numbered      map[uint64]*Subscription
	number        uint64 // of the newest subscription
	delivered     uint64 // number of the newest delivery
	transactions  map[string]*Transaction

	farewell farewell
}

// state is where the conversation stands. It only moves forward.
type state byte

const (
	fresh     state = iota // nothing but CONNECT is welcome
	deciding               // CONNECT was handed to the owner, who has not answered
	connected              // everything else is welcome
	leaving                // nothing is read any more; requests under way are still answered
	ended                  // what is left in out may still be flushed
)

// New starts a session for a connection that was opened at now. The limits are shared, not copied, and must not change.
func New(now time.Time, limits *Limits, h Handler) *Session {
	return &Session{handler: h, limits: limits, since: now, beats: heartBeats{heard: now}}
}

// Closed reports that the conversation is over and nothing is left to flush: the transport closes the connection.
func (s *Session) Closed() bool { return s.state == ended && !s.farewell.lingers && len(s.out) == 0 }

// Hold stops the reading of frames until Resume, for an owner that can take no more for a while.
func (s *Session) Hold() { s.held, s.beats.deaf = true, true }

// Resume ends Hold. Frames that wait are read in the next Feed or Advance, and Deadline asks for one at once.
func (s *Session) Resume() { s.held = false }

// Ready reports whether the transport should read more. While it is false, bytes that were already on their way may
// still be fed; they are kept, up to a bound.
func (s *Session) Ready() bool { return s.state == ended || !s.stalled() }

// Version is the agreed version; zero before CONNECT.
func (s *Session) Version() Version { return s.version }

// Connected reports that the client has been let in, and that neither side is leaving.
func (s *Session) Connected() bool { return s.state == connected }

// Lost tells that the connection ended without a goodbye. Nothing will be flushed any more.
func (s *Session) Lost() {
	s.farewell = farewell{}
	s.end()
	s.out = nil
}
