package session

import "bytes"

// A Publish is a message from the client. All slices are borrowed until the Handler returns.
type Publish struct {
	Receipt    Receipt // for Acknowledge
	PacketID   uint16  // of the client's own numbering; 0 with QoS 0. With QoS 1 an id in flight that comes again is another publish
	QoS        byte
	Dup        bool // the client sends it again, possibly
	Retain     bool
	Topic      []byte // valid, without wildcards; an alias is already resolved
	Payload    []byte
	Properties Properties // empty before MQTT 5
}

// A Receipt names one incoming publish of this session, whatever its QoS.
type Receipt uint64

// incoming is a publish that is not answered, or whose answer waits for that to an earlier one.
type incoming struct {
	size     uint32
	packetID uint16 // 0 for QoS 0, which has no answer
	qos      byte
	code     Reason
	known    bool   // Acknowledge was called
	text     string // why it is refused
}

// room reports whether the window takes another publish.
func (s *Session) room() bool {
	return s.inflight.len() < s.limits.MaxInflight && s.inflightBytes < s.limits.MaxInflightBytes
}

// publish handles a PUBLISH (section 3.3). It reports full, and has done nothing, when the packet must wait for room.
func (s *Session) publish(f frame, body []byte) (full bool, err error) {
	p := Publish{QoS: f.first >> 1 & 3, Dup: f.first&8 != 0, Retain: f.first&1 != 0}
	if err := s.publishable(&p); err != nil {
		return false, err
	}
	if !s.room() {
		return true, nil
	}
	c := cursor{rest: body}
	p.Topic = c.text()
	if p.QoS > 0 {
		p.PacketID = c.uint16()
	}
	if c.bad {
		return false, violation(MalformedPacket, "PUBLISH")
	}
	if p.QoS > 0 && p.PacketID == 0 { // [MQTT-2.2.1-3]
		return false, violation(ProtocolError, "packet id 0")
	}
	if s.level == 5 {
		var r received
		if err := c.properties(publishProperties, &r); err != nil {
			return false, err
		}
		p.Properties = r.Properties
		if r.seen.has(propTopicAlias) {
			if p.Topic, err = s.resolve(p.Topic, r.topicAlias); err != nil {
				return false, err
			}
		}
	}
	if err := s.topicName(p.Topic); err != nil {
		return false, err
	}
	p.Payload = c.rest
	if p.QoS == 2 && s.repeated(p.PacketID, f.size) {
		return false, nil
	}
	p.Receipt = s.take(p.PacketID, p.QoS, f.size)
	s.handler.Publish(p)
	return false, nil
}

// publishable judges a PUBLISH by its flags.
func (s *Session) publishable(p *Publish) error {
	switch {
	case p.QoS > 2: // [MQTT-3.3.1-4]
		return violation(MalformedPacket, "QoS 3")
	case p.QoS == 0 && p.Dup: // [MQTT-3.3.1-2]
		return violation(MalformedPacket, "DUP with QoS 0")
	case p.QoS > s.limits.MaxQoS: // [MQTT-3.2.2-11]
		return violation(QoSNotSupported, "above the maximum QoS")
	case p.Retain && !s.features.Retain: // [MQTT-3.2.2-14]
		return violation(RetainNotSupported, "RETAIN was announced as not available")
	case p.QoS > 0 && s.level == 5 && s.unanswered+s.uncompleted >= s.limits.MaxInflight: // [MQTT-3.3.4-9]
		return violation(ReceiveMaximumExceeded, "more publishes in flight than announced")
	}
	return nil
}

// topicName judges a topic name (section 4.7): not empty [MQTT-4.7.3-1], no wildcards [MQTT-3.3.2-2].
func (s *Session) topicName(topic []byte) error {
	switch {
	case len(topic) == 0:
		return violation(ProtocolError, "neither topic name nor alias")
	case len(topic) > s.limits.MaxTopicLength:
		return violation(TopicNameInvalid, "topic name is too long")
	case hasWildcard(topic):
		return violation(TopicNameInvalid, "wildcard in topic name")
	}
	return nil
}

func hasWildcard(topic []byte) bool {
	return bytes.IndexByte(topic, '#') >= 0 || bytes.IndexByte(topic, '+') >= 0
}

// take gives a publish its place in the window.
func (s *Session) take(packetID uint16, qos byte, size int) Receipt {
	s.inflight.push(incoming{size: uint32(size), packetID: packetID, qos: qos})
	s.inflightBytes += size
	if packetID != 0 {
		s.unanswered++
	}
	return s.firstReceipt + Receipt(s.inflight.len()-1)
}

// Acknowledge answers the publish that the receipt names, with any QoS and in any order: it makes room in the window, and
// for QoS 1 and 2 it writes PUBACK or PUBREC as soon as all earlier publishes have theirs [MQTT-4.6.0-2] [MQTT-4.6.0-3].
// MQTT 3.1.1 has no place for a failure: its owner calls Disconnect instead. A receipt that was answered already, or that
// the session no longer waits for because it has ended, is ignored. The text is the Reason String of a refusal, if any.
func (s *Session) Acknowledge(receipt Receipt, code Reason, text string) {
	i := receipt - s.firstReceipt // a receipt before the first one gives a huge index
	if s.state == ended || i >= Receipt(s.inflight.len()) {
		return
	}
	if p := s.inflight.at(int(i)); p.qos == 2 {
		s.Receive(p.packetID, code, text)
	} else {
		s.know(p, code, text)
		s.forgetAnswered()
	}
}

// know notes the answer to a publish and writes what may be written then.
func (s *Session) know(p *incoming, code Reason, text string) {
	if p.known {
		return
	}
	p.known, p.code, p.text = true, code, text
	s.inflightBytes -= int(p.size)
	s.writeAcks()
}

// forgetAnswered takes publishes whose answers are written out of the window.
func (s *Session) forgetAnswered() {
	for s.answered > 0 && s.inflight.at(0).known {
		s.inflight.pop()
		s.firstReceipt++
		s.answered--
	}
}

// writeAcks writes the PUBACKs and PUBRECs whose turn has come. A QoS 0 publish holds nobody back.
func (s *Session) writeAcks() {
	for ; s.answered < s.inflight.len(); s.answered++ {
		p := s.inflight.at(s.answered)
		if p.packetID == 0 {
			continue
		}
		if !p.known {
			return
		}
		s.unanswered--
		if p.qos == 1 {
			s.out = s.appendAnswer(s.out, pubackPacket<<4, p)
			continue
		}
		if !p.code.Failed() {
			s.uncompleted++
		}
		s.out = s.appendAnswer(s.out, pubrecPacket<<4, p)
	}
}
