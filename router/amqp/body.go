package amqp

import "iter"

// BodyKind says which sections the body of a message consists of [3.2].
type BodyKind uint8

const (
	BodyNone     BodyKind = iota // none at all
	BodyData                     // one or more data sections [3.2.6]
	BodySequence                 // one or more amqp-sequence sections [3.2.7]
	BodyValue                    // a single amqp-value section [3.2.8]
)

// String returns the name that the standard gives the section.
func (k BodyKind) String() string {
	switch k {
	case BodyData:
		return "data"
	case BodySequence:
		return "amqp-sequence"
	case BodyValue:
		return "amqp-value"
	default:
		return "none"
	}
}

// Body is the body of a message, borrowed from it.
type Body struct {
	kind     BodyKind
	sections []byte
}

// Body returns the body of m.
func (m Message) Body() Body {
	b := Body{sections: m.Sections().Body}
	if len(b.sections) == 0 {
		return b
	}
	switch descriptor, _ := nextSection(b.sections); descriptor {
	case DescriptorData:
		b.kind = BodyData
	case DescriptorSequence:
		b.kind = BodySequence
	default:
		b.kind = BodyValue
	}
	return b
}

// Kind tells which of the methods below has something to return.
func (b Body) Kind() BodyKind { return b.kind }

// Raw returns all body sections as they are encoded, borrowed.
func (b Body) Raw() []byte { return b.sections }

// Data yields the contents of the data sections one by one, borrowed [3.2.6].
func (b Body) Data() iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		if b.kind != BodyData {
			return
		}
		for v := range b.values {
			if !yield(v.contents()) {
				return
			}
		}
	}
}

// Sequences yields the lists of the amqp-sequence sections one by one [3.2.7].
func (b Body) Sequences() iter.Seq[List] {
	return func(yield func(List) bool) {
		if b.kind != BodySequence {
			return
		}
		for v := range b.values {
			list, _ := v.Value().(List)
			if !yield(list) {
				return
			}
		}
	}
}

// Value returns the value of the amqp-value section as it is encoded, nil for other kinds [3.2.8].
func (b Body) Value() RawValue {
	if b.kind != BodyValue {
		return nil
	}
	return sectionValue(b.sections)
}

// Payload returns the body as other protocols carry it: the data, or the one binary or string that is the value.
// More than one data section is joined in a copy, anything else is borrowed. No body is no data. text tells that it is
// UTF-8 text, ok is false for a sequence and for a value of another type.
func (b Body) Payload() (payload []byte, text, ok bool) {
	if b.kind == BodyData || b.kind == BodyNone {
		return b.joined(), false, true
	}
	value := b.Value()
	if octets, ok := value.Binary(); ok {
		return octets, false, true
	}
	if !value.Code().isString() {
		return nil, false, false
	}
	return value.contents(), true, true
}

// joined returns the contents of all data sections.
func (b Body) joined() []byte {
	var first, all []byte
	n := 0
	for data := range b.Data() {
		switch n++; n {
		case 1:
			first = data
		case 2:
			all = append(make([]byte, 0, len(b.sections)), first...)
			all = append(all, data...)
		default:
			all = append(all, data...)
		}
	}
	if n == 1 {
		return first
	}
	return all
}

// values yields the value of each body section.
func (b Body) values(yield func(RawValue) bool) {
	for rest := b.sections; len(rest) > 0; {
		_, n := nextSection(rest)
		if !yield(sectionValue(rest[:n:n])) {
			return
		}
		rest = rest[n:]
	}
}

// AppendData appends a data section [3.2.6].
func AppendData(dst, payload []byte) []byte {
	return AppendBinary(AppendDescriptor(dst, DescriptorData), payload)
}

// AppendValueString appends an amqp-value section with a string, which must be valid UTF-8 [3.2.8].
func AppendValueString(dst []byte, s string) []byte {
	return AppendString(AppendDescriptor(dst, DescriptorValue), s)
}

// AppendValue appends an amqp-value section [3.2.8]. The value must be as for [AppendAny].
func AppendValue(dst []byte, v any) ([]byte, error) {
	out, err := AppendAny(AppendDescriptor(dst, DescriptorValue), v)
	if err != nil {
		return dst, err
	}
	return out, nil
}

// AppendSequence appends an amqp-sequence section [3.2.7]. The values must be as for [AppendAny].
func AppendSequence(dst []byte, values List) ([]byte, error) {
	out, err := AppendList(AppendDescriptor(dst, DescriptorSequence), values)
	if err != nil {
		return dst, err
	}
	return out, nil
}
