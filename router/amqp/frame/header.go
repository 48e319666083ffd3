package frame

import (
	"encoding/binary"

	"github.com/manifoldmq/manifold/router/amqp"
)

// HeaderSize is the length of a frame's header without an extended one [2.3.1].
const HeaderSize = 8

// MinMaxSize is the frame size that every peer takes [2.8.19].
const MinMaxSize = 512

// Type says which layer a frame belongs to [2.3.1].
type Type uint8

// The types of frames.
const (
	AMQP Type = 0 // [2.3.2]
	SASL Type = 1 // [5.3.1]
)

// Header is what a frame begins with [2.3.1].
type Header struct {
	Size    uint32 // of the whole frame
	Body    int    // where the body begins, after an extended header that nobody uses
	Type    Type
	Channel uint16
}

// ReadHeader reads the header at the start of b, which holds at least HeaderSize octets. A size that leaves no room for
// the header is a mistake; how large a frame may be is for the caller to judge.
func ReadHeader(b []byte) (Header, error) {
	h := Header{
		Size:    binary.BigEndian.Uint32(b),
		Body:    4 * int(b[4]),
		Type:    Type(b[5]),
		Channel: binary.BigEndian.Uint16(b[6:]),
	}
	switch {
	case h.Body < HeaderSize:
		return h, &amqp.DecodeError{Offset: 4, Reason: "data offset points into the frame header"}
	case uint64(h.Size) < uint64(h.Body):
		return h, &amqp.DecodeError{Reason: "frame is smaller than its header"}
	case h.Type > SASL:
		return h, &amqp.DecodeError{Offset: 5, Reason: "frame type is unknown"}
	}
	return h, nil
}

// Start appends the header of a frame whose body follows. Finish must be called with the length that dst had before.
func Start(dst []byte, t Type, channel uint16) []byte {
	return append(dst, 0, 0, 0, 0, HeaderSize/4, byte(t), byte(channel>>8), byte(channel))
}

// Finish sets the size of the frame that begins at start and ends with dst.
func Finish(dst []byte, start int) []byte {
	binary.BigEndian.PutUint32(dst[start:], uint32(len(dst)-start))
	return dst
}

// ProtocolHeader is what each side sends before the frames of a layer [2.2].
type ProtocolHeader [8]byte

// The protocol headers of version 1.0.0.
var (
	ProtocolAMQP = ProtocolHeader{'A', 'M', 'Q', 'P', 0, 1, 0, 0}
	ProtocolTLS  = ProtocolHeader{'A', 'M', 'Q', 'P', 2, 1, 0, 0} // [5.2]
	ProtocolSASL = ProtocolHeader{'A', 'M', 'Q', 'P', 3, 1, 0, 0} // [5.3.2]
)
