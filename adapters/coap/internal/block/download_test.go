package block

import (
	"bytes"
	"testing"

	"github.com/plgd-dev/go-coap/v3/message"
	"github.com/plgd-dev/go-coap/v3/message/codes"
)

// download asks for all blocks of the answer to a GET, and gives the body and how many messages it took.
func (tb *table) download(path string, body []byte, s Size, options ...message.Option) (got []byte, messages int) {
	tb.t.Helper()
	r := tb.request(codes.GET, path, nil, append(options, block2(0, s))...)
	if !r.Whole {
		tb.t.Fatalf("the first request is answered %v", r.Answer.Code)
	}
	cut := tb.Cut(tb.now, r.Reply, content(body))
	for messages = 1; ; messages++ {
		got = append(got, cut.Body...)
		b, ok, err := find(cut.Options, message.Block2)
		if !ok || err != nil {
			tb.t.Fatalf("no Block2 option: %v", err)
		}
		if !b.More {
			return got, messages
		}
		s = b.Size
		next := tb.request(codes.GET, path, nil, block2(uint32(len(got)/s.Bytes()), s))
		if next.Whole {
			tb.t.Fatal("the door is asked for a later block")
		}
		cut = next.Answer
	}
}

func TestBodyIsServedInEverySize(t *testing.T) { // RFC 7959 section 2.4
	for s := Smallest; s <= Largest; s++ {
		for _, n := range []int{1, s.Bytes(), s.Bytes() + 1, 6668} {
			got, messages := newTable(t).download("a", noise(n), s)
			if !bytes.Equal(got, noise(n)) || messages != (n+s.Bytes()-1)/s.Bytes() {
				t.Errorf("size %d: %d bytes of %d in %d messages", s.Bytes(), len(got), n, messages)
			}
		}
	}
}

func TestFirstBlockTellsSizeAndETag(t *testing.T) {
	tb := newTable(t)
	r := tb.request(codes.GET, "a", nil)
	first := tb.Cut(tb.now, r.Reply, content(noise(2000), message.Option{ID: message.ContentFormat, Value: []byte{42}}))
	wantBlock(t, first.Options, message.Block2, Option{0, true, 6})
	if n, err := first.Options.GetUint32(message.Size2); n != 2000 || err != nil {
		t.Errorf("Size2 is %d, %v", n, err)
	}
	etag, err := first.Options.GetBytes(message.ETag)
	if err != nil || len(etag) != 8 {
		t.Fatalf("ETag %x, %v", etag, err)
	}
	etag = bytes.Clone(etag)
	later := tb.request(codes.GET, "a", nil, block2(1, 6)).Answer
	wantBlock(t, later.Options, message.Block2, Option{1, false, 6})
	if got, err := later.Options.GetBytes(message.ETag); !bytes.Equal(got, etag) || err != nil {
		t.Errorf("ETag of the second block %x, %v, want %x", got, err, etag)
	}
	if f, err := later.Options.ContentFormat(); f != 42 || err != nil {
		t.Errorf("content format of the second block %v, %v", f, err)
	}
}

func TestDoorsETagStays(t *testing.T) {
	tb := newTable(t)
	r := tb.request(codes.GET, "a", nil)
	first := tb.Cut(tb.now, r.Reply, content(noise(2000), message.Option{ID: message.ETag, Value: []byte("mine")}))
	if got, err := first.Options.GetBytes(message.ETag); string(got) != "mine" || err != nil {
		t.Errorf("ETag %q, %v", got, err)
	}
}

func TestSmallBodyIsNoBlockUnlessAsked(t *testing.T) {
	tb := newTable(t)
	r := tb.request(codes.GET, "a", nil)
	if cut := tb.Cut(tb.now, r.Reply, content([]byte("x"))); cut.Options.HasOption(message.Block2) {
		t.Error("a small body has a Block2 option")
	}
	if !tb.Idle() {
		t.Error("a small body is kept")
	}
	r = tb.request(codes.GET, "a", nil, block2(0, 2))
	wantBlock(t, tb.Cut(tb.now, r.Reply, content([]byte("x"))).Options, message.Block2, Option{0, false, 2})
}

func TestBlockOutOfRange(t *testing.T) {
	tb := newTable(t)
	r := tb.request(codes.GET, "a", nil)
	tb.Cut(tb.now, r.Reply, content(noise(2048)))
	wantCode(t, tb.request(codes.GET, "a", nil, block2(2, 6)), codes.BadRequest)
	wantCode(t, tb.request(codes.GET, "a", nil, block2(MaxNumber, 6)), codes.BadRequest)
	wantCode(t, tb.request(codes.GET, "b", nil, block2(1, 6)), codes.RequestEntityIncomplete)
}

// RFC 7959 section 2.6: a notification carries the first block, and a GET without Observe gets the others, of the newest.
func TestNotificationIsFetchedFurther(t *testing.T) {
	tb := newTable(t)
	register := tb.request(codes.GET, "a", nil, message.Option{ID: message.Observe})
	tb.Cut(tb.now, register.Reply, content([]byte("small")))
	tb.Cut(tb.now, register.Reply, content(bytes.Repeat([]byte("o"), 3000)))
	first := tb.Cut(tb.now, register.Reply, content(noise(3000)))
	got := bytes.Clone(first.Body)
	for n := uint32(1); n <= 2; n++ {
		got = append(got, tb.request(codes.GET, "a", nil, block2(n, 6)).Answer.Body...)
	}
	if !bytes.Equal(got, noise(3000)) {
		t.Errorf("%d bytes, not those of the newest notification", len(got))
	}
}

