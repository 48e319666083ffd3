package store

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"
)

// SchemaVersion is raised when older programs could no longer read what this one writes.
const SchemaVersion = 3

var (
	// ErrClosed answers Begin after Close.
	ErrClosed = errors.New("store is closed")
	// ErrLocked answers Open when another store, here or in another process, has the directory open.
	ErrLocked = errors.New("data directory is in use by another process")
	// ErrNewerSchema answers Open when the directory was written by a newer version of this program.
	ErrNewerSchema = errors.New("data directory was written by a newer version")
	// ErrNotFound answers a read of what is not there.
	ErrNotFound = errors.New("no such record")
)

// Options say where a store lives and what it may use. Zero values mean the defaults given.
type Options struct {
	Dir    string       // created when missing
	FS     vfs.FS       // the operating system's
	Logger *slog.Logger // slog.Default

	CacheSize    int64 // bytes of blocks kept for reading; 16 MiB
	MemTableSize int64 // bytes gathered in memory before a table file is written; 16 MiB, of which up to four exist

	MaxPendingBytes int           // changes waiting for the disk before Admit says ErrBusy; 256 MiB
	MinFree         int64         // bytes free on the disk below which Admit says ErrNoSpace; 256 MiB
	SpaceInterval   time.Duration // how often what is free is looked at, and a full disk tried again; 1 s

	OnFailure func(error) // the store has failed and takes no more writes; called once, must not block
}

func (o *Options) setDefaults() {
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	o.CacheSize = orDefault(o.CacheSize, 16<<20)
	o.MemTableSize = orDefault(o.MemTableSize, 16<<20)
	o.MaxPendingBytes = orDefault(o.MaxPendingBytes, 256<<20)
	o.MinFree = orDefault(o.MinFree, 256<<20)
	o.SpaceInterval = orDefault(o.SpaceInterval, time.Second)
	if o.OnFailure == nil {
		o.OnFailure = func(error) {}
	}
}

func orDefault[N int | int64 | time.Duration](n, otherwise N) N {
	if n == 0 {
		return otherwise
	}
	return n
}

// Store is an open data directory. Its methods may be called by any goroutine, reads until Close begins.
type Store struct {
	options Options
	log     *slog.Logger
	dir     *pebble.Lock
	db      *pebble.DB
	clean   bool
	space   *space

	committed chan struct{} // closed when the committer has ended
	broken    chan struct{} // closed when the store has failed
	full      atomic.Bool   // as much is pending as Options allow

	mu      sync.Mutex // guards everything below; a leaf: nothing else is locked or waited for while it is held
	arrived sync.Cond  // pending is no longer empty, or closing
	pending *group     // being filled
	spare   *group     // empty, or nil while the committer works on it
	nextID  QueueID
	closing bool
	failed  error // why nothing is written any more
	stuck   bool  // Pebble panicked, or does not come back, and may hold its locks for ever
	stats   Stats
}

// Open opens the store in Options.Dir, or makes a new one there. It fails with ErrLocked or ErrNewerSchema.
func Open(o Options) (*Store, error) {
	o.setDefaults()
	s := &Store{
		options: o, log: o.Logger, pending: &group{}, spare: &group{},
		committed: make(chan struct{}), broken: make(chan struct{}),
	}
	s.arrived.L = &s.mu
	if err := s.open(); err != nil {
		return nil, fmt.Errorf("store in %s: %w", o.Dir, errors.Join(err, s.closeFiles()))
	}
	keep := pebble.WithMaxRetainedSizeBytes(keepBytes)
	s.pending.batch, s.spare.batch = s.db.NewBatch(keep), s.db.NewBatch(keep)
	s.space.start(s.flush)
	go s.commitLoop() // Close waits for it
	return s, nil
}

// open does the work of Open, in which Pebble may panic: see pebbleLogger.Fatalf.
func (s *Store) open() (err error) {
	defer func() {
		if p := recover(); p != nil {
			s.db, err = nil, fmt.Errorf("%v", p)
		}
	}()
	files := s.files()
	s.space = newSpace(files, &s.options)
	if err := files.MkdirAll(s.options.Dir, 0o700); err != nil {
		return err
	}
	if err := s.lock(files); err != nil {
		return err
	}
	po := s.pebbleOptions()
	po.Lock = s.dir
	if s.db, err = pebble.Open(s.options.Dir, po); err != nil {
		return err
	}
	return s.checkIn()
}

func (s *Store) files() vfs.FS {
	if s.options.FS == nil {
		return vfs.Default
	}
	return s.options.FS
}

