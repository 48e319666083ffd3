package session

import (
	"encoding/binary"
	"strings"
	"unicode/utf8"

	"github.com/mochi-mqtt/server/v2/packets"
)

// Notice is what a client is told when it is not let in, or when its session ends from the owner's side. Before MQTT 5
// there is a place for the code only, or for nothing.
type Notice struct {
	Code Reason
	Text string // the Reason String [3.2.2.3.9] [3.14.2.2.3]; empty for none
	// Server is where the client is to go instead, with UseAnotherServer or ServerMoved (section 4.11); empty for none.
	Server string
}

// maxReasonString bounds a Reason String in bytes. It is for people, and may repeat what the client has sent.
const maxReasonString = 256

// reasonString makes a text fit to be sent [MQTT-1.5.4-1] [MQTT-1.5.4-2].
func reasonString(text string) string {
	if len(text) > maxReasonString {
		text = text[:maxReasonString]
	}
	if utf8.ValidString(text) && strings.IndexByte(text, 0) < 0 {
		return text
	}
	return strings.ReplaceAll(strings.ToValidUTF8(text, ""), "\x00", "")
}

// writeNotice writes CONNACK or DISCONNECT.
func (s *Session) writeNotice(p *packets.Packet, n Notice) {
	p.Properties.ServerReference = n.Server
	if !s.writeExplained(p, n.Text) && n.Server != "" {
		p.Properties.ServerReference = ""
		s.writeExplained(p, n.Text)
	}
}

// writeExplained is write with a Reason String, which is left out when there is no room for it [MQTT-3.2.2-19]
// [MQTT-3.9.2-1] [MQTT-3.11.2-1] [MQTT-3.14.2-3].
func (s *Session) writeExplained(p *packets.Packet, text string) bool {
	p.Properties.ReasonString = reasonString(text)
	if s.write(p) {
		return true
	}
	if text == "" {
		return false
	}
	p.Properties.ReasonString = ""
	return s.write(p)
}

// appendAnswer writes the PUBACK or PUBREC of a publish, with the text if the client wants it [MQTT-3.1.2-29] and there is
// room for it [MQTT-3.4.2-2] [MQTT-3.5.2-2].
func (s *Session) appendAnswer(dst []byte, first byte, p *incoming) []byte {
	text := p.text
	if text == "" || s.level < 5 || s.terse || !p.code.Failed() {
		return appendAck(dst, s.level, first, p.packetID, p.code)
	}
	text = reasonString(text)
	properties := 3 + len(text)
	remaining := 3 + varintSize(uint32(properties)) + properties
	if size := 1 + varintSize(uint32(remaining)) + remaining; s.clientMaximum > 0 && size > int(s.clientMaximum) {
		return appendAck(dst, s.level, first, p.packetID, p.code)
	}
	dst = appendVarint(append(dst, first), uint32(remaining))
	dst = append(binary.BigEndian.AppendUint16(dst, p.packetID), byte(p.code))
	dst = append(appendVarint(dst, uint32(properties)), propReasonString)
	return appendString(dst, text)
}
