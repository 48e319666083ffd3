package store

import (
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"
)

// SchemaVersion is raised when older programs could no longer read what this one writes.
const SchemaVersion = 4

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

	Journal Journal // where everything is written, instead of Dir; the store closes it

	LargeBody    int   // bytes of a message's body beyond which it has a record of its own; 4 KiB
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
	o.LargeBody = orDefault(o.LargeBody, 4<<10)
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
	journal Journal
	view    View // of the journal
	clean   bool
	space   *space
	last    atomic.Uint64 // position of the last group; written by Open, then by the committer, then by Close

	birthmark uint64

	committed chan struct{} // closed when the committer has ended
	broken    chan struct{} // closed when the store has failed
	full      atomic.Bool   // as much is pending as Options allow

	mu         sync.Mutex // guards everything below; a leaf: nothing else is locked or waited for while it is held
	arrived    sync.Cond  // pending is no longer empty, or closing
	pending    *group     // being filled
	spare      *group     // empty, or nil while the committer works on it
	nextID     QueueID
	footprints map[QueueID]*footprint // of queues that are large, or have large messages
	closing    bool
	failed     error // why nothing is written any more
	stuck      bool  // Pebble panicked, or does not come back, and may hold its locks for ever
	stats      Stats
}

// Open opens the store in Options.Dir, or makes a new one there. It fails with ErrLocked or ErrNewerSchema.
func Open(o Options) (*Store, error) {
	o.setDefaults()
	s := &Store{
		options: o, log: o.Logger, pending: &group{}, spare: &group{},
		committed: make(chan struct{}), broken: make(chan struct{}), footprints: make(map[QueueID]*footprint),
	}
	s.arrived.L = &s.mu
	if err := s.open(); err != nil {
		return nil, fmt.Errorf("store in %s: %w", o.Dir, errors.Join(err, s.closeJournal()))
	}
	s.pending.batch, s.spare.batch = s.journal.NewBatch(), s.journal.NewBatch()
	s.space.start(s.truncate)
	go s.commitLoop() // Close waits for it
	return s, nil
}

// open does the work of Open, in which Pebble may panic: see pebbleLogger.Fatalf.
func (s *Store) open() (err error) {
	defer func() {
		if p := recover(); p != nil {
			s.journal, err = nil, fmt.Errorf("%v", p)
		}
	}()
	files := s.files()
	s.space = newSpace(files, &s.options)
	if s.journal = s.options.Journal; s.journal == nil {
		if err := files.MkdirAll(s.options.Dir, 0o700); err != nil {
			return err
		}
		j, err := openPebble(s.options.Dir, files, s.pebbleOptions())
		if err != nil {
			return err
		}
		s.journal = j
	}
	view, last := s.journal.Snapshot()
	s.view = view
	s.last.Store(uint64(last))
	return s.checkIn()
}

func (s *Store) files() vfs.FS {
	if s.options.FS == nil {
		return vfs.Default
	}
	return s.options.FS
}

// checkIn reads the records about the store itself and takes the mark of a clean stop away before anything is served.
func (s *Store) checkIn() error {
	version, err := s.schema()
	if err != nil {
		return err
	}
	importing, err := numberIn(s.view, importKey)
	if err != nil {
		return err
	}
	if importing == 1 {
		return ErrIncomplete
	}
	id, err := numberIn(s.view, nextIDKey)
	if err != nil {
		return err
	}
	clean, err := numberIn(s.view, cleanKey)
	if err != nil {
		return err
	}
	s.nextID, s.clean = QueueID(max(id, 1)), clean == 1 || version == 0
	if s.birthmark, err = numberIn(s.view, birthKey); err != nil {
		return err
	}
	if s.birthmark == 0 {
		s.birthmark = rand.Uint64() | 1
	}
	if err := s.findBodies(); err != nil {
		return err
	}
	b := s.journal.NewBatch()
	setNumber(b, birthKey, s.birthmark)
	setNumber(b, schemaKey, SchemaVersion)
	setNumber(b, cleanKey, 0)
	return s.append(b, true)
}

// append writes a group at the next position.
func (s *Store) append(group *pebble.Batch, sync bool) error {
	at := s.last.Load() + 1
	if err := s.journal.Append(Position(at), group, sync); err != nil {
		return err
	}
	s.last.Store(at)
	return nil
}

// schema gives the version with which the directory was written, 0 for a new one.
func (s *Store) schema() (uint64, error) {
	version, err := numberIn(s.view, schemaKey)
	if err == nil && version > SchemaVersion {
		err = fmt.Errorf("%w (schema %d, this program knows %d)", ErrNewerSchema, version, SchemaVersion)
	}
	return version, err
}

// CleanStop reports whether the store is new or was closed properly the last time.
func (s *Store) CleanStop() bool { return s.clean }

// Birthmark is a number that the store was given when it was made, and no other has.
func (s *Store) Birthmark() uint64 { return s.birthmark }

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
	s.space.stop()
	if s.space.waiting.Load() > 0 {
		s.log.Warn("store: to close, the disk needs room")
	}
	err, stuck := s.awaitCommitter()
	if stuck {
		return err // closing Pebble could wait for ever; the process is about to end anyway
	}
	s.space.watching.Wait()
	if err == nil {
		b := s.journal.NewBatch()
		setNumber(b, cleanKey, 1)
		err = s.append(b, true)
	}
	return errors.Join(err, s.pending.batch.Close(), s.spare.batch.Close(), s.closeJournal())
}

func (s *Store) closeJournal() error {
	if s.journal == nil {
		return nil
	}
	return s.journal.Close()
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

// Stats are counters since Open, and the present use of disk and memory.
type Stats struct {
	Groups  uint64        // written
	Syncs   uint64        // of them, followed by fsync
	Records uint64        // changes written
	Bytes   uint64        // their bytes
	Syncing time.Duration // what the syncs took together, each with the write before it

	PendingRecords int
	PendingBytes   int
	DiskBytes      uint64 // of the store's files
	FreeBytes      uint64 // on the disk, when it was last looked at; 0 on a filesystem that cannot say
}

// Stats returns a snapshot.
func (s *Store) Stats() Stats {
	disk := s.journal.Size()
	s.mu.Lock()
	defer s.mu.Unlock()
	stats := s.stats
	stats.PendingRecords, stats.PendingBytes = s.pending.records(), s.pending.bytes()
	stats.DiskBytes, stats.FreeBytes = disk, s.space.free.Load()
	return stats
}
