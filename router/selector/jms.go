package selector

import (
	"bytes"
	"encoding/hex"
	"strconv"

	"github.com/manifoldmq/manifold/router/amqp"
)

// jms computes a field as JMS clients over AMQP do, which never have NULL for what JMS makes a number.
func (v *view) jms(index int) value {
	switch index {
	case jmsDeliveryMode:
		return v.deliveryMode()
	case jmsMessageID:
		return jmsID(v.message.Property(amqp.PropertyMessageID), true)
	case jmsCorrelationID:
		return jmsID(v.message.Property(amqp.PropertyCorrelationID), false)
	case jmsTimestamp:
		return orZero(decode(v.message.Property(amqp.PropertyCreationTime)))
	case jmsExpiration:
		return orZero(decode(v.message.Property(amqp.PropertyAbsoluteExpiryTime)))
	case jmsRedelivered:
		return booleanOf(v.header(headerDeliveryCount).integer > 0)
	default:
		return exactOf(v.header(headerDeliveryCount).integer + 1)
	}
}

// The delivery modes in words, made once and only read, so that looking at a message allocates nothing.
var (
	persistent    = []byte("PERSISTENT")
	nonPersistent = []byte("NON_PERSISTENT")
)

func (v *view) deliveryMode() value {
	if v.header(headerDurable).truth() == yes {
		return textOf(persistent)
	}
	return textOf(nonPersistent)
}

func orZero(v value) value {
	if v.kind == null {
		return exactOf(0)
	}
	return v
}

// What Qpid JMS writes in front of ids, so that a client that replies with one gives back the type that it came with.
const (
	idPrefix        = "ID:"
	idNoPrefix      = "AMQP_NO_PREFIX:"
	idStringPrefix  = "AMQP_STRING:"
	idUUIDPrefix    = "AMQP_UUID:"
	idUlongPrefix   = "AMQP_ULONG:"
	idBinaryPrefix  = "AMQP_BINARY:"
	idRoomForPrefix = len(idPrefix) + len(idNoPrefix)
)

// jmsID writes an id as Qpid JMS does. A message id always starts with ID:, a correlation id that is a string is mostly
// as it was.
func jmsID(raw amqp.RawValue, always bool) value {
	switch raw.Code() {
	case amqp.CodeNull:
		return value{}
	case amqp.CodeString8, amqp.CodeString32:
		octets, _ := raw.Text()
		return jmsStringID(octets, always)
	case amqp.CodeUUID:
		return idOf(idUUIDPrefix, []byte(amqp.UUID(raw[1:]).String()))
	case amqp.CodeUlong0, amqp.CodeSmallUlong, amqp.CodeUlong:
		d := amqp.NewDecoder(raw)
		return idOf(idUlongPrefix, strconv.AppendUint(nil, d.ReadUlong(), 10))
	case amqp.CodeBinary8, amqp.CodeBinary32:
		octets, _ := raw.Binary()
		return idOf(idBinaryPrefix, bytes.ToUpper(hex.AppendEncode(nil, octets)))
	default:
		return value{kind: opaque}
	}
}

func jmsStringID(id []byte, always bool) value {
	rest, prefixed := bytes.CutPrefix(id, []byte(idPrefix))
	switch {
	case prefixed && looksTyped(rest):
		return idOf(idStringPrefix, id)
	case !prefixed && always:
		return idOf(idNoPrefix, id)
	default:
		return textOf(id)
	}
}

// looksTyped reports whether a string could be taken for what this file writes.
func looksTyped(id []byte) bool {
	for _, prefix := range [...]string{idNoPrefix, idStringPrefix, idUUIDPrefix, idUlongPrefix, idBinaryPrefix} {
		if bytes.HasPrefix(id, []byte(prefix)) {
			return true
		}
	}
	return false
}

func idOf(prefix string, id []byte) value {
	octets := make([]byte, 0, idRoomForPrefix+len(id))
	octets = append(append(octets, idPrefix...), prefix...)
	return textOf(append(octets, id...))
}
