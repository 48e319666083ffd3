package session

import (
	"bytes"
	"encoding/binary"

	"github.com/mochi-mqtt/server/v2/packets"
)

// write encodes a packet that is rare enough for the general codec. It reports false, and writes nothing, when the packet
// is larger than the client takes [MQTT-3.1.2-24].
func (s *Session) write(p *packets.Packet) bool {
	p.ProtocolVersion = s.level
	var b bytes.Buffer
	if err := encode(p, &b); err != nil {
		panic("session: a packet of ours has no encoding: " + err.Error())
	}
	if s.clientMaximum > 0 && b.Len() > int(s.clientMaximum) {
		return false
	}
	s.out = append(s.out, b.Bytes()...)
	return true
}

func encode(p *packets.Packet, b *bytes.Buffer) error {
	switch p.FixedHeader.Type {
	case packets.Connack:
		return p.ConnackEncode(b)
	case packets.Suback:
		return p.SubackEncode(b)
	case packets.Auth:
		return p.AuthEncode(b)
	case packets.Unsuback:
		return p.UnsubackEncode(b)
	default:
		return p.DisconnectEncode(b)
	}
}

// measure fills in the lengths that stand before the fields they count.
func (o *outgoing) measure(level byte) {
	o.remaining = 2 + len(o.Topic) + len(o.Payload)
	if o.QoS > 0 {
		o.remaining += 2
	}
	if level == 5 {
		o.properties = propertiesSize(&o.Properties, o.SubscriptionIDs)
		if o.alias > 0 {
			o.properties += 3
		}
		o.remaining += varintSize(uint32(min(o.properties, maxRemaining))) + o.properties
	}
}

// size is the length of the whole packet, once it is measured.
func (o *outgoing) size() int {
	return 1 + varintSize(uint32(min(o.remaining, maxRemaining))) + o.remaining
}

// appendPublish writes PUBLISH (section 3.3).
func appendPublish(dst []byte, level byte, o *outgoing, id uint16) []byte {
	first := byte(publishPacket<<4) | o.QoS<<1 | bit(o.Retain)
	if o.Dup && o.QoS > 0 { // [MQTT-3.3.1-2]
		first |= 8
	}
	dst = appendVarint(append(dst, first), uint32(o.remaining))
	dst = appendString(dst, o.Topic)
	if o.QoS > 0 {
		dst = binary.BigEndian.AppendUint16(dst, id)
	}
	if level == 5 {
		dst = appendVarint(dst, uint32(o.properties))
		if o.alias > 0 {
			dst = binary.BigEndian.AppendUint16(append(dst, propTopicAlias), o.alias)
		}
		dst = appendProperties(dst, &o.Properties, o.SubscriptionIDs)
	}
	return append(dst, o.Payload...)
}

// appendAck writes PUBACK, PUBREC, PUBREL or PUBCOMP (sections 3.4 to 3.7), whose first byte is given; the reason code is
// left out for success, as it may be, and before MQTT 5.
func appendAck(dst []byte, level, first byte, id uint16, code Reason) []byte {
	if level < 5 || code == Success {
		return append(dst, first, 2, byte(id>>8), byte(id))
	}
	return append(dst, first, 3, byte(id>>8), byte(id), byte(code))
}

func appendString(dst []byte, s string) []byte {
	return append(append(dst, byte(len(s)>>8), byte(len(s))), s...)
}

func appendBinary(dst []byte, b []byte) []byte {
	return append(append(dst, byte(len(b)>>8), byte(len(b))), b...)
}

// appendVarint writes a Variable Byte Integer (section 1.5.5).
func appendVarint(dst []byte, v uint32) []byte {
	for ; v >= 0x80; v >>= 7 {
		dst = append(dst, byte(v)|0x80)
	}
	return append(dst, byte(v))
}

func varintSize(v uint32) int {
	n := 1
	for ; v >= 0x80; v >>= 7 {
		n++
	}
	return n
}