func (s *Store) lock(files vfs.FS) (err error) {
	if s.dir, err = pebble.LockDirectory(s.options.Dir, files); err != nil {
		return lockError(err)
	}
	return nil
}

// lockError tells a directory that cannot be written from one that somebody holds: the operating system names the
// path for the former only.
func lockError(err error) error {
	if path := (*fs.PathError)(nil); errors.As(err, &path) {
		return err
	}
	return fmt.Errorf("%w (%v)", ErrLocked, err)
}

// checkIn reads the records about the store itself and takes the mark of a clean stop away before anything is served.
func (s *Store) checkIn() error {
	version, err := s.schema()
	if err != nil {
		return err
	}
	importing, err := s.number(importKey)
	if err != nil {
		return err
	}
	if importing == 1 {
		return ErrIncomplete
	}
	id, err := s.number(nextIDKey)
	if err != nil {
		return err
	}
	clean, err := s.number(cleanKey)
	if err != nil {
		return err
	}
	s.nextID, s.clean = QueueID(max(id, 1)), clean == 1 || version == 0
	b := s.db.NewBatch()
	setNumber(b, schemaKey, SchemaVersion)
	setNumber(b, cleanKey, 0)
	return b.Commit(pebble.Sync)
}

// schema gives the version with which the directory was written, 0 for a new one.
func (s *Store) schema() (uint64, error) {
	version, err := s.number(schemaKey)
	if err == nil && version > SchemaVersion {
		err = fmt.Errorf("%w (schema %d, this program knows %d)", ErrNewerSchema, version, SchemaVersion)
	}
	return version, err
}

// number reads one of the store's own records, or 0 when there is none.
func (s *Store) number(key []byte) (uint64, error) {
	_, value, err := s.get(key, nil)
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

// CleanStop reports whether the store is new or was closed properly the last time.
func (s *Store) CleanStop() bool { return s.clean }

// closePatience is how long Close waits for a committer whose Pebble has failed.
const closePatience = 5 * time.Second

// Close commits and syncs what is pending, answers it, marks the stop as clean and releases the directory. A store
// that failed is only released, and its failure returned. On a full disk Close waits for room as all writes do; to end
// the process instead loses nothing that was answered.
func (s *Store) Close() error {
	s.mu.Lock()
	again := s.closing
	s.closing = true
	s.arrived.Signal()
	s.mu.Unlock()
	if again {
		return ErrClosed
	}
	close(s.space.stopped)
	if s.space.waiting.Load() > 0 {
		s.log.Warn("store: to close, the disk needs room")
	}
	err, stuck := s.awaitCommitter()
	if stuck {
		return err // closing Pebble could wait for ever; the process is about to end anyway
	}
	s.space.watching.Wait()
	if err == nil {
		b := s.db.NewBatch()
		setNumber(b, cleanKey, 1)
		err = b.Commit(pebble.Sync)
	}
	return errors.Join(err, s.pending.batch.Close(), s.spare.batch.Close(), s.closeFiles())
}

// awaitCommitter gives the failure of the store, and whether Pebble is to be left alone.
func (s *Store) awaitCommitter() (failed error, stuck bool) {
	select {
	case <-s.committed:
		return s.failure()
	case <-s.broken:
	}
	timer := time.NewTimer(closePatience)
	defer timer.Stop()
	select {
	case <-s.committed:
		return s.failure()
	case <-timer.C:
		return s.failed, true
	}
}

func (s *Store) closeFiles() (err error) {
	if s.db != nil {
		err = s.db.Close()
	}
	if s.dir != nil {
		err = errors.Join(err, s.dir.Close())
	}
	return err
}

// Stats are counters since Open, and the present use of disk and memory.
type Stats struct {
	Groups  uint64 // written
	Syncs   uint64 // of them, followed by fsync
	Records uint64 // changes written
	Bytes   uint64 // their bytes

	PendingRecords int
	PendingBytes   int
	DiskBytes      uint64 // of the store's files
	FreeBytes      uint64 // on the disk, when it was last looked at; 0 on a filesystem that cannot say
}

// Stats returns a snapshot.
func (s *Store) Stats() Stats {
	disk := s.db.Metrics().DiskSpaceUsage()
	s.mu.Lock()
	defer s.mu.Unlock()
	stats := s.stats
	stats.PendingRecords, stats.PendingBytes = s.pending.records(), s.pending.bytes()
	stats.DiskBytes, stats.FreeBytes = disk, s.space.free.Load()
	return stats
}
