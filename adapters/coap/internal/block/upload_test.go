package block

import (
	"bytes"
	"testing"
	"time"

	"github.com/plgd-dev/go-coap/v3/message"
	"github.com/plgd-dev/go-coap/v3/message/codes"
)

// upload sends a body in blocks, in the sizes that it is asked for, and gives the result of the last one.
func (tb *table) upload(path string, body []byte, s Size, options ...message.Option) Result {
	tb.t.Helper()
	for from := 0; ; {
		to := min(from+s.Bytes(), len(body))
		b := Option{uint32(from / s.Bytes()), to < len(body), s}
		r := tb.request(codes.PUT, path, body[from:to], append(options, block1(b.Number, b.More, s))...)
		if !b.More || r.Whole {
			return r
		}
		wantCode(tb.t, r, codes.Continue)
		asked, _, _ := find(r.Answer.Options, message.Block1)
		from, s = to, asked.Size
	}
}

func TestBodyIsPutTogetherInEverySize(t *testing.T) {
	for s := Smallest; s <= Largest; s++ {
		for _, n := range []int{1, s.Bytes(), s.Bytes() + 1, 6668, 10 * s.Bytes()} {
			r := newTable(t).upload("a", noise(n), s)
			if !r.Whole || !bytes.Equal(r.Body, noise(n)) {
				t.Errorf("size %d: %d bytes of %d", s.Bytes(), len(r.Body), n)
			}
		}
	}
}

// RFC 7959 section 2.3: the server may ask for a smaller size at the first block, and the client goes on with it.
func TestSmallerBlocksAreAskedForEarly(t *testing.T) {
	tb := newTable(t, func(l *Limits) { l.BlockSize = 64 })
	r := tb.request(codes.PUT, "a", noise(1024), block1(0, true, 6))
	wantCode(t, r, codes.Continue)
	wantBlock(t, r.Answer.Options, message.Block1, Option{0, true, 2})
	r = tb.request(codes.PUT, "a", noise(1088)[1024:], block1(16, true, 2))
	wantCode(t, r, codes.Continue)
	wantBlock(t, r.Answer.Options, message.Block1, Option{16, true, 2})
	r = tb.request(codes.PUT, "a", []byte("end"), block1(17, false, 2))
	if want := append(noise(1088), "end"...); !r.Whole || !bytes.Equal(r.Body, want) {
		t.Errorf("whole=%v, %d bytes, want %d", r.Whole, len(r.Body), len(want))
	}
}

// RFC 7959 section 2.3: the answer to the last block carries its Block1 option.
func TestAnswerEchoesLastBlock(t *testing.T) {
	tb := newTable(t)
	r := tb.upload("a", noise(100), 2)
	cut := tb.Cut(tb.now, r.Reply, content(nil))
	wantBlock(t, cut.Options, message.Block1, Option{1, false, 2})
}

func TestBlocksBelongTogetherByKeyAndRequestTag(t *testing.T) { // RFC 9175 section 3.3
	tb := newTable(t)
	tag := func(s string) message.Option { return message.Option{ID: 292, Value: []byte(s)} }
	wantCode(t, tb.request(codes.PUT, "a", bytes.Repeat([]byte("1"), 16), block1(0, true, 0), tag("x")), codes.Continue)
	wantCode(t, tb.request(codes.PUT, "a", bytes.Repeat([]byte("2"), 16), block1(0, true, 0), tag("y")), codes.Continue)
	wantCode(t, tb.request(codes.PUT, "b", bytes.Repeat([]byte("3"), 16), block1(0, true, 0)), codes.Continue)
	for _, c := range []struct {
		want string
		r    Result
	}{
		{"1111111111111111x", tb.request(codes.PUT, "a", []byte("x"), block1(1, false, 0), tag("x"))},
		{"2222222222222222y", tb.request(codes.PUT, "a", []byte("y"), block1(1, false, 0), tag("y"))},
		{"3333333333333333z", tb.request(codes.PUT, "b", []byte("z"), block1(1, false, 0))},
	} {
		if !c.r.Whole || string(c.r.Body) != c.want {
			t.Errorf("body %q, want %q", c.r.Body, c.want)
		}
	}
	wantCode(t, tb.request(codes.POST, "a", []byte("x"), block1(1, false, 0)), codes.RequestEntityIncomplete)
}

