package session

// QoS 2, as the receiver of the client's publishes (section 4.3.3). The packet id of a publish that the owner has taken is
// remembered until PUBREL, so that the same publish, sent again, is answered again and not taken twice.

// Exchange is a QoS 2 publish of the client that was handed to the owner, until its PUBREL.
type Exchange struct {
	Code     Reason // of its PUBREC
	Answered bool   // the owner has said what became of it
}

// repeated takes a QoS 2 publish whose id was seen before: it gets the same answer, when there is one.
func (s *Session) repeated(id uint16, size int) bool {
	e, ok := s.received[id]
	if !ok {
		if s.received == nil {
			s.received = make(map[uint16]Exchange)
		}
		s.received[id] = Exchange{}
		return false
	}
	if !e.Answered && s.unansweredPublish(id) != nil {
		return true // sent twice on one connection: one answer is enough
	}
	s.take(id, 2, size)
	if e.Answered {
		s.know(s.inflight.at(s.inflight.len()-1), e.Code, "")
		s.forgetAnswered()
	}
	return true
}

// unansweredPublish finds the QoS 2 publish with an id that waits for the owner's answer on this connection, or nil.
func (s *Session) unansweredPublish(id uint16) *incoming {
	for i := s.answered; i < s.inflight.len(); i++ {
		if p := s.inflight.at(i); p.qos == 2 && p.packetID == id && !p.known {
			return p
		}
	}
	return nil
}

// Receive answers a QoS 2 publish by its packet id; it may have come over an earlier connection of the client. After a
// success the id is remembered until PUBREL, a failure ends the exchange [MQTT-4.3.3-9]. Before MQTT 5 a failure cannot be
// told: there is no answer, and the owner ends the connection. An id that waits for no answer is ignored. The text is the
// Reason String of a failure, if any.
func (s *Session) Receive(packetID uint16, code Reason, text string) {
	e, ok := s.received[packetID]
	if s.state == ended || !ok || e.Answered {
		return
	}
	if code.Failed() {
		delete(s.received, packetID)
	} else {
		s.received[packetID] = Exchange{Code: code, Answered: true}
	}
	if s.level < 5 && code.Failed() {
		return
	}
	if p := s.unansweredPublish(packetID); p != nil {
		s.know(p, code, text)
		s.forgetAnswered()
	}
}

// pubrel reads PUBREL (section 3.6).
func (s *Session) pubrel(body []byte) error {
	id, _, err := s.acknowledgement(body)
	if err != nil {
		return err
	}
	e, known := s.received[id]
	if known && !e.Answered {
		return violation(ProtocolError, "PUBREL before PUBREC")
	}
	delete(s.received, id)
	s.handler.Release(id, known)
	return nil
}

// Complete answers a Release with PUBCOMP (section 3.7). An id that was not known gets the code that says so, which is no
// error when both sides have come back from a lost connection.
func (s *Session) Complete(packetID uint16, known bool) {
	if s.state != connected {
		return
	}
	code := Success
	if !known {
		code = PacketIDNotFound
	} else if s.uncompleted > 0 {
		s.uncompleted--
	}
	s.out = appendAck(s.out, s.level, pubcompPacket<<4, packetID, code)
}
