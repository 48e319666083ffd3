package amqp_test

import (
	"bytes"
	"reflect"
	"slices"
	"testing"

	"github.com/manifoldmq/manifold/router/amqp"
)

// buildTypical appends a message as a device would send it.
func buildTypical(dst []byte) []byte {
	dst = amqp.Header{Durable: true, Priority: amqp.DefaultPriority, TTL: 60_000}.Append(dst)
	annotations := amqp.BeginMessageAnnotations(dst)
	annotations.Long("x-opt-delivery-delay", 5000)
	dst = annotations.End()
	properties := amqp.Properties{
		MessageID:    "b1c7a0de-0001",
		To:           "sensors/7/temperature",
		Subject:      "reading",
		ContentType:  "application/json",
		CreationTime: 1_790_000_000_000,
	}
	dst = properties.Append(dst)
	application := amqp.BeginApplicationProperties(dst)
	application.String("device", "sensor-7")
	application.String("site", "north")
	application.Int("firmware", 42)
	application.Bool("simulated", false)
	dst = application.End()
	return amqp.AppendData(dst, []byte(`{"temperature":21.5,"humidity":40,"battery":3.71}`))
}

func typical(t testing.TB) amqp.Message {
	t.Helper()
	return parse(t, buildTypical(nil))
}

func parse(t testing.TB, b []byte) amqp.Message {
	t.Helper()
	m, err := amqp.ParseMessage(b)
	if err != nil {
		t.Fatalf("%v in %x", err, b)
	}
	return m
}

func TestMessageIsWhatWasBuilt(t *testing.T) {
	m := typical(t)
	h, err := m.Header()
	if want := (amqp.Header{Durable: true, Priority: 4, TTL: 60_000}); h != want || err != nil {
		t.Errorf("header %+v, error %v", h, err)
	}
	p, err := m.Properties()
	want := amqp.Properties{MessageID: "b1c7a0de-0001", To: "sensors/7/temperature", Subject: "reading",
		ContentType: "application/json", CreationTime: 1_790_000_000_000}
	if !reflect.DeepEqual(p, want) || err != nil {
		t.Errorf("properties %+v, error %v", p, err)
	}
	delay, ok := m.MessageAnnotations().Lookup("x-opt-delivery-delay")
	if delay.Value() != int64(5000) || !ok {
		t.Errorf("annotation %v", delay.Value())
	}
	var application amqp.Map
	for key, value := range m.ApplicationProperties() {
		application = append(application, amqp.Entry{Key: key, Value: value})
	}
	if want := (amqp.Map{
		{Key: "device", Value: "sensor-7"}, {Key: "site", Value: "north"},
		{Key: "firmware", Value: int32(42)}, {Key: "simulated", Value: false},
	}); !reflect.DeepEqual(application, want) {
		t.Errorf("application properties %v", application)
	}
	if v, ok := m.ApplicationProperty("firmware"); v != int32(42) || !ok {
		t.Errorf("firmware %v, %v", v, ok)
	}
	if v, ok := m.ApplicationProperty("Firmware"); v != nil || ok {
		t.Errorf("Firmware %v, %v", v, ok)
	}
	payload, text, ok := m.Body().Payload()
	if !bytes.HasPrefix(payload, []byte(`{"temp`)) || text || !ok {
		t.Errorf("payload %q, text %v, ok %v", payload, text, ok)
	}
}

func TestMissingSectionsGiveDefaults(t *testing.T) {
	m := parse(t, amqp.AppendData(nil, nil))
	if h, err := m.Header(); h != (amqp.Header{Priority: 4}) || err != nil {
		t.Errorf("header %+v, error %v", h, err)
	}
	if p, err := m.Properties(); !reflect.DeepEqual(p, amqp.Properties{}) || err != nil {
		t.Errorf("properties %+v, error %v", p, err)
	}
	for _, view := range []amqp.MapView{
		m.DeliveryAnnotations(), m.MessageAnnotations(), m.ApplicationPropertiesView(), m.Footer(),
	} {
		if view.Len() != 0 {
			t.Errorf("%d entries", view.Len())
		}
	}
	if raw := m.Property(amqp.PropertyTo); raw != nil {
		t.Errorf("to is %x", raw)
	}
	var none amqp.Message
	if !none.IsZero() || m.IsZero() || none.Body().Kind() != amqp.BodyNone || none.Sections().Bare() != nil {
		t.Error("the zero message is something")
	}
}

func TestMessageNeedsNoBody(t *testing.T) {
	for _, encoded := range []string{"005370 45", "005373 45 005374 c10100", "005372 c10100 005378 c10100"} {
		m := parse(t, unhex(t, encoded))
		payload, text, ok := m.Body().Payload()
		if kind := m.Body().Kind(); kind != amqp.BodyNone || len(payload) > 0 || text || !ok {
			t.Errorf("%s has a body: %v %x", encoded, kind, payload)
		}
	}
}

