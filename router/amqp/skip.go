package amqp

import "encoding/binary"

// maxZeroWidth bounds the elements of an array whose elements take no octets, such as an array of null: nothing else
// would relate their number to the length of the input.
const maxZeroWidth = 256

// Skip moves past the next value by its size alone, without looking inside it. Use [Decoder.Check] for a value that
// is read later by means that cannot report errors.
func (d *Decoder) Skip() {
	n := encodedLen(d.buf[d.off:d.limit], d.depth)
	if n < 0 {
		d.fail("value is cut off, nested too deeply or of an unknown type")
		return
	}
	d.off += n
}

// encodedLen returns the length of the value at the start of b judging by its code and size, or -1 if it is not all
// there.
func encodedLen(b []byte, depth int) int {
	if len(b) == 0 {
		return -1
	}
	n := 1
	switch c := Code(b[0]); {
	case c == CodeDescribed:
		return describedLen(b, depth)
	case !c.known():
		return -1
	case c < CodeBinary8:
		n += int(fixedWidths[c>>4-4])
	case !c.wide():
		if len(b) < 2 {
			return -1
		}
		n += 1 + int(b[1])
	default:
		if len(b) < 5 {
			return -1
		}
		size := binary.BigEndian.Uint32(b[1:])
		if uint64(size) > uint64(len(b)) {
			return -1
		}
		n += 4 + int(size)
	}
	if n > len(b) {
		return -1
	}
	return n
}

func describedLen(b []byte, depth int) int {
	if depth == 0 {
		return -1
	}
	descriptor := encodedLen(b[1:], depth-1)
	if descriptor < 0 {
		return -1
	}
	value := encodedLen(b[1+descriptor:], depth-1)
	if value < 0 {
		return -1
	}
	return 1 + descriptor + value
}

// Check moves past the next value and makes sure that it, and everything inside it, can be decoded.
func (d *Decoder) Check() { d.check(d.constructor()) }

// ReadRaw is [Decoder.Check] and returns the value as it is encoded, borrowed.
func (d *Decoder) ReadRaw() RawValue {
	start := d.off
	d.Check()
	if d.err != nil {
		return nil
	}
	return d.buf[start:d.off:d.off]
}

// check moves past the rest of a value of code c.
func (d *Decoder) check(c Code) {
	switch {
	case c == CodeDescribed:
		if d.enter() {
			d.check(d.constructor())
			d.check(d.constructor())
			d.leave()
		}
	case !c.known():
		d.mismatch("a value", c)
	case c == CodeBoolean:
		d.boolean()
	case c == CodeChar:
		d.char()
	case c.isList(), c.isMap():
		d.checkCompound(c)
	case c < CodeBinary8:
		d.take(int(fixedWidths[c>>4-4]))
	case c.isString():
		d.utf8(c)
	case c.isSymbol():
		d.ascii(c)
	case c.isBinary():
		d.variable(c)
	default:
		d.array(c)
	}
}

func (d *Decoder) checkCompound(c Code) {
	outer := d.limit
	count, ok := d.open(c)
	if !ok {
		return
	}
	for ; count > 0 && d.err == nil; count-- {
		d.Check()
	}
	d.close(outer)
}

// open reads the size and count of a list or map of code c and confines the decoder to it until close.
func (d *Decoder) open(c Code) (count int, ok bool) {
	if !d.enter() {
		return 0, false
	}
	end, count := d.compound(c)
	if d.err == nil && c.isMap() && count%2 != 0 {
		d.fail("map has a key without a value")
	}
	if d.err != nil {
		return 0, false
	}
	d.limit = end
	return count, true
}

// close ends what open began; outer is the limit from before.
func (d *Decoder) close(outer int) {
	if d.err == nil && d.off != d.limit {
		d.fail("list or map is longer than its values")
	}
	if d.err == nil {
		d.limit = outer
		d.leave()
	}
}
