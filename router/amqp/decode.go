package amqp

import (
	"encoding/binary"
	"fmt"
	"math"
	"unicode/utf8"
)

// MaxDepth is how many lists, maps, arrays and descriptors may enclose a value.
const MaxDepth = 32

// DecodeError says where and why bytes are not valid AMQP 1.0. To a peer it is amqp:decode-error [2.8.15].
type DecodeError struct {
	Offset int    // in the input of the decoder
	Reason string // lower case, constant or built from type names; never data of the peer
}

// Error implements error.
func (e *DecodeError) Error() string { return fmt.Sprintf("amqp: at octet %d: %s", e.Offset, e.Reason) }

// Decoder reads AMQP values from bytes, one after the other.
//
// The first mistake stops it: every later read returns a zero value, and [Decoder.Err] tells what it was. So a
// caller reads all it needs and asks for the error once. What it returns as []byte, [RawValue] or [MapView] points
// into the input.
type Decoder struct {
	buf   []byte
	off   int // next octet to read
	limit int // end of the innermost open list, or of the input
	depth int // levels that may still be opened
	err   *DecodeError
}

// NewDecoder returns a decoder of b.
func NewDecoder(b []byte) Decoder {
	return Decoder{buf: b, limit: len(b), depth: MaxDepth}
}

// Err returns the first mistake as a [*DecodeError], or nil.
func (d *Decoder) Err() error {
	if d.err == nil {
		return nil
	}
	return d.err
}

// Len returns how many octets are left in the innermost open list, or in the input.
func (d *Decoder) Len() int { return d.limit - d.off }

// Offset returns how many octets of the input have been read.
func (d *Decoder) Offset() int { return d.off }

// Peek returns the code of the next value without reading it. At the end of the input it is a code that no type has.
func (d *Decoder) Peek() Code {
	if d.off >= d.limit {
		return codeEnd
	}
	return Code(d.buf[d.off])
}

// ReadNull reads null if that is the next value, and reports whether it did [1.6.1].
func (d *Decoder) ReadNull() bool {
	if d.Peek() != CodeNull {
		return false
	}
	d.off++
	return true
}

// ReadBool reads a boolean in any of its three encodings [1.6.2].
func (d *Decoder) ReadBool() bool {
	switch c := d.constructor(); c {
	case CodeTrue:
		return true
	case CodeFalse:
		return false
	case CodeBoolean:
		return d.boolean()
	default:
		d.mismatch("boolean", c)
		return false
	}
}

// ReadUbyte reads a ubyte [1.6.3].
func (d *Decoder) ReadUbyte() uint8 {
	d.expect(CodeUbyte)
	return d.octet()
}

// ReadUshort reads a ushort [1.6.4].
func (d *Decoder) ReadUshort() uint16 {
	d.expect(CodeUshort)
	return d.two()
}

// ReadUint reads a uint in any of its encodings [1.6.5].
func (d *Decoder) ReadUint() uint32 {
	switch c := d.constructor(); c {
	case CodeUint0:
		return 0
	case CodeSmallUint:
		return uint32(d.octet())
	case CodeUint:
		return d.four()
	default:
		d.mismatch("uint", c)
		return 0
	}
}

// ReadUlong reads a ulong in any of its encodings [1.6.6].
func (d *Decoder) ReadUlong() uint64 {
	switch c := d.constructor(); c {
	case CodeUlong0:
		return 0
	case CodeSmallUlong:
		return uint64(d.octet())
	case CodeUlong:
		return d.eight()
	default:
		d.mismatch("ulong", c)
		return 0
	}
}

// ReadSignedByte reads a byte, which AMQP takes as signed [1.6.7]. The name ReadByte belongs to io.ByteReader.
func (d *Decoder) ReadSignedByte() int8 {
	d.expect(CodeByte)
	return int8(d.octet())
}

// ReadShort reads a short [1.6.8].
func (d *Decoder) ReadShort() int16 {
	d.expect(CodeShort)
	return int16(d.two())
}

