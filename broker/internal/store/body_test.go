package store

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"testing"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"
)

// large is a body that has a record of its own.
var large = bytes.Repeat([]byte("large"), 1000)

// change commits changes and waits until they are on disk.
func change(t *testing.T, s *Store, do func(Batch)) {
	t.Helper()
	b, err := s.Begin()
	if err != nil {
		t.Fatal(err)
	}
	do(b)
	done := make(waiter, 1)
	b.Commit(done, 0)
	if err := <-done; err != nil {
		t.Fatal(err)
	}
}

func openQuietly(t *testing.T, o Options) *Store {
	t.Helper()
	o.Dir, o.Logger = "data", slog.New(slog.DiscardHandler)
	s, err := Open(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// keys gives the keys of a space, in order.
func keys(t *testing.T, s *Store, space byte) (found []string) {
	t.Helper()
	err := s.walk([]byte{space}, func(key []byte, _ byte, _ []byte) error {
		id, seq, _ := splitNumbers(space, key)
		found = append(found, fmt.Sprint(id, "/", seq))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func TestALargeBodyIsApartAndIsReadWithItsMessage(t *testing.T) {
	fs := vfs.NewMem()
	s := openQuietly(t, Options{FS: fs})
	change(t, s, func(b Batch) {
		b.Append(1, 1, 5, []byte("head "), []byte("small"))
		b.Append(1, 2, 6, []byte("head "), large)
		b.Append(1, 3, 7, nil, large[:4<<10])
	})
	if got := keys(t, s, bodySpace); !slices.Equal(got, []string{"1/0", "1/2"}) {
		t.Errorf("bodies %v", got)
	}
	whole := map[uint64]string{1: "head small", 2: "head " + string(large), 3: string(large[:4<<10])}
	for range 2 {
		for seq, want := range whole {
			flags, value, err := s.Load(1, seq, []byte("kept "))
			if flags != byte(seq)+4 || string(value) != "kept "+want || err != nil {
				t.Errorf("loaded of %d %d bytes, flags %d, %v", seq, len(value), flags, err)
			}
		}
		read := map[uint64]string{}
		err := s.Read(1, 0, func(seq uint64, flags byte, value []byte) bool {
			read[seq] = string(value)
			return flags == byte(seq)+4
		})
		if err != nil || fmt.Sprint(read) != fmt.Sprint(whole) {
			t.Errorf("read %d messages, %v", len(read), err)
		}
		if flags, head, err := s.LoadHead(1, 2, nil); flags != 6 || string(head) != "head " || err != nil {
			t.Errorf("head %q, flags %d, %v", head, flags, err)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		s = openQuietly(t, Options{FS: fs})
	}
}

// heads is a Visitor that writes down what it sees of messages.
type heads struct {
	found
	values []string
}

func (h *heads) Message(_ QueueID, seq uint64, flags byte, value []byte) {
	h.values = append(h.values, fmt.Sprint(seq, "/", flags, " ", string(value)))
}

// TestRecoveryReadsNoLargeBody damages one and sees that recovery does not notice, while whoever reads it does.
func TestRecoveryReadsNoLargeBody(t *testing.T) {
	fs := vfs.NewMem()
	s := openQuietly(t, Options{FS: fs})
	change(t, s, func(b Batch) {
		b.Append(1, 1, 5, []byte("head"), large)
		b.Append(1, 2, 6, []byte("head"), []byte(" small"))
		b.Append(1, 3, 7, []byte("head"), large)
	})
	damage(t, s, fs, flip(t, bodyKey(nil, 1, 1)), remove(t, bodyKey(nil, 1, 3)))

	s = openQuietly(t, Options{FS: fs})
	var h heads
	err := s.Recover(&h)
	if err != nil || len(h.corrupt) > 0 || !slices.Equal(h.values, []string{"1/5 head", "2/6 head small", "3/7 head"}) {
		t.Errorf("recovered %q, %v, %v", h.values, h.corrupt, err)
	}
	for seq, cause := range map[uint64]error{1: errChecksum, 3: errNoBody} {
		var broken *CorruptError
		if _, value, err := s.Load(1, seq, nil); !errors.As(err, &broken) || broken.Seq != seq || !errors.Is(err, cause) || len(value) > 0 {
			t.Errorf("loading %d gave %d bytes, %v", seq, len(value), err)
		}
		err := s.Read(1, seq, func(uint64, byte, []byte) bool { return false })
		if !errors.As(err, &broken) || broken.Queue != 1 || broken.Seq != seq {
			t.Errorf("reading %d gave %v", seq, err)
		}
	}
}

// damage closes a store and changes what is beneath.
func damage(t *testing.T, s *Store, fs vfs.FS, change ...func(*pebble.DB)) {
	t.Helper()
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	db, err := pebble.Open("data", &pebble.Options{FS: fs, FormatMajorVersion: pebble.FormatValueSeparation})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range change {
		c(db)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
}

func remove(t *testing.T, key []byte) func(*pebble.DB) {
	return func(db *pebble.DB) {
		if err := db.Delete(key, pebble.Sync); err != nil {
			t.Fatal(err)
		}
	}
}

// TestABodyGoesWithItsMessageAndItsQueue deletes large messages one by one and with their queue, and before and after the
// store was opened again.
func TestABodyGoesWithItsMessageAndItsQueue(t *testing.T) {
	for _, reopened := range []bool{false, true} {
		t.Run(fmt.Sprint("reopened=", reopened), func(t *testing.T) {
			fs := vfs.NewMem()
			s := openQuietly(t, Options{FS: fs})
			one, two := Name{"acme", 1, "one"}, Name{"acme", 1, "two"}
			change(t, s, func(b Batch) {
				for _, n := range []Name{one, two} {
					id := b.Create(n, nil)
					for seq := uint64(1); seq <= 3; seq++ {
						b.Append(id, seq, 0, nil, large)
					}
				}
			})
			if reopened {
				if err := s.Close(); err != nil {
					t.Fatal(err)
				}
				s = openQuietly(t, Options{FS: fs})
			}
			change(t, s, func(b Batch) {
				b.Drop(one, 1)
				b.Delete(2, 2)
			})
			messages, bodies := keys(t, s, queueSpace), keys(t, s, bodySpace)
			if !slices.Equal(messages, []string{"2/1", "2/3"}) || !slices.Equal(bodies, []string{"2/0", "2/1", "2/3"}) {
				t.Errorf("left are messages %v, bodies %v", messages, bodies)
			}
		})
	}
}
