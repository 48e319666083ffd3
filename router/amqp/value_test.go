package amqp_test

import (
	"encoding/hex"
	"math"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/manifoldmq/manifold/router/amqp"
)

// TestEveryTypeIsReadAndWritten has each encoding of each primitive type of [1.6]. Encodings without a "~" are the
// smallest ones, which AppendAny must produce; those with it must only be understood.
func TestEveryTypeIsReadAndWritten(t *testing.T) {
	text300 := strings.Repeat("x", 300)
	hex300 := strings.Repeat("78", 300)
	uuid := amqp.UUID{0: 0x01, 15: 0xff}
	for _, c := range []struct {
		encoded string
		value   any
	}{
		{"40", nil},
		{"41", true}, {"42", false}, {"~ 56 01", true}, {"~ 56 00", false},
		{"50 ff", uint8(255)},
		{"60 ffff", uint16(65535)},
		{"43", uint32(0)}, {"52 ff", uint32(255)}, {"70 00000100", uint32(256)}, {"~ 70 00000001", uint32(1)},
		{"44", uint64(0)}, {"53 ff", uint64(255)}, {"80 0000000000000100", uint64(256)}, {"~ 53 00", uint64(0)},
		{"51 80", int8(-128)},
		{"61 8000", int16(-32768)},
		{"54 ff", int32(-1)}, {"71 00000080", int32(128)}, {"~ 71 ffffffff", int32(-1)},
		{"55 80", int64(-128)}, {"81 ffffffffffffff7f", int64(-129)}, {"~ 81 0000000000000001", int64(1)},
		{"72 3f800000", float32(1)},
		{"82 c000000000000000", float64(-2)}, {"82 7ff0000000000000", math.Inf(1)},
		{"74 22500001", amqp.Decimal32(0x22500001)},
		{"84 2234000000000001", amqp.Decimal64(0x2234000000000001)},
		{"94 2208000000000000 0000000000000001", amqp.Decimal128{0x22, 0x08, 15: 1}},
		{"73 0001f600", amqp.Char('😀')},
		{"83 00000000000003e8", amqp.TimestampOf(time.Unix(1, 0))}, {"83 ffffffffffffffff", amqp.Timestamp(-1)},
		{"98 0100000000000000 00000000000000ff", uuid},
		{"a0 00", []byte{}}, {"a0 02 00ff", []byte{0, 0xff}}, {"b0 0000012c" + hex300, []byte(text300)},
		{"~ b0 00000001 07", []byte{7}},
		{"a1 00", ""}, {"a1 03 c3a4 62", "äb"}, {"b1 0000012c" + hex300, text300}, {"~ b1 00000001 61", "a"},
		{"a3 01 61", amqp.Symbol("a")}, {"b3 0000012c" + hex300, amqp.Symbol(text300)},
		{"~ b3 00000001 61", amqp.Symbol("a")},
		{"45", amqp.List{}}, {"~ c0 01 00", amqp.List{}}, {"~ d0 00000004 00000000", amqp.List{}},
		{"c0 04 02 41 52 07", amqp.List{true, uint32(7)}},
		{"d0 00000136 00000002 40 b1 0000012c" + hex300, amqp.List{nil, text300}},
		{"~ d0 00000005 00000001 41", amqp.List{true}},
		{"c1 01 00", amqp.Map{}}, {"~ d1 00000004 00000000", amqp.Map{}},
		{"c1 05 02 a1 01 6b 41", amqp.Map{{Key: "k", Value: true}}},
		{"d1 00000136 00000002 b1 0000012c" + hex300 + "42", amqp.Map{{Key: text300, Value: false}}},
		{"00 53 24 45", amqp.Described{Descriptor: uint64(0x24), Value: amqp.List{}}},
		{"00 a3 01 61 a1 01 62", amqp.Described{Descriptor: amqp.Symbol("a"), Value: "b"}},
		{"00 44 00 44 40", amqp.Described{Descriptor: uint64(0), Value: amqp.Described{Descriptor: uint64(0)}}},
	} {
		encoded, alternative := strings.CutPrefix(c.encoded, "~")
		b := unhex(t, encoded)
		d := amqp.NewDecoder(b)
		got := d.ReadValue()
		if err := d.Err(); err != nil || d.Len() != 0 {
			t.Errorf("%.40s: error %v, %d octets left", c.encoded, err, d.Len())
			continue
		}
		if !reflect.DeepEqual(got, c.value) {
			t.Errorf("%.40s: got %#v, want %#v", c.encoded, got, c.value)
		}
		out, err := amqp.AppendAny(nil, c.value)
		if err != nil {
			t.Errorf("%#v: %v", c.value, err)
		}
		if !alternative && string(out) != string(b) {
			t.Errorf("%#v is written as %x, want %x", c.value, out, b)
		}
	}
}

