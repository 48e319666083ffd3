package amqp_test

import (
	"encoding/hex"
	"errors"
	"runtime"
	"strings"
	"testing"

	"github.com/manifoldmq/manifold/router/amqp"
)

// TestHostileValuesAreRefused has values that lie about themselves. Reading, checking and, where the lie is not
// deeper inside, skipping must all refuse them, and none may use memory that the input does not account for.
func TestHostileValuesAreRefused(t *testing.T) {
	for _, c := range []struct{ name, encoded, reason string }{
		{"nothing", "", "end of input"},
		{"unknown code", "46", "unknown code"},
		{"unknown variable code", "a2 00", "unknown code"},
		{"cut off uint", "70 0000", "past the end"},
		{"cut off uuid", "98 00", "past the end"},
		{"binary past the end", "a0 05 00", "past the end"},
		{"binary of 4 GiB", "b0 ffffffff", "beyond 2 GiB"},
		{"binary of 2 GiB", "b0 7fffffff", "past the end"},
		{"string not UTF-8", "a1 02 c328", "UTF-8"},
		{"string with a surrogate", "a1 03 eda080", "UTF-8"},
		{"symbol not ASCII", "a3 02 c3a4", "ASCII"},
		{"boolean of 2", "56 02", "neither"},
		{"char above Unicode", "73 00110000", "code point"},
		{"char half of a pair", "73 0000d800", "code point"},
		{"list past the end", "c0 05 01 40", "past the end"},
		{"list without a count", "c0 00", "no room"},
		{"list32 without a count", "d0 00000003 000000", "no room"},
		{"list with too large a count", "c0 02 02 40", "more elements"},
		{"list32 with a huge count", "d0 00000005 7fffffff 40", "more elements"},
		{"list with too small a count", "c0 03 01 40 40", "longer than"},
		{"list whose element leaves it", "c0 03 01 a0 05 0000000000", "past the end"},
		{"map with half an entry", "c1 02 01 40", "without a value"},
		{"described without a value", "00 53 24", "end of input"},
		{"described without anything", "00", "end of input"},
		{"array past the end", "e0 05 01 40", "past the end"},
		{"array without a count", "e0 00", "past the end"},
		{"array without a type", "e0 01 01", "end of input"},
		{"array of an unknown type", "e0 02 01 46", "unknown code"},
		{"array of nothing, 2^32-1 times", "f0 00000005 ffffffff 40", "beyond 2 GiB"},
		{"array of nothing, 2^31-1 times", "f0 00000005 7fffffff 40", "no size"},
		{"array of empty lists, 257 times", "f0 00000005 00000101 45", "no size"},
		{"array of described nothing", "f0 00000008 7fffffff 00 53 24 45", "no size"},
		{"array with too large a count", "e0 03 02 50 01", "more elements"},
		{"array with a huge count", "f0 00000006 7fffffff 50 01", "more elements"},
		{"array of too wide elements", "f0 00000007 00000002 94 0102", "past the end"},
		{"array with too small a count", "e0 04 01 50 01 02", "longer than"},
		{"array of bad strings", "e0 04 01 a1 01 ff", "UTF-8"},
		{"array of arrays of nothing", "f0 0000000e 00000001 f0 00000005 7fffffff 40", "no size"},
		{"lists nested too deeply", nestedLists(amqp.MaxDepth + 1), "too deeply"},
		{"descriptors nested too deeply", strings.Repeat("0040", amqp.MaxDepth+1) + "40", "too deeply"},
		{"descriptors of descriptors", strings.Repeat("00", 1<<16), "too deeply"},
		{"arrays described too deeply", "f0 00000045 00000001" + strings.Repeat("0040", amqp.MaxDepth) + "40", "too deeply"},
	} {
		b := unhex(t, c.encoded)
		for how, read := range map[string]func(*amqp.Decoder){
			"ReadValue": func(d *amqp.Decoder) { d.ReadValue() },
			"Check":     func(d *amqp.Decoder) { d.Check() },
			"ReadRaw":   func(d *amqp.Decoder) { d.ReadRaw() },
		} {
			d := amqp.NewDecoder(b)
			read(&d)
			var wrong *amqp.DecodeError
			if !errors.As(d.Err(), &wrong) || !strings.Contains(wrong.Reason, c.reason) {
				t.Errorf("%s: %s gives %v, want %q", c.name, how, d.Err(), c.reason)
			}
		}
	}
}

// nestedLists returns n lists in hex, each the only element of the one around it.
func nestedLists(n int) string {
	encoded := []byte{byte(amqp.CodeList0)}
	for range n - 1 {
		l := amqp.BeginList(nil)
		l.Put(append(l.Buffer(), encoded...))
		encoded = l.End()
	}
	return hex.EncodeToString(encoded)
}

