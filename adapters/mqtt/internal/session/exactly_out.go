package session

import "slices"

// QoS 2, as the sender of publications (section 4.3.3): PUBREC settles one, and its id is in use until PUBCOMP.

// pubrel with the flags that its first byte must have [MQTT-3.6.1-1].
const pubrelFirst = pubrelPacket<<4 | 2

// pubrec reads PUBREC (section 3.5).
func (s *Session) pubrec(body []byte) error {
	id, code, err := s.acknowledgement(body)
	if err != nil {
		return err
	}
	u := s.awaited(id)
	switch {
	case u == nil && code.Failed():
	case u == nil && slices.Contains(s.released, id): // the client did not see PUBREL
		s.out = appendAck(s.out, s.level, pubrelFirst, id, Success)
	case u == nil:
		s.out = appendAck(s.out, s.level, pubrelFirst, id, PacketIDNotFound)
	case u.qos != 2:
		return violation(ProtocolError, "PUBREC of a QoS 1 message")
	case code.Failed(): // [MQTT-4.3.3-4]: the id is free
		if u.sent {
			s.waiting--
		}
		s.settle(u, id, code)
		s.handler.Completed(id)
	default:
		if !u.sent {
			s.waiting++
		}
		s.released = append(s.released, id)
		s.out = appendAck(s.out, s.level, pubrelFirst, id, Success)
		s.settle(u, id, code)
	}
	return nil
}

// pubcomp reads PUBCOMP (section 3.7). An id that nothing waits for is ignored.
func (s *Session) pubcomp(body []byte) error {
	id, _, err := s.acknowledgement(body)
	if err != nil {
		return err
	}
	i := slices.Index(s.released, id)
	if i < 0 {
		return nil
	}
	s.released = slices.Delete(s.released, i, i+1)
	s.waiting--
	s.handler.Completed(id)
	return nil
}