func TestEveryArrayIsReadAndWritten(t *testing.T) {
	long := strings.Repeat("x", 300)
	for _, c := range []struct {
		array    amqp.Array
		encoded  string
		elements amqp.List
	}{
		{amqp.NewArray(true, false), "e0 04 02 56 01 00", amqp.List{true, false}},
		{amqp.NewArray[uint8](1, 2), "e0 04 02 50 01 02", amqp.List{uint8(1), uint8(2)}},
		{amqp.NewArray[int8](-1), "e0 03 01 51 ff", amqp.List{int8(-1)}},
		{amqp.NewArray[uint16](1), "e0 04 01 60 0001", amqp.List{uint16(1)}},
		{amqp.NewArray[int16](1), "e0 04 01 61 0001", amqp.List{int16(1)}},
		{amqp.NewArray[uint32](1), "e0 06 01 70 00000001", amqp.List{uint32(1)}},
		{amqp.NewArray[int32](1), "e0 06 01 71 00000001", amqp.List{int32(1)}},
		{amqp.NewArray[uint64](1), "e0 0a 01 80 0000000000000001", amqp.List{uint64(1)}},
		{amqp.NewArray[int64](1), "e0 0a 01 81 0000000000000001", amqp.List{int64(1)}},
		{amqp.NewArray[float32](1), "e0 06 01 72 3f800000", amqp.List{float32(1)}},
		{amqp.NewArray[float64](-2), "e0 0a 01 82 c000000000000000", amqp.List{float64(-2)}},
		{amqp.NewArray[amqp.Char]('a'), "e0 06 01 73 00000061", amqp.List{amqp.Char('a')}},
		{amqp.NewArray[amqp.Timestamp](1), "e0 0a 01 83 0000000000000001", amqp.List{amqp.Timestamp(1)}},
		{amqp.NewArray(amqp.UUID{1}), "e0 12 01 98 01" + strings.Repeat("00", 15), amqp.List{amqp.UUID{1}}},
		{amqp.NewArray("a", ""), "e0 05 02 a1 01 61 00", amqp.List{"a", ""}},
		{amqp.NewArray(amqp.Symbol("a")), "e0 04 01 a3 01 61", amqp.List{amqp.Symbol("a")}},
		{amqp.NewArray([]byte{7}), "e0 04 01 a0 01 07", amqp.List{[]byte{7}}},
		{amqp.NewArray("a", long), "f0 0000013a 00000002 b1 00000001 61 0000012c" + strings.Repeat("78", 300),
			amqp.List{"a", long}},
		{amqp.NewArray[string](), "e0 02 00 a1", nil},
	} {
		b := unhex(t, c.encoded)
		if got := amqp.AppendArray(nil, c.array); string(got) != string(b) {
			t.Errorf("written as %x, want %x", got, b)
		}
		checkArray(t, b, c.elements)
	}
}

