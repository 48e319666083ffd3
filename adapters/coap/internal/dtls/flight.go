package dtls

import (
	"encoding/binary"
)

// The messages of a handshake (RFC 5246 section 7.4, RFC 6347 section 4.3.2).
const (
	typeClientHello        byte = 1
	typeServerHello        byte = 2
	typeHelloVerifyRequest byte = 3
	typeCertificate        byte = 11
	typeServerKeyExchange  byte = 12
	typeCertificateRequest byte = 13
	typeServerHelloDone    byte = 14
	typeCertificateVerify  byte = 15
	typeClientKeyExchange  byte = 16
	typeFinished           byte = 20
)

const messageHeader = 12

// fragment is a part of a handshake message (RFC 6347 section 4.2.2).
type fragment struct {
	kind     byte
	sequence uint16
	length   int // of the whole message
	offset   int
	body     []byte // a part of the record
}

// nextFragment takes the first fragment off a record.
func nextFragment(p []byte) (f fragment, rest []byte, ok bool) {
	if len(p) < messageHeader {
		return fragment{}, nil, false
	}
	f = fragment{kind: p[0], sequence: binary.BigEndian.Uint16(p[4:]), length: uint24(p[1:]), offset: uint24(p[6:])}
	size := uint24(p[9:])
	if size > len(p)-messageHeader || f.offset+size > f.length {
		return fragment{}, nil, false
	}
	f.body = p[messageHeader : messageHeader+size]
	return f, p[messageHeader+size:], true
}

func uint24(p []byte) int { return int(p[0])<<16 | int(p[1])<<8 | int(p[2]) }

func appendUint24(dst []byte, n int) []byte { return append(dst, byte(n>>16), byte(n>>8), byte(n)) }

// appendMessage appends a whole message.
func appendMessage(dst []byte, kind byte, sequence uint16, body []byte) []byte {
	return appendFragment(dst, kind, sequence, len(body), 0, body)
}

func appendFragment(dst []byte, kind byte, sequence uint16, length, offset int, body []byte) []byte {
	dst = appendUint24(append(dst, kind), length)
	dst = binary.BigEndian.AppendUint16(dst, sequence)
	dst = appendUint24(appendUint24(dst, offset), len(body))
	return append(dst, body...)
}

// parcel is the content of a record of a flight, which gets a number of its own each time it is sent.
type parcel struct {
	kind      byte
	protected bool
	body      []byte
}

// say adds a message to the flight and to the transcript.
func (hs *handshake) say(kind byte, body []byte, maxDatagram int) {
	hs.transcript = appendMessage(hs.transcript, kind, hs.sent, body)
	protected := kind == typeFinished
	room := maxDatagram - recordHeader - messageHeader
	for offset := 0; offset == 0 || offset < len(body); offset += room {
		part := body[offset:min(offset+room, len(body))]
		hs.flight = append(hs.flight, parcel{kindHandshake, protected,
			appendFragment(nil, kind, hs.sent, len(body), offset, part)})
	}
	hs.sent++
}

// plain gives the number of our next record that is not encrypted.
func (hs *handshake) plain() uint64 {
	hs.records++
	return hs.records - 1
}

// sendFlight sends what was said last, for the first time or once more, in as few datagrams as it takes.
func (s *Server) sendFlight(peer *Session, h Handler) {
	hs := peer.handshake
	const overhead = recordHeader + 64 // of an encrypted record, at most
	out := s.out[:0]
	for _, p := range hs.flight {
		if len(out) > 0 && len(out)+overhead+len(p.body) > s.config.Limits.MaxDatagram {
			h.Send(peer.address, out)
			out = out[:0]
		}
		if p.protected {
			out = peer.seal(out, p.kind, p.body)
		} else {
			out = appendRecord(out, p.kind, version12, hs.plain(), p.body)
		}
	}
	if len(out) > 0 {
		h.Send(peer.address, out)
	}
	s.out = out[:0]
}
