package client

import (
	"math"
	"strings"
	"testing"
	"time"

	"github.com/Azure/go-amqp"
)

func TestBodies(t *testing.T) {
	for name, c := range map[string]struct {
		message    amqp.Message
		text, json string
	}{
		"text":         {amqp.Message{Data: [][]byte{[]byte("grüße")}}, "grüße", `"body":"grüße"`},
		"empty":        {amqp.Message{}, "", `"body":""`},
		"sections":     {amqp.Message{Data: [][]byte{[]byte("a"), []byte("b")}}, "ab", `"body":"ab"`},
		"bytes":        {amqp.Message{Data: [][]byte{{0xff, 0}}}, "\xff\x00", `"bodyBase64":"/wA="`},
		"string value": {amqp.Message{Value: "a<b"}, "a<b", `"body":"a<b"`},
		"binary value": {amqp.Message{Value: []byte{0xff}}, "\xff", `"bodyBase64":"/w=="`},
		"number value": {amqp.Message{Value: int64(math.MaxInt64)}, "9223372036854775807",
			`"body":9223372036854775807`},
		"null value": {amqp.Message{Value: amqp.Null{}}, "null", `"body":null`},
		"map value":  {amqp.Message{Value: map[string]any{"a": true}}, `{"a":true}`, `"body":{"a":true}`},
		"sequences": {
			amqp.Message{Sequence: [][]any{{int32(1), nil}, {"x"}}}, `[[1,null],["x"]]`, `"body":[[1,null],["x"]]`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			var text, object strings.Builder
			if err := formatBody(&text, "a", &c.message); err != nil {
				t.Fatal(err)
			}
			if err := formatJSON(&object, "a", &c.message); err != nil {
				t.Fatal(err)
			}
			if got := text.String(); got != c.text+"\n" {
				t.Errorf("printed %q, want %q", got, c.text)
			}
			if got, want := object.String(), `{"address":"a",`+c.json+"}\n"; got != want {
				t.Errorf("printed %s, want %s", got, want)
			}
		})
	}
}

func TestPropertiesKeepTheirTypesInJSON(t *testing.T) {
	for _, c := range []struct {
		value any
		want  string
	}{
		{"1", `"1"`}, {int8(-1), `-1`}, {uint64(math.MaxUint64), `18446744073709551615`}, {true, `true`},
		{1.5, `1.5`},
		{math.NaN(), `"NaN"`}, {float32(0.1), `0.1`}, {nil, `null`}, {[]byte("x"), `{"base64":"eA=="}`},
		{amqp.Symbol("s"), `"s"`}, {amqp.UUID{15: 1}, `"00000000-0000-0000-0000-000000000001"`},
		{time.Unix(0, 0), `"1970-01-01T00:00:00Z"`},
		{[]int32{1, 2}, `[1,2]`}, {map[any]any{int32(1): "x"}, `{"1":"x"}`},
	} {
		var b strings.Builder
		m := amqp.Message{ApplicationProperties: map[string]any{"p": c.value}}
		if err := formatJSON(&b, "a", &m); err != nil {
			t.Fatal(err)
		}
		if want := `"applicationProperties":{"p":` + c.want + `}`; !strings.Contains(b.String(), want) {
			t.Errorf("%T: printed %s, want %s", c.value, b.String(), want)
		}
	}
}

func TestFullFormatSpeaksToNoTerminal(t *testing.T) {
	var b strings.Builder
	to := "a\x1b[2J"
	m := amqp.Message{
		Properties:            &amqp.MessageProperties{To: &to, UserID: []byte("ann"), MessageID: uint64(7)},
		ApplicationProperties: map[string]any{"k\n": "v\r"},
	}
	if err := formatFull(&b, "a", &m); err != nil {
		t.Fatal(err)
	}
	want := `"a\u001b[2J"` + "\n  message-id: 7\n  user-id: ann\n" + `  property "k\n": "v\r"` + "\n\n"
	if b.String() != want {
		t.Errorf("printed %q, want %q", b.String(), want)
	}
}
