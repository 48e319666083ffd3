package session

// Memory is what a client and its server remember of each other from one connection to the next, besides what the owner
// does: subscriptions, and the messages that were Unacknowledged (section 4.1).
type Memory struct {
	Received    map[uint16]Exchange // QoS 2 publishes of the client that await PUBREL
	Released    []uint16            // ids of QoS 2 publications that await PUBCOMP, in the order of their PUBRECs
	NextReceipt Receipt             // above all that were given, so that a late Acknowledge hits no other publish
}

// memory is what the session has at its end. It gives it away.
func (s *Session) memory() Memory {
	m := Memory{Received: s.received, Released: s.released, NextReceipt: s.firstReceipt + Receipt(s.inflight.len())}
	s.received, s.released = nil, nil
	return m
}

// recall takes in what is remembered of earlier connections.
func (s *Session) recall(m Memory) {
	s.received, s.released, s.firstReceipt = m.Received, m.Released, m.NextReceipt
	s.waiting += len(m.Released)
}

// releaseAgain sends PUBREL for all ids that await PUBCOMP, in the order of the PUBRECs [MQTT-4.4.0-1] [MQTT-4.6.0-4].
func (s *Session) releaseAgain() {
	for _, id := range s.released {
		s.out = appendAck(s.out, s.level, pubrelFirst, id, Success)
	}
}

// Resend takes a publication that was Unacknowledged on the client's last connection, to be sent with the packet id that
// it had [MQTT-4.4.0-1]. The owner gives all of them, in their order, right after AcceptConnect. It answers as Deliver
// does, but is never PendingFull.
func (s *Session) Resend(id uint16, p Publication) error {
	o, err := s.prepare(p)
	if err != nil {
		return err
	}
	if s.unacked.len() == 0 {
		s.firstID = id
	}
	for nextID(s.firstID, s.unacked.len()) != id {
		s.unacked.push(delivery{done: true})
	}
	s.unacked.push(delivery{token: p.Token, qos: p.QoS})
	o.id = id
	s.pendingBytes += o.remaining
	s.pending.push(o)
	return nil
}

// writeAgain encodes a publication that was sent before, unless it has been answered in the meantime.
func (s *Session) writeAgain(dst []byte, o *outgoing) []byte {
	u := s.awaited(o.id)
	if u == nil {
		return dst
	}
	u.sent = true
	s.waiting++
	return appendPublish(dst, s.level, o, o.id)
}
