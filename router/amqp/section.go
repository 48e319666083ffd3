package amqp

// Sections are the parts of a message [3.2] as they are encoded, each with its descriptor; nil where the message
// has none. They point into the message and must not be changed.
type Sections struct {
	Header                []byte // [3.2.1]
	DeliveryAnnotations   []byte // [3.2.2]
	MessageAnnotations    []byte // [3.2.3]
	Properties            []byte // [3.2.4]
	ApplicationProperties []byte // [3.2.5]
	Body                  []byte // all data [3.2.6] or sequence [3.2.7] sections, or the value section [3.2.8]
	Footer                []byte // [3.2.9]

	bare []byte
}

// Bare returns the bare message, from the properties to the end of the body: what must reach the receiver unchanged
// [3.2].
func (s Sections) Bare() []byte { return s.bare }

// Sections finds the sections of m. It allocates nothing.
func (m Message) Sections() Sections {
	var s Sections
	b := m.encoded
	bareStart, bareEnd, bodyStart := -1, 0, -1
	for off := 0; off < len(b); {
		descriptor, n := nextSection(b[off:])
		end := off + n
		section := b[off:end:end]
		switch descriptor {
		case DescriptorHeader:
			s.Header = section
		case DescriptorDeliveryAnnotations:
			s.DeliveryAnnotations = section
		case DescriptorMessageAnnotations:
			s.MessageAnnotations = section
		case DescriptorProperties:
			s.Properties = section
		case DescriptorApplicationProperties:
			s.ApplicationProperties = section
		case DescriptorFooter:
			s.Footer = section
		default:
			if bodyStart < 0 {
				bodyStart = off
			}
		}
		if descriptor >= DescriptorProperties && descriptor <= DescriptorValue {
			if bareStart < 0 {
				bareStart = off
			}
			bareEnd = end
		}
		off = end
	}
	if bodyStart >= 0 {
		s.Body = b[bodyStart:bareEnd:bareEnd]
	}
	if bareStart >= 0 {
		s.bare = b[bareStart:bareEnd:bareEnd]
	}
	return s
}

// nextSection returns the descriptor and the whole length of the section at the start of b, which has been checked.
func nextSection(b []byte) (descriptor uint64, n int) {
	start := 3
	if Code(b[1]) == CodeSmallUlong {
		descriptor = uint64(b[2])
	} else {
		d := NewDecoder(b)
		descriptor, start = d.ReadDescriptor(), d.off
	}
	return descriptor, start + encodedLen(b[start:], MaxDepth)
}

// sectionValue returns the value of a section without its descriptor; nil for no section.
func sectionValue(section []byte) RawValue {
	if len(section) == 0 {
		return nil
	}
	d := NewDecoder(section)
	d.ReadDescriptor()
	return RawValue(section[d.off:])
}
