package session

import (
	"math"
	"unicode/utf8"
)

// flushSize is how many bytes Flush aims at.
const flushSize = 64 << 10

// A Publication is a message for the client. The session keeps it, without copying what it refers to, until it is settled;
// a QoS 1 publication's bytes are needed only until Flush has written them.
type Publication struct {
	Topic           string
	Payload         []byte
	QoS             byte // 0 or 1
	Retain          bool
	Dup             bool       // it was sent to this client before, on an earlier connection
	Properties      Properties // left out before MQTT 5; Expiry is written as given, so deliver what Window lets out at once
	SubscriptionIDs []uint32   // of the subscriptions it matched; left out before MQTT 5
	Token           any        // comes back with Settled; a pointer costs no allocation
}

// Settlement is how a delivery ended.
type Settlement struct {
	Outcome Outcome
	Reason  Reason // of the client's PUBACK
}

// Outcome is the kind of a Settlement.
type Outcome byte

// The ends that a delivery can come to.
const (
	// Written is the end of a QoS 0 publication: Flush has appended its bytes. It is reported within that Flush.
	Written Outcome = iota + 1
	// Acknowledged is a PUBACK with a success code.
	Acknowledged
	// Refused is a PUBACK with a failure code. The client will not take this message, however often it is sent.
	Refused
	// Unsent is a publication that the session ended before writing.
	Unsent
	// Unacknowledged is a QoS 1 publication that was written, after which the session ended. The client may have it.
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
	remaining  int // the packet's remaining length
	properties int // the length of its properties
}

// delivery is a QoS 1 publication that the client has not acknowledged, or that waits for an older one to be.
type delivery struct {
	token any
	done  bool
}

// Window is how many QoS 1 publications would be written at once now: the room in the client's Receive Maximum
// [MQTT-3.3.4-9]. An owner that delivers no more than this keeps nothing waiting here.
func (s *Session) Window() int {
	if s.state != connected {
		return 0
	}
	return max(0, s.window-s.waiting-s.pending.len())
}

// Deliver takes a publication to write with the next Flush, in the order of the calls; QoS 1 waits for room in the client's
// Receive Maximum, and what comes behind waits with it. After nil, Settled is called exactly once with its token. After an
// error, which is a Refusal, it is not.
func (s *Session) Deliver(p Publication) error {
	if s.state != connected {
		return NotConnected
	}
	if !s.transportable(&p) {
		return NotTransportable
	}
	o := outgoing{Publication: p}
	o.measure(s.level)
	size := 1 + varintSize(uint32(min(o.remaining, maxRemaining))) + o.remaining
	if o.remaining > maxRemaining || s.clientMaximum > 0 && size > int(s.clientMaximum) { // [MQTT-3.1.2-24]
		return TooLarge
	}
	crowded := s.pendingBytes+o.remaining > s.limits.MaxPendingBytes && s.pending.len() > 0
	if crowded || s.pending.len() >= s.limits.MaxPending {
		return PendingFull
	}
	s.pendingBytes += o.remaining
	s.pending.push(o)
	return nil
}

// transportable reports whether the fields fit their places. The message may come from any protocol, and one that is not
// well formed would make every subscriber close its connection. User properties are right by construction.
func (s *Session) transportable(p *Publication) bool {
	if p.QoS > maximumQoS || len(p.Topic) == 0 || !sendableTopic(p.Topic) {
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
		dst = s.writePublication(dst, o)
		s.pendingBytes -= o.remaining
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
	if o.QoS == 0 {
		return appendPublish(dst, s.level, o, 0)
	}
	id := nextID(s.firstID, s.unacked.len())
	s.unacked.push(delivery{token: o.Token})
	s.waiting++
	return appendPublish(dst, s.level, o, id)
}

// mayAwait reports whether one more QoS 1 publication may go out. A client that leaves one delivery unanswered while it
// answers the thousands after it has to wait too, for ids must not repeat and memory must not grow.
func (s *Session) mayAwait() bool {
	return s.waiting < s.window && s.unacked.len() < min(4*s.window, math.MaxUint16)
}

// nextID is the packet id n places after id; 0 is not an id [MQTT-2.2.1-3].
func nextID(id uint16, n int) uint16 {
	return uint16((int(id)-1+n)%math.MaxUint16) + 1
}

// puback reads PUBACK (section 3.4). An id that nothing waits for is ignored: the client may answer twice.
func (s *Session) puback(body []byte) error {
	c := cursor{rest: body}
	id, code := c.uint16(), Success
	if len(body) > 2 && s.level == 5 {
		code = Reason(c.byte())
	}
	if len(body) > 3 && s.level == 5 {
		var r received
		if err := c.properties(pubackProperties, &r); err != nil {
			return err
		}
	}
	if c.bad || !c.empty() {
		return violation(MalformedPacket, "PUBACK")
	}
	if id == 0 { // [MQTT-2.2.1-3]
		return violation(ProtocolError, "packet id 0")
	}
	i := (int(id) - int(s.firstID) + math.MaxUint16) % math.MaxUint16
	if i >= s.unacked.len() || s.unacked.at(i).done {
		return nil
	}
	token := s.unacked.at(i).token
	*s.unacked.at(i) = delivery{done: true}
	s.waiting--
	for s.unacked.len() > 0 && s.unacked.at(0).done {
		s.unacked.pop()
		s.firstID = nextID(s.firstID, 1)
	}
	outcome := Acknowledged
	if code.Failed() {
		outcome = Refused
	}
	s.handler.Settled(token, Settlement{Outcome: outcome, Reason: code})
	return nil
}
