package amqp

// Descriptors of the types that AMQP 1.0 itself defines. Each also has a symbolic name; see [Decoder.ReadDescriptor].
const (
	DescriptorOpen        uint64 = 0x10 // performatives [2.7]
	DescriptorBegin       uint64 = 0x11
	DescriptorAttach      uint64 = 0x12
	DescriptorFlow        uint64 = 0x13
	DescriptorTransfer    uint64 = 0x14
	DescriptorDisposition uint64 = 0x15
	DescriptorDetach      uint64 = 0x16
	DescriptorEnd         uint64 = 0x17
	DescriptorClose       uint64 = 0x18
	DescriptorError       uint64 = 0x1d // [2.8.14]

	DescriptorReceived uint64 = 0x23 // delivery states [3.4]
	DescriptorAccepted uint64 = 0x24
	DescriptorRejected uint64 = 0x25
	DescriptorReleased uint64 = 0x26
	DescriptorModified uint64 = 0x27

	DescriptorSource uint64 = 0x28 // termini [3.5]
	DescriptorTarget uint64 = 0x29

	DescriptorDeleteOnClose             uint64 = 0x2b // lifetime policies [3.5.10]
	DescriptorDeleteOnNoLinks           uint64 = 0x2c
	DescriptorDeleteOnNoMessages        uint64 = 0x2d
	DescriptorDeleteOnNoLinksOrMessages uint64 = 0x2e

	DescriptorCoordinator        uint64 = 0x30 // transactions [4.5]
	DescriptorDeclare            uint64 = 0x31
	DescriptorDischarge          uint64 = 0x32
	DescriptorDeclared           uint64 = 0x33
	DescriptorTransactionalState uint64 = 0x34

	DescriptorSASLMechanisms uint64 = 0x40 // [5.3.3]
	DescriptorSASLInit       uint64 = 0x41
	DescriptorSASLChallenge  uint64 = 0x42
	DescriptorSASLResponse   uint64 = 0x43
	DescriptorSASLOutcome    uint64 = 0x44

	DescriptorHeader                uint64 = 0x70 // message sections [3.2]
	DescriptorDeliveryAnnotations   uint64 = 0x71
	DescriptorMessageAnnotations    uint64 = 0x72
	DescriptorProperties            uint64 = 0x73
	DescriptorApplicationProperties uint64 = 0x74
	DescriptorData                  uint64 = 0x75
	DescriptorSequence              uint64 = 0x76
	DescriptorValue                 uint64 = 0x77
	DescriptorFooter                uint64 = 0x78
)

// AppendDescriptor appends the start of a described value: the marker and a numeric descriptor [1.2].
// The value itself must follow.
func AppendDescriptor(dst []byte, descriptor uint64) []byte {
	return AppendUlong(append(dst, byte(CodeDescribed)), descriptor)
}

// ReadDescriptor reads the start of a described value [1.2]; the value itself is read next. A symbolic descriptor
// that AMQP 1.0 defines comes back as its number; any other descriptor that is not a number is an error.
func (d *Decoder) ReadDescriptor() uint64 {
	if c := d.constructor(); c != CodeDescribed {
		d.mismatch("described value", c)
		return 0
	}
	if !d.Peek().isSymbol() {
		return d.ReadUlong()
	}
	descriptor := descriptorNamed(d.ReadSymbolBytes())
	if descriptor == 0 {
		d.fail("descriptor is unknown")
	}
	return descriptor
}

// descriptorNamed returns the number for a symbolic descriptor, or 0.
func descriptorNamed(name []byte) uint64 {
	switch string(name) {
	case "amqp:open:list":
		return DescriptorOpen
	case "amqp:begin:list":
		return DescriptorBegin
	case "amqp:attach:list":
		return DescriptorAttach
	case "amqp:flow:list":
		return DescriptorFlow
	case "amqp:transfer:list":
		return DescriptorTransfer
	case "amqp:disposition:list":
		return DescriptorDisposition
	case "amqp:detach:list":
		return DescriptorDetach
	case "amqp:end:list":
		return DescriptorEnd
	case "amqp:close:list":
		return DescriptorClose
	case "amqp:error:list":
		return DescriptorError
	case "amqp:received:list":
		return DescriptorReceived
	case "amqp:accepted:list":
		return DescriptorAccepted
	case "amqp:rejected:list":
		return DescriptorRejected
	case "amqp:released:list":
		return DescriptorReleased
	case "amqp:modified:list":
		return DescriptorModified
	case "amqp:source:list":
		return DescriptorSource
	case "amqp:target:list":
		return DescriptorTarget
	case "amqp:delete-on-close:list":
		return DescriptorDeleteOnClose
	case "amqp:delete-on-no-links:list":
		return DescriptorDeleteOnNoLinks
	case "amqp:delete-on-no-messages:list":
		return DescriptorDeleteOnNoMessages
	case "amqp:delete-on-no-links-or-messages:list":
		return DescriptorDeleteOnNoLinksOrMessages
	case "amqp:coordinator:list":
		return DescriptorCoordinator
	case "amqp:declare:list":
		return DescriptorDeclare
	case "amqp:discharge:list":
		return DescriptorDischarge
	case "amqp:declared:list":
		return DescriptorDeclared
	case "amqp:transactional-state:list":
		return DescriptorTransactionalState
	case "amqp:sasl-mechanisms:list":
		return DescriptorSASLMechanisms
	case "amqp:sasl-init:list":
		return DescriptorSASLInit
	case "amqp:sasl-challenge:list":
		return DescriptorSASLChallenge
	case "amqp:sasl-response:list":
		return DescriptorSASLResponse
	case "amqp:sasl-outcome:list":
		return DescriptorSASLOutcome
	default:
		return sectionNamed(name)
	}
}

// sectionNamed returns the number for the symbolic descriptor of a message section, or 0.
func sectionNamed(name []byte) uint64 {
	switch string(name) {
	case "amqp:header:list":
		return DescriptorHeader
	case "amqp:delivery-annotations:map":
		return DescriptorDeliveryAnnotations
	case "amqp:message-annotations:map":
		return DescriptorMessageAnnotations
	case "amqp:properties:list":
		return DescriptorProperties
	case "amqp:application-properties:map":
		return DescriptorApplicationProperties
	case "amqp:data:binary":
		return DescriptorData
	case "amqp:amqp-sequence:list":
		return DescriptorSequence
	case "amqp:amqp-value:*":
		return DescriptorValue
	case "amqp:footer:map":
		return DescriptorFooter
	default:
		return 0
	}
}
