package amqp

// ParseHead gives the head of a message of which only the beginning is there: its sections from the header to the
// application properties [3.2], as a message without a body that shares the bytes of b; what follows it in b belongs to the
// body. It is false as long as the head is not all there, or when it is not valid, which [ParseMessage] tells once the
// message is whole.
func ParseHead(b []byte) (Message, bool) {
	var last uint64
	for off := 0; off < len(b); {
		d := NewDecoder(b[off:])
		descriptor := d.ReadDescriptor()
		if d.err != nil || misplaced(last, descriptor) != "" {
			return Message{}, false
		}
		if isBody(descriptor) {
			return Message{encoded: b[:off:off]}, true
		}
		if encodedLen(b[off+d.off:], MaxDepth) < 0 { // not all there: it need not be looked at
			return Message{}, false
		}
		d.checkSection(descriptor)
		if d.err != nil {
			return Message{}, false
		}
		last, off = descriptor, off+d.off
	}
	return Message{}, false
}
