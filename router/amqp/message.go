package amqp

// Message is one encoded AMQP 1.0 message, of message format 0 [3.2.16]. It is immutable and a value of one slice
// header, so that all deliveries of it share the same bytes. The zero Message is no message.
type Message struct{ encoded []byte }

// ParseMessage takes ownership of b, which must not be changed afterwards, and returns it as a message without
// copying. It makes sure that b is a sequence of sections in the order of [3.2], that each section is of the right shape,
// and that every value in it can be decoded. What it leaves to [Message.Header] and [Message.Properties] are the types
// of their fields. A message without a body is taken, against [3.2]: that is how JMS clients send one that has only
// properties. Errors are of type [*DecodeError].
func ParseMessage(b []byte) (Message, error) {
	d := NewDecoder(b)
	var last uint64
	for d.Len() > 0 {
		start := d.off
		descriptor := d.ReadDescriptor()
		if reason := misplaced(last, descriptor); reason != "" && d.err == nil {
			d.off = start
			d.fail(reason)
		}
		d.checkSection(descriptor)
		last = descriptor
	}
	if last == 0 {
		d.fail("message has no sections")
	}
	if d.err != nil {
		return Message{}, d.err
	}
	return Message{encoded: b}, nil
}

// misplaced says why a section must not follow the section last (0 at the start), or "".
func misplaced(last, next uint64) string {
	switch {
	case next < DescriptorHeader || next > DescriptorFooter:
		return "section is unknown"
	case next == last && next != DescriptorData && next != DescriptorSequence:
		return "section occurs twice"
	case isBody(last) && isBody(next) && next != last:
		return "body is of more than one kind"
	case next < last:
		return "section is out of order"
	default:
		return ""
	}
}

func isBody(descriptor uint64) bool {
	return descriptor == DescriptorData || descriptor == DescriptorSequence || descriptor == DescriptorValue
}

// checkSection moves past the value of a section.
func (d *Decoder) checkSection(descriptor uint64) {
	c := d.Peek()
	switch descriptor {
	case DescriptorHeader, DescriptorProperties, DescriptorSequence:
		if !c.isList() {
			d.mismatch("list", c)
		}
	case DescriptorDeliveryAnnotations, DescriptorMessageAnnotations, DescriptorFooter:
		if !c.isMap() {
			d.mismatch("map", c)
		}
	case DescriptorApplicationProperties:
		d.checkApplicationProperties()
		return
	case DescriptorData:
		if !c.isBinary() {
			d.mismatch("binary", c)
		}
	}
	d.Check()
}

// Bytes returns the encoded message, borrowed: it must not be changed.
func (m Message) Bytes() []byte { return m.encoded }

// Len returns the length of the encoded message.
func (m Message) Len() int { return len(m.encoded) }

// IsZero reports whether m is no message.
func (m Message) IsZero() bool { return m.encoded == nil }

// DeliveryAnnotations returns the annotations for the next hop only [3.2.2].
func (m Message) DeliveryAnnotations() MapView {
	return mapView(sectionValue(m.Sections().DeliveryAnnotations))
}

// MessageAnnotations returns the annotations that travel with the message [3.2.3].
func (m Message) MessageAnnotations() MapView {
	return mapView(sectionValue(m.Sections().MessageAnnotations))
}

// Footer returns what can only be told after the whole message, such as hashes [3.2.9].
func (m Message) Footer() MapView { return mapView(sectionValue(m.Sections().Footer)) }

// AppendRewritten appends m with another header and other annotations. The latter are whole sections as
// [BeginDeliveryAnnotations] and [BeginMessageAnnotations] build them or [Message.Sections] finds them, nil for none.
// The bare message and the footer are passed on byte for byte.
func (m Message) AppendRewritten(dst []byte, h Header, deliveryAnnotations, messageAnnotations []byte) []byte {
	s := m.Sections()
	dst = h.Append(dst)
	dst = append(dst, deliveryAnnotations...)
	dst = append(dst, messageAnnotations...)
	dst = append(dst, s.bare...)
	return append(dst, s.Footer...)
}

// WithHeader returns a copy of m with another header. Everything else is the same, byte for byte.
func (m Message) WithHeader(h Header) Message {
	const headerLen = 32 // more than any header takes
	rest := m.encoded[len(m.Sections().Header):]
	encoded := h.Append(make([]byte, 0, headerLen+len(rest)))
	return Message{encoded: append(encoded, rest...)}
}

// Trusted returns a message around bytes that need no check, because the Append functions of this package built them or
// because ParseMessage passed them before they went to disk. It takes ownership of b.
func Trusted(b []byte) Message { return Message{encoded: b} }