// ReadInt reads an int in any of its encodings [1.6.9].
func (d *Decoder) ReadInt() int32 {
	switch c := d.constructor(); c {
	case CodeSmallInt:
		return int32(int8(d.octet()))
	case CodeInt:
		return int32(d.four())
	default:
		d.mismatch("int", c)
		return 0
	}
}

// ReadLong reads a long in any of its encodings [1.6.10].
func (d *Decoder) ReadLong() int64 {
	switch c := d.constructor(); c {
	case CodeSmallLong:
		return int64(int8(d.octet()))
	case CodeLong:
		return int64(d.eight())
	default:
		d.mismatch("long", c)
		return 0
	}
}

// ReadFloat reads a float [1.6.11].
func (d *Decoder) ReadFloat() float32 {
	d.expect(CodeFloat)
	return math.Float32frombits(d.four())
}

// ReadDouble reads a double [1.6.12].
func (d *Decoder) ReadDouble() float64 {
	d.expect(CodeDouble)
	return math.Float64frombits(d.eight())
}

// ReadDecimal32 reads a decimal32 [1.6.13].
func (d *Decoder) ReadDecimal32() Decimal32 {
	d.expect(CodeDecimal32)
	return Decimal32(d.four())
}

// ReadDecimal64 reads a decimal64 [1.6.14].
func (d *Decoder) ReadDecimal64() Decimal64 {
	d.expect(CodeDecimal64)
	return Decimal64(d.eight())
}

// ReadDecimal128 reads a decimal128 [1.6.15].
func (d *Decoder) ReadDecimal128() Decimal128 {
	d.expect(CodeDecimal128)
	return d.sixteen()
}

// ReadChar reads a char, which must be a Unicode code point [1.6.16].
func (d *Decoder) ReadChar() Char {
	d.expect(CodeChar)
	return d.char()
}

// ReadTimestamp reads a timestamp [1.6.17].
func (d *Decoder) ReadTimestamp() Timestamp {
	d.expect(CodeTimestamp)
	return Timestamp(d.eight())
}

// ReadUUID reads a uuid [1.6.18].
func (d *Decoder) ReadUUID() UUID {
	d.expect(CodeUUID)
	return d.sixteen()
}

// ReadBinary reads a binary, borrowed [1.6.19].
func (d *Decoder) ReadBinary() []byte {
	c := d.constructor()
	if !c.isBinary() {
		d.mismatch("binary", c)
		return nil
	}
	return d.variable(c)
}

// ReadString reads a string, which must be valid UTF-8 [1.6.20].
func (d *Decoder) ReadString() string { return string(d.ReadStringBytes()) }

// ReadStringBytes reads a string like [Decoder.ReadString], but borrowed.
func (d *Decoder) ReadStringBytes() []byte {
	c := d.constructor()
	if !c.isString() {
		d.mismatch("string", c)
		return nil
	}
	return d.utf8(c)
}

// ReadSymbol reads a symbol, which must be ASCII [1.6.21].
func (d *Decoder) ReadSymbol() Symbol { return Symbol(d.ReadSymbolBytes()) }

// ReadSymbolBytes reads a symbol like [Decoder.ReadSymbol], but borrowed.
func (d *Decoder) ReadSymbolBytes() []byte {
	c := d.constructor()
	if !c.isSymbol() {
		d.mismatch("symbol", c)
		return nil
	}
	return d.ascii(c)
}

// ReadSymbols reads a field marked multiple="true" [1.4]: null, one symbol, or an array of symbols.
func (d *Decoder) ReadSymbols() []Symbol {
	c := d.Peek()
	switch {
	case d.ReadNull():
		return nil
	case c.isSymbol():
		return []Symbol{d.ReadSymbol()}
	}
	a := d.ReadArray()
	if a.count > 0 && !a.code.isSymbol() {
		d.mismatch("symbol", a.code)
		return nil
	}
	var symbols []Symbol
	for v := range a.All() {
		if s, ok := v.(Symbol); ok {
			symbols = append(symbols, s)
		}
	}
	return symbols
}