// Options that are not of the cache key, and those that say how a body travels, may differ from block to block.
func TestSizeAndEchoAreNotOfTheKey(t *testing.T) {
	tb := newTable(t)
	wantCode(t, tb.request(codes.PUT, "a", noise(16), block1(0, true, 0), size1(17)), codes.Continue)
	r := tb.request(codes.PUT, "a", noise(17)[16:], block1(1, false, 0), block2(0, 2),
		message.Option{ID: 252, Value: []byte("echo")}, message.Option{ID: message.NoResponse, Value: []byte{8}})
	if !r.Whole || !bytes.Equal(r.Body, noise(17)) {
		t.Errorf("whole=%v, body %x", r.Whole, r.Body)
	}
}

func TestMissingBlockIsIncomplete(t *testing.T) { // RFC 7959 section 2.9.2
	tb := newTable(t)
	wantCode(t, tb.request(codes.PUT, "a", noise(16), block1(1, true, 0)), codes.RequestEntityIncomplete)
	wantCode(t, tb.request(codes.PUT, "a", noise(16), block1(0, true, 0)), codes.Continue)
	wantCode(t, tb.request(codes.PUT, "a", noise(16), block1(2, false, 0)), codes.RequestEntityIncomplete)
	// What has come is still good for who goes on in order.
	if r := tb.request(codes.PUT, "a", noise(17)[16:], block1(1, false, 0)); !r.Whole || !bytes.Equal(r.Body, noise(17)) {
		t.Errorf("whole=%v, body %x", r.Whole, r.Body)
	}
}

func TestRepeatedBlockIsTakenOnce(t *testing.T) {
	tb := newTable(t)
	for range 2 {
		wantCode(t, tb.request(codes.PUT, "a", noise(16), block1(0, true, 0)), codes.Continue)
	}
	for range 3 {
		r := tb.request(codes.PUT, "a", noise(32)[16:], block1(1, true, 0))
		wantCode(t, r, codes.Continue)
		wantBlock(t, r.Answer.Options, message.Block1, Option{1, true, 0})
	}
	wantCode(t, tb.request(codes.PUT, "a", noise(16), block1(1, true, 0)), codes.RequestEntityIncomplete)
	if r := tb.request(codes.PUT, "a", []byte("e"), block1(2, false, 0)); !r.Whole || len(r.Body) != 33 {
		t.Errorf("whole=%v, %d bytes, want 33", r.Whole, len(r.Body))
	}
}

func TestBlockZeroBeginsAnew(t *testing.T) { // RFC 7959 section 2.5
	tb := newTable(t)
	wantCode(t, tb.request(codes.PUT, "a", bytes.Repeat([]byte("o"), 16), block1(0, true, 0)), codes.Continue)
	if r := tb.upload("a", noise(20), 0); !r.Whole || !bytes.Equal(r.Body, noise(20)) {
		t.Errorf("body %x", r.Body)
	}
}

func TestRepeatedLastBlockIsAnsweredTheSame(t *testing.T) {
	tb := newTable(t)
	r := tb.upload("a", noise(20), 0)
	again := func() Result { return tb.request(codes.PUT, "a", noise(20)[16:], block1(1, false, 0)) }
	// While the answer is not there, the client is told to come again.
	wantCode(t, again(), codes.ServiceUnavailable)
	tb.Cut(tb.now, r.Reply, content([]byte("done")))
	for range 2 {
		r := again()
		wantCode(t, r, codes.Content)
		wantBlock(t, r.Answer.Options, message.Block1, Option{1, false, 0})
		if string(r.Answer.Body) != "done" {
			t.Errorf("answer %q", r.Answer.Body)
		}
	}
	// The next body with the same key is another request, and has another answer.
	if r := tb.upload("a", noise(20), 0); !r.Whole {
		t.Fatal("the second body is not handed on")
	}
	wantCode(t, again(), codes.ServiceUnavailable)
}

func TestTooLargeBodyIsRefusedWithTheLimit(t *testing.T) { // RFC 7959 sections 2.9.3 and 4
	limit := func(l *Limits) { l.MaxBody = 40 }
	check := func(r Result) {
		t.Helper()
		wantCode(t, r, codes.RequestEntityTooLarge)
		if n, err := r.Answer.Options.GetUint32(message.Size1); n != 40 || err != nil {
			t.Errorf("Size1 is %d, %v", n, err)
		}
	}
	check(newTable(t, limit).request(codes.PUT, "a", noise(41)))
	check(newTable(t, limit).request(codes.PUT, "a", noise(16), block1(0, true, 0), size1(41)))
	tb := newTable(t, limit)
	wantCode(t, tb.request(codes.PUT, "a", noise(16), block1(0, true, 0)), codes.Continue)
	wantCode(t, tb.request(codes.PUT, "a", noise(16), block1(1, true, 0)), codes.Continue)
	check(tb.request(codes.PUT, "a", noise(16), block1(2, true, 0)))
	wantCode(t, tb.request(codes.PUT, "a", noise(1), block1(3, false, 0)), codes.RequestEntityIncomplete)
}