func TestSectionsAreFound(t *testing.T) {
	b := unhex(t, "005370 45 005371 c10100 005372 c10100"+
		"005373 45 005374 c10100 005375 a00101 005375 a00102 005378 c10100")
	m := parse(t, b)
	s := m.Sections()
	all := [][]byte{
		s.Header, s.DeliveryAnnotations, s.MessageAnnotations, s.Properties, s.ApplicationProperties, s.Body, s.Footer,
	}
	joined := slices.Concat(all...)
	if !bytes.Equal(joined, b) || !bytes.Equal(m.Bytes(), b) || m.Len() != len(b) {
		t.Errorf("sections %x", joined)
	}
	if want := slices.Concat(s.Properties, s.ApplicationProperties, s.Body); !bytes.Equal(s.Bare(), want) {
		t.Errorf("bare message %x, want %x", s.Bare(), want)
	}
	for i, section := range append(all, s.Bare()) {
		if cap(section) != len(section) {
			t.Errorf("section %d has room that belongs to the next", i)
		}
	}
}

func TestDescriptorsInOtherEncodingsAreUnderstood(t *testing.T) {
	for _, encoded := range []string{
		"00 80 0000000000000070 c0020141 00 80 0000000000000075 a00107",
		"00 a3 10 616d71703a6865616465723a6c697374 c0020141 00 a3 10 616d71703a646174613a62696e617279 a00107",
	} {
		m := parse(t, unhex(t, encoded))
		h, err := m.Header()
		payload, _, ok := m.Body().Payload()
		if !h.Durable || err != nil || string(payload) != "\x07" || !ok {
			t.Errorf("header %+v, error %v, payload %x", h, err, payload)
		}
		if kind := m.Body().Kind(); kind != amqp.BodyData {
			t.Errorf("body is %v", kind)
		}
	}
}

func TestBodiesOfEachKind(t *testing.T) {
	three := amqp.AppendData(amqp.AppendData(amqp.AppendData(nil, []byte("one,")), []byte("two,")), []byte("three"))
	list, _ := amqp.AppendSequence(nil, amqp.List{"a", true})
	lists, _ := amqp.AppendSequence(list, amqp.List{})
	number, _ := amqp.AppendValue(nil, uint32(7))
	octets, _ := amqp.AppendValue(nil, []byte("octets"))
	for _, c := range []struct {
		name    string
		encoded []byte
		kind    amqp.BodyKind
		payload string
		text    bool
		ok      bool
	}{
		{"data", amqp.AppendData(nil, []byte("one")), amqp.BodyData, "one", false, true},
		{"data three times", three, amqp.BodyData, "one,two,three", false, true},
		{"string", amqp.AppendValueString(nil, "grüße"), amqp.BodyValue, "grüße", true, true},
		{"binary value", octets, amqp.BodyValue, "octets", false, true},
		{"number", number, amqp.BodyValue, "", false, false},
		{"sequences", lists, amqp.BodySequence, "", false, false},
	} {
		body := parse(t, c.encoded).Body()
		payload, text, ok := body.Payload()
		if body.Kind() != c.kind || string(payload) != c.payload || text != c.text || ok != c.ok {
			t.Errorf("%s: %v %q, text %v, ok %v", c.name, body.Kind(), payload, text, ok)
		}
		if !bytes.Equal(body.Raw(), c.encoded) {
			t.Errorf("%s: raw is %x", c.name, body.Raw())
		}
	}
	if got := slices.Collect(parse(t, lists).Body().Sequences()); !reflect.DeepEqual(got, []amqp.List{{"a", true}, {}}) {
		t.Errorf("sequences %v", got)
	}
	if got := parse(t, number).Body().Value().Value(); got != uint32(7) {
		t.Errorf("value %v", got)
	}
}

