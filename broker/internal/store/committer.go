package store

import (
	"fmt"
	"time"

	"github.com/cockroachdb/pebble/v2"
)

// group is what is written and synced together: the batches that arrived while the group before was written.
type group struct {
	batch *pebble.Batch
	calls []call // in the order of the commits
	sync  bool   // somebody waits for the disk

	deleted int // about how many small records' space it gives back, see reclaim
}

// call is one answer that a group owes.
type call struct {
	done  Completer
	token uint64
}

func (g *group) records() int { return int(g.batch.Count()) }
func (g *group) empty() bool  { return g.batch.Empty() && len(g.calls) == 0 }

// bytes is the size of the group in the log, nothing for one without a record.
func (g *group) bytes() int {
	if g.batch.Empty() {
		return 0
	}
	return g.batch.Len()
}

// keepCalls is how many answers an emptied group keeps room for.
const keepCalls = 64 << 10

func (g *group) reset() {
	g.batch.Reset()
	clear(g.calls)
	g.calls, g.sync, g.deleted = g.calls[:0], false, 0
	if cap(g.calls) > keepCalls {
		g.calls = nil
	}
}

// commitLoop is the committer: take, write, answer, until the store is closed and nothing is pending.
func (s *Store) commitLoop() {
	defer close(s.committed)
	for g := s.take(); g != nil; g = s.take() {
		began := time.Now()
		err := s.write(g)
		s.wrote(g, time.Since(began))
		s.space.wrote(g.bytes(), g.deleted)
		for _, c := range g.calls {
			c.done.Committed(c.token, err)
		}
		g.reset()
		s.giveBack(g)
	}
}

// take waits for a group and leaves an empty one in its place; nil means that the committer is to end.
func (s *Store) take() *group {
	s.mu.Lock()
	for s.pending.empty() && !s.closing {
		s.arrived.Wait()
	}
	g := s.pending
	if g.empty() {
		s.mu.Unlock()
		return nil
	}
	s.pending, s.spare = s.spare, nil
	s.full.Store(false)
	s.stats.Groups++
	s.stats.Records += uint64(g.records())
	s.stats.Bytes += uint64(g.bytes())
	if g.sync {
		s.stats.Syncs++
	}
	s.mu.Unlock()
	return g
}

// wrote counts what it took to put a group on disk.
func (s *Store) wrote(g *group, took time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if g.sync {
		s.stats.Syncing += took
	}
}

func (s *Store) giveBack(g *group) {
	s.mu.Lock()
	s.spare = g
	s.mu.Unlock()
}

// write puts a group on disk. The first failure is kept and answers everything after it.
func (s *Store) write(g *group) error {
	if err, _ := s.failure(); err != nil {
		return err
	}
	stuck, err := s.apply(g)
	if err == nil {
		return nil
	}
	return s.fail(fmt.Errorf("store write: %w", err), stuck)
}

// fail ends the store, unless something did before, and gives the reason. It may be called with Pebble's locks held.
func (s *Store) fail(err error, stuck bool) error {
	s.mu.Lock()
	first := s.failed == nil
	if first {
		s.failed = err
	}
	s.stuck = s.stuck || stuck
	err = s.failed
	s.mu.Unlock()
	if first {
		s.log.Error("store: failed, no more writes are taken", "err", err)
		close(s.broken)
		s.options.OnFailure(err)
	}
	return err
}

func (s *Store) failure() (err error, stuck bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.failed, s.stuck
}

// apply hands a group to the journal. Pebble panics when its log cannot be written (see pebbleLogger.Fatalf), and may
// then hold its locks for ever.
func (s *Store) apply(g *group) (stuck bool, err error) {
	defer func() {
		if p := recover(); p != nil {
			stuck, err = true, fmt.Errorf("%v", p)
		}
	}()
	return false, s.append(g.batch, g.sync)
}
