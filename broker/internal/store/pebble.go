package store

import (
	"fmt"
	"log/slog"

	"github.com/cockroachdb/pebble/v2"
)

// pebbleOptions tune Pebble for many small, short-lived records: a memtable large enough that most messages are
// consumed before it is written out, a small cache because messages are read once, and few open files.
func (s *Store) pebbleOptions() *pebble.Options {
	o := &pebble.Options{
		FS:                          s.options.FS,
		CacheSize:                   s.options.CacheSize,
		MemTableSize:                uint64(s.options.MemTableSize),
		MemTableStopWritesThreshold: 4,
		LBaseMaxBytes:               4 * s.options.MemTableSize,
		MaxOpenFiles:                512,
		FormatMajorVersion:          pebble.FormatValueSeparation, // pinned: a raise is a decision, not an upgrade's side effect
		CompactionConcurrencyRange:  func() (int, int) { return 1, 2 },
		Logger:                      pebbleLogger{s.log},
		EventListener:               s.pebbleEvents(),
	}
	o.Experimental.SpanPolicyFunc = spaceApart
	if o.FS == nil {
		o.WithFSDefaults() // the system's, watched for slow operations
	}
	o.FS = patience{o.FS, s.space}
	return o
}

// spaceApart lets no table hold keys of two spaces. One that begins where bodies are consumed and ends where the messages
// are would overlap all bodies that follow, and to compact it would be to write them all again.
func spaceApart(key []byte) (pebble.SpanPolicy, []byte, error) {
	return pebble.SpanPolicy{}, after(key[:1]), nil
}

// pebbleEvents logs what an operator should know of. Pebble's default for a corrupt block is to end the process;
// here the reader gets the error instead.
func (s *Store) pebbleEvents() *pebble.EventListener {
	return &pebble.EventListener{
		BackgroundError: s.backgroundFailed,
		DataCorruption: func(i pebble.DataCorruptionInfo) {
			s.log.Error("store: corrupt block", "path", i.Path, "err", i.Details)
		},
		DiskSlow: func(i pebble.DiskSlowInfo) {
			s.log.Warn("store: slow disk", "path", i.Path, "operation", i.OpType.String(), "duration", i.Duration)
		},
		LowDiskSpace: func(i pebble.LowDiskSpaceInfo) {
			s.log.Warn("store: disk almost full", "available_bytes", i.AvailBytes, "total_bytes", i.TotalBytes)
		},
		WriteStallBegin: func(i pebble.WriteStallBeginInfo) {
			s.log.Warn("store: writes stalled by compaction", "reason", i.Reason)
		},
	}
}

// backgroundFailed hears of a memtable or tables that could not be written out. What they hold is in the log still, but
// if the disk does not only lack room, or give back what is corrupt, the next one would do no better.
func (s *Store) backgroundFailed(err error) {
	if isFull(err) || pebble.IsCorruptionError(err) {
		s.log.Error("store: background work failed", "err", err)
		return
	}
	_ = s.fail(fmt.Errorf("store background work: %w", err), false)
}

// pebbleLogger hands Pebble's messages to slog; its chatter is for debugging only.
type pebbleLogger struct{ log *slog.Logger }

var _ pebble.Logger = pebbleLogger{}

func (l pebbleLogger) Infof(format string, args ...any) {
	l.log.Debug("store: pebble", "message", lazyf{format, args})
}

func (l pebbleLogger) Errorf(format string, args ...any) {
	l.log.Error("store: pebble", "message", lazyf{format, args})
}

// Fatalf must not return: Pebble goes on as if the failed step had succeeded. The committer turns the panic into
// the store's failure; on Pebble's own goroutines it ends the process, with the reason logged and on the stack trace.
func (l pebbleLogger) Fatalf(format string, args ...any) {
	l.log.Error("store: pebble gave up", "message", lazyf{format, args})
	panic(fmt.Sprintf(format, args...))
}

// lazyf is formatted only when a handler wants it.
type lazyf struct {
	format string
	args   []any
}

func (f lazyf) LogValue() slog.Value { return slog.StringValue(fmt.Sprintf(f.format, f.args...)) }
