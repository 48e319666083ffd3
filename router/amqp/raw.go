package amqp

import "iter"

// RawValue is one value as it is encoded, borrowed from a message or a decoder that has checked it. Nil is no value.
type RawValue []byte

// Code returns the format code, or [CodeNull] for no value.
func (r RawValue) Code() Code {
	if len(r) == 0 {
		return CodeNull
	}
	return Code(r[0])
}

// Value decodes the value; see [Decoder.ReadValue] for the types. No value is nil.
func (r RawValue) Value() any {
	if len(r) == 0 {
		return nil
	}
	d := NewDecoder(r)
	return d.ReadValue()
}

// Text returns the characters of a string or symbol, borrowed; ok is false for other types.
func (r RawValue) Text() (text []byte, ok bool) {
	c := r.Code()
	if !c.isString() && !c.isSymbol() {
		return nil, false
	}
	return r.contents(), true
}

// Binary returns the octets of a binary, borrowed; ok is false for other types.
func (r RawValue) Binary() (octets []byte, ok bool) {
	if !r.Code().isBinary() {
		return nil, false
	}
	return r.contents(), true
}

// contents returns what follows the code and size of a variable value.
func (r RawValue) contents() []byte {
	if r.Code().wide() {
		return r[5:]
	}
	return r[2:]
}

// MapView is an encoded map, borrowed from a message or a decoder that has checked it [1.6.23].
// It is walked over in place. The zero MapView has no entries.
type MapView struct {
	entries []byte
	count   int // keys and values together
}

// ReadMap reads a map and checks everything in it.
func (d *Decoder) ReadMap() MapView {
	if c := d.Peek(); !c.isMap() {
		d.mismatch("map", c)
		return MapView{}
	}
	return mapView(d.ReadRaw())
}

// mapView returns the view of a checked map.
func mapView(r RawValue) MapView {
	if len(r) == 0 {
		return MapView{}
	}
	d := NewDecoder(r)
	_, count := d.compound(d.constructor())
	return MapView{entries: r[d.off:], count: count}
}

// Len returns the number of entries.
func (m MapView) Len() int { return m.count / 2 }

// All yields the entries in the order of their encoding.
func (m MapView) All() iter.Seq2[RawValue, RawValue] {
	return func(yield func(key, value RawValue) bool) {
		for rest := m.entries; len(rest) > 0; {
			key := nextRaw(rest)
			value := nextRaw(rest[len(key):])
			rest = rest[len(key)+len(value):]
			if !yield(key, value) {
				return
			}
		}
	}
}

// Lookup returns the value of the first entry whose key is a string or symbol with the text key.
func (m MapView) Lookup(key string) (value RawValue, ok bool) {
	for k, v := range m.All() {
		if text, ok := k.Text(); ok && string(text) == key {
			return v, true
		}
	}
	return nil, false
}

// nextRaw returns the value at the start of b, which has been checked.
func nextRaw(b []byte) RawValue {
	n := encodedLen(b, MaxDepth)
	return RawValue(b[:n:n])
}
