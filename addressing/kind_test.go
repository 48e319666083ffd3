package addressing_test

import (
	"encoding"
	"strings"
	"testing"

	"github.com/manifoldmq/manifold/addressing"
)

func TestNamesOfKindsAndDistributionsReadBack(t *testing.T) {
	for _, k := range []addressing.Kind{
		addressing.AnyKind, addressing.Anycast, addressing.Broadcast, addressing.Queue, addressing.Topic,
	} {
		var again addressing.Kind
		checkTextReadsBack(t, k, &again)
		if again != k {
			t.Errorf("%v became %v", k, again)
		}
	}
	for _, d := range []addressing.Distribution{addressing.Balanced, addressing.Closest} {
		var again addressing.Distribution
		checkTextReadsBack(t, d, &again)
		if again != d {
			t.Errorf("%v became %v", d, again)
		}
	}
}

func checkTextReadsBack(t *testing.T, v encoding.TextMarshaler, again encoding.TextUnmarshaler) {
	t.Helper()
	text, err := v.MarshalText()
	if err != nil {
		t.Fatal(err)
	}
	if err := again.UnmarshalText(text); err != nil {
		t.Error(err)
	}
}

func TestUnknownNameIsRefusedWithThoseThatExist(t *testing.T) {
	kind, distribution := addressing.Queue, addressing.Closest
	err := kind.UnmarshalText([]byte("quue"))
	if err == nil || !strings.Contains(err.Error(), `"quue" is not one of anycast, broadcast, queue, topic`) {
		t.Errorf("got %v", err)
	}
	err = distribution.UnmarshalText([]byte("nearest"))
	if err == nil || !strings.Contains(err.Error(), `"nearest" is not one of balanced, closest`) {
		t.Errorf("got %v", err)
	}
	if kind != addressing.Queue || distribution != addressing.Closest {
		t.Error("a refused name changed the value")
	}
}

func TestValueWithoutNameIsNotWritten(t *testing.T) {
	if text, err := addressing.Kind(9).MarshalText(); err == nil || !strings.Contains(err.Error(), "Kind(9)") {
		t.Errorf("got %q, %v", text, err)
	}
	if text, err := addressing.Distribution(9).MarshalText(); err == nil {
		t.Errorf("got %q", text)
	}
}