func TestValuesMayNestUpToTheLimit(t *testing.T) {
	b := unhex(t, nestedLists(amqp.MaxDepth))
	d := amqp.NewDecoder(b)
	if d.ReadValue(); d.Err() != nil {
		t.Error(d.Err())
	}
}

func TestClaimedCountsTakeNoMemory(t *testing.T) {
	const size = 1 << 20
	b := []byte{byte(amqp.CodeList32), 0, 0x0f, 0xff, 0xfb, 0, 0x0f, 0xff, 0xf0}
	for len(b) < size {
		b = append(b, b[:9]...) // lists in lists, each claiming as many elements as there are octets left
		rest := size - len(b)
		b[len(b)-8], b[len(b)-7], b[len(b)-6], b[len(b)-5] = 0, byte(rest>>16), byte(rest>>8), byte(rest)
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	d := amqp.NewDecoder(b[:size])
	d.ReadValue()
	runtime.ReadMemStats(&after)
	if d.Err() == nil {
		t.Error("not refused")
	}
	if used := after.TotalAlloc - before.TotalAlloc; used > size {
		t.Errorf("%d octets of input made the decoder use %d", size, used)
	}
}

func TestHostileMessagesAreRefused(t *testing.T) {
	const (
		header     = "005370 45"
		delivery   = "005371 c10100"
		message    = "005372 c10100"
		properties = "005373 45"
		app        = "005374 c10100"
		data       = "005375 a00101"
		sequence   = "005376 45"
		value      = "005377 40"
		footer     = "005378 c10100"
	)
	for _, c := range []struct{ name, encoded, reason string }{
		{"nothing", "", "no sections"},
		{"properties after footer", footer + properties, "out of order"},
		{"header twice", header + header + data, "twice"},
		{"delivery annotations twice", delivery + delivery + data, "twice"},
		{"properties twice", properties + properties + data, "twice"},
		{"application properties twice", app + app + data, "twice"},
		{"value twice", value + value, "twice"},
		{"footer twice", data + footer + footer, "twice"},
		{"header after properties", properties + header + data, "out of order"},
		{"annotations swapped", message + delivery + data, "out of order"},
		{"properties after body", data + properties, "out of order"},
		{"body after footer", data + footer + data, "out of order"},
		{"data and value", data + value, "more than one kind"},
		{"value and data", value + data, "more than one kind"},
		{"data and sequence", data + sequence, "more than one kind"},
		{"a performative", "005314 45", "unknown"},
		{"an unknown section", "005379 45", "unknown"},
		{"an unknown name", "00a30178 45", "unknown"},
		{"a descriptor that is a string", "00a10178 45", "want ulong"},
		{"no descriptor", "45", "want described"},
		{"header is a map", "005370 c10100" + data, "want list"},
		{"properties are null", "005373 40" + data, "want list"},
		{"annotations are a list", "005372 45" + data, "want map"},
		{"application properties are a list", "005374 45" + data, "want map"},
		{"application property named by a symbol", "005374 c10502a3016b41" + data, "want string"},
		{"application property without a value", "005374 c10401a1016b" + data, "without a value"},
		{"data is a string", "005375 a10161", "want binary"},
		{"sequence is a map", "005376 c10100", "want list"},
		{"section past the end", "005375 a0ff01", "past the end"},
		{"only a descriptor", "005375", "end of input"},
		{"octets behind the body", data + "00", "end of input"},
		{"bad UTF-8 in the value", "005377 a102c328", "UTF-8"},
		{"a zero-width array", "005377 f0 00000005 ffffffff 40", "2 GiB"},
		{"deep nesting", "005377" + nestedLists(amqp.MaxDepth+1), "too deeply"},
	} {
		_, err := amqp.ParseMessage(unhex(t, c.encoded))
		var wrong *amqp.DecodeError
		if !errors.As(err, &wrong) || !strings.Contains(wrong.Reason, c.reason) {
			t.Errorf("%s: error %v, want %q", c.name, err, c.reason)
		}
	}
}

func TestFieldsOfTheWrongTypeAreErrors(t *testing.T) {
	const data = "005375 a00101"
	for name, section := range map[string]string{
		"durable is a string":  "005370 c00401 a10161",
		"priority is a uint":   "005370 c00402 405204",
		"message-id is a uint": "005373 c00301 5204",
		"to is a symbol":       "005373 c00603 4040a30161",
		"user-id is a string":  "005373 c00502 40a10161",
	} {
		m, err := amqp.ParseMessage(unhex(t, section+data))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		_, headerErr := m.Header()
		_, propertiesErr := m.Properties()
		if headerErr == nil && propertiesErr == nil {
			t.Errorf("%s: no error", name)
		}
	}
}
