package store_test

import (
	"errors"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/manifoldmq/manifold/broker/internal/store"
)

// TestABadBlockCostsOnlyWhatIsInIt flips one bit after the other of a table with three queues, and sees that all but a
// few messages are recovered, that those are reported, and that nothing comes that was not there.
func TestABadBlockCostsOnlyWhatIsInIt(t *testing.T) {
	const (
		queues, messages = 3, 200
		atMost           = 60 // messages of 500 bytes in a block, and at its ends
	)
	written := vfs.NewMem()
	s := open(t, written)
	body := make([]byte, 500)
	_, _ = rand.NewChaCha8([32]byte{}).Read(body)
	write(t, s, func(b store.Batch) {
		for id := range store.QueueID(queues) {
			b.PutMeta(id+1, store.Meta{Head: 1})
			for seq := range uint64(messages) {
				b.Append(id+1, seq+1, 0, nil, body)
			}
		}
	})
	s = reopen(t, s, written) // the log becomes a table
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	name, size := largestTable(t, written)
	for at := size / 50; at < size*8/10; at += size / 50 {
		fs := clone(t, written)
		flipAt(t, fs, name, at)
		s := open(t, fs)
		r := recoverAll(t, s)
		total := 0
		for id, seqs := range r.messages {
			total += len(seqs)
			if !slices.IsSorted(seqs) || id > queues {
				t.Errorf("bit at %d: queue %d has %v", at, id, seqs)
			}
		}
		if lost := queues*messages - total; lost == 0 || lost > atMost || len(r.corrupt) == 0 {
			t.Errorf("bit at %d of %d: %d messages are lost, reported %v", at, size, lost, r.corrupt)
		}
		bad := r.corrupt[len(r.corrupt)-1]
		var broken *store.CorruptError
		err := s.Read(bad.Queue, max(bad.Seq, 1), func(uint64, byte, []byte) bool { return false })
		if bad.Seq > 0 && !errors.As(err, &broken) {
			t.Errorf("bit at %d: %v is read with %v", at, bad, err)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// TestWhatComesAfterABadBlockIsThere: a spoilt block that reaches into the next queue keeps an iterator from what the former
// one gets later, too; the messages are there all the same, now and after a restart, and no number is given twice.
func TestWhatComesAfterABadBlockIsThere(t *testing.T) {
	const messages = 200
	written := vfs.NewMem()
	s := open(t, written)
	noise := make([]byte, 500+messages)
	_, _ = rand.NewChaCha8([32]byte{}).Read(noise)
	body := func(seq uint64) []byte { return noise[seq%messages:][:500] }
	write(t, s, func(b store.Batch) {
		b.PutMeta(1, store.Meta{Head: 1})
		for seq := range uint64(messages) {
			b.Append(1, seq+1, 0, nil, body(seq))
		}
		b.PutMeta(2, store.Meta{Head: 1})
		b.Append(2, 1, 0, nil, body(0))
	})
	s = reopen(t, s, written) // the log becomes a table
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	name, size := largestTable(t, written)
	for at := size / 50; at < size*97/100; at += size / 60 {
		fs := clone(t, written)
		flipAt(t, fs, name, at)
		s := open(t, fs)
		if r := recoverAll(t, s); len(r.corrupt) == 0 {
			t.Fatalf("bit at %d of %d: nothing is reported", at, size)
		}
		var later []uint64
		for seq := uint64(messages + 1); seq <= messages+20; seq += 3 {
			write(t, s, func(b store.Batch) { b.Append(1, seq, 0, nil, body(seq)) })
			later = append(later, seq)
		}
		var read []uint64
		for _, seq := range later {
			err := s.Read(1, seq, func(seq uint64, _ byte, _ []byte) bool {
				read = append(read, seq)
				return false
			})
			if err != nil {
				t.Errorf("bit at %d of %d: message %d is read with %v", at, size, seq, err)
			}
		}
		s = reopen(t, s, fs)
		all := recoverAll(t, s).messages[1]
		if !slices.Equal(read, later) || !slices.IsSorted(all) || !slices.Equal(all[max(0, len(all)-len(later)):], later) {
			t.Errorf("bit at %d of %d: read %v, recovered %v, want %v", at, size, read, all, later)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// largestTable finds the largest table file of a store.
func largestTable(t *testing.T, fs vfs.FS) (name string, size int64) {
	t.Helper()
	names, err := fs.List("data")
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range names {
		if info, err := fs.Stat(fs.PathJoin("data", n)); err == nil && strings.HasSuffix(n, ".sst") && info.Size() > size {
			name, size = n, info.Size()
		}
	}
	if size == 0 {
		t.Fatalf("no table among %v", names)
	}
	return fs.PathJoin("data", name), size
}

func clone(t *testing.T, fs vfs.FS) vfs.FS {
	t.Helper()
	copied := vfs.NewMem()
	if _, err := vfs.Clone(fs, copied, "data", "data"); err != nil {
		t.Fatal(err)
	}
	return copied
}

// flipAt turns one bit of a file.
func flipAt(t *testing.T, fs vfs.FS, name string, at int64) {
	t.Helper()
	f, err := fs.OpenReadWrite(name, vfs.WriteCategoryUnspecified)
	if err != nil {
		t.Fatal(err)
	}
	var b [1]byte
	_, err = f.ReadAt(b[:], at)
	b[0] ^= 4
	_, wrote := f.WriteAt(b[:], at)
	if err := errors.Join(err, wrote, f.Close()); err != nil {
		t.Fatal(err)
	}
}
