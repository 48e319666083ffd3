package amqp_test

import (
	"strings"
	"testing"

	"github.com/manifoldmq/manifold/router/amqp"
)

func TestListsLeaveOutNullsAtTheEnd(t *testing.T) {
	for _, c := range []struct {
		write func(*amqp.ListWriter)
		want  string
	}{
		{func(*amqp.ListWriter) {}, "45"},
		{func(l *amqp.ListWriter) { l.Null(); l.Null() }, "45"},
		{func(l *amqp.ListWriter) { l.Null(); l.Bool(true); l.Null() }, "c0 03 02 40 41"},
		{func(l *amqp.ListWriter) { l.Uint(0); l.StringOrNull(""); l.Put(amqp.AppendNull(l.Buffer())) }, "c0 02 01 43"},
		{func(l *amqp.ListWriter) { l.Binary([]byte{0x40}); l.BinaryOrNull(nil) }, "c0 04 01 a0 01 40"},
		{func(l *amqp.ListWriter) { l.Symbols(); l.Symbols("a"); l.Symbols() }, "c0 05 02 40 a3 01 61"},
	} {
		l := amqp.BeginList([]byte("before"))
		c.write(&l)
		if got, want := string(l.End()), "before"+string(unhex(t, c.want)); got != want {
			t.Errorf("got %x, want %x", got, want)
		}
	}
}

func TestListsWidenWhenTheyMust(t *testing.T) {
	for _, length := range []int{0, 100, 250, 251, 252, 253, 254, 255, 256, 300, 70000} {
		text := strings.Repeat("x", length)
		l := amqp.BeginList(nil)
		l.String(text)
		inner := amqp.BeginMap(l.Buffer())
		inner.String("key", text)
		l.Put(inner.End())
		l.Bool(true)
		b := l.End()
		if wide := amqp.Code(b[0]) == amqp.CodeList32; wide != (len(b) > 257) {
			t.Errorf("a list of %d octets starts with %x", len(b), b[0])
		}
		d := amqp.NewDecoder(b)
		fields := d.ReadList()
		if !fields.Next() || d.ReadString() != text {
			t.Errorf("length %d: first field is wrong", length)
		}
		if !fields.Next() {
			t.Errorf("length %d: second field is missing", length)
		}
		value, ok := d.ReadMap().Lookup("key")
		if got, _ := value.Text(); !ok || string(got) != text {
			t.Errorf("length %d: second field is wrong", length)
		}
		if !fields.Next() || !d.ReadBool() {
			t.Errorf("length %d: third field is wrong", length)
		}
		if fields.End(); d.Err() != nil || d.Len() != 0 {
			t.Errorf("length %d: error %v, %d octets left", length, d.Err(), d.Len())
		}
	}
}

func TestListsOfManyFieldsWiden(t *testing.T) {
	for _, count := range []int{253, 254, 255, 256, 1000} {
		l := amqp.BeginList(nil)
		for range count {
			l.Bool(true)
		}
		d := amqp.NewDecoder(l.End())
		if list, _ := d.ReadValue().(amqp.List); len(list) != count || d.Err() != nil {
			t.Errorf("%d fields came back as %d, error %v", count, len(list), d.Err())
		}
	}
}

func TestFieldsLeftOutReadAsNull(t *testing.T) {
	b := unhex(t, "c0 03 02 40 41 50 07") // a list of null and true, and a ubyte behind it
	d := amqp.NewDecoder(b)
	fields := d.ReadList()
	if fields.Next() {
		t.Error("null has a value")
	}
	if !fields.Next() || !d.ReadBool() {
		t.Error("the second field is not true")
	}
	for fields.Next() {
		t.Error("there is no third field")
	}
	fields.End()
	if d.ReadUbyte() != 7 || d.Err() != nil {
		t.Errorf("the decoder is not behind the list: %v", d.Err())
	}
}

func TestFieldsNotReadAreSkipped(t *testing.T) {
	d := amqp.NewDecoder(unhex(t, "c0 0b 04 41 c0 03 02 4140 a1 01 61 43 50 07"))
	fields := d.ReadList()
	if !fields.Next() || !d.ReadBool() || fields.Len() != 3 {
		t.Error("the first field is not true")
	}
	fields.End()
	if d.ReadUbyte() != 7 || d.Err() != nil {
		t.Errorf("the decoder is not behind the list: %v", d.Err())
	}
}

func TestReadsDoNotLeaveTheirList(t *testing.T) {
	d := amqp.NewDecoder(unhex(t, "c0 03 02 40 70 00000001"))
	fields := d.ReadList()
	fields.Next()
	if fields.Next() {
		if got := d.ReadUint(); got != 0 {
			t.Errorf("read %d from behind the list", got)
		}
	}
	fields.End()
	if d.Err() == nil {
		t.Error("no error")
	}
}

func TestMapsAreWrittenAndViewed(t *testing.T) {
	w := amqp.BeginFields(nil)
	w.Bool("bool", true)
	w.Uint("uint", 1)
	w.Ulong("ulong", 2)
	w.Int("int", -3)
	w.Long("long", -4)
	w.Double("double", 5)
	w.Timestamp("timestamp", 6)
	w.UUID("uuid", amqp.UUID{7})
	w.Binary("binary", []byte("8"))
	w.String("string", "9")
	w.Symbol("symbol", "10")
	w.Raw("raw", amqp.AppendUbyte(nil, 11))
	if err := w.Any("any", amqp.List{true}); err != nil {
		t.Error(err)
	}
	if err := w.Any("wrong", t); err == nil {
		t.Error("no error")
	}
	w.Pair(amqp.AppendLong(nil, 12), amqp.AppendNull(nil))
	if w.Len() != 14 {
		t.Errorf("%d entries", w.Len())
	}
	d := amqp.NewDecoder(w.End())
	m := d.ReadMap()
	if m.Len() != 14 || d.Err() != nil {
		t.Errorf("%d entries, error %v", m.Len(), d.Err())
	}
	for key, want := range map[string]any{
		"bool": true, "uint": uint32(1), "ulong": uint64(2), "int": int32(-3), "long": int64(-4), "double": float64(5),
		"timestamp": amqp.Timestamp(6), "uuid": amqp.UUID{7}, "string": "9", "symbol": amqp.Symbol("10"), "raw": uint8(11),
	} {
		if got, ok := m.Lookup(key); !ok || got.Value() != want {
			t.Errorf("%s is %v, want %v", key, got.Value(), want)
		}
	}
	if octets, ok := lookup(m, "binary").Binary(); !ok || string(octets) != "8" {
		t.Errorf("binary is %q", octets)
	}
	if _, ok := m.Lookup("wrong"); ok {
		t.Error("an entry that could not be encoded is there")
	}
}

func lookup(m amqp.MapView, key string) amqp.RawValue {
	value, _ := m.Lookup(key)
	return value
}
