package session

import (
	"bytes"
	"encoding/binary"
	"unicode/utf8"
)

// maxRemaining is the largest value of a Variable Byte Integer (section 1.5.5).
const maxRemaining = 268_435_455

// A cursor reads a packet field by field and borrows from it. After a field that is cut short or not well formed, bad is
// set and every further field is zero, so a caller asks once, at the end.
type cursor struct {
	rest []byte
	bad  bool
}

func (c *cursor) take(n int) []byte {
	if c.bad || n > len(c.rest) {
		c.bad = true
		return nil
	}
	b := c.rest[:n:n]
	c.rest = c.rest[n:]
	return b
}

func (c *cursor) byte() byte {
	if b := c.take(1); b != nil {
		return b[0]
	}
	return 0
}

func (c *cursor) uint16() uint16 {
	if b := c.take(2); b != nil {
		return binary.BigEndian.Uint16(b)
	}
	return 0
}

func (c *cursor) uint32() uint32 {
	if b := c.take(4); b != nil {
		return binary.BigEndian.Uint32(b)
	}
	return 0
}

// varint is a Variable Byte Integer in its shortest form [MQTT-1.5.5-1].
func (c *cursor) varint() uint32 {
	v, n, shortest := varint(c.rest)
	if n <= 0 || !shortest {
		c.bad = true
		return 0
	}
	c.take(n)
	return v
}

// binary is Binary Data (section 1.5.6); never nil when well formed.
func (c *cursor) binary() []byte { return c.take(int(c.uint16())) }

// text is a UTF-8 Encoded String without U+0000 [MQTT-1.5.4-1] [MQTT-1.5.4-2].
func (c *cursor) text() []byte {
	b := c.binary()
	if !validText(b) {
		c.bad = true
		return nil
	}
	return b
}

func (c *cursor) empty() bool { return len(c.rest) == 0 }

func validText(b []byte) bool { return utf8.Valid(b) && bytes.IndexByte(b, 0) < 0 }

// varint reads a Variable Byte Integer and tells how many bytes it has: 0 when b ends too early, -1 when it has more than
// four bytes.
func varint(b []byte) (v uint32, n int, shortest bool) {
	for i, x := range b {
		if i == 4 {
			return 0, -1, false
		}
		v |= uint32(x&0x7F) << (7 * i)
		if x < 0x80 {
			return v, i + 1, x != 0 || i == 0
		}
	}
	if len(b) >= 4 {
		return 0, -1, false
	}
	return 0, 0, false
}