func TestUnusualArraysAreRead(t *testing.T) {
	for _, c := range []struct {
		encoded  string
		elements amqp.List
	}{
		{"e0 01 00", nil}, // empty and without a type
		{"e0 02 03 41", amqp.List{true, true, true}},
		{"e0 02 02 40", amqp.List{nil, nil}},
		{"e0 02 01 45", amqp.List{amqp.List{}}},
		{"f0 00000009 00000004 52 01020304", amqp.List{uint32(1), uint32(2), uint32(3), uint32(4)}},
		{"e0 06 01 c0 03 02 41 42", amqp.List{amqp.List{true, false}}},
		{"e0 06 01 c1 03 02 41 42", amqp.List{amqp.Map{{Key: true, Value: false}}}},
		{"e0 05 01 00 53 24 45", amqp.List{amqp.Described{Descriptor: uint64(0x24), Value: amqp.List{}}}},
		{"e0 07 01 00 44 00 44 50 07", amqp.List{amqp.Described{Descriptor: uint64(0),
			Value: amqp.Described{Descriptor: uint64(0), Value: uint8(7)}}}},
	} {
		checkArray(t, unhex(t, c.encoded), c.elements)
	}
}

// checkArray decodes an array, compares its elements, and makes sure that writing it again keeps them.
func checkArray(t *testing.T, b []byte, want amqp.List) {
	t.Helper()
	d := amqp.NewDecoder(b)
	a := d.ReadArray()
	if d.Err() != nil || d.Len() != 0 {
		t.Fatalf("%x: error %v, %d octets left", b, d.Err(), d.Len())
	}
	if got := elements(a); !reflect.DeepEqual(got, want) || a.Len() != len(want) {
		t.Errorf("%x: got %#v, want %#v", b, got, want)
	}
	d = amqp.NewDecoder(amqp.AppendArray(nil, a))
	if got := elements(d.ReadArray()); !reflect.DeepEqual(got, want) || d.Err() != nil {
		t.Errorf("%x: written again it is %#v, error %v", b, got, d.Err())
	}
}

func elements(a amqp.Array) (list amqp.List) {
	for v := range a.All() {
		list = append(list, v)
	}
	return list
}

func TestTypedReadsAgreeWithValues(t *testing.T) {
	for _, values := range []amqp.List{
		{true, uint8(1), uint16(2), uint32(0), uint64(0), int8(-1), int16(-2), int32(-3), int64(-4), float32(1), float64(2),
			amqp.Decimal32(3), amqp.Decimal64(4), amqp.Decimal128{5}, amqp.Char('c'), amqp.Timestamp(6), amqp.UUID{7},
			[]byte("binary"), "string", amqp.Symbol("symbol")},
		{false, uint8(1), uint16(2), uint32(1000), uint64(1000), int8(-1), int16(-2), int32(-1000), int64(-1000), float32(1),
			float64(2), amqp.Decimal32(3), amqp.Decimal64(4), amqp.Decimal128{5}, amqp.Char('c'), amqp.Timestamp(6),
			amqp.UUID{7}, make([]byte, 300), strings.Repeat("a", 300), amqp.Symbol(strings.Repeat("a", 300))},
	} {
		var b []byte
		for _, v := range values {
			b, _ = amqp.AppendAny(b, v)
		}
		d := amqp.NewDecoder(b)
		got := amqp.List{d.ReadBool(), d.ReadUbyte(), d.ReadUshort(), d.ReadUint(), d.ReadUlong(), d.ReadSignedByte(),
			d.ReadShort(), d.ReadInt(), d.ReadLong(), d.ReadFloat(), d.ReadDouble(), d.ReadDecimal32(), d.ReadDecimal64(),
			d.ReadDecimal128(), d.ReadChar(), d.ReadTimestamp(), d.ReadUUID(), d.ReadBinary(), d.ReadString(), d.ReadSymbol()}
		if d.Err() != nil || d.Len() != 0 || !reflect.DeepEqual(got, values) {
			t.Errorf("got %v, want %v, error %v, %d octets left", got, values, d.Err(), d.Len())
		}
	}
}

