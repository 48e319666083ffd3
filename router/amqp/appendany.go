package amqp

import "fmt"

// AppendAny appends v, which must be of one of the types that [Decoder.ReadValue] returns, or a plain []any.
// It is an error if v, or something inside it, is of another type; dst is then returned as it was.
func AppendAny(dst []byte, v any) ([]byte, error) {
	switch v := v.(type) {
	case List:
		return AppendList(dst, v)
	case []any:
		return AppendList(dst, v)
	case Map:
		return AppendMap(dst, v)
	case Array:
		return AppendArray(dst, v), nil
	case Described:
		return appendDescribed(dst, v)
	case RawValue:
		return append(dst, v...), nil
	default:
		if out, ok := appendScalar(dst, v); ok {
			return out, nil
		}
		return dst, fmt.Errorf("amqp: no encoding for Go type %T", v)
	}
}

// appendScalar appends a value that holds no others; ok is false for any other type.
func appendScalar(dst []byte, v any) (out []byte, ok bool) {
	switch v := v.(type) {
	case nil:
		return AppendNull(dst), true
	case bool:
		return AppendBool(dst, v), true
	case uint8:
		return AppendUbyte(dst, v), true
	case uint16:
		return AppendUshort(dst, v), true
	case uint32:
		return AppendUint(dst, v), true
	case uint64:
		return AppendUlong(dst, v), true
	case int8:
		return AppendByte(dst, v), true
	case int16:
		return AppendShort(dst, v), true
	case int32:
		return AppendInt(dst, v), true
	case int64:
		return AppendLong(dst, v), true
	case float32:
		return AppendFloat(dst, v), true
	case float64:
		return AppendDouble(dst, v), true
	case Decimal32:
		return AppendDecimal32(dst, v), true
	case Decimal64:
		return AppendDecimal64(dst, v), true
	case Decimal128:
		return AppendDecimal128(dst, v), true
	case Char:
		return AppendChar(dst, v), true
	case Timestamp:
		return AppendTimestamp(dst, v), true
	case UUID:
		return AppendUUID(dst, v), true
	case []byte:
		return AppendBinary(dst, v), true
	case string:
		return AppendString(dst, v), true
	case Symbol:
		return AppendSymbol(dst, v), true
	default:
		return dst, false
	}
}

// AppendList appends a list [1.6.22], including nulls at its end. The values must be as for [AppendAny].
func AppendList(dst []byte, values List) ([]byte, error) {
	c := beginCompound(dst, CodeList8)
	for _, v := range values {
		out, err := AppendAny(c.dst, v)
		if err != nil {
			return dst, err
		}
		c.add(out, 1)
	}
	return c.end(), nil
}

// AppendMap appends a map in the given order [1.6.23]. The keys and values must be as for [AppendAny].
func AppendMap(dst []byte, entries Map) ([]byte, error) {
	c := beginCompound(dst, CodeMap8)
	for _, e := range entries {
		out, err := AppendAny(c.dst, e.Key)
		if err != nil {
			return dst, err
		}
		if out, err = AppendAny(out, e.Value); err != nil {
			return dst, err
		}
		c.add(out, 2)
	}
	return c.end(), nil
}

func appendDescribed(dst []byte, v Described) ([]byte, error) {
	out, err := AppendAny(append(dst, byte(CodeDescribed)), v.Descriptor)
	if err != nil {
		return dst, err
	}
	if out, err = AppendAny(out, v.Value); err != nil {
		return dst, err
	}
	return out, nil
}
