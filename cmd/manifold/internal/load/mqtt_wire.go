package load

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// Packet types of MQTT 3.1.1, section 2.2.1, as the high four bits of the first byte.
const (
	packetConnect    = 0x10
	packetConnack    = 0x20
	packetPublish    = 0x30
	packetPuback     = 0x40
	packetSubscribe  = 0x82 // with the flags that section 3.8.1 demands
	packetSuback     = 0x90
	packetPingreq    = 0xC0
	packetPingresp   = 0xD0
	packetDisconnect = 0xE0

	typeMask = 0xF0
	qosShift = 1
	qosMask  = 0x03
)

var (
	errPacketTooLong = errors.New("packet is longer than any the load driver asked for")
	errPacketCorrupt = errors.New("packet does not follow MQTT 3.1.1")
	errNotMQTT       = errors.New("the answer to CONNECT is not one of MQTT 3.1.1; is this the server's MQTT port?")
)

// appendConnect encodes CONNECT (section 3.1) with a clean session and without keep-alive: an idle connection
// then stays silent for good.
func appendConnect(dst []byte, clientID, username, password string) []byte {
	const cleanSession, hasPassword, hasUsername = 0x02, 0x40, 0x80
	flags := byte(cleanSession)
	size := 10 + 2 + len(clientID)
	if username != "" {
		flags |= hasUsername | hasPassword
		size += 2 + len(username) + 2 + len(password)
	}
	dst = append(dst, packetConnect)
	dst = appendLength(dst, size)
	dst = appendString(dst, "MQTT")
	dst = append(dst, 4, flags, 0, 0)
	dst = appendString(dst, clientID)
	if username != "" {
		dst = appendString(dst, username)
		dst = appendString(dst, password)
	}
	return dst
}

// appendSubscribe encodes SUBSCRIBE (section 3.8) for filters, all with one QoS.
func appendSubscribe(dst []byte, id uint16, qos int, filters ...string) []byte {
	size := 2
	for _, f := range filters {
		size += 2 + len(f) + 1
	}
	dst = append(dst, packetSubscribe)
	dst = appendLength(dst, size)
	dst = binary.BigEndian.AppendUint16(dst, id)
	for _, f := range filters {
		dst = appendString(dst, f)
		dst = append(dst, byte(qos))
	}
	return dst
}

func appendPuback(dst []byte, id uint16) []byte {
	return append(dst, packetPuback, 2, byte(id>>8), byte(id))
}

func appendPingreq(dst []byte) []byte { return append(dst, packetPingreq, 0) }

func appendDisconnect(dst []byte) []byte { return append(dst, packetDisconnect, 0) }

func appendString(dst []byte, s string) []byte {
	dst = binary.BigEndian.AppendUint16(dst, uint16(len(s)))
	return append(dst, s...)
}

// appendLength encodes the remaining length, section 2.2.3.
func appendLength(dst []byte, n int) []byte {
	for n >= 0x80 {
		dst = append(dst, byte(n)|0x80)
		n >>= 7
	}
	return append(dst, byte(n))
}

// packet is one packet as it lies in a read buffer.
type packet struct {
	first byte   // type and flags
	body  []byte // variable header and payload, borrowed from the buffer
	size  int    // bytes of the whole packet; 0 while it is incomplete
}

// nextPacket finds the packet that starts at buf[0]. It looks at the fixed header only.
func nextPacket(buf []byte, maxSize int) (packet, error) {
	if len(buf) < 2 {
		return packet{}, nil
	}
	length, header := int(buf[1]), 2
	if length >= 0x80 {
		length = 0
		for shift := 0; ; shift += 7 {
			if shift == 28 {
				return packet{}, errPacketCorrupt
			}
			if header = 2 + shift/7; len(buf) < header {
				return packet{}, nil
			}
			b := buf[header-1]
			length |= int(b&0x7F) << shift
			if b < 0x80 {
				break
			}
		}
	}
	size := header + length
	if size > maxSize {
		return packet{}, errPacketTooLong
	}
	if len(buf) < size {
		return packet{}, nil
	}
	return packet{first: buf[0], body: buf[header:size], size: size}, nil
}

// publish takes a PUBLISH apart (section 3.3); id is 0 for QoS 0.
func (f packet) publish() (id uint16, payload []byte, err error) {
	if len(f.body) < 2 {
		return 0, nil, errPacketCorrupt
	}
	at := 2 + int(binary.BigEndian.Uint16(f.body))
	if f.first>>qosShift&qosMask != 0 {
		if len(f.body) < at+2 {
			return 0, nil, errPacketCorrupt
		}
		id = binary.BigEndian.Uint16(f.body[at:])
		at += 2
	}
	if len(f.body) < at {
		return 0, nil, errPacketCorrupt
	}
	return id, f.body[at:], nil
}

// packetID is the identifier that opens the body of PUBACK and SUBACK.
func (f packet) packetID() (uint16, error) {
	if len(f.body) < 2 {
		return 0, errPacketCorrupt
	}
	return binary.BigEndian.Uint16(f.body), nil
}

// connackError explains a CONNACK that is not a yes (section 3.2.2.3).
func (f packet) connackError() error {
	switch {
	case f.first&typeMask != packetConnack || len(f.body) != 2:
		return errNotMQTT
	case f.body[1] != 0:
		return fmt.Errorf("the server refused the connection with return code %d: %s", f.body[1], refusal(f.body[1]))
	}
	return nil
}

// refusal is what a return code of CONNACK means (section 3.2.2.3).
func refusal(code byte) string {
	switch code {
	case 1:
		return "unacceptable protocol version"
	case 2:
		return "client identifier rejected"
	case 3:
		return "server unavailable"
	case 4:
		return "bad user name or password"
	case 5:
		return "not authorized"
	}
	return "a code that MQTT 3.1.1 does not have"
}

// subackError explains a SUBACK that grants less than qos to any of the filters (section 3.9.3).
func (f packet) subackError(filters []string, qos int) error {
	if f.first&typeMask != packetSuback || len(f.body) != 2+len(filters) {
		return fmt.Errorf("answer to SUBSCRIBE has type %#x: %w", f.first, errPacketCorrupt)
	}
	const failure = 0x80
	for i, code := range f.body[2:] {
		switch {
		case code == failure:
			return fmt.Errorf("the server refused the subscription to %q (0x80)", filters[i])
		case int(code) != qos:
			return fmt.Errorf("the server granted QoS %d instead of %d for the subscription to %q", code, qos, filters[i])
		}
	}
	return nil
}
