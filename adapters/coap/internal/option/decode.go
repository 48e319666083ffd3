package option

import (
	"encoding/binary"
	"errors"
	"math"

	"github.com/plgd-dev/go-coap/v3/message"
)

// What is wrong with options that cannot be decoded.
var (
	ErrMalformed = errors.New("the options are malformed")
	ErrTooMany   = errors.New("the message has too many options")
)

const payloadMarker = 0xFF

// Decode takes apart what follows the token of a message: its options, appended to dst, and its payload. Both are parts
// of p. There may be at most so many options. See RFC 7252 section 3.1.
func Decode(dst message.Options, p []byte, most int) (options message.Options, payload []byte, err error) {
	number, count := 0, 0
	for len(p) > 0 {
		if p[0] == payloadMarker {
			// A marker that nothing follows is a format error (RFC 7252 section 3).
			if len(p) == 1 {
				return dst, nil, ErrMalformed
			}
			return dst, p[1:], nil
		}
		delta, length := int(p[0]>>4), int(p[0]&0x0F)
		p = p[1:]
		if delta, p, err = extend(delta, p); err != nil {
			return dst, nil, err
		}
		if length, p, err = extend(length, p); err != nil {
			return dst, nil, err
		}
		number += delta
		if number > math.MaxUint16 || length > len(p) {
			return dst, nil, ErrMalformed
		}
		if count++; count > most {
			return dst, nil, ErrTooMany
		}
		dst = append(dst, message.Option{ID: message.OptionID(number), Value: p[:length:length]})
		p = p[length:]
	}
	return dst, nil, nil
}

// extend gives the whole of a delta or length that starts with a nibble; 15 is reserved.
func extend(nibble int, p []byte) (n int, rest []byte, err error) {
	switch {
	case nibble < 13:
		return nibble, p, nil
	case nibble == 13 && len(p) >= 1:
		return int(p[0]) + 13, p[1:], nil
	case nibble == 14 && len(p) >= 2:
		return int(binary.BigEndian.Uint16(p)) + 269, p[2:], nil
	}
	return 0, nil, ErrMalformed
}
