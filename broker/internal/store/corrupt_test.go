package store

import (
	"encoding/binary"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"testing"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"
)

// damaged opens a store, writes two messages, metadata and a catalogue entry, closes it, lets damage loose on the
// database beneath and opens it again.
func damaged(t *testing.T, damage func(*pebble.DB)) (*Store, error) {
	t.Helper()
	o := Options{Dir: "data", FS: vfs.NewMem(), Logger: slog.New(slog.DiscardHandler)}
	s, err := Open(o)
	if err != nil {
		t.Fatal(err)
	}
	b, err := s.Begin()
	if err != nil {
		t.Fatal(err)
	}
	id := b.Create(Name{"acme", 1, "orders"}, []byte("description"))
	b.PutMeta(id, Meta{Head: 1, Lease: [Leases]uint64{4: 1}})
	b.Append(id, 1, 0, nil, []byte("one"))
	b.Append(id, 2, 0, nil, []byte("two"))
	b.CommitLazy()
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	db, err := pebble.Open("data", &pebble.Options{FS: o.FS, FormatMajorVersion: pebble.FormatValueSeparation,
		Logger: pebbleLogger{o.Logger}})
	if err != nil {
		t.Fatal(err)
	}
	damage(db)
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	s, err = Open(o)
	if err == nil {
		t.Cleanup(func() { _ = s.Close() })
	}
	return s, err
}

// flip turns one bit of the last byte of a record.
func flip(t *testing.T, key []byte) func(*pebble.DB) {
	return func(db *pebble.DB) {
		value, closer, err := db.Get(key)
		if err != nil {
			t.Fatal(err)
		}
		value = slices.Clone(value)
		_ = closer.Close()
		value[len(value)-1] ^= 1
		if err := db.Set(key, value, pebble.Sync); err != nil {
			t.Fatal(err)
		}
	}
}

// found counts what Recover reports.
type found struct {
	metas    []Meta
	messages []uint64
	corrupt  []*CorruptError
}

func (f *found) Queue(_ QueueID, m Meta) { f.metas = append(f.metas, m) }
func (f *found) Message(_ QueueID, seq uint64, _ byte, _ []byte) {
	f.messages = append(f.messages, seq)
}
func (f *found) Corrupt(err *CorruptError) { f.corrupt = append(f.corrupt, err) }

func TestACorruptMessageIsReportedAndTheOthersSurvive(t *testing.T) {
	s, err := damaged(t, flip(t, messageKey(nil, 1, 1)))
	if err != nil {
		t.Fatal(err)
	}
	var broken *CorruptError
	if _, value, err := s.Load(1, 1, nil); !errors.As(err, &broken) || len(value) != 0 {
		t.Errorf("load gave %q %v", value, err)
	}
	var f found
	if err := s.Recover(&f); err != nil {
		t.Fatal(err)
	}
	if len(f.corrupt) != 1 || f.corrupt[0].Queue != 1 || f.corrupt[0].Seq != 1 || !slices.Equal(f.messages, []uint64{2}) {
		t.Errorf("recovered %+v", f)
	}
}

func TestReadStopsAtACorruptMessageAndNamesIt(t *testing.T) {
	s, err := damaged(t, flip(t, messageKey(nil, 1, 2)))
	if err != nil {
		t.Fatal(err)
	}
	var seqs []uint64
	err = s.Read(1, 0, func(seq uint64, _ byte, _ []byte) bool {
		seqs = append(seqs, seq)
		return true
	})
	var broken *CorruptError
	if !errors.As(err, &broken) || broken.Seq != 2 || !slices.Equal(seqs, []uint64{1}) {
		t.Errorf("read %v, then %v", seqs, err)
	}
}

func TestAMisplacedMessageIsCorrupt(t *testing.T) {
	s, err := damaged(t, func(db *pebble.DB) {
		value, closer, _ := db.Get(messageKey(nil, 1, 1))
		_ = db.Set(messageKey(nil, 1, 2), slices.Clone(value), pebble.Sync)
		_ = closer.Close()
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := s.Load(1, 2, nil); !errors.Is(err, errChecksum) {
		t.Errorf("got %v", err)
	}
}

func TestCorruptMetadataMarksEverythingAsDelivered(t *testing.T) {
	s, err := damaged(t, flip(t, metaKey(nil, 1)))
	if err != nil {
		t.Fatal(err)
	}
	var f found
	if err := s.Recover(&f); err != nil {
		t.Fatal(err)
	}
	if len(f.corrupt) != 1 || f.corrupt[0].Seq != 0 || !slices.Equal(f.metas, []Meta{leased(2)}) || len(f.messages) != 2 {
		t.Errorf("recovered %+v", f)
	}
}

func TestACorruptCatalogueEntryIsReturned(t *testing.T) {
	s, err := damaged(t, flip(t, catalogueKey(Name{"acme", 1, "orders"})))
	if err != nil {
		t.Fatal(err)
	}
	var broken *CorruptError
	err = s.Catalogue(func(Name, QueueID, []byte) error { t.Error("handed out"); return nil })
	if !errors.As(err, &broken) {
		t.Errorf("got %v", err)
	}
}

func TestANewerSchemaIsRefused(t *testing.T) {
	_, err := damaged(t, func(db *pebble.DB) {
		b := db.NewBatch()
		setNumber(b, schemaKey, SchemaVersion+1)
		_ = b.Commit(pebble.Sync)
	})
	if !errors.Is(err, ErrNewerSchema) {
		t.Errorf("got %v, want ErrNewerSchema", err)
	}
}

func TestEveryCutOfARecordIsCorrupt(t *testing.T) {
	key := messageKey(nil, 1, 1)
	record := append(make([]byte, 4), recordSchema, 0, 'b', 'o', 'd', 'y')
	binary.LittleEndian.PutUint32(record, checksum(key, record))
	for n := range record {
		if _, _, err := openRecord(key, record[:n]); err == nil {
			t.Errorf("%d of %d bytes pass", n, len(record))
		}
	}
	if _, value, err := openRecord(key, record); string(value) != "body" || err != nil {
		t.Errorf("the whole gave %q %v", value, err)
	}
}

func TestWhenPebbleGivesUpTheReasonIsLoggedAndThrown(t *testing.T) {
	var logged strings.Builder
	defer func() {
		if p := recover(); p != "disk 7 is gone" || !strings.Contains(logged.String(), "disk 7 is gone") {
			t.Errorf("threw %v, logged %q", p, logged.String())
		}
	}()
	pebbleLogger{slog.New(slog.NewTextHandler(&logged, nil))}.Fatalf("disk %d is gone", 7)
}

func FuzzOpenRecord(f *testing.F) {
	f.Add([]byte("key"), []byte{})
	f.Add([]byte("key"), []byte{0, 0, 0, 0, 1, 0, 'x'})
	f.Fuzz(func(t *testing.T, key, record []byte) {
		if _, value, err := openRecord(key, record); err == nil && len(value) != len(record)-recordHeader {
			t.Errorf("%d bytes from a record of %d", len(value), len(record))
		}
		splitQueueKey(key)
		splitTenant(key)
	})
}

func leased(upTo uint64) (m Meta) {
	m.lease(upTo)
	return m
}

// TestMetadataOfSchemaOneLeasesEveryLine: what it says of all messages holds for each line.
func TestMetadataOfSchemaOneLeasesEveryLine(t *testing.T) {
	want := leased(1024)
	want.Head = 7
	value := binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint64(nil, 7), 1024)
	if got, ok := parseMeta(value); !ok || got != want {
		t.Errorf("%+v, %v; want %+v", got, ok, want)
	}
}
