package store

import (
	"fmt"

	"github.com/cockroachdb/pebble/v2"
)

// group is what is written and synced together: the batches that arrived while the group before was written.
type group struct {
	batch *pebble.Batch
	calls []call // in the order of the commits
	sync  bool   // somebody waits for the disk
}

// call is one answer that a group owes.
type call struct {
	done  Completer
	token uint64
}

func (g *group) records() int { return int(g.batch.Count()) }
func (g *group) bytes() int   { return g.batch.Len() }
func (g *group) empty() bool  { return g.batch.Empty() && len(g.calls) == 0 }

// keepCalls is how many answers an emptied group keeps room for.
const keepCalls = 64 << 10

func (g *group) reset() {
	g.batch.Reset()
	clear(g.calls)
	g.calls, g.sync = g.calls[:0], false
	if cap(g.calls) > keepCalls {
		g.calls = nil
	}
}

// commitLoop is the committer: take, write, answer, until the store is closed and nothing is pending.
func (s *Store) commitLoop() {
	for g := s.take(); g != nil; g = s.take() {
		err := s.write(g)
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
	wasFull := s.full(g)
	s.stats.Groups++
	s.stats.Records += uint64(g.records())
	s.stats.Bytes += uint64(g.bytes())
	if g.sync {
		s.stats.Syncs++
	}
	s.mu.Unlock()
	if wasFull {
		s.options.OnRoom()
	}
	return g
}

func (s *Store) giveBack(g *group) {
	s.mu.Lock()
	s.spare = g
	s.mu.Unlock()
}

// write puts a group on disk. The first failure is kept and answers everything after it.
func (s *Store) write(g *group) error {
	if s.failed != nil { // written by this goroutine only
		return s.failed
	}
	stuck, err := s.apply(g)
	if err == nil {
		return nil
	}
	err = fmt.Errorf("store write: %w", err)
	s.mu.Lock()
	s.failed, s.stuck = err, stuck
	s.mu.Unlock()
	s.log.Error("store: write failed, no more writes are taken", "err", err)
	s.options.OnFailure(err)
	return err
}

// apply hands a group to Pebble. Pebble panics when its log cannot be written (see pebbleLogger.Fatalf), and may
// then hold its locks for ever.
func (s *Store) apply(g *group) (stuck bool, err error) {
	defer func() {
		if p := recover(); p != nil {
			stuck, err = true, fmt.Errorf("%v", p)
		}
	}()
	if !g.sync {
		return false, s.db.Apply(g.batch, pebble.NoSync)
	}
	if err := s.db.ApplyNoSyncWait(g.batch, pebble.Sync); err != nil {
		return false, err
	}
	return false, g.batch.SyncWait()
}