func TestRewritingKeepsTheBareMessage(t *testing.T) {
	odd := unhex(t, "00 80 0000000000000073 d0 00000006 00000002 40 40"+ // no encoding here is the smallest
		"00 53 75 b0 00000001 07 00 53 78 d1 00000004 00000000")
	for _, b := range [][]byte{odd, buildTypical(nil), append(buildTypical(nil), unhex(t, "005378 c10100")...)} {
		m := parse(t, b)
		h, _ := m.Header()
		h.DeliveryCount += 3
		annotations := amqp.BeginDeliveryAnnotations(nil)
		annotations.Symbol("x-opt-via", "node-2")
		delivery := annotations.End()
		before := m.Sections()
		out := parse(t, m.AppendRewritten(nil, h, delivery, before.MessageAnnotations))
		after := out.Sections()
		if !bytes.Equal(after.Bare(), before.Bare()) || !bytes.Equal(after.Footer, before.Footer) {
			t.Errorf("%x became %x", m.Bytes(), out.Bytes())
		}
		if got, err := out.Header(); got != h || err != nil {
			t.Errorf("header %+v, error %v, want %+v", got, err, h)
		}
		if !bytes.Equal(after.DeliveryAnnotations, delivery) ||
			!bytes.Equal(after.MessageAnnotations, before.MessageAnnotations) {
			t.Error("annotations are not what was given")
		}
		again := out.WithHeader(amqp.Header{Priority: 9})
		if got, err := again.Header(); got != (amqp.Header{Priority: 9}) || err != nil {
			t.Errorf("header %+v, error %v", got, err)
		}
		if !bytes.HasSuffix(again.Bytes(), out.Bytes()[len(after.Header):]) {
			t.Error("WithHeader changed more than the header")
		}
	}
}

func TestOnePropertyIsFound(t *testing.T) {
	p := amqp.Properties{
		MessageID: uint64(7), UserID: []byte("me"), To: "a", Subject: "b", ReplyTo: "c", CorrelationID: amqp.UUID{1},
		ContentType: "d", ContentEncoding: "e", AbsoluteExpiryTime: 8, CreationTime: 9,
		GroupID: "f", GroupSequence: 0, HasGroupSequence: true, ReplyToGroupID: "g",
	}
	m := parse(t, amqp.AppendData(p.Append(nil), nil))
	if got, err := m.Properties(); !reflect.DeepEqual(got, p) || err != nil {
		t.Errorf("properties %+v, error %v", got, err)
	}
	for i, want := range []any{
		uint64(7), []byte("me"), "a", "b", "c", amqp.UUID{1}, amqp.Symbol("d"), amqp.Symbol("e"),
		amqp.Timestamp(8), amqp.Timestamp(9), "f", uint32(0), "g",
	} {
		if got := m.Property(amqp.PropertyField(i)).Value(); !reflect.DeepEqual(got, want) {
			t.Errorf("field %d is %v, want %v", i, got, want)
		}
	}
	m = parse(t, amqp.AppendData((&amqp.Properties{GroupID: "f"}).Append(nil), nil))
	if text, ok := m.Property(amqp.PropertyGroupID).Text(); string(text) != "f" || !ok {
		t.Errorf("group-id %q", text)
	}
	if raw := m.Property(amqp.PropertyTo); raw != nil {
		t.Errorf("to is %x", raw)
	}
	if raw := m.Property(amqp.PropertyReplyToGroupID); raw != nil {
		t.Errorf("reply-to-group-id is %x", raw)
	}
}

func TestContentTypeMayBeAString(t *testing.T) {
	m := parse(t, unhex(t, "005373 c00a07 404040404040 a10161 005375 a000"))
	if p, err := m.Properties(); p.ContentType != "a" || err != nil {
		t.Errorf("content-type %q, error %v", p.ContentType, err)
	}
}

func TestReadingAllocatesNothing(t *testing.T) {
	m := typical(t)
	buffer := make([]byte, 0, 512)
	for name, read := range map[string]func(){
		"ParseMessage": func() { _, _ = amqp.ParseMessage(m.Bytes()) },
		"Sections":     func() { _ = m.Sections() },
		"Header":       func() { _, _ = m.Header() },
		"Property":     func() { _, _ = m.Property(amqp.PropertyTo).Text() },
		"Payload":      func() { _, _, _ = m.Body().Payload() },
		"Lookup":       func() { _, _ = m.ApplicationPropertiesView().Lookup("site") },
		"view": func() {
			for key, value := range m.ApplicationPropertiesView().All() {
				_, _ = key, value
			}
		},
		"AppendRewritten": func() { buffer = m.AppendRewritten(buffer[:0], amqp.Header{}, nil, nil) },
		"build":           func() { buffer = buildTypical(buffer[:0]) },
	} {
		if n := testing.AllocsPerRun(100, read); n != 0 {
			t.Errorf("%s allocates %v times", name, n)
		}
	}
}

func TestMessageWithoutABodyKeepsItsPropertiesWhenRewritten(t *testing.T) {
	p := amqp.Properties{Subject: "all there is"}
	m := parse(t, p.Append(nil))
	got, err := parse(t, m.AppendRewritten(nil, amqp.Header{Durable: true}, nil, nil)).Properties()
	if err != nil || got.Subject != p.Subject {
		t.Errorf("subject %q (%v), want %q", got.Subject, err, p.Subject)
	}
}
