package selector

import (
	"unicode/utf8"

	"github.com/manifoldmq/manifold/router/amqp"
)

// view reads the fields of one message as they are asked for.
type view struct {
	message amqp.Message

	// The application properties are looked up once, being what most selectors look at.
	application amqp.MapView
	opened      bool
}

// read gives the value of a field, NULL if the message does not have it.
func (v *view) read(f *field) value {
	switch f.section {
	case applicationProperties:
		if !v.opened {
			v.application, v.opened = v.message.ApplicationPropertiesView(), true
		}
		return entry(v.application, f.key)
	case messageAnnotations:
		return entry(v.message.MessageAnnotations(), f.key)
	case deliveryAnnotations:
		return entry(v.message.DeliveryAnnotations(), f.key)
	case footer:
		return entry(v.message.Footer(), f.key)
	case header:
		return v.header(f.index)
	case properties:
		return decode(v.message.Property(amqp.PropertyField(f.index)))
	default:
		return v.jms(f.index)
	}
}

func entry(m amqp.MapView, key string) value {
	raw, _ := m.Lookup(key)
	return decode(raw)
}

// header reads a field of the header. A message without one has the defaults [amqp 3.2.1]; one with a broken header has
// nothing.
func (v *view) header(index int) value {
	h, err := v.message.Header()
	if err != nil {
		return value{}
	}
	switch index {
	case headerDurable:
		return booleanOf(h.Durable)
	case headerPriority:
		return exactOf(int64(h.Priority))
	case headerTTL:
		if h.TTL == 0 {
			return value{}
		}
		return exactOf(int64(h.TTL))
	case headerFirstAcquirer:
		return booleanOf(h.FirstAcquirer)
	default:
		return exactOf(int64(h.DeliveryCount))
	}
}

// decode gives the operand that an encoded value is; see the package comment for the types.
func decode(raw amqp.RawValue) value {
	d := amqp.NewDecoder(raw)
	switch raw.Code() {
	case amqp.CodeNull:
		return value{}
	case amqp.CodeTrue, amqp.CodeFalse, amqp.CodeBoolean:
		return booleanOf(d.ReadBool())
	case amqp.CodeString8, amqp.CodeString32, amqp.CodeSymbol8, amqp.CodeSymbol32:
		octets, _ := raw.Text()
		return textOf(octets)
	case amqp.CodeBinary8, amqp.CodeBinary32:
		octets, _ := raw.Binary()
		return textOf(octets)
	case amqp.CodeUUID:
		return textOf(raw[1:])
	case amqp.CodeChar:
		return textOf(utf8.AppendRune(nil, rune(d.ReadChar())))
	case amqp.CodeFloat:
		return approximateOf(float64(d.ReadFloat()))
	case amqp.CodeDouble:
		return approximateOf(d.ReadDouble())
	default:
		return decodeInteger(raw.Code(), &d)
	}
}

func decodeInteger(c amqp.Code, d *amqp.Decoder) value {
	switch c {
	case amqp.CodeUbyte:
		return exactOf(int64(d.ReadUbyte()))
	case amqp.CodeUshort:
		return exactOf(int64(d.ReadUshort()))
	case amqp.CodeUint0, amqp.CodeSmallUint, amqp.CodeUint:
		return exactOf(int64(d.ReadUint()))
	case amqp.CodeUlong0, amqp.CodeSmallUlong, amqp.CodeUlong:
		return unsignedOf(d.ReadUlong())
	case amqp.CodeByte:
		return exactOf(int64(d.ReadSignedByte()))
	case amqp.CodeShort:
		return exactOf(int64(d.ReadShort()))
	case amqp.CodeSmallInt, amqp.CodeInt:
		return exactOf(int64(d.ReadInt()))
	case amqp.CodeSmallLong, amqp.CodeLong:
		return exactOf(d.ReadLong())
	case amqp.CodeTimestamp:
		return exactOf(int64(d.ReadTimestamp()))
	default:
		return value{kind: opaque}
	}
}
