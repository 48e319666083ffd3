package datagram

import (
	"encoding/binary"
	"errors"
	"slices"

	"github.com/plgd-dev/go-coap/v3/message"
	"github.com/plgd-dev/go-coap/v3/message/codes"
)

// header is what each message begins with (section 3).
type header struct {
	kind  message.Type
	code  codes.Code
	id    uint16
	token token
}

// token is a token as a value.
type token struct {
	length uint8
	value  [message.MaxTokenSize]byte
}

func tokenOf(p []byte) token {
	t := token{length: uint8(len(p))}
	copy(t.value[:], p)
	return t
}

func (t *token) bytes() message.Token { return t.value[:t.length] }

// headerSize is the fixed part of a header: version, type and token length; code; message id.
const headerSize = 4

var (
	errForeign   = errors.New("not a message of this version of CoAP")
	errMalformed = errors.New("the message is malformed")
)

// parse reads the header of a message. errForeign is for what must be ignored in silence; with errMalformed, type and
// message id are valid (section 3).
func parse(p []byte) (h header, rest []byte, err error) {
	if len(p) < headerSize || p[0]>>6 != 1 {
		return header{}, nil, errForeign
	}
	h = header{kind: message.Type(p[0] >> 4 & 3), code: codes.Code(p[1]), id: binary.BigEndian.Uint16(p[2:])}
	length := int(p[0] & 0x0F)
	switch {
	case length > message.MaxTokenSize || len(p) < headerSize+length:
		return h, nil, errMalformed
	case h.code == codes.Empty && len(p) > headerSize:
		// Section 4.1: an Empty message has nothing after its message id.
		return h, nil, errMalformed
	}
	h.token = tokenOf(p[headerSize : headerSize+length])
	return h, p[headerSize+length:], nil
}

// class is the first digit of a code: 0 for requests, 2, 4 and 5 for responses.
func class(c codes.Code) int { return int(c >> 5) }

func isSuccess(c codes.Code) bool { return class(c) == 2 }

// appendMessage appends a whole message. Its options are sorted by number.
func appendMessage(dst []byte, h header, options message.Options, payload []byte) []byte {
	dst = append(dst, 1<<6|byte(h.kind)<<4|h.token.length, byte(h.code), byte(h.id>>8), byte(h.id))
	dst = append(dst, h.token.bytes()...)
	n, err := options.Marshal(dst[len(dst):cap(dst)])
	if err != nil {
		dst = slices.Grow(dst, n)
		if n, err = options.Marshal(dst[len(dst):cap(dst)]); err != nil {
			panic("datagram: options that cannot be encoded: " + err.Error())
		}
	}
	dst = dst[:len(dst)+n]
	if len(payload) > 0 {
		dst = append(append(dst, 0xFF), payload...)
	}
	return dst
}
