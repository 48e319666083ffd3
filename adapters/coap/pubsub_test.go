package coap

import (
	"maps"
	"testing"

	"github.com/fxamacker/cbor/v2"
	"github.com/plgd-dev/go-coap/v3/message"
	"github.com/plgd-dev/go-coap/v3/message/codes"
)

// inCBOR gives a body of CBOR.
func inCBOR(t *testing.T, v any) string {
	t.Helper()
	b, err := cbor.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// properties reads a topic's representation.
func properties(t *testing.T, body []byte) map[int]any {
	t.Helper()
	var m map[int]any
	if err := cbor.Unmarshal(body, &m); err != nil {
		t.Fatal(err)
	}
	return m
}

func TestTopicIsCreatedConfiguredAndDeleted(t *testing.T) {
	run(t, Config{}, func(h *house) {
		p := h.dial()
		create := inCBOR(t, map[int]any{0: "telemetry/living room", 2: "core.ps.data", 3: 110, 4: "temperature"})
		got := p.expect(codes.Created, codes.POST, "ps", create)
		if location := value(got, message.LocationPath); location != "ps/conf/telemetry/living room" {
			t.Errorf("it is at %s", location)
		}
		m := properties(t, got.Body)
		want := map[int]any{
			0: "telemetry/living room", 1: "/ps/data/telemetry/living%20room", 2: "core.ps.data", 3: uint64(110), 4: "temperature",
		}
		if !maps.Equal(m, want) {
			t.Errorf("it is %v, want %v", m, want)
		}
		p.expect(codes.BadRequest, codes.POST, "ps", create)
		p.expect(codes.BadRequest, codes.POST, "ps", inCBOR(t, map[int]any{0: "state", 2: "core.ps.data"}))
		p.expect(codes.Forbidden, codes.POST, "ps", inCBOR(t, map[int]any{0: "jobs", 2: "core.ps.data"}))
		p.expect(codes.BadRequest, codes.POST, "ps", inCBOR(t, map[int]any{0: "telemetry/x"}))
		p.expect(codes.BadRequest, codes.POST, "ps", inCBOR(t, map[int]any{0: "telemetry/x", 2: "core.ps.data", 99: 1}))
		p.expect(codes.BadRequest, codes.POST, "ps", "\xFF")

		conf := "ps/conf/telemetry/living room"
		part := properties(t, p.expect(codes.Content, codeFETCH, conf, inCBOR(t, []int{1, 4})).Body)
		if len(part) != 2 || part[4] != "temperature" {
			t.Errorf("part of it is %v", part)
		}
		changed := properties(t, p.expect(codes.Changed, codeIPATCH, conf, inCBOR(t, map[int]any{4: "humidity"})).Body)
		if changed[4] != "humidity" || changed[3] != uint64(110) {
			t.Errorf("patched it is %v", changed)
		}
		replaced := properties(t, p.expect(codes.Changed, codes.POST, conf, inCBOR(t, map[int]any{4: "light"})).Body)
		if replaced[4] != "light" || replaced[3] != nil {
			t.Errorf("replaced it is %v", replaced)
		}
		p.expect(codes.BadRequest, codeIPATCH, conf, inCBOR(t, map[int]any{0: "other"}))

		for _, c := range []struct {
			code            codes.Code
			uri, body, want string
		}{
			{codes.GET, "ps", "", "</ps/conf/telemetry/living%20room>,</ps/conf/state>"},
			{codes.GET, "ps?rt=core.ps.data", "", "</ps/data/telemetry/living%20room>,</ps/data/state>"},
			{codeFETCH, "ps", inCBOR(t, map[int]any{4: "light"}), "</ps/conf/telemetry/living%20room>"},
		} {
			if got := p.expect(codes.Content, c.code, c.uri, c.body); string(got.Body) != c.want {
				t.Errorf("%s shows %s, want %s", c.uri, got.Body, c.want)
			}
		}
		p.expect(codes.Deleted, codes.DELETE, conf, "")
		p.expect(codes.NotFound, codes.DELETE, conf, "")
		p.expect(codes.NotFound, codes.GET, conf, "")
		p.expect(codes.Forbidden, codes.DELETE, "ps/conf/state", "")
	})
}

func TestDataOfATopicLivesFromItsFirstPublicationToItsDeletion(t *testing.T) {
	run(t, Config{}, func(h *house) {
		p := h.dial()
		p.expect(codes.NotFound, codes.GET, "ps/data/state", "")
		p.expect(codes.NotFound, codes.GET, "ps/data/state", "", observing)
		p.expect(codes.NotFound, codes.DELETE, "ps/data/state", "")
		p.expect(codes.Created, codes.PUT, "ps/data/state", "1")
		p.expect(codes.Changed, codes.PUT, "ps/data/state", "2")
		if got := p.expect(codes.Content, codes.GET, "ps/data/state", "", observing); string(got.Body) != "2" {
			t.Errorf("got %q", got.Body)
		}
		p.expect(codes.Deleted, codes.DELETE, "ps/data/state", "")
		if n := p.notice(); n.Code != codes.NotFound {
			t.Errorf("an observer hears %s", dotted(n.Code))
		}
		p.expect(codes.NotFound, codes.GET, "ps/data/state", "")
		p.expect(codes.NotFound, codes.PUT, "ps/data/jobs", "x")
		p.expect(codes.MethodNotAllowed, codeIPATCH, "ps/data/state", "x")
	})
}

func TestTopicBeginsWithItsInitialData(t *testing.T) {
	run(t, Config{}, func(h *house) {
		p := h.dial()
		p.expect(codes.Created, codes.POST, "ps", inCBOR(t, map[int]any{0: "telemetry/x", 2: "core.ps.data", 3: 60, 8: []byte{0x80}}))
		got := p.expect(codes.Content, codes.GET, "ps/data/telemetry/x", "", observing)
		if string(got.Body) != "\x80" || number(got, message.ContentFormat) != 60 {
			t.Errorf("got %q %v", got.Body, got.Options)
		}
		p.expect(codes.UnsupportedMediaType, codes.PUT, "ps/data/telemetry/x", "{}", option(message.ContentFormat, 50))
		p.expect(codes.Changed, codes.PUT, "ps/data/telemetry/x", "\x81", option(message.ContentFormat, 60))
	})
}
