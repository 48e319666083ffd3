package amqp

import (
	"encoding/hex"
	"time"
)

// Symbol is a name from a limited vocabulary, in ASCII [1.6.21].
type Symbol string

// Char is one Unicode code point [1.6.16].
type Char rune

// Timestamp is a moment in milliseconds since 1970-01-01T00:00:00Z [1.6.17].
type Timestamp int64

// TimestampOf returns t in the precision of AMQP.
func TimestampOf(t time.Time) Timestamp { return Timestamp(t.UnixMilli()) }

// Time returns the moment in UTC.
func (t Timestamp) Time() time.Time { return time.UnixMilli(int64(t)).UTC() }

// UUID is a universally unique identifier as RFC 4122 defines it [1.6.18].
type UUID [16]byte

// String returns the usual form with four hyphens, in lower case.
func (u UUID) String() string {
	s := make([]byte, 0, 36)
	for i, b := range u {
		if i == 4 || i == 6 || i == 8 || i == 10 {
			s = append(s, '-')
		}
		s = hex.AppendEncode(s, []byte{b})
	}
	return string(s)
}

// Decimal32 holds the bits of an IEEE 754-2008 decimal32 [1.6.13]. It is carried, not computed with.
type Decimal32 uint32

// Decimal64 holds the bits of an IEEE 754-2008 decimal64 [1.6.14]. It is carried, not computed with.
type Decimal64 uint64

// Decimal128 holds the bytes of an IEEE 754-2008 decimal128 [1.6.15], the most significant first.
type Decimal128 [16]byte

// List is a sequence of values of any types [1.6.22].
type List []any

// Map is a map in the order of its encoding [1.6.23]. AMQP calls a map with two equal keys invalid; see
// [Map.Duplicate].
type Map []Entry

// Entry is one key of a [Map] with its value.
type Entry struct {
	Key, Value any
}

// Get returns the value of the first entry whose key is a string or symbol with the text key.
func (m Map) Get(key string) (value any, ok bool) {
	for _, e := range m {
		switch k := e.Key.(type) {
		case string:
			ok = k == key
		case Symbol:
			ok = string(k) == key
		}
		if ok {
			return e.Value, true
		}
	}
	return nil, false
}

// Duplicate returns a key that occurs more than once. Keys that are lists, maps, arrays or described values are taken
// as different.
func (m Map) Duplicate() (key any, ok bool) {
	type binaryKey string // a binary differs from a string of the same bytes
	seen := make(map[any]struct{}, len(m))
	for _, e := range m {
		key := e.Key
		switch k := key.(type) {
		case []byte:
			key = binaryKey(k)
		case List, []any, Map, Array, Described, RawValue:
			continue
		}
		if _, ok := seen[key]; ok {
			return e.Key, true
		}
		seen[key] = struct{}{}
	}
	return nil, false
}

// Described is a value with a descriptor that gives it a meaning beyond its type [1.1.2].
type Described struct {
	Descriptor, Value any
}
