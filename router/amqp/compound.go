package amqp

import (
	"encoding/binary"
	"math"
)

const (
	narrowHead = 3 // code, size and count of one octet each
	wideHead   = 9 // code, size and count of four octets each
)

// compound writes a list or a map whose size and count are not known before its end [1.6.22].
// It leaves room for the narrow form, which most values fit, and widens it at the end when it must.
type compound struct {
	dst   []byte
	start int // where the code is
	count int
}

// beginCompound starts a list or a map; narrow is the code of its form with sizes of one octet.
func beginCompound(dst []byte, narrow Code) compound {
	return compound{dst: append(dst, byte(narrow), 0, 0), start: len(dst)}
}

// add takes back the buffer with n more values appended.
func (c *compound) add(dst []byte, n int) {
	c.dst = dst
	c.count += n
}

// end fills in the size and the count and returns the buffer.
func (c *compound) end() []byte {
	head := c.dst[c.start:]
	size := len(head) - narrowHead
	switch narrow := Code(head[0]); {
	case c.count == 0 && narrow == CodeList8:
		head[0] = byte(CodeList0)
		return c.dst[:c.start+1]
	case size < math.MaxUint8 && c.count <= math.MaxUint8:
		head[1], head[2] = byte(size+1), byte(c.count) // the size counts the octet of the count too
		return c.dst
	default:
		c.dst = append(c.dst, make([]byte, wideHead-narrowHead)...)
		head = c.dst[c.start:]
		copy(head[wideHead:], head[narrowHead:])
		head[0] = byte(narrow | 0x10)
		binary.BigEndian.PutUint32(head[1:], uint32(size+4))
		binary.BigEndian.PutUint32(head[5:], uint32(c.count))
		return c.dst
	}
}
