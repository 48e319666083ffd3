package amqp

import (
	"math"
	"testing"
	"time"
)

func TestValuesAsText(t *testing.T) {
	for want, v := range map[string]any{
		"":                        nil,
		"x":                       Symbol("x"),
		"/wA=":                    []byte{0xff, 0},
		"-7":                      int8(-7),
		"18446744073709551615":    uint64(math.MaxUint64),
		"1.1":                     float32(1.1),
		"NaN":                     math.NaN(),
		"2026-11-22T14:00:00Z":    Timestamp(time.Date(2026, 11, 22, 14, 0, 0, 0, time.UTC).UnixMilli()),
		`{"a":[true,null,"<&>"]}`: Map{{Key: Symbol("a"), Value: List{true, nil, "<&>"}}},
	} {
		if got := ValueText(v); got != want {
			t.Errorf("%#v became %q, want %q", v, got, want)
		}
	}
}

func TestBodiesThatAreNoPayloadAsJSON(t *testing.T) {
	value, err := AppendValue(nil, Map{{Key: "n", Value: int32(1)}})
	if err != nil {
		t.Fatal(err)
	}
	first, err := AppendSequence(nil, List{int32(1), "two"})
	if err != nil {
		t.Fatal(err)
	}
	both, err := AppendSequence(first, List{List{}})
	if err != nil {
		t.Fatal(err)
	}
	for want, encoded := range map[string][]byte{`{"n":1}`: value, `[1,"two",[]]`: both} {
		m, err := ParseMessage(encoded)
		if err != nil {
			t.Fatal(err)
		}
		if _, _, ok := m.Body().Payload(); ok {
			t.Errorf("%s is a payload", want)
		}
		if got := string(m.Body().JSON()); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}