func TestTypedReadsRefuseOtherTypes(t *testing.T) {
	for name, read := range map[string]func(*amqp.Decoder){
		"boolean": func(d *amqp.Decoder) { d.ReadBool() }, "ubyte": func(d *amqp.Decoder) { d.ReadUbyte() },
		"uint": func(d *amqp.Decoder) { d.ReadUint() }, "ulong": func(d *amqp.Decoder) { d.ReadUlong() },
		"int": func(d *amqp.Decoder) { d.ReadInt() }, "long": func(d *amqp.Decoder) { d.ReadLong() },
		"char": func(d *amqp.Decoder) { d.ReadChar() }, "timestamp": func(d *amqp.Decoder) { d.ReadTimestamp() },
		"uuid": func(d *amqp.Decoder) { d.ReadUUID() }, "binary": func(d *amqp.Decoder) { d.ReadBinary() },
		"string": func(d *amqp.Decoder) { d.ReadString() }, "symbol": func(d *amqp.Decoder) { d.ReadSymbols() },
		"list": func(d *amqp.Decoder) { d.ReadList() }, "map": func(d *amqp.Decoder) { d.ReadMap() },
		"array": func(d *amqp.Decoder) { d.ReadArray() },
	} {
		b := amqp.AppendUshort(nil, 7)
		if name == "symbol" {
			b = amqp.AppendArray(nil, amqp.NewArray[uint16](7))
		}
		d := amqp.NewDecoder(b)
		read(&d)
		want := "want " + name + ", found ushort"
		if err := d.Err(); err == nil || !strings.HasSuffix(err.Error(), want) {
			t.Errorf("error %v, want %q", err, want)
		}
		if d.ReadUshort() != 0 {
			t.Errorf("%s: the decoder goes on after its error", name)
		}
	}
}

func TestSymbolsOfAMultipleField(t *testing.T) {
	for _, want := range [][]amqp.Symbol{nil, {"a"}, {"a", "b"}} {
		d := amqp.NewDecoder(amqp.AppendSymbols(nil, want...))
		if got := d.ReadSymbols(); !reflect.DeepEqual(got, want) || d.Err() != nil {
			t.Errorf("got %v, want %v, error %v", got, want, d.Err())
		}
	}
}

func TestMapsFindKeysAndDuplicates(t *testing.T) {
	m := amqp.Map{{Key: amqp.Symbol("a"), Value: 1}, {Key: "b", Value: 2}, {Key: []byte("b"), Value: 3}}
	if v, ok := m.Get("b"); v != 2 || !ok {
		t.Errorf("Get(b) = %v, %v", v, ok)
	}
	if _, ok := m.Get("c"); ok {
		t.Error("Get(c) found something")
	}
	if key, ok := m.Duplicate(); ok {
		t.Errorf("%v is no duplicate", key)
	}
	m = append(m, amqp.Entry{Key: []byte("b")})
	if _, ok := m.Duplicate(); !ok {
		t.Error("the duplicate was not found")
	}
}

func TestValuesOfOtherGoTypesAreRefused(t *testing.T) {
	for _, v := range []any{7, struct{}{}, amqp.List{7}, amqp.Map{{Key: 7}}, amqp.Map{{Value: 7}}, amqp.Described{Value: 7}} {
		if out, err := amqp.AppendAny([]byte("kept"), v); err == nil || string(out) != "kept" {
			t.Errorf("%#v: wrote %q, error %v", v, out, err)
		}
	}
}

func TestUUIDPrintsAsUsual(t *testing.T) {
	b := unhex(t, "f81d4fae7dec11d0a76500a0c91e6bf6")
	if got := amqp.UUID(b).String(); got != "f81d4fae-7dec-11d0-a765-00a0c91e6bf6" {
		t.Error(got)
	}
}

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.ReplaceAll(s, " ", ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}
