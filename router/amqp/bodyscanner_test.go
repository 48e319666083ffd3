package amqp_test

import (
	"bytes"
	"testing"

	"pgregory.net/rapid"

	"github.com/manifoldmq/manifold/router/amqp"
)

// inPieces takes a message as it comes in, in pieces of the given sizes and then the rest at once: head and body apart.
// It is false when it could not, or would not, and the message has to be checked whole.
func inPieces(b []byte, sizes []uint8) bool {
	head, ok := amqp.ParseHead(b)
	if !ok {
		return false
	}
	var s amqp.BodyScanner
	rest := b[head.Len():]
	for _, size := range sizes {
		n := min(int(size), len(rest))
		if s.Scan(rest[:n]) != nil {
			return false
		}
		rest = rest[n:]
	}
	return s.Scan(rest) == nil && s.Complete()
}

func TestBodiesAreCheckedInPieces(t *testing.T) {
	for _, c := range []struct {
		name, encoded string
		want          bool
	}{
		{"data", "005375 a003010203", true},
		{"empty data", "005375 a000", true},
		{"long data", "005375 b000000003010203", true},
		{"several data", "005375 a00101 005375 a000 005375 a00102", true},
		{"head and data", "005370 45 005373 45 005375 a00101", true},
		{"binary", "005377 a00101", true},
		{"string", "005377 a106 c3a4 e282ac 61", true},
		{"long string", "005377 b1 00000004 f09f9880", true},
		{"footer", "005375 a00101 005378 c10100", true},
		{"descriptor in words", "00a310616d71703a646174613a62696e617279 a00107", true},

		{"nothing", "", false},
		{"head alone", "005370 45 005373 45", false},
		{"cut off in data", "005375 a0030102", false},
		{"cut off in the start", "005375 a000 0053", false},
		{"cut off in the footer", "005375 a000 005378 c101", false},
		{"string that is no UTF-8", "005377 a102 c328", false},
		{"string that ends within a character", "005377 a102 61e2", false},
		{"surrogate", "005377 a103 eda080", false},
		{"list", "005377 c00302a101", false},
		{"sequence", "005376 45", false},
		{"data as a string", "005375 a10161", false},
		{"two kinds", "005375 a000 005377 a000", false},
		{"two values", "005377 a000 005377 a000", false},
		{"head after body", "005375 a000 005373 45", false},
		{"data after footer", "005375 a000 005378 c10100 005375 a000", false},
		{"footer of one key", "005375 a000 005378 c1020140", false},
		{"footer that is no map", "005375 a000 005378 a000", false},
		{"unknown section", "005375 a000 005379 a000", false},
	} {
		b := unhex(t, c.encoded)
		for size := range 5 {
			sizes := bytes.Repeat([]byte{uint8(size)}, len(b))
			if got := inPieces(b, sizes); got != c.want {
				t.Errorf("%s in pieces of %d: %v, want %v", c.name, size, got, c.want)
			}
		}
	}
}

// TestPiecesAreCheckedAsTheWholeIs compares with ParseMessage, for messages that are damaged in one octet, or not.
func TestPiecesAreCheckedAsTheWholeIs(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		b := amqp.Header{Durable: true}.Append(nil)
		switch rapid.IntRange(0, 2).Draw(t, "kind") {
		case 0:
			for range rapid.IntRange(1, 3).Draw(t, "sections") {
				b = amqp.AppendData(b, rapid.SliceOfN(rapid.Byte(), 0, 300).Draw(t, "data"))
			}
		case 1:
			b = amqp.AppendBinary(append(b, 0x00, 0x53, 0x77), rapid.SliceOfN(rapid.Byte(), 0, 300).Draw(t, "binary"))
		default:
			b = amqp.AppendString(append(b, 0x00, 0x53, 0x77), rapid.StringN(0, 100, 300).Draw(t, "string"))
		}
		if rapid.Bool().Draw(t, "footer") {
			b = append(b, 0x00, 0x53, 0x78, 0xc1, 0x05, 0x02, 0xa3, 0x01, 'k', 0x40)
		}
		intact := rapid.Bool().Draw(t, "intact")
		if !intact {
			b[rapid.IntRange(0, len(b)-1).Draw(t, "at")] ^= 1 << rapid.IntRange(0, 7).Draw(t, "bit")
		}
		checkLikeWhole(t, b, rapid.SliceOfN(rapid.Uint8(), 0, 40).Draw(t, "sizes"), intact)
	})
}

// FuzzPieces does the same with any bytes.
func FuzzPieces(f *testing.F) {
	f.Add(buildTypical(nil), []byte{1, 2, 3})
	f.Add(unhex(f, "005377 a106 c3a4 e282ac 61 005378 c10100"), []byte{7, 1, 1})
	f.Fuzz(func(t *testing.T, b, sizes []byte) { checkLikeWhole(t, b, sizes, false) })
}

// checkLikeWhole: what passes in pieces passes whole; what passes whole passes in pieces if all of it can be judged so.
func checkLikeWhole(t interface{ Fatalf(string, ...any) }, b, sizes []byte, judged bool) {
	_, err := amqp.ParseMessage(bytes.Clone(b))
	pieces := inPieces(b, sizes)
	if pieces && err != nil {
		t.Fatalf("%x passes in pieces, but not whole: %v", b, err)
	}
	if judged && !pieces {
		t.Fatalf("%x does not pass in pieces", b)
	}
}
