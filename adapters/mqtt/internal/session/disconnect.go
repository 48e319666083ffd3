package session

import (
	"errors"

	"github.com/mochi-mqtt/server/v2/packets"
)

// Disconnected is how a session ended.
type Disconnected struct {
	Reason Reason // of the client's DISCONNECT, of its violation, or the one the owner gave
	By     Party
	// Will reports that the will is to be published: there is one, the client was accepted, and it did not say a normal
	// goodbye [MQTT-3.1.2-8] [MQTT-3.14.4-3]. Its delay and the session's expiry count from now.
	Will bool
	// SessionExpiry is how many seconds the session state is to be kept, as agreed at last; NeverExpires is for ever.
	SessionExpiry uint32
	// Memory is what is to be remembered for the client's next connection as long as its session is kept.
	Memory Memory
}

// Party tells who ended a session.
type Party byte

// Who can end a session.
const (
	ByClient  Party = iota // it sent DISCONNECT
	ByServer               // the owner, or the session itself after a violation or a timeout
	ByNetwork              // the connection was lost
)

// disconnect reads DISCONNECT (section 3.14).
func (s *Session) disconnect(body []byte) error {
	d := Disconnected{By: ByClient}
	c := cursor{rest: body}
	if len(body) > 0 && s.level < 5 {
		return violation(MalformedPacket, "DISCONNECT with a body")
	}
	if len(body) > 0 {
		d.Reason = Reason(c.byte())
	}
	var r received
	if len(body) > 1 {
		if err := c.properties(disconnectProperties, &r); err != nil {
			return err
		}
	}
	if !c.empty() {
		return violation(MalformedPacket, "DISCONNECT")
	}
	if r.seen.has(propSessionExpiry) {
		if s.mortal && r.sessionExpiry > 0 { // [MQTT-3.14.2-2]
			return violation(ProtocolError, "session expiry that CONNECT did not ask for")
		}
		s.sessionExpiry = r.sessionExpiry
	}
	d.Will = d.Reason != Success
	s.end(d)
	return nil
}

// Disconnect ends the session from the owner's side. An MQTT 5 client is told why, older ones just see the end. What was
// written before is still flushed. A session that awaits the answer to CONNECT refuses it.
func (s *Session) Disconnect(n Notice) {
	switch s.state {
	case ended:
		return
	case deciding, challenging:
		s.RefuseConnect(n)
		return
	case connected:
		s.farewell(n)
	}
	s.end(Disconnected{Reason: n.Code, By: ByServer, Will: true})
}

// Lost tells that the connection ended without a goodbye. Nothing will be flushed any more.
func (s *Session) Lost() {
	s.end(Disconnected{Reason: UnspecifiedError, By: ByNetwork, Will: true})
	s.out = nil
}

// fail ends the session because of the client's violation, which it returns.
func (s *Session) fail(err error) error {
	var v *Violation
	if !errors.As(err, &v) {
		panic("session: an error that is not a violation: " + err.Error())
	}
	if s.state == connected {
		s.farewell(Notice{Code: v.Reason, Text: v.Detail})
	}
	s.end(Disconnected{Reason: v.Reason, By: ByServer, Will: true})
	return err
}

// farewell writes DISCONNECT, which a server may send since MQTT 5 [MQTT-3.14.0-1].
func (s *Session) farewell(n Notice) {
	if s.level < 5 {
		return
	}
	p := packets.Packet{ReasonCode: byte(n.Code)}
	p.FixedHeader.Type = packets.Disconnect
	s.writeNotice(&p, n)
}

// end is the last transition. It settles what is still open, oldest first.
func (s *Session) end(d Disconnected) {
	if s.state == ended {
		return
	}
	d.Will = d.Will && s.hasWill && s.state == connected
	d.SessionExpiry = s.sessionExpiry
	s.state = ended
	s.in, s.aliases, s.sentAliases = nil, nil, nil
	d.Memory = s.memory()
	s.inflight = ring[incoming]{}
	unacked, pending := s.unacked, s.pending
	s.unacked, s.pending = ring[delivery]{}, ring[outgoing]{}
	for i := range unacked.len() {
		if u := unacked.at(i); !u.done {
			id := nextID(s.firstID, i)
			s.handler.Settled(u.token, Settlement{Outcome: Unacknowledged, PacketID: id, QoS: u.qos})
		}
	}
	for i := range pending.len() {
		if o := pending.at(i); o.id == 0 { // the others are in unacked
			s.handler.Settled(o.Token, Settlement{Outcome: Unsent})
		}
	}
	s.handler.Disconnected(d)
}
