package amqp

import (
	"encoding/binary"
	"math"
)

// Each Append function appends one value in its smallest encoding and returns the extended buffer.
// It allocates only when dst has to grow.

// AppendNull appends null [1.6.1].
func AppendNull(dst []byte) []byte { return append(dst, byte(CodeNull)) }

// AppendBool appends a boolean in its form of one octet [1.6.2].
func AppendBool(dst []byte, v bool) []byte {
	if v {
		return append(dst, byte(CodeTrue))
	}
	return append(dst, byte(CodeFalse))
}

// AppendUbyte appends a ubyte [1.6.3].
func AppendUbyte(dst []byte, v uint8) []byte { return append(dst, byte(CodeUbyte), v) }

// AppendUshort appends a ushort [1.6.4].
func AppendUshort(dst []byte, v uint16) []byte {
	return binary.BigEndian.AppendUint16(append(dst, byte(CodeUshort)), v)
}

// AppendUint appends a uint in 1, 2 or 5 octets [1.6.5].
func AppendUint(dst []byte, v uint32) []byte {
	switch {
	case v == 0:
		return append(dst, byte(CodeUint0))
	case v <= math.MaxUint8:
		return append(dst, byte(CodeSmallUint), byte(v))
	default:
		return binary.BigEndian.AppendUint32(append(dst, byte(CodeUint)), v)
	}
}

// AppendUlong appends a ulong in 1, 2 or 9 octets [1.6.6].
func AppendUlong(dst []byte, v uint64) []byte {
	switch {
	case v == 0:
		return append(dst, byte(CodeUlong0))
	case v <= math.MaxUint8:
		return append(dst, byte(CodeSmallUlong), byte(v))
	default:
		return binary.BigEndian.AppendUint64(append(dst, byte(CodeUlong)), v)
	}
}

// AppendByte appends a byte, which AMQP takes as signed [1.6.7].
func AppendByte(dst []byte, v int8) []byte { return append(dst, byte(CodeByte), byte(v)) }

// AppendShort appends a short [1.6.8].
func AppendShort(dst []byte, v int16) []byte {
	return binary.BigEndian.AppendUint16(append(dst, byte(CodeShort)), uint16(v))
}

// AppendInt appends an int in 2 or 5 octets [1.6.9].
func AppendInt(dst []byte, v int32) []byte {
	if v == int32(int8(v)) {
		return append(dst, byte(CodeSmallInt), byte(v))
	}
	return binary.BigEndian.AppendUint32(append(dst, byte(CodeInt)), uint32(v))
}

// AppendLong appends a long in 2 or 9 octets [1.6.10].
func AppendLong(dst []byte, v int64) []byte {
	if v == int64(int8(v)) {
		return append(dst, byte(CodeSmallLong), byte(v))
	}
	return binary.BigEndian.AppendUint64(append(dst, byte(CodeLong)), uint64(v))
}

// AppendFloat appends a float [1.6.11].
func AppendFloat(dst []byte, v float32) []byte {
	return binary.BigEndian.AppendUint32(append(dst, byte(CodeFloat)), math.Float32bits(v))
}

// AppendDouble appends a double [1.6.12].
func AppendDouble(dst []byte, v float64) []byte {
	return binary.BigEndian.AppendUint64(append(dst, byte(CodeDouble)), math.Float64bits(v))
}

// AppendDecimal32 appends a decimal32 [1.6.13].
func AppendDecimal32(dst []byte, v Decimal32) []byte {
	return binary.BigEndian.AppendUint32(append(dst, byte(CodeDecimal32)), uint32(v))
}

// AppendDecimal64 appends a decimal64 [1.6.14].
func AppendDecimal64(dst []byte, v Decimal64) []byte {
	return binary.BigEndian.AppendUint64(append(dst, byte(CodeDecimal64)), uint64(v))
}

// AppendDecimal128 appends a decimal128 [1.6.15].
func AppendDecimal128(dst []byte, v Decimal128) []byte {
	return append(append(dst, byte(CodeDecimal128)), v[:]...)
}

// AppendChar appends a char [1.6.16]. It must be a valid code point.
func AppendChar(dst []byte, v Char) []byte {
	return binary.BigEndian.AppendUint32(append(dst, byte(CodeChar)), uint32(v))
}

// AppendTimestamp appends a timestamp [1.6.17].
func AppendTimestamp(dst []byte, v Timestamp) []byte {
	return binary.BigEndian.AppendUint64(append(dst, byte(CodeTimestamp)), uint64(v))
}

// AppendUUID appends a uuid [1.6.18].
func AppendUUID(dst []byte, v UUID) []byte { return append(append(dst, byte(CodeUUID)), v[:]...) }

// AppendBinary appends a binary of less than 4 GiB [1.6.19].
func AppendBinary(dst, v []byte) []byte {
	return append(appendVariable(dst, CodeBinary8, len(v)), v...)
}

// AppendString appends a string of less than 4 GiB, which must be valid UTF-8 [1.6.20].
func AppendString(dst []byte, v string) []byte {
	return append(appendVariable(dst, CodeString8, len(v)), v...)
}

// AppendSymbol appends a symbol, which must be ASCII [1.6.21].
func AppendSymbol(dst []byte, v Symbol) []byte {
	return append(appendVariable(dst, CodeSymbol8, len(v)), v...)
}

// appendVariable appends the code and size of a value of n octets; narrow is the code of its form with a size of
// one octet.
func appendVariable(dst []byte, narrow Code, n int) []byte {
	if n <= math.MaxUint8 {
		return append(dst, byte(narrow), byte(n))
	}
	return binary.BigEndian.AppendUint32(append(dst, byte(narrow|0x10)), uint32(n))
}

// AppendSymbols appends what a field marked multiple="true" holds [1.4]: null for none, the symbol itself for one, an
// array for more.
func AppendSymbols(dst []byte, symbols ...Symbol) []byte {
	switch len(symbols) {
	case 0:
		return AppendNull(dst)
	case 1:
		return AppendSymbol(dst, symbols[0])
	default:
		return AppendArray(dst, NewArray(symbols...))
	}
}
