//go:build interop

package interop

import "fmt"

// webSocketHello asks for a WebSocket (RFC 6455 section 4.1), in a subprotocol unless that is empty.
func webSocketHello(path, subprotocol string) []byte {
	hello := fmt.Appendf(nil, "GET %s HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"+
		"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n", path)
	if subprotocol != "" {
		hello = fmt.Appendf(hello, "Sec-WebSocket-Protocol: %s\r\n", subprotocol)
	}
	return append(hello, "\r\n"...)
}

// webSocketFrames cuts a text into messages of one or several frames, with control frames in between (RFC 6455 section 5).
func (m mutator) webSocketFrames(text []byte) (all []byte) {
	const text1, binary2, close8, ping9, pong10 = 1, 2, 8, 9, 10
	kind := pick[byte](m, text1, binary2)
	for begun := false; len(text) > 0; {
		n, last, code := 1+m.IntN(min(len(text), maxWebSocketFrame)), m.IntN(4) > 0, kind
		if begun {
			code = 0 // it continues
		}
		all = appendWebSocketFrame(all, code, last, text[:n])
		text, begun = text[n:], !last
		switch m.IntN(12) {
		case 0:
			all = appendWebSocketFrame(all, pick[byte](m, ping9, pong10), true, []byte("beat"))
		case 1:
			all = appendWebSocketFrame(all, pick[byte](m, close8, 3, 15), true, []byte{3, byte(m.IntN(256))})
		}
	}
	return all
}

// maxWebSocketFrame is the most that fits into a frame with a length of two bytes.
const maxWebSocketFrame = 1<<16 - 1

// appendWebSocketFrame appends a frame whose mask is zero, so that its payload can be read, and damaged, as it is.
func appendWebSocketFrame(dst []byte, code byte, last bool, payload []byte) []byte {
	const final, masked, twoBytes = 0x80, 0x80, 126
	if last {
		code |= final
	}
	n := len(payload)
	if n < twoBytes {
		dst = append(dst, code, masked|byte(n))
	} else {
		dst = append(dst, code, masked|twoBytes, byte(n>>8), byte(n))
	}
	return append(append(dst, 0, 0, 0, 0), payload...)
}
