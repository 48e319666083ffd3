package queue

import (
	"encoding/binary"
	"math/bits"
)

// padding lets a value be read as eight bytes wherever it begins; it follows the last column.
const padding = 8

// appendColumn adds a column to p: the width of its values in bits, the lowest of them, and how far each is above that.
// If all are equal, the width is 0 and there is no more.
func appendColumn(p []byte, values []uint64) []byte {
	low, high := values[0], values[0]
	for _, v := range values {
		low, high = min(low, v), max(high, v)
	}
	width := bits.Len64(high - low)
	if width > 56 {
		width = 64 // or a value could be spread over nine bytes
	}
	p = binary.AppendUvarint(append(p, byte(width)), low)
	if width == 0 {
		return p
	}
	rest, n := uint64(0), 0 // bits that do not fill a byte yet
	for _, v := range values {
		rest |= (v - low) << n
		for n += width; n >= 8; n -= 8 {
			p = append(p, byte(rest))
			rest >>= 8
		}
	}
	if n > 0 {
		p = append(p, byte(rest))
	}
	return p
}

// column reads a column.
type column struct {
	low   uint64
	width uint
	bits  []byte // and what follows them
}

// cutColumn gives the column of n values that p begins with, and what follows it.
func cutColumn(p []byte, n int) (column, []byte) {
	width := uint(p[0])
	low, size := binary.Uvarint(p[1:])
	p = p[1+size:]
	return column{low, width, p}, p[(n*int(width)+7)/8:]
}

func (c *column) at(i int) uint64 {
	if c.width == 0 {
		return c.low
	}
	bit := uint(i) * c.width
	return c.low + binary.LittleEndian.Uint64(c.bits[bit/8:])>>(bit%8)&(1<<c.width-1)
}
