package amqp

import "math"

// eagerElements is how many elements a list or map gets room for at once. Its count is not trusted further: room
// for the rest is made as elements turn up.
const eagerElements = 8

// ReadValue reads a value of any type, as
//
//	nil, bool, uint8, uint16, uint32, uint64, int8, int16, int32, int64, float32, float64, Decimal32, Decimal64,
//	Decimal128, Char, Timestamp, UUID, []byte (borrowed), string, Symbol, List, Map, Array (borrowed) or Described
//
// What it returns after a failure is of no use; see [Decoder.Err].
func (d *Decoder) ReadValue() any { return d.value(d.constructor()) }

// value reads the rest of a value of code c.
func (d *Decoder) value(c Code) any {
	switch c {
	case CodeDescribed:
		return d.described()
	case CodeList0, CodeList8, CodeList32:
		return d.list(c)
	case CodeMap8, CodeMap32:
		return d.mapping(c)
	case CodeArray8, CodeArray32:
		return d.array(c)
	case CodeBinary8, CodeBinary32:
		return d.variable(c)
	case CodeString8, CodeString32:
		return string(d.utf8(c))
	case CodeSymbol8, CodeSymbol32:
		return Symbol(d.ascii(c))
	default:
		return d.fixed(c)
	}
}

// fixed reads the rest of a value of fixed width.
func (d *Decoder) fixed(c Code) any {
	switch c {
	case CodeNull:
		return nil
	case CodeTrue, CodeFalse:
		return c == CodeTrue
	case CodeBoolean:
		return d.boolean()
	case CodeUbyte:
		return d.octet()
	case CodeUshort:
		return d.two()
	case CodeUint0:
		return uint32(0)
	case CodeSmallUint:
		return uint32(d.octet())
	case CodeUint:
		return d.four()
	case CodeUlong0:
		return uint64(0)
	case CodeSmallUlong:
		return uint64(d.octet())
	case CodeUlong:
		return d.eight()
	case CodeByte:
		return int8(d.octet())
	case CodeShort:
		return int16(d.two())
	case CodeSmallInt:
		return int32(int8(d.octet()))
	case CodeInt:
		return int32(d.four())
	case CodeSmallLong:
		return int64(int8(d.octet()))
	case CodeLong:
		return int64(d.eight())
	case CodeFloat:
		return math.Float32frombits(d.four())
	case CodeDouble:
		return math.Float64frombits(d.eight())
	case CodeDecimal32:
		return Decimal32(d.four())
	case CodeDecimal64:
		return Decimal64(d.eight())
	case CodeDecimal128:
		return Decimal128(d.sixteen())
	case CodeChar:
		return d.char()
	case CodeTimestamp:
		return Timestamp(d.eight())
	case CodeUUID:
		return UUID(d.sixteen())
	default:
		d.mismatch("a value", c)
		return nil
	}
}

func (d *Decoder) described() any {
	if !d.enter() {
		return nil
	}
	descriptor := d.ReadValue()
	value := d.ReadValue()
	d.leave()
	return Described{Descriptor: descriptor, Value: value}
}

func (d *Decoder) list(c Code) any {
	outer := d.limit
	count, ok := d.open(c)
	if !ok {
		return nil
	}
	list := make(List, 0, min(count, eagerElements))
	for ; count > 0 && d.err == nil; count-- {
		list = append(list, d.ReadValue())
	}
	d.close(outer)
	return list
}

func (d *Decoder) mapping(c Code) any {
	outer := d.limit
	count, ok := d.open(c)
	if !ok {
		return nil
	}
	entries := make(Map, 0, min(count/2, eagerElements))
	for ; count > 0 && d.err == nil; count -= 2 {
		key := d.ReadValue()
		entries = append(entries, Entry{Key: key, Value: d.ReadValue()})
	}
	d.close(outer)
	return entries
}
