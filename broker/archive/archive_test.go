package archive_test

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/manifoldmq/manifold/broker/archive"
	"github.com/manifoldmq/manifold/broker/internal/store"
)

type answer chan error

func (a answer) Committed(_ uint64, err error) { a <- err }

// write makes changes in a store of its own.
func write(t *testing.T, fs vfs.FS, change func(store.Batch)) {
	t.Helper()
	s, err := store.Open(store.Options{Dir: "data", FS: fs, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	b, err := s.Begin()
	if err != nil {
		t.Fatal(err)
	}
	change(b)
	done := make(answer, 1)
	b.Commit(done, 0)
	if err := errors.Join(<-done, s.Close()); err != nil {
		t.Fatal(err)
	}
}

// large is a body that has a record of its own.
var large = bytes.Repeat([]byte("large"), 1000)

// filled is a filesystem with a store that has one record of each kind, and two messages more, of which the last is large.
func filled(t *testing.T) vfs.FS {
	t.Helper()
	fs := vfs.NewMem()
	write(t, fs, func(b store.Batch) {
		id := b.Create(store.Name{Tenant: "acme", Kind: 'q', Name: "orders"}, []byte("description"))
		b.PutMeta(id, store.Meta{Head: 1})
		b.Append(id, 1, 3, nil, []byte("one"))
		b.Append(id, 2, 0, nil, nil)
		b.Append(id, 3, 0, []byte("head"), large)
		b.PutHistory(id, 1, []byte("history"))
		b.PutIdentity(id, 1, []byte("identity"))
		b.PutRetained("acme", "topic", 1, []byte("retained"))
		b.PutClient("acme", "client", "name", []byte("client"))
	})
	return fs
}

// damage changes records beneath the store.
func damage(t *testing.T, fs vfs.FS, change func(db *pebble.DB)) {
	t.Helper()
	db, err := pebble.Open("data", &pebble.Options{FS: fs, FormatMajorVersion: pebble.FormatValueSeparation})
	if err != nil {
		t.Fatal(err)
	}
	change(db)
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
}

// flip turns a bit in the first record of each kind that there is, and gives how many.
func flip(t *testing.T, db *pebble.DB, spaces string) (flipped int) {
	for _, space := range []byte(spaces) {
		it, err := db.NewIter(&pebble.IterOptions{LowerBound: []byte{space}, UpperBound: []byte{space + 1}})
		if err != nil {
			t.Fatal(err)
		}
		if it.First() {
			key, value := slices.Clone(it.Key()), slices.Clone(it.Value())
			value[len(value)-1] ^= 1
			if err := db.Set(key, value, pebble.Sync); err != nil {
				t.Fatal(err)
			}
			flipped++
		}
		_ = it.Close()
	}
	return flipped
}

func export(t *testing.T, fs vfs.FS) string {
	t.Helper()
	var out bytes.Buffer
	if _, err := (archive.Directory{Dir: "data", FS: fs}).Export(&out); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func TestWhatIsExportedAndImportedIsTheSame(t *testing.T) {
	first := export(t, filled(t))
	fs := vfs.NewMem()
	var seen int
	into := archive.Directory{Dir: "data", FS: fs, Progress: func(records int, _ int64) { seen = records }}
	records, err := into.Import(strings.NewReader(first))
	if err != nil || records != 12 || seen != 12 {
		t.Fatalf("%d records, %d seen, %v", records, seen, err)
	}
	if second := export(t, fs); second != first {
		t.Errorf("exported\n%s\nthen\n%s", first, second)
	}
	write(t, fs, func(b store.Batch) {
		if id := b.Create(store.Name{Tenant: "acme", Kind: 'q', Name: "more"}, nil); id != 2 {
			t.Errorf("the next queue has number %d", id)
		}
	})
}

func TestAnImportTakesAllOrNothing(t *testing.T) {
	whole := export(t, filled(t))
	lines := strings.SplitAfter(strings.TrimSuffix(whole, "\n"), "\n")
	for name, text := range map[string]string{
		"nothing":        "",
		"another format": "manifold-export 9 1\n",
		"another schema": "manifold-export 1 99\n",
		"another text":   "hello\n",
		"cut":            whole[:len(whole)-len(lines[len(lines)-1])-1],
		"a line missing": strings.Replace(whole, lines[3], "", 1),
		"a bit flipped":  strings.Replace(whole, "b25l", "b25m", 1),
	} {
		t.Run(name, func(t *testing.T) {
			fs := vfs.NewMem()
			if _, err := (archive.Directory{Dir: "data", FS: fs}).Import(strings.NewReader(text)); err == nil {
				t.Fatal("imported")
			}
			s, err := store.Open(store.Options{Dir: "data", FS: fs, Logger: slog.New(slog.DiscardHandler)})
			if err != nil {
				if !errors.Is(err, store.ErrIncomplete) {
					t.Error(err)
				}
				return
			}
			defer s.Close()
			if err := s.Catalogue(func(store.Name, store.QueueID, []byte) error { return errors.New("found") }); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestNothingIsImportedIntoADirectoryInUse(t *testing.T) {
	fs := filled(t)
	into := archive.Directory{Dir: "data", FS: fs}
	if _, err := into.Import(strings.NewReader(export(t, fs))); !errors.Is(err, store.ErrNotEmpty) {
		t.Errorf("got %v", err)
	}
	s, err := store.Open(store.Options{Dir: "data", FS: fs, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if _, err := into.Stats(); !errors.Is(err, store.ErrLocked) {
		t.Errorf("got %v", err)
	}
}

func TestEveryFlippedBitIsNamedAndLeftOut(t *testing.T) {
	fs := filled(t)
	var flipped int
	damage(t, fs, func(db *pebble.DB) { flipped = flip(t, db, "cqhirdb") })
	if flipped != 7 {
		t.Fatalf("%d kinds of records", flipped)
	}
	d := archive.Directory{Dir: "data", FS: fs}
	var out bytes.Buffer
	_, err := d.Check(&out)
	if !errors.Is(err, archive.ErrProblems) || strings.Count(out.String(), "checksum mismatch") != flipped {
		t.Errorf("%v, and said\n%s", err, out.String())
	}
	stats, err := d.Stats()
	if stats.Corrupt != flipped || err != nil {
		t.Errorf("%+v, %v", stats, err)
	}
	out.Reset()
	if records, err := d.Export(&out); records != 12-flipped || !errors.Is(err, archive.ErrProblems) {
		t.Errorf("%d records, %v", records, err)
	}
	if _, err := (archive.Directory{Dir: "data", FS: vfs.NewMem()}).Import(&out); err != nil {
		t.Errorf("what is left is not imported: %v", err)
	}
}

func TestCheckFindsMessagesThatNobodyWouldGet(t *testing.T) {
	fs := filled(t)
	write(t, fs, func(b store.Batch) {
		b.PutMeta(1, store.Meta{Head: 2})
		b.Append(7, 5, 0, nil, nil)
	})
	var out bytes.Buffer
	records, err := archive.Directory{Dir: "data", FS: fs}.Check(&out)
	want := "message 1 of queue 1: the queue begins at 2\nmessage 5 of queue 7: the queue is not in the catalogue\n"
	if !errors.Is(err, archive.ErrProblems) || out.String() != want || records == 0 {
		t.Errorf("%v, and said\n%s", err, out.String())
	}
}

// TestCheckFindsHalvesOfLargeMessages takes the body of one large message away, and the head of another.
func TestCheckFindsHalvesOfLargeMessages(t *testing.T) {
	fs := filled(t)
	write(t, fs, func(b store.Batch) { b.Append(1, 4, 0, nil, large) })
	damage(t, fs, func(db *pebble.DB) {
		for _, key := range []string{"b\x00\x00\x00\x00\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00\x03",
			"q\x00\x00\x00\x00\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00\x04"} {
			if err := db.Delete([]byte(key), pebble.Sync); err != nil {
				t.Fatal(err)
			}
		}
	})
	var out bytes.Buffer
	_, err := archive.Directory{Dir: "data", FS: fs}.Check(&out)
	want := "body of message 4 of queue 1: there is no such message\nmessage 3 of queue 1: its body is missing\n"
	if !errors.Is(err, archive.ErrProblems) || out.String() != want {
		t.Errorf("%v, and said\n%s", err, out.String())
	}
}

func TestStatsCountByKindAndQueue(t *testing.T) {
	stats, err := archive.Directory{Dir: "data", FS: filled(t)}.Stats()
	if err != nil {
		t.Fatal(err)
	}
	if !stats.CleanStop || stats.Schema != store.SchemaVersion || stats.DiskBytes == 0 || len(stats.Kinds) != 9 {
		t.Errorf("%+v", stats)
	}
	if got := fmt.Sprint(stats.Queues); got != "[{acme orders {3 5075}}]" {
		t.Errorf("queues %s", got)
	}
}

func TestADirectoryThatIsNotThereIsNotMade(t *testing.T) {
	fs := vfs.NewMem()
	if _, err := (archive.Directory{Dir: "data", FS: fs}).Stats(); err == nil {
		t.Error("there are stats of nothing")
	}
	if names, _ := fs.List(""); len(names) > 0 {
		t.Errorf("made %v", names)
	}
}

func FuzzImport(f *testing.F) {
	f.Add("manifold-export 1 2\nend 0 00000000\n")
	f.Add("manifold-export 1 2\nmessage 7100 0 - 00000000\n")
	f.Fuzz(func(t *testing.T, text string) {
		into := archive.Directory{Dir: "data", FS: vfs.NewMem()}
		_, _ = into.Import(strings.NewReader(text))
	})
}
