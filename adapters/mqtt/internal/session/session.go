// Package session is the server's side of one MQTT connection: bytes and time in, events and bytes out.
//
// It speaks MQTT 3.1, 3.1.1 and 5.0 and knows every rule that needs no other connection: framing, validation, limits,
// packet ids, topic aliases, flow control in both directions, keep-alive. What a topic means, who may use it and where a
// message goes is decided by its owner, who listens as a Handler and answers with commands (AcceptConnect, Acknowledge,
// SubAck, Deliver, ...).
//
// Promises:
//   - Pure: no goroutines, no locks, no clock, no I/O. A Session has one owner at a time; it is not safe for concurrent use.
//   - The Handler is called synchronously, from Feed, Advance, Flush, Lost and Disconnect only. It may give commands from
//     inside a call. It must not call Feed, Advance or Flush there.
//   - Byte slices handed to Publish, Subscribe and Unsubscribe are borrowed: valid until the Handler's method returns.
//   - PUBACKs and PUBRECs leave in the order of their PUBLISHes, whatever the order of Acknowledge [MQTT-4.6.0-2]
//     [MQTT-4.6.0-3].
//   - Packet ids of the two directions have nothing to do with each other. What outlives the connection, a Memory, is
//     handed out at its end and taken in again by AcceptConnect and Resend.
//   - Each Publication that Deliver took is settled exactly once, at the latest when the session ends.
//   - Memory is bounded by Limits, whatever the peer sends, and an idle session holds no buffers.
//
// What a client sends is decoded here, strictly and without a copy, since the general codec is lax and its strings share the
// network buffer. That codec writes the rare packets, and is the oracle that tests hold this package against.
//
// Specifications: https://docs.oasis-open.org/mqtt/mqtt/v5.0/os/mqtt-v5.0-os.html and
// https://docs.oasis-open.org/mqtt/mqtt/v3.1.1/os/mqtt-v3.1.1-os.html; numbers in brackets are their conformance statements.
package session

import "time"

// A Handler hears what the client wants. The owner of the session implements it; see the package comment for when its
// methods run and how long their arguments live.
type Handler interface {
	// Connect is a valid CONNECT. Nothing else is read until AcceptConnect or RefuseConnect, now or later.
	// The request is the Handler's to keep.
	Connect(*Connect)
	// Auth is the client's part of an enhanced authentication, in answer to a Challenge or to begin one anew. Before the
	// client is connected it is answered like Connect, after that with Authenticated or Disconnect; or with a Challenge.
	Auth(Auth)
	// Publish is an incoming message. It takes a place in the window until Acknowledge is called with its Receipt, or, with
	// QoS 2, Receive with its packet id. A QoS 2 publish that comes again before its Release is not told again.
	Publish(Publish)
	// Release is a PUBREL: the client will not send the QoS 2 publish of that id again. Answer with Complete when that is
	// remembered. known is false when nothing was received under that id.
	Release(packetID uint16, known bool)
	// Subscribe asks for subscriptions; answer with SubAck once they are live.
	Subscribe(Subscribe)
	// Unsubscribe asks to end subscriptions; answer with UnsubAck.
	Unsubscribe(Unsubscribe)
	// Settled tells how a delivery ended: token is the one given to Deliver.
	Settled(token any, s Settlement)
	// Sending tells that a QoS 2 publication goes out under an id, and Completed that the id is free again.
	Sending(packetID uint16)
	Completed(packetID uint16)
	// Disconnected is the last call, made exactly once per session, after every delivery has been settled.
	Disconnected(Disconnected)
}

