package store

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"sync/atomic"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"
)

// pebbleJournal is a Journal on this machine's disk. Pebble's own log keeps the entries, and its memtables and tables are
// the state: a group is in both when it is written. Only Pebble itself reads the log, so that there are no entries to be
// read. The directory's lock keeps others out. Positions leap each time it is opened: so they need not be written with each
// group, and what a power cut took away does not share them with what came after.
type pebbleJournal struct {
	dir  *pebble.Lock
	db   *pebble.DB
	last atomic.Uint64 // Position
}

// positionLeap is more groups than are written between two openings.
const positionLeap = 1 << 32

var (
	_ Journal = (*pebbleJournal)(nil)
	_ View    = (*pebbleJournal)(nil)
)

// openPebble opens the journal in a directory, which is locked until Close.
func openPebble(dir string, files vfs.FS, o *pebble.Options) (*pebbleJournal, error) {
	j := &pebbleJournal{}
	if err := j.open(dir, files, o); err != nil {
		return nil, errors.Join(err, j.Close())
	}
	return j, nil
}

func (j *pebbleJournal) open(dir string, files vfs.FS, o *pebble.Options) (err error) {
	if j.dir, err = pebble.LockDirectory(dir, files); err != nil {
		return lockError(err)
	}
	o.Lock = j.dir
	if j.db, err = pebble.Open(dir, o); err != nil {
		return err
	}
	last, err := numberIn(j, positionKey)
	j.last.Store(last + positionLeap)
	return err
}

// lockError tells a directory that cannot be written from one that somebody holds: the operating system names the
// path for the former only.
func lockError(err error) error {
	if path := (*fs.PathError)(nil); errors.As(err, &path) {
		return err
	}
	return fmt.Errorf("%w (%v)", ErrLocked, err)
}

// keepBytes is how many bytes an emptied group keeps room for.
const keepBytes = 4 << 20

// NewBatch implements Journal.
func (j *pebbleJournal) NewBatch() *pebble.Batch {
	return j.db.NewBatch(pebble.WithMaxRetainedSizeBytes(keepBytes))
}

// Append implements Journal. The first group carries its position. It panics when Pebble cannot write its log: see
// pebbleLogger.Fatalf.
func (j *pebbleJournal) Append(at Position, group *pebble.Batch, sync bool) error {
	if !j.last.CompareAndSwap(uint64(at)-1, uint64(at)) {
		return ErrFenced
	}
	if uint64(at)%positionLeap == 1 {
		setNumber(group, positionKey, uint64(at)-1)
	}
	if !sync {
		return j.db.Apply(group, pebble.NoSync)
	}
	if err := j.db.ApplyNoSyncWait(group, pebble.Sync); err != nil {
		return err
	}
	return group.SyncWait()
}

// ReadFrom implements Journal.
func (j *pebbleJournal) ReadFrom(after Position, _ func(Position, []byte) error) error {
	if after < Position(j.last.Load()) {
		return ErrTruncated
	}
	return nil
}

// Snapshot implements Journal.
func (j *pebbleJournal) Snapshot() (View, Position) { return j, Position(j.last.Load()) }

// Truncate implements Journal: what is in memory becomes a table, and Pebble's log begins anew. Only so are deletions where
// compactions find them.
func (j *pebbleJournal) Truncate(Position) error {
	_, err := j.db.AsyncFlush()
	return err
}

// Compact implements Journal. It takes what is in memory along.
func (j *pebbleJournal) Compact(ctx context.Context, lower, upper []byte) error {
	return j.db.Compact(ctx, lower, upper, false)
}

// Size implements Journal.
func (j *pebbleJournal) Size() uint64 { return j.db.Metrics().DiskSpaceUsage() }

// Close implements Journal.
func (j *pebbleJournal) Close() (err error) {
	if j.db != nil {
		err = j.db.Close()
	}
	if j.dir != nil {
		err = errors.Join(err, j.dir.Close())
	}
	return err
}

// Get implements View.
func (j *pebbleJournal) Get(key []byte) ([]byte, io.Closer, error) { return j.db.Get(key) }

// Iterate implements View.
func (j *pebbleJournal) Iterate(lower, upper []byte) (Iterator, error) {
	it, err := j.db.NewIter(&pebble.IterOptions{LowerBound: lower, UpperBound: upper})
	if err != nil {
		return nil, err
	}
	return it, nil
}

// numberIn reads one of the store's own records, or 0 when there is none.
func numberIn(v View, key []byte) (uint64, error) {
	_, value, err := getRecord(v, key, nil)
	if errors.Is(err, ErrNotFound) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	if len(value) != 8 {
		return 0, &CorruptError{What: fmt.Sprintf("store record %q", key), Cause: errLength}
	}
	return binary.BigEndian.Uint64(value), nil
}

func setNumber(b *pebble.Batch, key []byte, n uint64) {
	r := setRecord(b, len(key), 8)
	copy(r.Key, key)
	binary.BigEndian.PutUint64(payload(r.Value), n)
	finishRecord(r, 0)
}
