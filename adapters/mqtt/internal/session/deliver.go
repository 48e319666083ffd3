package session

import (
	"math"
	"slices"
	"unicode/utf8"
)

// flushSize is how many bytes Flush aims at.
const flushSize = 64 << 10

// A Publication is a message for the client. The session keeps it, without copying what it refers to, until it is settled;
// its bytes are needed only until Flush has written them.
type Publication struct {
	Topic           string
	Payload         []byte
	QoS             byte
	Retain          bool
	Dup             bool       // it was sent to this client before, on an earlier connection
	Properties      Properties // left out before MQTT 5; Expiry is written as given, so deliver what Window lets out at once
	SubscriptionIDs []uint32   // of the subscriptions it matched; left out before MQTT 5
	Token           any        // comes back with Settled; a pointer costs no allocation
}

// Settlement is how a delivery ended.
type Settlement struct {
	Outcome  Outcome
	Reason   Reason // of the client's PUBACK or PUBREC
	PacketID uint16 // of what is Unacknowledged, for Resend on the client's next connection
	QoS      byte   // of what is not Written or Unsent
}

// Outcome is the kind of a Settlement.
type Outcome byte

// The ends that a delivery can come to.
const (
	// Written is the end of a QoS 0 publication: Flush has appended its bytes. It is reported within that Flush.
	Written Outcome = iota + 1
	// Acknowledged is a PUBACK or PUBREC with a success code.
	Acknowledged
	// Refused is a PUBACK or PUBREC with a failure code. The client will not take this message, however often it is sent.
	Refused
	// Unsent is a publication that the session ended before writing.
	Unsent
	// Unacknowledged is a publication of QoS 1 or 2 that was written, after which the session ended. The client may have it.
	Unacknowledged
)

// A Refusal is why Deliver did not take a publication. Nothing is remembered of it, and Settled is not called.
type Refusal byte

// The reasons to refuse a publication.
const (
	NotConnected     Refusal = iota + 1 // CONNECT is not accepted yet, or the session has ended
	PendingFull                         // Limits.MaxPending or MaxPendingBytes is reached; try again after a Settled
	TooLarge                            // for this client's Maximum Packet Size: drop it, as if delivered [MQTT-3.1.2-25]
	NotTransportable                    // MQTT has no form for it: topic, a text property, a length or the QoS
)

func (r Refusal) Error() string {
	switch r {
	case NotConnected:
		return "the session is not connected"
	case PendingFull:
		return "too many publications are waiting"
	case TooLarge:
		return "larger than the client's maximum packet size"
	case NotTransportable:
		return "the message has no form in MQTT"
	}
	return "refused"
}

// outgoing is a publication in waiting, measured.
type outgoing struct {
	Publication
	remaining  int    // the packet's remaining length
	properties int    // the length of its properties
	id         uint16 // what it was sent under before; 0 if it was not
	alias      uint16 // of its topic; 0 for none
}

// delivery is a publication of QoS 1 or 2 that the client has not acknowledged, or that waits for an older one to be.
type delivery struct {
	token any
	qos   byte
	sent  bool // on this connection
	done  bool
}

// Window is how many publications of QoS 1 or 2 would be written at once now: the room in the client's Receive Maximum
// [MQTT-3.3.4-9]. An owner that delivers no more than this keeps nothing waiting here.
func (s *Session) Window() int {
	if s.state != connected {
		return 0
	}
	return max(0, s.window-s.waiting-s.pending.len())
}

// Deliver takes a publication to write with the next Flush, in the order of the calls; QoS 1 and 2 wait for room in the
// client's Receive Maximum, and what comes behind waits with them. After nil, Settled is called exactly once with its token.
// After an error, which is a Refusal, it is not.
func (s *Session) Deliver(p Publication) error {
	o, err := s.prepare(p)
	if err != nil {
		return err
	}
	crowded := s.pendingBytes+o.remaining > s.limits.MaxPendingBytes && s.pending.len() > 0
	if crowded || s.pending.len() >= s.limits.MaxPending {
		return PendingFull
	}
	s.pendingBytes += o.remaining
	s.pending.push(o)
	return nil
}

// prepare judges and measures a publication.
func (s *Session) prepare(p Publication) (outgoing, error) {
	o := outgoing{Publication: p}
	switch {
	case s.state != connected:
		return o, NotConnected
	case !s.transportable(&p):
		return o, NotTransportable
	}
	o.measure(s.level)
	if o.remaining > maxRemaining || s.clientMaximum > 0 && o.size() > int(s.clientMaximum) { // [MQTT-3.1.2-24]
		return o, TooLarge
	}
	return o, nil
}

// transportable reports whether the fields fit their places. The message may come from any protocol, and one that is not
// well formed would make every subscriber close its connection. User properties are right by construction.
func (s *Session) transportable(p *Publication) bool {
	if p.QoS > 2 || len(p.Topic) == 0 || !sendableTopic(p.Topic) {
		return false
	}
	if s.level < 5 {
		return true
	}
	q := &p.Properties
	for _, id := range p.SubscriptionIDs {
		if id == 0 || id > maxRemaining {
			return false
		}
	}
	return len(q.CorrelationData) <= math.MaxUint16 &&
		len(q.ContentType) <= math.MaxUint16 && validText(q.ContentType) &&
		len(q.ResponseTopic) <= math.MaxUint16 && validText(q.ResponseTopic) && !hasWildcard(q.ResponseTopic)
}

