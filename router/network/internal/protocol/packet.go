package protocol

import (
	"errors"
	"fmt"

	"github.com/manifoldmq/manifold/router/amqp"
)

// opcodeProperty is the application property that names the kind of a message.
const opcodeProperty = "opcode"

// Packet is a message on its way between routers. It is a value and shares what it holds.
type Packet struct {
	To          string // its address
	Annotations Annotations
	Message     Message

	bare []byte // as it came from another router; nil for one that was made here
}

// VersionError says that a message is of a version that is not spoken here. It is of no further use.
type VersionError struct {
	Opcode Opcode
	Sender Sender
}

// Error implements error.
func (e *VersionError) Error() string {
	return fmt.Sprintf("inter-router %s: protocol version %d is newer than %d", e.Opcode, e.Sender.Version, Version)
}

// Mistakes of a packet as a whole.
var (
	errOrder   = errors.New("inter-router message: sections are out of order")
	errAddress = errors.New("inter-router message: no address")
	errOpcode  = errors.New("inter-router message: no opcode that is known")
)

// Parse reads an encoded message that came on a control link. It takes ownership of b. The error is a *VersionError, or
// says what is wrong; it never holds data of the peer beyond the opcode.
//
// Qpid Dispatch writes keys as symbols where the standard wants strings (section 3.2.5), so this takes both.
func Parse(b []byte) (Packet, error) {
	s, err := readSections(b)
	if err != nil {
		return Packet{}, err
	}
	annotations, err := ParseAnnotations(s.annotations)
	if err != nil {
		return Packet{}, fmt.Errorf("inter-router message: %w", err)
	}
	if s.to == "" {
		return Packet{}, errAddress
	}
	message, err := parseBody(s.opcode, s.body)
	if err != nil {
		return Packet{}, err
	}
	return Packet{To: s.to, Annotations: annotations, Message: message, bare: s.bare}, nil
}

// sections are the parts of an encoded message that count here, borrowed from it.
type sections struct {
	annotations amqp.MapView
	to          string
	opcode      Opcode
	body        amqp.MapView
	bare        []byte // from the properties to the end
}

func readSections(b []byte) (sections, error) {
	var s sections
	var last uint64
	d := amqp.NewDecoder(b)
	for d.Len() > 0 {
		start := d.Offset()
		descriptor := d.ReadDescriptor()
		if descriptor <= last && d.Err() == nil {
			return s, errOrder
		}
		if s.bare == nil && descriptor >= amqp.DescriptorProperties {
			s.bare = b[start:]
		}
		switch last = descriptor; descriptor {
		case amqp.DescriptorMessageAnnotations:
			s.annotations = d.ReadMap()
		case amqp.DescriptorProperties:
			s.to = readTo(&d)
		case amqp.DescriptorApplicationProperties:
			s.opcode = opcodeOf(d.ReadMap())
		case amqp.DescriptorValue:
			s.body = d.ReadMap()
		default:
			d.Check()
		}
	}
	if err := d.Err(); err != nil {
		return s, fmt.Errorf("inter-router message: %w", err)
	}
	return s, nil
}

// Append appends the packet as it goes on the wire. One that came from another router keeps its bare message.
func (p Packet) Append(dst []byte) []byte {
	dst = p.Annotations.Append(dst, amqp.MapView{})
	if p.bare != nil {
		return append(dst, p.bare...)
	}
	properties := amqp.Properties{To: p.To}
	dst = properties.Append(dst)
	application := amqp.BeginApplicationProperties(dst)
	application.String(opcodeProperty, string(p.Message.Opcode()))
	return appendBody(application.End(), p.Message)
}

// Through gives the packet as router sends it on.
func (p Packet) Through(router string) Packet {
	p.Annotations = p.Annotations.Through(router)
	return p
}

// readTo reads the address in the properties [AMQP 3.2.4], empty if there is none.
func readTo(d *amqp.Decoder) (to string) {
	fields := d.ReadList()
	for range amqp.PropertyTo {
		if fields.Next() {
			d.Skip()
		}
	}
	if fields.Next() {
		to = d.ReadString()
	}
	fields.End()
	return to
}

func opcodeOf(properties amqp.MapView) Opcode {
	value, _ := properties.Lookup(opcodeProperty)
	name, _ := text(value)
	return Opcode(name)
}
