package store

import (
	"math/rand/v2"
	"runtime"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// TestReclaimWaitsUntilItIsWorthWhile: the more there is to gain, and the longer nothing else is done, the sooner.
func TestReclaimWaitsUntilItIsWorthWhile(t *testing.T) {
	const busy = 1001
	for name, c := range map[string]struct {
		bytes, deleted []int64
		worthwhile     int // the interval in which it is for the first time; 0 for never
	}{
		"much was deleted":             {[]int64{busy, 0}, []int64{reclaimWorth, 0}, 2},
		"while much is written":        {[]int64{busy, busy, busy}, []int64{reclaimWorth, reclaimWorth, 0}, 0},
		"little else is written":       {[]int64{busy, 1000}, []int64{reclaimWorth, 0}, 2},
		"half as much":                 {[]int64{busy, 0, 0}, []int64{reclaimWorth / 2, 0, 0}, 3},
		"the time before does not add": {[]int64{0, 0, 0, busy, 0}, []int64{0, 0, 0, reclaimWorth / 2, 0}, 0},
		"nothing was deleted":          {[]int64{busy, 0, 0, 0}, []int64{0, 0, 0, 0}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			r, first := reclaim{quiet: 1000}, 0
			for i := range c.bytes {
				if r.tick(c.bytes[i], c.deleted[i]) && first == 0 {
					first = i + 1
				}
			}
			if first != c.worthwhile {
				t.Errorf("worth while in interval %d, want %d", first, c.worthwhile)
			}
		})
	}
}

func TestReclaimIsDoneOnceForEachDeletion(t *testing.T) {
	r, times := reclaim{}, 0
	r.tick(1, 3)
	for range 10 * reclaimWorth {
		if r.tick(0, 0) {
			times++
		}
	}
	if times != 1 {
		t.Errorf("%d times", times)
	}
}

// TestAConsumedQueueGivesTheDiskBack fills a queue, drains it and then does nothing at all: what is left on disk is
// less than a twentieth of the peak. Groups are small, as Pebble keeps files of its log to use them again.
func TestAConsumedQueueGivesTheDiskBack(t *testing.T) {
	noise := make([]byte, 1<<20) // what Pebble cannot compress
	_, _ = rand.NewChaCha8([32]byte{}).Read(noise)
	for name, c := range map[string]struct{ messages, size, group int }{
		"of small messages": {60_000, 256, 100},
		"of large messages": {600, 32 << 10, 1},
	} {
		t.Run(name, func(t *testing.T) {
			s := openQuietly(t, Options{FS: vfs.NewMem(), MemTableSize: 64 << 10, SpaceInterval: time.Millisecond})
			peak := uint64(0)
			for seq := 1; seq <= c.messages; seq++ {
				commit(t, s, seq%c.group == 0, func(b Batch) {
					b.Append(1, uint64(seq), 0, nil, noise[seq*257%(len(noise)-c.size):][:c.size])
				})
				if seq%c.group == 0 {
					peak = max(peak, s.Stats().DiskBytes)
				}
			}
			for seq := 1; seq <= c.messages; seq++ {
				commit(t, s, seq%c.group == 0, func(b Batch) {
					b.Delete(1, uint64(seq))
					if seq%1024 == 0 || seq == c.messages { // as the broker does
						b.PutMeta(1, Meta{Head: uint64(seq) + 1})
					}
				})
			}
			for s.Stats().DiskBytes*20 >= peak {
				runtime.Gosched()
			}
		})
	}
}

// commit makes changes, and waits for the disk if it is told so.
func commit(t *testing.T, s *Store, wait bool, do func(Batch)) {
	t.Helper()
	if wait {
		change(t, s, do)
		return
	}
	b, err := s.Begin()
	if err != nil {
		t.Fatal(err)
	}
	do(b)
	b.CommitLazy()
}
