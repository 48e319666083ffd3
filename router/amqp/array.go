package amqp

import (
	"encoding/binary"
	"iter"
	"math"
)

// Array is a sequence of values of one type [1.6.24]. It stays encoded and is decoded as it is walked over, so it
// never takes more memory than its encoding. The zero Array is an empty array of null.
type Array struct {
	descriptors []byte // in front of the code, each behind its marker; usually none
	code        Code
	count       int
	elements    []byte
}

// Code returns the format code that all elements share.
func (a Array) Code() Code {
	if a.code == CodeDescribed {
		return CodeNull
	}
	return a.code
}

// Len returns the number of elements.
func (a Array) Len() int { return a.count }

// All yields the elements as [Decoder.ReadValue] would return them.
func (a Array) All() iter.Seq[any] {
	return func(yield func(any) bool) {
		d := NewDecoder(a.elements)
		for range a.count {
			v := a.describe(d.value(a.Code()))
			if d.err != nil || !yield(v) {
				return
			}
		}
	}
}

// describe puts the descriptors of the array in front of one element.
func (a Array) describe(v any) any {
	if len(a.descriptors) == 0 {
		return v
	}
	d := NewDecoder(a.descriptors[1:])
	descriptor := d.ReadValue()
	inner := Array{descriptors: a.descriptors[1+d.off:]}
	return Described{Descriptor: descriptor, Value: inner.describe(v)}
}

// ReadArray reads an array; its elements are borrowed [1.6.24].
func (d *Decoder) ReadArray() Array {
	c := d.constructor()
	if c != CodeArray8 && c != CodeArray32 {
		d.mismatch("array", c)
		return Array{}
	}
	return d.array(c)
}

// array reads the rest of an array of code c and checks its elements.
func (d *Decoder) array(c Code) (a Array) {
	if !d.enter() {
		return Array{}
	}
	body := d.variable(c)
	inner := Decoder{buf: d.buf, off: d.off - len(body), limit: d.off, depth: d.depth, err: d.err}
	a.count = inner.size(c)
	a.readConstructor(&inner)
	start := inner.off
	inner.checkElements(a.code, a.count)
	a.elements = inner.buf[start:inner.off]
	if inner.err == nil && inner.off != inner.limit {
		inner.fail("array is longer than its elements")
	}
	if inner.err != nil {
		d.err = inner.err
		d.off = d.limit
		return Array{}
	}
	d.leave()
	return a
}

// readConstructor reads the descriptors and the code that the elements share. An empty array may lack them.
func (a *Array) readConstructor(d *Decoder) {
	a.code = CodeNull
	if a.count == 0 && d.Len() == 0 {
		return
	}
	start := d.off
	levels := d.depth
	for d.Peek() == CodeDescribed {
		if !d.enter() {
			return
		}
		d.off++
		d.Check()
	}
	d.depth = levels
	a.descriptors = d.buf[start:d.off]
	if a.code = d.constructor(); !a.code.known() {
		d.mismatch("a type", a.code)
	}
}

// checkElements moves past count values of code c that stand without their code.
func (d *Decoder) checkElements(c Code, count int) {
	switch {
	case d.err != nil:
	case c>>4 == 0x4:
		if count > maxZeroWidth {
			d.fail("array has too many elements of no size")
		}
	case count > d.Len():
		d.fail("array has more elements than octets")
	case c < CodeBinary8 && c != CodeBoolean && c != CodeChar:
		d.take(count * int(fixedWidths[c>>4-4]))
	default:
		for ; count > 0 && d.err == nil; count-- {
			d.check(c)
		}
	}
}

// AppendArray appends an array in its smaller encoding [1.6.24].
func AppendArray(dst []byte, a Array) []byte {
	size := len(a.descriptors) + 1 + len(a.elements)
	if size < math.MaxUint8 && a.count <= math.MaxUint8 {
		dst = append(dst, byte(CodeArray8), byte(size+1), byte(a.count))
	} else {
		dst = append(dst, byte(CodeArray32))
		dst = binary.BigEndian.AppendUint32(dst, uint32(size+4))
		dst = binary.BigEndian.AppendUint32(dst, uint32(a.count))
	}
	dst = append(dst, a.descriptors...)
	return append(append(dst, byte(a.Code())), a.elements...)
}

// Element is a Go type of which [NewArray] makes an array.
type Element interface {
	bool | uint8 | uint16 | uint32 | uint64 | int8 | int16 | int32 | int64 | float32 | float64 |
		Decimal32 | Decimal64 | Decimal128 | Char | Timestamp | UUID | []byte | string | Symbol
}

// NewArray returns an array of values, encoded.
func NewArray[T Element](values ...T) Array {
	var zero T
	a := Array{code: elementCode(any(zero)), count: len(values)}
	for _, v := range values {
		if elementLen(any(v)) > math.MaxUint8 {
			a.code |= 0x10
			break
		}
	}
	for _, v := range values {
		a.elements = appendElement(a.elements, a.code, any(v))
	}
	return a
}

// elementCode returns the code that fits every value of v's type, except long variable ones.
func elementCode(v any) Code {
	switch v.(type) {
	case bool:
		return CodeBoolean
	case uint32:
		return CodeUint
	case uint64:
		return CodeUlong
	case int32:
		return CodeInt
	case int64:
		return CodeLong
	default:
		encoded, _ := appendScalar(nil, v)
		return Code(encoded[0])
	}
}

func elementLen(v any) int {
	switch v := v.(type) {
	case []byte:
		return len(v)
	case string:
		return len(v)
	case Symbol:
		return len(v)
	default:
		return 0
	}
}

// appendElement appends v without its code, in the form that code c has.
func appendElement(dst []byte, c Code, v any) []byte {
	switch v := v.(type) {
	case bool:
		if v {
			return append(dst, 1)
		}
		return append(dst, 0)
	case uint32:
		return binary.BigEndian.AppendUint32(dst, v)
	case int32:
		return binary.BigEndian.AppendUint32(dst, uint32(v))
	case uint64:
		return binary.BigEndian.AppendUint64(dst, v)
	case int64:
		return binary.BigEndian.AppendUint64(dst, uint64(v))
	case []byte:
		return append(appendSize(dst, c, len(v)), v...)
	case string:
		return append(appendSize(dst, c, len(v)), v...)
	case Symbol:
		return append(appendSize(dst, c, len(v)), v...)
	default:
		encoded, _ := appendScalar(nil, v)
		return append(dst, encoded[1:]...)
	}
}

func appendSize(dst []byte, c Code, n int) []byte {
	if c.wide() {
		return binary.BigEndian.AppendUint32(dst, uint32(n))
	}
	return append(dst, byte(n))
}
