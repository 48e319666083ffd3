package amqp

import (
	"reflect"
	"strings"
	"testing"
)

func TestIDsKeepTheirTypeAsText(t *testing.T) {
	for _, id := range []any{
		nil, "order 7", "string", "uuid", "binary", "binary:", "string:x", "urn:x", uint64(1<<64 - 1), UUID{1, 2, 15: 3}, []byte{0, 255, ':'},
	} {
		got, err := ParseID(FormatID(id))
		if err != nil || !reflect.DeepEqual(got, id) {
			t.Errorf("%#v became %q, and that %#v (%v)", id, FormatID(id), got, err)
		}
	}
}

func TestTextThatIsNoIDOfItsTypeIsRefused(t *testing.T) {
	for _, text := range []string{
		"ulong:-1", "ulong:x", "uuid:12", "binary:*", "uuid:0123456789abcdef0123456789abcdef",
		"uuid:" + strings.Repeat("ab", 20), "uuid:6ba7b8109dad-11d1-80b4-00c0-4fd430c8",
	} {
		if id, err := ParseID(text); err == nil {
			t.Errorf("%q became %#v", text, id)
		}
	}
}

func FuzzParseID(f *testing.F) {
	for _, text := range []string{"", "x", "ulong:7", "uuid:6ba7b810-9dad-11d1-80b4-00c04fd430c8", "binary:AP8", "string:uuid:"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		id, err := ParseID(text)
		if err != nil || id == "" { // "string:" alone is an id that says nothing
			return
		}
		if again, err := ParseID(FormatID(id)); err != nil || !reflect.DeepEqual(again, id) {
			t.Errorf("%q is %#v, and back %#v (%v)", text, id, again, err)
		}
	})
}
