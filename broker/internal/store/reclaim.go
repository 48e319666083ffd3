package store

import (
	"context"
	"errors"
	"fmt"
)

// reclaim decides when it is worth while to truncate the journal so that deletions give back their space. While much is
// written they get there by themselves; when little is, those that are in memory would stay there, and what they delete on
// disk.
type reclaim struct {
	quiet   int64 // bytes in an interval up to which little is written
	waiting int64 // records that are deleted and may not have given back their space
	idle    int64 // intervals since much was written
}

const (
	// reclaimWorth is how many deletions are worth a table of their own, after one quiet interval; half as many after two.
	reclaimWorth = 10_000
	// largeWeight is for how many deletions that of a large body stands, dropWeight that of a queue.
	largeWeight = 16
	dropWeight  = 1000
	// quietPart is the part of a memtable that is little in an interval: it then takes that many to fill it.
	quietPart = 256
)

// tick looks back on an interval: the bytes that were written, and the records that were deleted.
func (r *reclaim) tick(bytes, deleted int64) (worthwhile bool) {
	r.waiting += deleted
	if bytes > r.quiet {
		r.idle = 0
		return false
	}
	r.idle++
	if r.waiting == 0 || r.waiting*r.idle < reclaimWorth {
		return false
	}
	r.waiting, r.idle = 0, 0
	return true
}

// truncate lets the journal put into tables what is in memory, and give back the space of large bodies.
func (s *Store) truncate(stopping context.Context) {
	if failed, _ := s.failure(); failed != nil {
		return
	}
	defer func() {
		if p := recover(); p != nil { // see pebbleLogger.Fatalf
			_ = s.fail(fmt.Errorf("store: %v", p), true)
		}
	}()
	trimmed, err := s.trimBodies()
	_ = s.journal.Truncate(Position(s.last.Load())) // an error is heard of in the background, or by the next write
	for id, head := range trimmed {
		err = errors.Join(err, s.compactBodies(stopping, id, head))
	}
	if err != nil && !errors.Is(err, ErrClosed) && stopping.Err() == nil {
		s.log.Warn("store: space of consumed messages is not given back", "err", err)
	}
}

// compactPatience is for how many intervals a compaction is waited for while the disk is short: it may be kept from its turn by one that
// has no room, which only what is deleted in the meantime would make.
const compactPatience = 10

// compactBodies has the bodies of a queue below its head give back their space. When that fails, they are to be compacted again.
func (s *Store) compactBodies(stopping context.Context, id QueueID, head uint64) error {
	if s.space.short() {
		var done context.CancelFunc
		stopping, done = context.WithTimeout(stopping, compactPatience*s.space.interval)
		defer done()
	}
	err := s.journal.Compact(stopping, bodyKey(nil, id, 1), bodyKey(nil, id, head))
	if err != nil {
		s.mu.Lock()
		defer s.mu.Unlock()
		if of := s.footprints[id]; of != nil {
			of.compact = min(of.compact, of.deleted)
		}
		s.space.unflushed.Add(1) // for the watch
	}
	return err
}
