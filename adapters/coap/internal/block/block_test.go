package block

import (
	"bytes"
	"testing"
	"time"

	"github.com/plgd-dev/go-coap/v3/message"
	"github.com/plgd-dev/go-coap/v3/message/codes"

	"github.com/manifoldmq/manifold/adapters/coap/internal/session"
)

// purse is a budget that knows what is left.
type purse struct{ left int }

func (p *purse) Take(n int) bool {
	if n > p.left {
		return false
	}
	p.left -= n
	return true
}

func (p *purse) Give(n int) { p.left += n }

// table is one peer's transfers with a clock.
type table struct {
	t      *testing.T
	now    time.Time
	limits Limits
	purse  purse
	Transfers
}

func newTable(t *testing.T, change ...func(*Limits)) *table {
	tb := &table{t: t, now: time.Unix(1_800_000_000, 0), limits: DefaultLimits(), purse: purse{1 << 30}}
	for _, f := range change {
		f(&tb.limits)
	}
	if err := tb.limits.Validate(); err != nil {
		t.Fatal(err)
	}
	tb.Init(&tb.limits, &tb.purse)
	t.Cleanup(func() {
		tb.Close()
		if tb.purse.left != 1<<30 && !t.Failed() {
			t.Errorf("the budget has %d bytes more than before", tb.purse.left-1<<30)
		}
	})
	return tb
}

// request sends a request to a path, with options as pairs of number and value.
func (tb *table) request(code codes.Code, path string, payload []byte, options ...message.Option) Result {
	all := message.Options{}.Add(message.Option{ID: message.URIPath, Value: []byte(path)})
	for _, o := range options {
		all = all.Add(o)
	}
	return tb.Request(tb.now, code, all, payload)
}

func block1(number uint32, more bool, s Size) message.Option {
	return message.Option{ID: message.Block1, Value: Option{number, more, s}.Append(nil)}
}

func block2(number uint32, s Size) message.Option {
	return message.Option{ID: message.Block2, Value: Option{number, false, s}.Append(nil)}
}

func size1(n uint32) message.Option {
	return message.Option{ID: message.Size1, Value: appendUint(nil, n)}
}

// noise gives n bytes of which no two blocks are alike.
func noise(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(i) ^ byte(i>>8)*31 ^ byte(i>>16)
	}
	return b
}

// wantBlock checks a Block option of an answer.
func wantBlock(t *testing.T, options message.Options, id message.OptionID, want Option) {
	t.Helper()
	got, ok, err := find(options, id)
	if !ok || err != nil || got != want {
		t.Errorf("%v is %+v (%v, %v), want %+v", id, got, ok, err, want)
	}
}

func wantCode(t *testing.T, r Result, want codes.Code) {
	t.Helper()
	if r.Whole || r.Answer.Code != want {
		t.Fatalf("whole=%v, answer %v, want %v", r.Whole, r.Answer.Code, want)
	}
}

func TestOptionIsNumberMoreAndSize(t *testing.T) {
	for _, c := range []struct {
		value []byte
		want  Option
	}{
		{nil, Option{}}, // RFC 7959 section 2.2: no bytes are number 0, size 16, no more
		{[]byte{0x06}, Option{0, false, 6}},
		{[]byte{0x0E}, Option{0, true, 6}},
		{[]byte{0x1A}, Option{1, true, 2}},
		{[]byte{0x01, 0x2C}, Option{18, true, 4}},
		{[]byte{0xFF, 0xFF, 0xFF}, Option{MaxNumber, true, 7}},
	} {
		got, err := Parse(c.value)
		if err != nil || got != c.want {
			t.Errorf("%x is %+v, %v, want %+v", c.value, got, err, c.want)
		}
		if back := got.Append(nil); !bytes.Equal(back, c.value) {
			t.Errorf("%+v is %x, want %x", got, back, c.value)
		}
	}
	if _, err := Parse([]byte{1, 2, 3, 4}); err == nil {
		t.Error("four bytes are taken for an option")
	}
}

func TestLimitsAreValidated(t *testing.T) {
	if err := DefaultLimits().Validate(); err != nil {
		t.Error(err)
	}
	for name, spoil := range map[string]func(*Limits){
		"maxBody": func(l *Limits) { l.MaxBody = 0 }, "maxUploads": func(l *Limits) { l.MaxUploads = 0 },
		"blockSize": func(l *Limits) { l.BlockSize = 100 }, "keepTimeout": func(l *Limits) { l.KeepTimeout = 0 },
		"uploadTimeout": func(l *Limits) { l.UploadTimeout = -1 }, "maxKept": func(l *Limits) { l.MaxKept = 0 },
		"maxKeptBytes": func(l *Limits) { l.MaxKeptBytes = 0 }, "maxUploadBytes": func(l *Limits) { l.MaxUploadBytes = 0 },
	} {
		l := DefaultLimits()
		spoil(&l)
		if l.Validate() == nil {
			t.Errorf("%s out of range is taken", name)
		}
	}
}

func TestReservedSizeIsBadRequest(t *testing.T) { // RFC 7959 section 2.2
	tb := newTable(t)
	wantCode(t, tb.request(codes.POST, "a", noise(1024), block1(0, true, BERT)), codes.BadRequest)
	wantCode(t, tb.request(codes.GET, "a", nil, block2(0, BERT)), codes.BadRequest)
}

func content(body []byte, options ...message.Option) session.Response {
	return session.Response{Code: codes.Content, Options: options, Body: body}
}

func FuzzRequests(f *testing.F) {
	f.Add([]byte{3, 0x08, 16, 3, 0x10, 4, 1, 0x18, 9})
	f.Add([]byte{1, 0x06, 0, 1, 0x16, 0, 1, 0x26, 0})
	f.Fuzz(func(t *testing.T, script []byte) {
		tb := newTable(t, func(l *Limits) { l.MaxBody, l.MaxUploads, l.MaxUploadBytes, l.MaxKept = 100, 2, 150, 2 })
		for len(script) >= 3 {
			code, value, size := codes.Code(script[0]&7), script[1], int(script[2])
			o := message.Option{ID: message.Block1, Value: []byte{value}}
			if script[0]&8 != 0 {
				o.ID = message.Block2
			}
			tb.now = tb.now.Add(time.Duration(script[0]>>5) * time.Minute)
			r := tb.request(code, string('a'+rune(script[0]>>4&1)), noise(size), o)
			if r.Whole {
				if len(r.Body) > 100 {
					t.Fatalf("a body of %d bytes", len(r.Body))
				}
				cut := tb.Cut(tb.now, r.Reply, content(noise(size*3)))
				if len(cut.Body) > 1024 {
					t.Fatalf("a block of %d bytes", len(cut.Body))
				}
			}
			if tb.uploadedBytes > 150 || len(tb.uploads) > 2 || len(tb.kept) > 2 {
				t.Fatalf("%d bytes of %d uploads, %d kept", tb.uploadedBytes, len(tb.uploads), len(tb.kept))
			}
			script = script[3:]
		}
	})
}
