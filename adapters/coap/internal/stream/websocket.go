package stream

import "math"

// Over a WebSocket each message of CoAP is one of the WebSocket, and its length is left out: Len is 0 (RFC 8323 section
// 4.2).

// AppendFramed appends a message of a WebSocket as a stream has it.
func AppendFramed(dst, message []byte) ([]byte, error) {
	if len(message) < 2 || message[0]>>4 != 0 {
		return dst, errMalformed
	}
	width := message[0] & 0x0F
	length := len(message) - 2 - int(width)
	if length < 0 {
		return dst, errMalformed
	}
	return append(appendLength(dst, length, width), message[1:]...), nil
}

// AppendUnframed appends the first message of a stream as a WebSocket has it, and gives what comes after that. There is
// none while p does not hold all of it: then rest is p.
func AppendUnframed(dst, p []byte) (message, rest []byte, err error) {
	f, size, err := next(p, math.MaxInt)
	if err != nil || size == 0 {
		return dst, p, err
	}
	dst = append(append(dst, f.token.n, byte(f.code)), f.token.bytes()...)
	return append(dst, f.rest...), p[size:], nil
}
