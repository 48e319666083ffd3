package amqp

import "fmt"

// Code is a format code: the octet in front of a primitive value that says its type and width [1.2].
//
// Its upper half gives the width: 0x4 none, 0x5 to 0x9 fixed (1, 2, 4, 8, 16 octets), 0xA and 0xB variable,
// 0xC and 0xD compound, 0xE and 0xF array, the second of each pair with sizes of four octets instead of one.
type Code byte

// The format codes of all primitive types [1.6].
const (
	CodeDescribed Code = 0x00 // not a type: a descriptor and a value follow [1.2]

	CodeNull   Code = 0x40
	CodeTrue   Code = 0x41
	CodeFalse  Code = 0x42
	CodeUint0  Code = 0x43
	CodeUlong0 Code = 0x44
	CodeList0  Code = 0x45

	CodeUbyte      Code = 0x50
	CodeByte       Code = 0x51
	CodeSmallUint  Code = 0x52
	CodeSmallUlong Code = 0x53
	CodeSmallInt   Code = 0x54
	CodeSmallLong  Code = 0x55
	CodeBoolean    Code = 0x56

	CodeUshort Code = 0x60
	CodeShort  Code = 0x61

	CodeUint      Code = 0x70
	CodeInt       Code = 0x71
	CodeFloat     Code = 0x72
	CodeChar      Code = 0x73
	CodeDecimal32 Code = 0x74

	CodeUlong     Code = 0x80
	CodeLong      Code = 0x81
	CodeDouble    Code = 0x82
	CodeTimestamp Code = 0x83
	CodeDecimal64 Code = 0x84

	CodeDecimal128 Code = 0x94
	CodeUUID       Code = 0x98

	CodeBinary8  Code = 0xa0
	CodeString8  Code = 0xa1
	CodeSymbol8  Code = 0xa3
	CodeBinary32 Code = 0xb0
	CodeString32 Code = 0xb1
	CodeSymbol32 Code = 0xb3

	CodeList8   Code = 0xc0
	CodeMap8    Code = 0xc1
	CodeList32  Code = 0xd0
	CodeMap32   Code = 0xd1
	CodeArray8  Code = 0xe0
	CodeArray32 Code = 0xf0
)

// codeEnd stands for the code that could not be read because the input has ended. No type has it.
const codeEnd Code = 0xff

// fixedWidths holds the octets that follow codes 0x4_ to 0x9_, by the upper half of the code.
const fixedWidths = "\x00\x01\x02\x04\x08\x10"

// String names the type, for error messages.
func (c Code) String() string {
	switch c {
	case CodeDescribed:
		return "described value"
	case CodeNull:
		return "null"
	case CodeTrue, CodeFalse, CodeBoolean:
		return "boolean"
	case CodeUbyte:
		return "ubyte"
	case CodeByte:
		return "byte"
	case CodeUshort:
		return "ushort"
	case CodeShort:
		return "short"
	case CodeUint0, CodeSmallUint, CodeUint:
		return "uint"
	case CodeSmallInt, CodeInt:
		return "int"
	case CodeUlong0, CodeSmallUlong, CodeUlong:
		return "ulong"
	case CodeSmallLong, CodeLong:
		return "long"
	case CodeFloat:
		return "float"
	case CodeDouble:
		return "double"
	case CodeDecimal32, CodeDecimal64, CodeDecimal128:
		return "decimal"
	case CodeChar:
		return "char"
	case CodeTimestamp:
		return "timestamp"
	case CodeUUID:
		return "uuid"
	case CodeBinary8, CodeBinary32:
		return "binary"
	case CodeString8, CodeString32:
		return "string"
	case CodeSymbol8, CodeSymbol32:
		return "symbol"
	case CodeList0, CodeList8, CodeList32:
		return "list"
	case CodeMap8, CodeMap32:
		return "map"
	case CodeArray8, CodeArray32:
		return "array"
	case codeEnd:
		return "end of input"
	default:
		return fmt.Sprintf("unknown code 0x%02x", byte(c))
	}
}

// known reports whether c is the code of a primitive type.
func (c Code) known() bool {
	switch c >> 4 {
	case 0x4:
		return c <= CodeList0
	case 0x5:
		return c <= CodeBoolean
	case 0x6:
		return c <= CodeShort
	case 0x7:
		return c <= CodeDecimal32
	case 0x8:
		return c <= CodeDecimal64
	case 0x9:
		return c == CodeDecimal128 || c == CodeUUID
	case 0xa, 0xb:
		return c&0xf <= 3 && c&0xf != 2
	case 0xc, 0xd:
		return c&0xf <= 1
	case 0xe, 0xf:
		return c&0xf == 0
	default:
		return false
	}
}

// wide reports whether the sizes and counts of a variable, compound or array value take four octets instead of one.
func (c Code) wide() bool { return c&0x10 != 0 }

func (c Code) isList() bool { return c == CodeList0 || c == CodeList8 || c == CodeList32 }

func (c Code) isMap() bool { return c == CodeMap8 || c == CodeMap32 }

func (c Code) isBinary() bool { return c == CodeBinary8 || c == CodeBinary32 }

func (c Code) isString() bool { return c == CodeString8 || c == CodeString32 }

func (c Code) isSymbol() bool { return c == CodeSymbol8 || c == CodeSymbol32 }
