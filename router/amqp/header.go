package amqp

// DefaultPriority is the priority of a message that does not say otherwise [3.2.1].
const DefaultPriority = 4

// Header is the section about the delivery of a message, which nodes on its way may change [3.2.1].
type Header struct {
	Durable       bool   // must survive a failure of the node that has taken responsibility for it
	Priority      uint8  // higher goes first; [DefaultPriority] if the sender gave none
	TTL           uint32 // milliseconds that the message lives for; 0 = for ever
	FirstAcquirer bool   // nobody has acquired it before
	DeliveryCount uint32 // unsuccessful attempts to deliver it
}

// Header returns the header section, or the defaults where the section or a field is missing. The error is a
// [*DecodeError], if a field is of a wrong type.
func (m Message) Header() (Header, error) {
	h := Header{Priority: DefaultPriority}
	if len(m.encoded) == 0 {
		return h, nil
	}
	descriptor, n := nextSection(m.encoded)
	if descriptor != DescriptorHeader {
		return h, nil
	}
	d := NewDecoder(m.encoded[:n])
	d.ReadDescriptor()
	fields := d.ReadList()
	if fields.Next() {
		h.Durable = d.ReadBool()
	}
	if fields.Next() {
		h.Priority = d.ReadUbyte()
	}
	if fields.Next() {
		h.TTL = d.ReadUint()
	}
	if fields.Next() {
		h.FirstAcquirer = d.ReadBool()
	}
	if fields.Next() {
		h.DeliveryCount = d.ReadUint()
	}
	fields.End()
	return h, d.Err()
}

// Append appends the header section. Fields that have their default value are left out.
func (h Header) Append(dst []byte) []byte {
	fields := BeginList(AppendDescriptor(dst, DescriptorHeader))
	fields.BoolOrNull(h.Durable)
	if h.Priority == DefaultPriority {
		fields.Null()
	} else {
		fields.Ubyte(h.Priority)
	}
	fields.UintOrNull(h.TTL, h.TTL != 0)
	fields.BoolOrNull(h.FirstAcquirer)
	fields.UintOrNull(h.DeliveryCount, h.DeliveryCount != 0)
	return fields.End()
}
