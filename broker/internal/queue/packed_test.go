package queue

import (
	"encoding/binary"
	"math"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// TestWhatIsPackedIsReadUnchanged packs chunks whose columns are each of a kind of their own.
func TestWhatIsPackedIsReadUnchanged(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, chunkSize).Draw(t, "n")
		gaps := drawColumn(t, "gaps", n, math.MaxUint64/chunkSize-1)
		sizes := drawColumn(t, "sizes", n, math.MaxUint32)
		attempts := drawColumn(t, "attempts", n, math.MaxUint16)
		buckets := drawColumn(t, "buckets", n, math.MaxUint8)
		expires := drawColumn(t, "expires", n, math.MaxInt64)
		c, seq := chunk{slots: make([]entry, 0, n)}, Seq(0)
		for i := range n {
			seq += 1 + Seq(gaps[i])
			f := facts{size: uint32(sizes[i]), attempts: uint16(attempts[i]), bucket: bucket(buckets[i]), state: ready}
			c.push(entry{seq, f}, int64(expires[i]))
		}
		checkPacked(t, &c)
	})
}

// drawColumn draws values up to most: all equal, near to each other, some of them zero, or anything.
func drawColumn(t *rapid.T, name string, n int, most uint64) []uint64 {
	low := rapid.Uint64Range(0, most).Draw(t, name)
	spread := rapid.SampledFrom([]uint64{0, 0, 1, 100, most}).Draw(t, name+" spread")
	zeros := rapid.Bool().Draw(t, name+" zeros")
	values := make([]uint64, n)
	random := rapid.Uint64Range(low, low+min(spread, most-low))
	for i := range values {
		if !zeros || i%3 > 0 {
			values[i] = random.Draw(t, "value")
		}
	}
	return values
}

// FuzzPacked takes its entries from bytes, eleven for each: what is added to the number, size, ... of the one before.
func FuzzPacked(f *testing.F) {
	f.Add([]byte("once upon a time there was a queue"))
	f.Add(make([]byte, 11*100))
	f.Add(slices.Repeat([]byte{1, 255, 255, 255, 255, 0, 1, 7, 255, 255, 255}, 20))
	f.Fuzz(func(t *testing.T, p []byte) {
		n := min(len(p)/11, chunkSize)
		if n == 0 {
			return
		}
		c, e, expires := chunk{slots: make([]entry, 0, n)}, entry{facts: facts{state: ready}}, int64(0)
		for ; len(c.slots) < n; p = p[11:] {
			e.seq += 1 + Seq(p[0])<<(p[1]%48)
			e.size += binary.BigEndian.Uint32(p[1:])
			e.attempts += uint16(p[5])<<8 + uint16(p[6])
			e.bucket += bucket(p[7])
			expires = (expires + int64(p[8])<<(p[9]%64)) & math.MaxInt64
			c.push(e, expires*int64(p[10]%2))
		}
		checkPacked(t, &c)
	})
}

// checkPacked packs a chunk, and compares every answer with the open chunk's.
func checkPacked(t interface{ Fatalf(string, ...any) }, open *chunk) {
	closed := chunk{packed: pack(open.slots, open.expires)}
	i := 0
	for e, expires := range closed.all() {
		if e != open.slots[i] || expires != open.expiry(i) {
			t.Fatalf("%d is %+v and expires at %d, want %+v and %d", i, e, expires, open.slots[i], open.expiry(i))
		}
		i++
	}
	if i != len(open.slots) {
		t.Fatalf("%d entries, want %d", i, len(open.slots))
	}
	for _, e := range open.slots {
		for _, seq := range []Seq{e.seq - 1, e.seq, e.seq + 1} {
			if got, want := closed.look(seq), open.look(seq); got != want {
				t.Fatalf("%d looks like %+v, want %+v", seq, got, want)
			}
			if got, want := closed.next(seq, waiting), open.next(seq, waiting); got != want {
				t.Fatalf("after %d comes %+v, want %+v", seq, got, want)
			}
		}
	}
	if e := closed.next(0, anywhere&^(1<<ready)); e != (entry{}) {
		t.Fatalf("%+v is not ready", e)
	}
}
