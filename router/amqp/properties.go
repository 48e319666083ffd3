package amqp

import "fmt"

// Properties is the section of standard properties, part of the bare message [3.2.4].
// A field with the zero value of its type is absent.
type Properties struct {
	MessageID          any    // nil, uint64, UUID, []byte or string [3.2.11 to 3.2.14]
	UserID             []byte // who produced the message
	To                 string // address of the node that the message is meant for
	Subject            string
	ReplyTo            string // address of the node to send replies to
	CorrelationID      any    // types as MessageID
	ContentType        string // MIME type of the data sections
	ContentEncoding    string
	AbsoluteExpiryTime Timestamp
	CreationTime       Timestamp
	GroupID            string
	GroupSequence      uint32 // counts only if HasGroupSequence, as 0 is a position like any other
	HasGroupSequence   bool
	ReplyToGroupID     string
}

// Properties returns the properties section, or the zero value if the message has none. Binary fields are borrowed
// from m. The error is a [*DecodeError], if a field is of a wrong type.
func (m Message) Properties() (Properties, error) {
	var p Properties
	section := m.Sections().Properties
	if section == nil {
		return p, nil
	}
	d := NewDecoder(section)
	d.ReadDescriptor()
	fields := d.ReadList()
	p.readIdentity(&d, &fields)
	p.readContent(&d, &fields)
	p.readGroup(&d, &fields)
	fields.End()
	return p, d.Err()
}

func (p *Properties) readIdentity(d *Decoder, fields *ListReader) {
	if fields.Next() {
		p.MessageID = d.readMessageID()
	}
	if fields.Next() {
		p.UserID = d.ReadBinary()
	}
	if fields.Next() {
		p.To = d.ReadString()
	}
	if fields.Next() {
		p.Subject = d.ReadString()
	}
	if fields.Next() {
		p.ReplyTo = d.ReadString()
	}
	if fields.Next() {
		p.CorrelationID = d.readMessageID()
	}
}

func (p *Properties) readContent(d *Decoder, fields *ListReader) {
	if fields.Next() {
		p.ContentType = d.readMIME()
	}
	if fields.Next() {
		p.ContentEncoding = d.readMIME()
	}
	if fields.Next() {
		p.AbsoluteExpiryTime = d.ReadTimestamp()
	}
	if fields.Next() {
		p.CreationTime = d.ReadTimestamp()
	}
}

func (p *Properties) readGroup(d *Decoder, fields *ListReader) {
	if fields.Next() {
		p.GroupID = d.ReadString()
	}
	if fields.Next() {
		p.GroupSequence, p.HasGroupSequence = d.ReadUint(), true
	}
	if fields.Next() {
		p.ReplyToGroupID = d.ReadString()
	}
}

// readMessageID reads one of the four types that a message-id may have.
func (d *Decoder) readMessageID() any {
	switch c := d.Peek(); {
	case c == CodeUlong0, c == CodeSmallUlong, c == CodeUlong:
		return d.ReadUlong()
	case c == CodeUUID:
		return d.ReadUUID()
	case c.isBinary():
		return d.ReadBinary()
	case c.isString():
		return d.ReadString()
	default:
		d.mismatch("message-id", c)
		return nil
	}
}

// readMIME reads a symbol. A string is taken too: it cannot mean anything else, and refusing it would help nobody.
func (d *Decoder) readMIME() string {
	if d.Peek().isString() {
		return d.ReadString()
	}
	return string(d.ReadSymbolBytes())
}

// Append appends the properties section. Absent fields are left out. It panics if MessageID or CorrelationID is of
// a type that it must not have.
func (p *Properties) Append(dst []byte) []byte {
	fields := BeginList(AppendDescriptor(dst, DescriptorProperties))
	fields.Put(appendMessageID(fields.Buffer(), p.MessageID))
	fields.BinaryOrNull(p.UserID)
	fields.StringOrNull(p.To)
	fields.StringOrNull(p.Subject)
	fields.StringOrNull(p.ReplyTo)
	fields.Put(appendMessageID(fields.Buffer(), p.CorrelationID))
	fields.SymbolOrNull(Symbol(p.ContentType))
	fields.SymbolOrNull(Symbol(p.ContentEncoding))
	fields.TimestampOrNull(p.AbsoluteExpiryTime)
	fields.TimestampOrNull(p.CreationTime)
	fields.StringOrNull(p.GroupID)
	fields.UintOrNull(p.GroupSequence, p.HasGroupSequence)
	fields.StringOrNull(p.ReplyToGroupID)
	return fields.End()
}

func appendMessageID(dst []byte, id any) []byte {
	switch id := id.(type) {
	case nil:
		return AppendNull(dst)
	case uint64:
		return AppendUlong(dst, id)
	case UUID:
		return AppendUUID(dst, id)
	case []byte:
		return AppendBinary(dst, id)
	case string:
		return AppendString(dst, id)
	default:
		panic(fmt.Sprintf("amqp: message-id of Go type %T", id))
	}
}

// PropertyField names one field of the properties section, for [Message.Property].
type PropertyField int

// The fields of the properties section, in the order of [3.2.4].
const (
	PropertyMessageID PropertyField = iota
	PropertyUserID
	PropertyTo
	PropertySubject
	PropertyReplyTo
	PropertyCorrelationID
	PropertyContentType
	PropertyContentEncoding
	PropertyAbsoluteExpiryTime
	PropertyCreationTime
	PropertyGroupID
	PropertyGroupSequence
	PropertyReplyToGroupID
)

// Property returns one field of the properties section as it is encoded, nil if it is absent. It allocates nothing,
// so it is the way to look at a few fields of a message that is passing through. The type of the field is not
// checked.
func (m Message) Property(f PropertyField) RawValue {
	section := m.Sections().Properties
	if section == nil {
		return nil
	}
	d := NewDecoder(section)
	d.ReadDescriptor()
	fields := d.ReadList()
	for ; f > 0; f-- {
		if fields.Next() {
			d.Skip()
		}
	}
	if !fields.Next() {
		return nil
	}
	return nextRaw(d.buf[d.off:])
}