// fail stops the decoder at its first mistake.
func (d *Decoder) fail(reason string) {
	if d.err == nil {
		d.err = &DecodeError{Offset: d.off, Reason: reason}
	}
	d.off = d.limit
}

func (d *Decoder) mismatch(want string, got Code) {
	if d.err == nil {
		d.fail("want " + want + ", found " + got.String())
	}
}

// constructor reads the code of the next value, or returns codeEnd at the end of the input.
func (d *Decoder) constructor() Code {
	c := d.Peek()
	if c != codeEnd {
		d.off++
	}
	return c
}

func (d *Decoder) expect(want Code) {
	if c := d.constructor(); c != want {
		d.mismatch(want.String(), c)
	}
}

// take reads n octets, or returns nil after a failure.
func (d *Decoder) take(n int) []byte {
	if uint(n) > uint(d.limit-d.off) {
		d.fail("value ends past the end of its frame or enclosing value")
		return nil
	}
	b := d.buf[d.off : d.off+n : d.off+n]
	d.off += n
	return b
}

func (d *Decoder) octet() uint8 {
	if b := d.take(1); b != nil {
		return b[0]
	}
	return 0
}

func (d *Decoder) two() uint16 {
	if b := d.take(2); b != nil {
		return binary.BigEndian.Uint16(b)
	}
	return 0
}

func (d *Decoder) four() uint32 {
	if b := d.take(4); b != nil {
		return binary.BigEndian.Uint32(b)
	}
	return 0
}

func (d *Decoder) eight() uint64 {
	if b := d.take(8); b != nil {
		return binary.BigEndian.Uint64(b)
	}
	return 0
}

func (d *Decoder) sixteen() (v [16]byte) {
	copy(v[:], d.take(16))
	return v
}

func (d *Decoder) boolean() bool {
	v := d.octet()
	if v > 1 {
		d.fail("boolean is neither 0 nor 1")
	}
	return v == 1
}

func (d *Decoder) char() Char {
	v := d.four()
	if v > utf8.MaxRune || !utf8.ValidRune(rune(v)) {
		d.fail("char is not a code point")
		return 0
	}
	return Char(v)
}

// size reads a size or a count for a value of code c. It is never negative, even where int has 32 bits.
func (d *Decoder) size(c Code) int {
	if !c.wide() {
		return int(d.octet())
	}
	n := d.four()
	if n > math.MaxInt32 {
		d.fail("size or count is beyond 2 GiB")
		return 0
	}
	return int(n)
}

func (d *Decoder) variable(c Code) []byte { return d.take(d.size(c)) }

func (d *Decoder) utf8(c Code) []byte {
	b := d.variable(c)
	if !utf8.Valid(b) {
		d.fail("string is not valid UTF-8")
		return nil
	}
	return b
}

func (d *Decoder) ascii(c Code) []byte {
	b := d.variable(c)
	for _, v := range b {
		if v >= utf8.RuneSelf {
			d.fail("symbol is not ASCII")
			return nil
		}
	}
	return b
}

// enter opens one more level of nesting; it fails when there is none left. leave must follow.
func (d *Decoder) enter() bool {
	if d.depth == 0 {
		d.fail("values are nested too deeply")
		return false
	}
	d.depth--
	return true
}

func (d *Decoder) leave() { d.depth++ }

// compound reads the size and count of a list or map of code c. It returns where the value ends and how many values
// it holds; each takes at least one octet, so the count cannot exceed the size.
func (d *Decoder) compound(c Code) (end, count int) {
	if c == CodeList0 {
		return d.off, 0
	}
	size := d.size(c)
	if uint(size) > uint(d.limit-d.off) {
		d.fail("value ends past the end of its frame or enclosing value")
		return d.off, 0
	}
	end = d.off + size
	if size == 0 || c.wide() && size < 4 {
		d.fail("size of a compound value leaves no room for its count")
		return d.off, 0
	}
	count = d.size(c)
	if count > end-d.off {
		d.fail("compound value has more elements than octets")
		return d.off, 0
	}
	return end, count
}
