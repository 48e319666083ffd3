package selector

import (
	"bytes"
	"cmp"
	"math"
)

// kind is what a value can be compared with.
type kind uint8

const (
	null        kind = iota
	boolean          // integer is 0 or 1
	exact            // a number in integer
	unsigned         // a number above the largest int64, its bits in integer
	approximate      // a number in float
	text             // octets
	opaque           // a value that nothing equals
)

// value is an operand: a literal or what a message has. Its octets are borrowed from either.
type value struct {
	kind    kind
	integer int64
	float   float64
	octets  []byte // of a text; also of an exact literal that may be a binary
}

func booleanOf(b bool) value {
	if b {
		return value{kind: boolean, integer: 1}
	}
	return value{kind: boolean}
}

func exactOf(n int64) value { return value{kind: exact, integer: n} }

func unsignedOf(n uint64) value {
	if n > math.MaxInt64 {
		return value{kind: unsigned, integer: int64(n)}
	}
	return exactOf(int64(n))
}

func approximateOf(f float64) value { return value{kind: approximate, float: f} }

func textOf(octets []byte) value { return value{kind: text, octets: octets} }

// isNumber reports whether v can be computed with and put in order.
func (v value) isNumber() bool { return v.kind == exact || v.kind == unsigned || v.kind == approximate }

// double gives a number as an approximate one.
func (v value) double() float64 {
	switch v.kind {
	case exact:
		return float64(v.integer)
	case unsigned:
		return float64(uint64(v.integer))
	default:
		return v.float
	}
}

// truth gives what v is as a condition.
func (v value) truth() truth {
	if v.kind != boolean {
		return unknown
	}
	return truthOf(v.integer != 0)
}

// ordering is how one number is to another. A number that is NaN is unordered with all.
type ordering uint8

const (
	below ordering = iota
	same
	above
	unordered
)

func (v value) compare(w value) ordering {
	switch {
	case v.kind == approximate || w.kind == approximate:
		return orderingOf(v.double(), w.double())
	case v.kind != w.kind: // one is above all that the other can be
		return orderingOf(v.kind, w.kind)
	case v.kind == unsigned:
		return orderingOf(uint64(v.integer), uint64(w.integer))
	default:
		return orderingOf(v.integer, w.integer)
	}
}

func orderingOf[T cmp.Ordered](a, b T) ordering {
	switch {
	case a < b:
		return below
	case a > b:
		return above
	case a == b:
		return same
	default:
		return unordered
	}
}

// isText reports whether v has octets to compare. An exact number has, if it was written as a binary may be.
func (v value) isText() bool { return v.kind == text || v.octets != nil }

// equal tells whether two values that are not both numbers are the same; alike is false if they cannot be.
func (v value) equal(w value) (equal, alike bool) {
	switch {
	case v.isText() && w.isText():
		return bytes.Equal(v.octets, w.octets), true
	case v.kind == boolean && w.kind == boolean:
		return v.integer == w.integer, true
	default:
		return false, false
	}
}
