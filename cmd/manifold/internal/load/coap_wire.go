package load

import (
	"encoding/binary"
	"errors"
	"strings"

	"github.com/plgd-dev/go-coap/v3/message"
	"github.com/plgd-dev/go-coap/v3/message/codes"
)

// errCoAPCorrupt is for a datagram that is none of CoAP (RFC 7252 section 3).
var errCoAPCorrupt = errors.New("the server sent a datagram that is no CoAP message")

// The parts of a CoAP message that the driver changes or looks at (RFC 7252 section 3). Its tokens are the low bits of the
// number of a request, so that an answer says which one it is for.
const (
	coapCodeAt    = 1
	coapIDAt      = 2
	coapTokenAt   = 4
	coapTokenSize = 4
	coapMarker    = 0xFF
)

// coapHead is what stands before the options of a message.
type coapHead struct {
	kind  message.Type
	code  codes.Code
	id    uint16
	token uint32
	known bool // the token is as long as one of ours
}

// readCoAP takes the head of a message, and gives what follows.
func readCoAP(p []byte) (h coapHead, rest []byte, err error) {
	if len(p) < coapTokenAt || p[0]>>6 != 1 {
		return h, nil, errCoAPCorrupt
	}
	h = coapHead{kind: message.Type(p[0] >> 4 & 3), code: codes.Code(p[coapCodeAt]), id: binary.BigEndian.Uint16(p[coapIDAt:])}
	length := int(p[0] & 0x0F)
	if len(p) < coapTokenAt+length {
		return h, nil, errCoAPCorrupt
	}
	if h.known = length == coapTokenSize; h.known {
		h.token = binary.BigEndian.Uint32(p[coapTokenAt:])
	}
	return h, p[coapTokenAt+length:], nil
}

// isSuccess tells of an answer that it is of class 2.
func (h coapHead) isSuccess() bool { return h.code>>5 == 2 }

// appendCoAPEmpty appends a message without anything: an acknowledgement, or as a confirmable one a ping.
func appendCoAPEmpty(dst []byte, kind message.Type, id uint16) []byte {
	return append(dst, 1<<6|byte(kind)<<4, byte(codes.Empty), byte(id>>8), byte(id))
}

// appendCoAPRequest appends a confirmable request without a payload, whose id and token are still to be stamped.
func appendCoAPRequest(dst []byte, method codes.Code, path string, observes bool) []byte {
	var options message.Options
	if observes {
		options = append(options, message.Option{ID: message.Observe})
	}
	for level := range strings.SplitSeq(path, "/") {
		options = append(options, message.Option{ID: message.URIPath, Value: []byte(level)})
	}
	dst = append(dst, 1<<6|byte(message.Confirmable)<<4|coapTokenSize, byte(method), 0, 0)
	dst = append(dst, make([]byte, coapTokenSize)...)
	size, _ := options.Marshal(nil) // which says how much room it lacks
	at := len(dst)
	dst = append(dst, make([]byte, size)...)
	_, _ = options.Marshal(dst[at:])
	return dst
}

// stampCoAP gives a request its number.
func stampCoAP(p []byte, n uint64) {
	binary.BigEndian.PutUint16(p[coapIDAt:], uint16(n))
	binary.BigEndian.PutUint32(p[coapTokenAt:], uint32(n))
}

// coapPayload gives what stands behind the options of a message, and whether it has an Observe option.
func coapPayload(rest []byte) (payload []byte, observed bool, err error) {
	const most = 16
	options := make(message.Options, 0, most)
	n, err := options.Unmarshal(rest, message.CoapOptionDefs)
	if err != nil {
		return nil, false, errCoAPCorrupt
	}
	return rest[n:], options.HasOption(message.Observe), nil
}