func sendableTopic(topic string) bool {
	if len(topic) > math.MaxUint16 || !utf8.ValidString(topic) {
		return false
	}
	for i := range len(topic) {
		if b := topic[i]; b == 0 || b == '#' || b == '+' {
			return false
		}
	}
	return true
}

// Flush appends what is to be written and forgets it: control packets first, then publications, encoded straight into dst.
// It appends at most about 64 KiB and one packet; the caller repeats it until it appends nothing. QoS 0 publications are
// settled as Written on the way.
func (s *Session) Flush(dst []byte) []byte {
	start := len(dst)
	dst = append(dst, s.out...)
	if cap(s.out) > keptBuffer {
		s.out = nil
	}
	s.out = s.out[:0]
	for s.pending.len() > 0 && len(dst)-start < flushSize {
		o := s.pending.at(0)
		if o.QoS > 0 && !s.mayAwait() {
			break
		}
		qos, token := o.QoS, o.Token
		s.pendingBytes -= o.remaining
		s.abbreviate(o)
		dst = s.writePublication(dst, o)
		s.pending.pop()
		if qos == 0 {
			s.handler.Settled(token, Settlement{Outcome: Written})
		}
	}
	return dst
}

// writePublication encodes o. With QoS 1 it takes the next packet id, from the server's own numbering: the client's ids
// live in inflight and may well be the same numbers (section 2.2.1).
func (s *Session) writePublication(dst []byte, o *outgoing) []byte {
	switch {
	case o.QoS == 0:
		return appendPublish(dst, s.level, o, 0)
	case o.id != 0:
		return s.writeAgain(dst, o)
	}
	id := nextID(s.firstID, s.unacked.len())
	for slices.Contains(s.released, id) { // still in use, with nothing more to write
		s.unacked.push(delivery{done: true})
		id = nextID(id, 1)
	}
	s.unacked.push(delivery{token: o.Token, qos: o.QoS, sent: true})
	s.waiting++
	if o.QoS == 2 {
		s.handler.Sending(id)
	}
	return appendPublish(dst, s.level, o, id)
}

// mayAwait reports whether one more publication of QoS 1 or 2 may go out. A client that leaves one delivery unanswered
// while it answers the thousands after it has to wait too, for ids must not repeat and memory must not grow.
func (s *Session) mayAwait() bool {
	return s.waiting < s.window && s.unacked.len()+len(s.released) < min(4*s.window, math.MaxUint16)
}

// nextID is the packet id n places after id; 0 is not an id [MQTT-2.2.1-3].
func nextID(id uint16, n int) uint16 {
	return uint16((int(id)-1+n)%math.MaxUint16) + 1
}

// acknowledgement reads PUBACK, PUBREC, PUBREL or PUBCOMP (sections 3.4 to 3.7).
func (s *Session) acknowledgement(body []byte) (id uint16, code Reason, err error) {
	c := cursor{rest: body}
	id = c.uint16()
	if len(body) > 2 && s.level == 5 {
		code = Reason(c.byte())
	}
	if len(body) > 3 && s.level == 5 {
		var r received
		if err := c.properties(ackProperties, &r); err != nil {
			return 0, 0, err
		}
	}
	if c.bad || !c.empty() {
		return 0, 0, violation(MalformedPacket, "acknowledgement")
	}
	if id == 0 { // [MQTT-2.2.1-3]
		return 0, 0, violation(ProtocolError, "packet id 0")
	}
	return id, code, nil
}

// puback reads PUBACK. An id that nothing waits for is ignored: the client may answer twice.
func (s *Session) puback(body []byte) error {
	id, code, err := s.acknowledgement(body)
	if err != nil {
		return err
	}
	u := s.awaited(id)
	switch {
	case u == nil:
		return nil
	case u.qos != 1:
		return violation(ProtocolError, "PUBACK of a QoS 2 message")
	case u.sent:
		s.waiting--
	}
	s.settle(u, id, code)
	return nil
}

// awaited finds the publication with an id that the client has not acknowledged, or nil.
func (s *Session) awaited(id uint16) *delivery {
	i := (int(id) - int(s.firstID) + math.MaxUint16) % math.MaxUint16
	if i >= s.unacked.len() || s.unacked.at(i).done {
		return nil
	}
	return s.unacked.at(i)
}

// settle ends the delivery that the client has acknowledged.
func (s *Session) settle(u *delivery, id uint16, code Reason) {
	token, qos := u.token, u.qos
	*u = delivery{done: true}
	for s.unacked.len() > 0 && s.unacked.at(0).done {
		s.unacked.pop()
		s.firstID = nextID(s.firstID, 1)
	}
	outcome := Acknowledged
	if code.Failed() {
		outcome = Refused
	}
	s.handler.Settled(token, Settlement{Outcome: outcome, Reason: code, PacketID: id, QoS: qos})
}
