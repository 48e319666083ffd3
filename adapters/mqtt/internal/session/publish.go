package session

import "bytes"

// maximumQoS is the highest QoS that is spoken. It is announced in CONNACK and caps what SUBSCRIBE is granted; a QoS 2
// PUBLISH ends the session. The handshake of QoS 2 enters in three places: publish, Acknowledge and control.
const maximumQoS = 1

// A Publish is a message from the client. All slices are borrowed until the Handler returns.
type Publish struct {
	Receipt    Receipt // for Acknowledge
	PacketID   uint16  // of the client's own numbering; 0 with QoS 0. An id in flight that comes again is another publish
	QoS        byte
	Dup        bool // the client sends it again, possibly
	Retain     bool
	Topic      []byte // valid, without wildcards; an alias is already resolved
	Payload    []byte
	Properties Properties // empty before MQTT 5
}

// A Receipt names one incoming publish of this session, whatever its QoS.
type Receipt uint64

// incoming is a publish that is not answered, or whose PUBACK waits for the answer to an earlier one.
type incoming struct {
	size     uint32
	packetID uint16 // 0 for QoS 0, which has no PUBACK
	code     Reason
	known    bool // Acknowledge was called
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
	p.Receipt = s.take(p.PacketID, f.size)
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
	case p.QoS > maximumQoS: // [MQTT-3.2.2-11]
		return violation(QoSNotSupported, "the maximum is QoS 1")
	case p.Retain && !s.features.Retain: // [MQTT-3.2.2-14]
		return violation(RetainNotSupported, "RETAIN was announced as not available")
	case p.QoS > 0 && s.level == 5 && s.inflightQoS1 >= s.limits.MaxInflight: // [MQTT-3.3.4-9]
		return violation(ReceiveMaximumExceeded, "more QoS 1 publishes in flight than announced")
	}
	return nil
}

// resolve sets or looks up a topic alias (section 3.3.2.3.4), before anybody judges the topic.
func (s *Session) resolve(topic []byte, alias uint16) ([]byte, error) {
	if alias == 0 || int(alias) > s.limits.TopicAliasMaximum { // [MQTT-3.3.2-8] [MQTT-3.3.2-9]
		return nil, violation(TopicAliasInvalid, "alias 0 or above the maximum")
	}
	if len(topic) == 0 {
		if int(alias) > len(s.aliases) || s.aliases[alias-1] == nil {
			return nil, violation(ProtocolError, "topic alias that was never set")
		}
		return s.aliases[alias-1], nil
	}
	if err := s.topicName(topic); err != nil {
		return nil, err
	}
	for len(s.aliases) < int(alias) {
		s.aliases = append(s.aliases, nil)
	}
	if !bytes.Equal(s.aliases[alias-1], topic) {
		s.aliases[alias-1] = bytes.Clone(topic)
	}
	return topic, nil
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
func (s *Session) take(packetID uint16, size int) Receipt {
	s.inflight.push(incoming{size: uint32(size), packetID: packetID})
	s.inflightBytes += size
	if packetID != 0 {
		s.inflightQoS1++
	}
	return s.firstReceipt + Receipt(s.inflight.len()-1)
}

// Acknowledge answers the publish that the receipt names, with any QoS and in any order: it makes room in the window, and
// for QoS 1 it writes the PUBACK as soon as all earlier QoS 1 publishes have theirs [MQTT-4.6.0-2]. MQTT 3.1.1 has no place
// for a failure: its owner calls Disconnect instead. A receipt that was answered already, or that the session no longer
// waits for because it has ended, is ignored.
func (s *Session) Acknowledge(receipt Receipt, code Reason) {
	i := receipt - s.firstReceipt // a receipt before the first one gives a huge index
	if s.state == ended || i >= Receipt(s.inflight.len()) {
		return
	}
	p := s.inflight.at(int(i))
	if p.known {
		return
	}
	p.known, p.code = true, code
	s.inflightBytes -= int(p.size)
	s.writeAcks()
	for s.answered > 0 && s.inflight.at(0).known {
		s.inflight.pop()
		s.firstReceipt++
		s.answered--
	}
}

// writeAcks writes the PUBACKs whose turn has come. A QoS 0 publish holds nobody back.
func (s *Session) writeAcks() {
	for ; s.answered < s.inflight.len(); s.answered++ {
		p := s.inflight.at(s.answered)
		if p.packetID == 0 {
			continue
		}
		if !p.known {
			return
		}
		s.inflightQoS1--
		s.out = appendPuback(s.out, s.level, p.packetID, p.code)
	}
}
