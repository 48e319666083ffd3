package amqp_test

import (
	"bytes"
	"testing"

	"pgregory.net/rapid"

	"github.com/manifoldmq/manifold/router/amqp"
)

// FuzzParseMessage makes sure that a message which is accepted can be read to the last value without a mistake, and
// that rewriting it keeps its bare message.
func FuzzParseMessage(f *testing.F) {
	f.Add(buildTypical(nil))
	for _, seed := range []string{
		"005375 a00101",
		"005377 a10161 005378 c10100",
		"005376 c0030241e00101 40",
		"005370 c0050541504b43 005371 c10100 005372 c10502a3016b41 005373 45 005374 c10502a1016b40 005375 a000 005375 a000",
		"00a30f616d71703a646174613a62696e617279 a00107",
		"005377 f0 00000005 ffffffff 40",
		"005377 00 53 24 e0 05 02 a1 01 61 00",
	} {
		f.Add(unhex(f, seed))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		m, err := amqp.ParseMessage(b)
		if err != nil {
			return
		}
		readAll(t, m)
		rewritten := m.AppendRewritten(nil, amqp.Header{DeliveryCount: 1}, nil, m.Sections().MessageAnnotations)
		out, err := amqp.ParseMessage(rewritten)
		if err != nil {
			t.Fatalf("rewriting broke it: %v", err)
		}
		if !bytes.Equal(out.Sections().Bare(), m.Sections().Bare()) {
			t.Fatal("the bare message has changed")
		}
	})
}

// readAll decodes all that m holds and fails where a checked value turns out to be broken.
func readAll(t *testing.T, m amqp.Message) {
	s := m.Sections()
	n := len(s.Header) + len(s.DeliveryAnnotations) + len(s.MessageAnnotations) + len(s.Bare()) + len(s.Footer)
	if n != m.Len() {
		t.Fatalf("sections have %d of %d octets", n, m.Len())
	}
	for f := amqp.PropertyMessageID; f <= amqp.PropertyReplyToGroupID; f++ {
		readRaw(t, m.Property(f))
	}
	if p, err := m.Properties(); err == nil {
		p.Append(nil)
	}
	if _, err := m.Header(); err != nil {
		_ = err.Error()
	}
	for _, view := range []amqp.MapView{
		m.DeliveryAnnotations(), m.MessageAnnotations(), m.ApplicationPropertiesView(), m.Footer(),
	} {
		n := 0
		for k, v := range view.All() {
			readRaw(t, k)
			readRaw(t, v)
			n++
		}
		if n != view.Len() {
			t.Fatalf("a map of %d entries has %d", view.Len(), n)
		}
	}
	for range m.ApplicationProperties() {
	}
	body := m.Body()
	readRaw(t, body.Value())
	for range body.Data() {
	}
	for list := range body.Sequences() {
		if list == nil {
			t.Fatal("a sequence is no list")
		}
	}
	body.Payload()
}

// readRaw decodes a checked value, with the elements of its arrays, and encodes it again.
func readRaw(t *testing.T, raw amqp.RawValue) {
	if raw == nil {
		return
	}
	d := amqp.NewDecoder(raw)
	v := d.ReadValue()
	if d.Err() != nil || d.Len() != 0 {
		t.Fatalf("%x was checked, but: %v, %d octets left", raw, d.Err(), d.Len())
	}
	walkArrays(t, v)
	if _, err := amqp.AppendAny(nil, v); err != nil {
		t.Fatal(err)
	}
}

func walkArrays(t *testing.T, v any) {
	switch v := v.(type) {
	case amqp.Array:
		n := 0
		for e := range v.All() {
			walkArrays(t, e)
			n++
		}
		if n != v.Len() {
			t.Fatalf("an array of %d elements has %d", v.Len(), n)
		}
	case amqp.List:
		for _, e := range v {
			walkArrays(t, e)
		}
	case amqp.Map:
		v.Duplicate()
		for _, e := range v {
			walkArrays(t, e.Key)
			walkArrays(t, e.Value)
		}
	case amqp.Described:
		walkArrays(t, v.Descriptor)
		walkArrays(t, v.Value)
	}
}

// FuzzValue makes sure that reading, checking and skipping agree about a value, and that writing it again gives an
// encoding that stays the same from then on.
func FuzzValue(f *testing.F) {
	for _, seed := range []string{
		"40", "5601", "70 00000001", "7300000061", "98 00112233445566778899aabbccddeeff", "a10161", "b3 00000001 61",
		"45", "c0 04 02 41 52 07", "d1 00000008 00000002 a1 01 6b 41", "00 53 24 45", "00 00 00 00",
		"e0 06 02 a1 01 61 01 62", "f0 00000005 00000101 45", "e0 07 01 00 44 00 44 50 07",
	} {
		f.Add(unhex(f, seed))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		read, check, skip := amqp.NewDecoder(b), amqp.NewDecoder(b), amqp.NewDecoder(b)
		v := read.ReadValue()
		check.Check()
		skip.Skip()
		if (read.Err() == nil) != (check.Err() == nil) {
			t.Fatalf("reading says %v, checking says %v", read.Err(), check.Err())
		}
		if read.Err() != nil {
			return
		}
		if skip.Err() != nil || read.Offset() != check.Offset() || read.Offset() != skip.Offset() {
			t.Fatalf("read %d, checked %d, skipped %d octets, error %v",
				read.Offset(), check.Offset(), skip.Offset(), skip.Err())
		}
		walkArrays(t, v)
		once, err := amqp.AppendAny(nil, v)
		if err != nil {
			t.Fatal(err)
		}
		d := amqp.NewDecoder(once)
		twice, err := amqp.AppendAny(nil, d.ReadValue())
		if err != nil || d.Err() != nil || !bytes.Equal(once, twice) {
			t.Fatalf("written as %x, then as %x, errors %v, %v", once, twice, err, d.Err())
		}
	})
}

// FuzzOracleReadsWhatWeWrite is [TestOracleReadsWhatWeWrite] with the choices made by the fuzzer. The oracle walks
// Go maps, so what an input covers varies; run it with -fuzzminimizetime=1x, or it spends its time on that.
func FuzzOracleReadsWhatWeWrite(f *testing.F) {
	f.Add(bytes.Repeat([]byte{0x5a, 1, 0, 0xff}, 500))
	f.Fuzz(rapid.MakeFuzz(oracleReadsWhatWeWrite))
}

// FuzzWeReadWhatOracleWrites is [TestWeReadWhatOracleWrites] in the same way.
func FuzzWeReadWhatOracleWrites(f *testing.F) {
	f.Add(bytes.Repeat([]byte{0x5a, 1, 0, 0xff}, 500))
	f.Fuzz(rapid.MakeFuzz(weReadWhatOracleWrites))
}
