package store

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/cockroachdb/pebble/v2"
)

var (
	// ErrNotEmpty answers OpenEmpty when the directory has records.
	ErrNotEmpty = errors.New("data directory is not empty")
	// ErrIncomplete answers Open when records were being brought into the directory and that did not come to its end.
	ErrIncomplete = errors.New("data directory is the rest of an import that did not end; remove it and import again")
)

// Archive is a data directory that is open for reading only, while no broker has it. Nothing on disk changes.
type Archive struct {
	store  *Store
	db     *pebble.DB
	schema uint64
}

// OpenArchive opens a directory that is there. It fails with ErrLocked or ErrNewerSchema.
func OpenArchive(o Options) (*Archive, error) {
	o.setDefaults()
	a := &Archive{store: &Store{options: o, log: o.Logger}}
	if err := a.open(); err != nil {
		return nil, fmt.Errorf("store in %s: %w", o.Dir, errors.Join(err, a.Close()))
	}
	return a, nil
}

func (a *Archive) open() error {
	s := a.store
	files := s.files()
	if _, err := files.Stat(s.options.Dir); err != nil {
		return err
	}
	s.space = newSpace(files, &s.options)
	po := s.pebbleOptions()
	po.ReadOnly, po.ErrorIfNotExists = true, true
	j, err := openPebble(s.options.Dir, files, po)
	if err != nil {
		return err
	}
	s.journal, s.view, a.db = j, j, j.db
	if a.schema, err = s.schema(); err != nil {
		return err
	}
	clean, err := numberIn(s.view, cleanKey)
	s.clean = clean == 1
	return err
}

// Close releases the directory.
func (a *Archive) Close() error { return a.store.closeJournal() }

// Schema is the version with which the directory was written, and CleanStop whether it was closed properly.
func (a *Archive) Schema() uint64  { return a.schema }
func (a *Archive) CleanStop() bool { return a.store.clean }

// DiskBytes is how much of the disk the directory takes.
func (a *Archive) DiskBytes() uint64 { return a.store.journal.Size() }

// Record is one record of a store as it is on disk.
type Record struct {
	Key   []byte
	Flags byte
	Value []byte
}

// Each visits all records in the order of their keys, which are valid until visit returns as the values are. Those that
// cannot be trusted come as a CorruptError, without a value. An error of visit ends the walk.
func (a *Archive) Each(visit func(Record, *CorruptError) error) (err error) {
	it, err := a.db.NewIter(nil)
	if err != nil {
		return fmt.Errorf("store read: %w", err)
	}
	defer func() { err = errors.Join(err, it.Close()) }()
	for valid := it.First(); valid; valid = it.Next() {
		record, err := it.ValueAndErr()
		if err != nil {
			return fmt.Errorf("store read: %w", err)
		}
		r := Record{Key: it.Key()}
		var broken *CorruptError
		if r.Flags, r.Value, err = openRecord(r.Key, record); err == nil {
			err = r.check()
		}
		if err != nil && !errors.As(err, &broken) {
			return err
		}
		if err := visit(r, broken); err != nil {
			return err
		}
	}
	return it.Error()
}

// kinds are what records are called.
var kinds = map[byte]string{
	storeSpace: "store", catalogueSpace: "entry", retainedSpace: "retained", historySpace: "history",
	clientSpace: "client", identitySpace: "identity", bodySpace: "body",
}

// Kind names what the record is: entry for one of the catalogue, queue for a queue's metadata, message, and so on; it is
// empty when there is no such thing.
func (r Record) Kind() string {
	if _, seq, ok := splitQueueKey(r.Key); ok {
		if seq == 0 {
			return "queue"
		}
		return "message"
	}
	if len(r.Key) == 0 {
		return ""
	}
	return kinds[r.Key[0]]
}

// check looks whether what the record must be to be read is so.
func (r Record) check() error {
	ok := r.Kind() != ""
	switch r.Kind() {
	case "queue":
		_, ok = parseMeta(r.Value)
	case "entry":
		_, _, ok = r.Entry()
	}
	if !ok {
		return corrupt(r.Key, errLength)
	}
	return nil
}

// Message gives the queue of a message or of metadata, whose number is 0.
func (r Record) Message() (id QueueID, seq uint64, ok bool) { return splitQueueKey(r.Key) }

// Body gives the queue and the number of a message whose body this is; the number is 0 if it only says that the queue has
// some.
func (r Record) Body() (id QueueID, seq uint64, ok bool) { return splitBodyKey(r.Key) }

// IsWhole tells whether a message's body is there, if it has a record of its own, and whether a body's message is. Other
// records are whole by themselves.
func (a *Archive) IsWhole(r Record) (bool, error) {
	var other []byte
	if id, seq, ok := r.Body(); ok && seq > 0 {
		other = messageKey(nil, id, seq)
	} else if id, seq, ok := r.Message(); ok && seq > 0 && r.Flags&flagApart != 0 {
		other = bodyKey(nil, id, seq)
	} else {
		return true, nil
	}
	flags, _, err := getRecord(a.store.view, other, nil)
	if broken := (*CorruptError)(nil); errors.As(err, &broken) {
		return true, nil // it speaks for itself
	}
	if errors.Is(err, ErrNotFound) {
		return false, nil
	}
	return err != nil || other[0] == bodySpace || flags&flagApart != 0, err
}

// Meta gives a queue's metadata.
func (r Record) Meta() (m Meta, ok bool) { return parseMeta(r.Value) }

// Entry gives an entry of the catalogue.
func (r Record) Entry() (n Name, id QueueID, ok bool) {
	if len(r.Key) < 2 || r.Key[0] != catalogueSpace || len(r.Value) < 8 {
		return Name{}, 0, false
	}
	n.Kind = Kind(r.Key[1])
	n.Tenant, n.Name, ok = splitTenant(r.Key[2:])
	return n, QueueID(binary.BigEndian.Uint64(r.Value)), ok
}

// Portable tells whether the record means the same in another directory. Of the store's own only the next number does.
func (r Record) Portable() bool {
	return r.Kind() != "" && (r.Key[0] != storeSpace || string(r.Key) == string(nextIDKey))
}

// OpenEmpty opens a store to bring records into, which must be new or have none: else it fails with ErrNotEmpty. Until
// Complete the directory is of no use to Open.
func OpenEmpty(o Options) (*Store, error) {
	s, err := Open(o)
	if err != nil {
		return nil, err
	}
	if err := s.beginImport(); err != nil {
		return nil, errors.Join(fmt.Errorf("store in %s: %w", o.Dir, err), s.Close())
	}
	return s, nil
}

func (s *Store) beginImport() error {
	for _, space := range "bcdhiqr" {
		err := s.walk([]byte{byte(space)}, func([]byte, byte, []byte) error { return ErrNotEmpty })
		if err != nil {
			return err
		}
	}
	return s.mark(1)
}

// Complete says that all records are there. It is for who has committed the last of them and was answered.
func (s *Store) Complete() error { return s.mark(0) }

func (s *Store) mark(importing uint64) error {
	b, err := s.Begin()
	if err != nil {
		return err
	}
	setNumber(b.changes(), importKey, importing)
	done := make(waiter, 1)
	b.Commit(done, 0)
	return <-done
}

// Restore adds a record of another store.
func (b Batch) Restore(r Record) { b.putFlagged(r.Key, r.Flags, r.Value) }
