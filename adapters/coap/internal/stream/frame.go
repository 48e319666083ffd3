package stream

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/plgd-dev/go-coap/v3/message"
	"github.com/plgd-dev/go-coap/v3/message/codes"
)

// A message starts with a length, which counts only its options and payload, then has its code and token (RFC 8323
// section 3.2):
//
//	Len (4 bits) | TKL (4 bits) | extended length (0, 1, 2 or 4 octets) | code | token | options | 0xFF payload
//
// The codec of go-coap is not used for it: it drops options that have to be refused, and encodes everything twice.
const (
	oneOctet    = 13 // the nibble that one octet of extended length follows, and the length that it starts from
	twoOctets   = 14
	fourOctets  = 15
	twoOffset   = 269
	fourOffset  = 65805
	longestHead = 1 + 4 + 1 + maxToken
)

var errMalformed = errors.New("the message is malformed")

// sizeError is of a message that is longer than it may be.
type sizeError struct{ size, limit uint64 }

func (e sizeError) Error() string {
	return fmt.Sprintf("a message of %d octets is above the Max-Message-Size of %d", e.size, e.limit)
}

// frame is one message, not taken apart further.
type frame struct {
	code  codes.Code
	token token
	rest  []byte // options and payload; a part of what was given to next
}

// next takes the message at the start of p. Its size is 0 while p does not hold all of it. A message that is longer
// than limit is refused as soon as its length is known.
func next(p []byte, limit int) (f frame, size int, err error) {
	if len(p) == 0 {
		return frame{}, 0, nil
	}
	extended, offset := 0, uint64(p[0]>>4)
	switch offset {
	case oneOctet:
		extended = 1
	case twoOctets:
		extended, offset = 2, twoOffset
	case fourOctets:
		extended, offset = 4, fourOffset
	}
	width := int(p[0] & 0x0F)
	if width > maxToken {
		return frame{}, 0, errMalformed
	}
	if len(p) < 1+extended {
		return frame{}, 0, nil
	}
	var wide [8]byte
	copy(wide[8-extended:], p[1:1+extended])
	head := 1 + extended + 1 + width
	whole := uint64(head) + offset + binary.BigEndian.Uint64(wide[:])
	if whole > uint64(limit) {
		return frame{}, 0, sizeError{whole, uint64(limit)}
	}
	size = int(whole)
	if len(p) < size {
		return frame{}, 0, nil
	}
	f = frame{code: codes.Code(p[1+extended]), token: tokenOf(p[head-width : head]), rest: p[head:size]}
	return f, size, nil
}

// outgoing is a message that waits to be written.
type outgoing struct {
	head     []byte // all of it that comes before the payload
	body     []byte
	token    token
	notifies bool // Notified has to be called once it is written
}

// overhead is what an outgoing message takes while it waits, beyond its octets.
const overhead = 96

// encode makes a message. The body is not copied. It fails when the options are not in order.
func encode(code codes.Code, t token, options message.Options, body []byte) (outgoing, error) {
	width, _ := options.Marshal(nil) // which tells the length along with an error that says that there is no room
	length, marker := max(width, 0), 0
	if len(body) > 0 {
		marker = 1
	}
	head := appendLength(make([]byte, 0, longestHead+length+marker), length+marker+len(body), t.n)
	head = append(append(head, byte(code)), t.bytes()...)
	n, err := options.Marshal(head[len(head):cap(head)])
	if err != nil {
		return outgoing{}, fmt.Errorf("the options of a message: %w", err)
	}
	head = head[:len(head)+n]
	if marker > 0 {
		head = append(head, 0xFF)
	}
	return outgoing{head: head, body: body, token: t}, nil
}

// appendLength appends what comes before the code.
func appendLength(dst []byte, length int, width byte) []byte {
	switch {
	case length < oneOctet:
		return append(dst, byte(length)<<4|width)
	case length < twoOffset:
		return append(dst, oneOctet<<4|width, byte(length-oneOctet))
	case length < fourOffset:
		return binary.BigEndian.AppendUint16(append(dst, twoOctets<<4|width), uint16(length-twoOffset))
	}
	return binary.BigEndian.AppendUint32(append(dst, fourOctets<<4|width), uint32(length-fourOffset))
}

func (o *outgoing) size() int { return len(o.head) + len(o.body) }

// maxToken is how long a token may be (RFC 8323 section 3.2).
const maxToken = 8

// token is a token by value, to be a key and to take no memory of its own.
type token struct {
	n uint8
	b [maxToken]byte
}

func tokenOf(p []byte) (t token) {
	t.n = uint8(copy(t.b[:], p))
	return t
}

func (t *token) bytes() []byte { return t.b[:t.n] }