func TestBlockIsAsLargeAsItSays(t *testing.T) { // RFC 7959 section 2.2
	tb := newTable(t)
	wantCode(t, tb.request(codes.PUT, "a", noise(15), block1(0, true, 0)), codes.BadRequest)
	wantCode(t, tb.request(codes.PUT, "a", noise(17), block1(0, true, 0)), codes.BadRequest)
	wantCode(t, tb.request(codes.PUT, "a", noise(17), block1(0, false, 0)), codes.BadRequest)
}

func TestUploadsAreBounded(t *testing.T) {
	t.Run("in number", func(t *testing.T) {
		tb := newTable(t, func(l *Limits) { l.MaxUploads = 2 })
		for _, path := range []string{"a", "b", "c"} {
			wantCode(t, tb.request(codes.PUT, path, noise(16), block1(0, true, 0)), codes.Continue)
		}
		wantCode(t, tb.request(codes.PUT, "a", noise(16), block1(1, true, 0)), codes.RequestEntityIncomplete)
		wantCode(t, tb.request(codes.PUT, "b", noise(16), block1(1, true, 0)), codes.Continue)
	})
	t.Run("in bytes", func(t *testing.T) {
		tb := newTable(t, func(l *Limits) { l.MaxUploadBytes = 40 })
		wantCode(t, tb.request(codes.PUT, "a", noise(32), block1(0, true, 1)), codes.Continue)
		r := tb.request(codes.PUT, "b", noise(16), block1(0, true, 0))
		wantCode(t, r, codes.RequestEntityTooLarge)
		if r.Answer.Options.HasOption(message.Size1) {
			t.Error("a size is named though the body is not what is too large")
		}
	})
	t.Run("of all peers", func(t *testing.T) {
		tb := newTable(t)
		tb.purse.left = 20
		wantCode(t, tb.request(codes.PUT, "a", noise(16), block1(0, true, 0)), codes.Continue)
		wantCode(t, tb.request(codes.PUT, "a", noise(16), block1(1, true, 0)), codes.RequestEntityTooLarge)
		if tb.purse.left != 20 {
			t.Errorf("%d bytes are left, want 20", tb.purse.left)
		}
		tb.purse.left = 1 << 30
	})
	t.Run("in time", func(t *testing.T) {
		tb := newTable(t)
		wantCode(t, tb.request(codes.PUT, "a", noise(16), block1(0, true, 0)), codes.Continue)
		if want := tb.now.Add(tb.limits.UploadTimeout); !tb.Deadline().Equal(want) {
			t.Errorf("deadline %v, want %v", tb.Deadline(), want)
		}
		tb.now = tb.now.Add(tb.limits.UploadTimeout - time.Second)
		wantCode(t, tb.request(codes.PUT, "a", noise(32)[16:], block1(1, true, 0)), codes.Continue)
		tb.now = tb.now.Add(tb.limits.UploadTimeout)
		tb.Advance(tb.now)
		if !tb.Idle() {
			t.Error("something is left after its time")
		}
		wantCode(t, tb.request(codes.PUT, "a", noise(16), block1(2, true, 0)), codes.RequestEntityIncomplete)
	})
}

// RFC 8323 section 6: with BERT a message has any number of blocks of 1024 bytes, and block numbers count those.
func TestBERTMovesManyBlocksAtOnce(t *testing.T) {
	tb := newTable(t)
	tb.Carry(4500, true)
	r := tb.request(codes.PUT, "a", noise(3072), block1(0, true, BERT))
	wantCode(t, r, codes.Continue)
	wantBlock(t, r.Answer.Options, message.Block1, Option{0, true, BERT})
	wantCode(t, tb.request(codes.PUT, "a", noise(1000), block1(3, true, BERT)), codes.BadRequest)
	r = tb.request(codes.PUT, "a", noise(5000)[3072:], block1(3, false, BERT))
	if !r.Whole || !bytes.Equal(r.Body, noise(5000)) {
		t.Fatalf("whole=%v, %d bytes", r.Whole, len(r.Body))
	}
}