// A Session is the state of one connection. Create it with New.
type Session struct {
	handler Handler
	limits  *Limits

	since    time.Time     // when the wait began that Deadline limits
	patience time.Duration // how long that wait may last; 0 is forever

	in  []byte // received and not yet parsed: an incomplete packet, or more while the session is stalled
	out []byte // control packets to write; publications stay in pending until Flush

	aliases      [][]byte          // topic of each alias the client has set, at alias-1
	sentAliases  map[string]uint16 // aliases that the client knows
	inflight     ring[incoming]    // publishes of the client, oldest first
	pending      ring[outgoing]    // publications to write, oldest first
	unacked      ring[delivery]    // publications of QoS 1 and 2 written, oldest first; ids count up from firstID
	released     []uint16          // ids of QoS 2 publications that await the client's PUBCOMP, in the order of its PUBRECs
	received     map[uint16]Exchange
	firstReceipt Receipt // of the front of inflight

	inflightBytes  int
	pendingBytes   int
	unanswered     int    // entries of inflight that await their PUBACK or PUBREC
	uncompleted    int    // QoS 2 publishes that got their PUBREC on this connection and await PUBCOMP
	answered       int    // entries at the front of inflight whose answer, if any, is written
	waiting        int    // publications written that await the client's PUBACK or PUBCOMP
	requests       int    // SUBSCRIBE and UNSUBSCRIBE packets awaiting the owner's answer
	window         int    // publications that the client takes unacknowledged
	authMethod     string // of enhanced authentication; empty without
	clientMaximum  uint32
	aliasMaximum   uint16 // how many aliases the client takes
	sessionExpiry  uint32
	keepAlive      uint16
	firstID        uint16 // packet id of the front of unacked
	level          byte   // protocol level of CONNECT: 3, 4 or 5; 0 before
	state          state
	features       Features
	hasWill        bool
	retainsWill    bool
	challenged     bool // the client is to answer with AUTH
	authenticating bool // an enhanced authentication is under way
	terse          bool // the client takes reason strings in CONNACK and DISCONNECT only
	held           bool // by Hold
	deaf           bool // the session stopped parsing: the client's silence is our doing
	mortal         bool // CONNECT asked for no session expiry, so DISCONNECT may not bring one
}

// state is where the conversation stands. It only moves forward; every change of it is in connect.go and disconnect.go.
type state byte

const (
	fresh       state = iota // nothing but CONNECT is welcome
	deciding                 // CONNECT, or the client's AUTH, was handed to the owner, who has not answered
	challenging              // nothing but AUTH and DISCONNECT is welcome
	connected                // CONNACK is on its way, everything else is welcome
	ended                    // nothing is read any more; what is left in out may still be flushed
)

// New starts a session for a connection that was opened at now. The limits are shared, not copied, and must not change.
func New(now time.Time, limits *Limits, h Handler) *Session {
	return &Session{handler: h, limits: limits, since: now, patience: limits.ConnectTimeout, firstID: 1}
}

// Closed reports that the conversation is over and nothing is left to flush: the transport closes the connection.
func (s *Session) Closed() bool { return s.state == ended && len(s.out) == 0 }

// Ready reports whether the transport should read more. While it is false, bytes that were already on their way may
// still be fed; they are kept, up to a bound.
func (s *Session) Ready() bool { return !s.stalled() && s.room() }

// Version is the client's protocol level: 3 for MQTT 3.1, 4 for 3.1.1, 5 for 5.0, and 0 before CONNECT.
func (s *Session) Version() byte { return s.level }

// Hold stops the reading of packets until Resume, for an owner that can take no more for a while. What the client sends
// behind a held PUBLISH waits too, its PUBACKs included.
func (s *Session) Hold() { s.held, s.deaf = true, true }

// Resume ends Hold. Packets that wait are parsed in the next Feed or Advance, and Deadline asks for one at once.
func (s *Session) Resume() { s.held = false }

// trim gives buffers back. A client that sends PINGREQ has been idle, so this is the time for it.
func (s *Session) trim() {
	if len(s.in) == 0 {
		s.in = nil
	}
	if len(s.out) == 0 && cap(s.out) > 64 {
		s.out = nil
	}
	s.inflight.trim()
	s.pending.trim()
	s.unacked.trim()
}