// RFC 7959 section 3.3: both bodies of a POST come in blocks; its later Block2 requests have neither Block1 nor payload.
func TestPostInBlocksIsAnsweredInBlocks(t *testing.T) {
	tb := newTable(t)
	wantCode(t, tb.request(codes.POST, "a", noise(64), block1(0, true, 2)), codes.Continue)
	r := tb.request(codes.POST, "a", noise(64), block1(1, false, 2), block2(0, 2))
	if !r.Whole {
		t.Fatal(r.Answer.Code)
	}
	first := tb.Cut(tb.now, r.Reply, content(noise(150)))
	wantBlock(t, first.Options, message.Block1, Option{1, false, 2})
	wantBlock(t, first.Options, message.Block2, Option{0, true, 2})
	got := bytes.Clone(first.Body)
	for n := uint32(1); n <= 2; n++ {
		got = append(got, tb.request(codes.POST, "a", nil, block2(n, 2)).Answer.Body...)
	}
	if !bytes.Equal(got, noise(150)) {
		t.Errorf("%d bytes", len(got))
	}
}

func TestKeptBodiesAreBounded(t *testing.T) {
	get := func(tb *table, path string, n int) {
		r := tb.request(codes.GET, path, nil)
		tb.Cut(tb.now, r.Reply, content(noise(n)))
	}
	t.Run("in number", func(t *testing.T) {
		tb := newTable(t, func(l *Limits) { l.MaxKept = 2 })
		get(tb, "a", 2000)
		get(tb, "b", 2000)
		tb.request(codes.GET, "a", nil, block2(1, 6)) // now b is the one unused for longest
		get(tb, "c", 2000)
		wantCode(t, tb.request(codes.GET, "b", nil, block2(1, 6)), codes.RequestEntityIncomplete)
		wantCode(t, tb.request(codes.GET, "a", nil, block2(1, 6)), codes.Content)
	})
	t.Run("in bytes", func(t *testing.T) {
		tb := newTable(t, func(l *Limits) { l.MaxKeptBytes = 5000 })
		get(tb, "a", 3000)
		get(tb, "b", 3000)
		wantCode(t, tb.request(codes.GET, "a", nil, block2(1, 6)), codes.RequestEntityIncomplete)
		wantCode(t, tb.request(codes.GET, "b", nil, block2(1, 6)), codes.Content)
		get(tb, "c", 6000)
		wantCode(t, tb.request(codes.GET, "c", nil, block2(1, 6)), codes.RequestEntityIncomplete)
	})
	t.Run("in time", func(t *testing.T) {
		tb := newTable(t)
		get(tb, "a", 3000)
		tb.now = tb.Deadline()
		wantCode(t, tb.request(codes.GET, "a", nil, block2(1, 6)), codes.RequestEntityIncomplete)
	})
	t.Run("of all peers", func(t *testing.T) {
		tb := newTable(t)
		tb.purse.left = 100
		r := tb.request(codes.GET, "a", nil)
		if first := tb.Cut(tb.now, r.Reply, content(noise(3000))); len(first.Body) != 1024 {
			t.Errorf("the first block has %d bytes", len(first.Body))
		}
		wantCode(t, tb.request(codes.GET, "a", nil, block2(1, 6)), codes.RequestEntityIncomplete)
		tb.purse.left = 1 << 30
	})
}

func TestFetchesWithDifferentBodiesAreApart(t *testing.T) { // RFC 8132 section 2.1
	tb := newTable(t)
	const fetch codes.Code = 5
	one := tb.request(fetch, "a", []byte("one"))
	two := tb.request(fetch, "a", []byte("two"))
	tb.Cut(tb.now, one.Reply, content(bytes.Repeat([]byte("1"), 1500)))
	tb.Cut(tb.now, two.Reply, content(bytes.Repeat([]byte("2"), 1500)))
	if got := tb.request(fetch, "a", []byte("one"), block2(1, 6)).Answer.Body; len(got) != 476 || got[0] != '1' {
		t.Errorf("%d bytes of %.1q", len(got), got)
	}
}

func TestShrinkHalvesTheBlocks(t *testing.T) {
	tb := newTable(t)
	r := tb.request(codes.GET, "a", nil).Reply
	for want := 512; want >= 16; want /= 2 {
		if !r.Shrink() || r.size.Bytes() != want {
			t.Fatalf("blocks of %d bytes, want %d", r.size.Bytes(), want)
		}
	}
	if r.Shrink() {
		t.Error("there is a size below 16")
	}
	cut := tb.Cut(tb.now, r, content(noise(40)))
	wantBlock(t, cut.Options, message.Block2, Option{0, true, 0})
}

func TestStreamIsCutByMessageSize(t *testing.T) { // RFC 8323 section 6
	tb := newTable(t)
	tb.Carry(4500, false)
	r := tb.request(codes.GET, "a", nil).Reply
	if cut := tb.Cut(tb.now, r, content(noise(4500))); len(cut.Body) != 4500 || cut.Options.HasOption(message.Block2) {
		t.Errorf("%d bytes at once, options %v", len(cut.Body), cut.Options)
	}
	wantBlock(t, tb.Cut(tb.now, r, content(noise(4501))).Options, message.Block2, Option{0, true, 6})
	tb.Carry(4500, true)
	r = tb.request(codes.GET, "a", nil).Reply
	cut := tb.Cut(tb.now, r, content(noise(9000)))
	wantBlock(t, cut.Options, message.Block2, Option{0, true, BERT})
	if len(cut.Body) != 4096 {
		t.Errorf("a message of %d bytes, want 4096", len(cut.Body))
	}
	next := tb.request(codes.GET, "a", nil, block2(4, BERT)).Answer
	wantBlock(t, next.Options, message.Block2, Option{4, true, BERT})
	if !bytes.Equal(next.Body, noise(9000)[4096:8192]) {
		t.Errorf("%d bytes, not the next", len(next.Body))
	}
}
