package store_test

import (
	"math/rand/v2"
	"slices"
	"sync"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"
	"pgregory.net/rapid"

	"github.com/manifoldmq/manifold/broker/internal/store"
)

const (
	cutQueues   = 4
	cutMessages = 60
	cutTwin     = 100 // added to a queue's number: another queue that gets the same in the same batches
)

// ledger knows what the store has said about each message. It is a Completer whose token is queue<<32 | seq.
type ledger struct {
	mu      sync.Mutex // guards everything below
	stored  map[uint64]bool
	deleted map[uint64]bool
	left    int           // answers until the cut
	cut     chan struct{} // closed then
}

func (l *ledger) Committed(token uint64, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if err != nil {
		return
	}
	if token>>63 == 1 {
		l.deleted[token&^(1<<63)] = true
	} else {
		l.stored[token] = true
	}
	if l.left--; l.left == 0 {
		close(l.cut)
	}
}

// TestAPowerCutKeepsEveryAcknowledgedRecordInOrder lets several queues append and delete, cuts the power after a
// random number of answers, keeps a random part of what was not synced, and looks at what is there.
func TestAPowerCutKeepsEveryAcknowledgedRecordInOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		answersBefore := rapid.IntRange(1, cutQueues*cutMessages).Draw(t, "answers")
		unsynced := rapid.IntRange(0, 100).Draw(t, "unsyncedPercent")
		seed := rapid.Uint64().Draw(t, "seed")

		disk := vfs.NewCrashableMem()
		s := open(t, disk)
		l := &ledger{stored: map[uint64]bool{}, deleted: map[uint64]bool{}, left: answersBefore, cut: make(chan struct{})}
		var writers sync.WaitGroup
		for id := range store.QueueID(cutQueues) {
			writers.Go(func() { appendAndDelete(s, l, id+1) })
		}
		<-l.cut
		l.mu.Lock()
		stored, deleted := keysOf(l.stored), keysOf(l.deleted)
		l.mu.Unlock()
		after := disk.CrashClone(vfs.CrashCloneCfg{
			UnsyncedDataPercent: unsynced, RNG: rand.New(rand.NewPCG(seed, seed)),
		})
		writers.Wait()

		survivor := open(t, after)
		if survivor.CleanStop() {
			t.Fatal("a power cut counts as a clean stop")
		}
		checkSurvivors(t, recoverAll(t, survivor), stored, deleted)
		_, _ = survivor.Close(), s.Close()
	})
}

// appendAndDelete appends all messages of a queue and deletes every fourth of them, each in a batch of its own.
func appendAndDelete(s *store.Store, l *ledger, id store.QueueID) {
	for seq := uint64(1); seq <= cutMessages; seq++ {
		token := uint64(id)<<32 | seq
		b, err := s.Begin()
		if err != nil {
			return
		}
		b.Append(id, seq, 0, nil, make([]byte, seq))
		b.Append(id+cutTwin, seq, 0, nil, nil)
		b.Commit(l, token)
		if seq%4 != 0 {
			continue
		}
		if b, err = s.Begin(); err != nil {
			return
		}
		b.Delete(id, seq)
		b.Delete(id+cutTwin, seq)
		b.Commit(l, token|1<<63)
	}
}

func checkSurvivors(t *rapid.T, r *recovered, stored, deleted []uint64) {
	if len(r.corrupt) > 0 {
		t.Fatalf("%v", r.corrupt)
	}
	for _, token := range stored {
		id, seq := store.QueueID(token>>32), token&(1<<32-1)
		if seq%4 != 0 && !slices.Contains(r.messages[id], seq) {
			t.Fatalf("message %d of queue %d was acknowledged and is lost", seq, id)
		}
	}
	for _, token := range deleted {
		id, seq := store.QueueID(token>>32), token&(1<<32-1)
		if slices.Contains(r.messages[id], seq) {
			t.Fatalf("message %d of queue %d was deleted and is back", seq, id)
		}
	}
	for id, seqs := range r.messages { // a prefix of what was written: the one that misses its deletion is the last
		want := uint64(1)
		for _, seq := range seqs {
			if seq != want && !(want%4 == 0 && seq == want+1) {
				t.Fatalf("queue %d has %d where %d belongs", id, seq, want)
			}
			want = seq + 1
		}
		if id < cutTwin && !slices.Equal(seqs, r.messages[id+cutTwin]) {
			t.Fatalf("queue %d has %v, its twin %v", id, seqs, r.messages[id+cutTwin])
		}
	}
}

// TestAPowerCutLeavesEveryMoveWholeOrUndone moves messages from one queue to another, each in one batch, cuts the power
// after a random number of answers, and finds each message in one queue and not in the other.
func TestAPowerCutLeavesEveryMoveWholeOrUndone(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		answersBefore := rapid.IntRange(1, cutMessages).Draw(t, "answers")
		unsynced := rapid.IntRange(0, 100).Draw(t, "unsyncedPercent")
		seed := rapid.Uint64().Draw(t, "seed")

		disk := vfs.NewCrashableMem()
		s := open(t, disk)
		write(t, s, func(b store.Batch) {
			for seq := uint64(1); seq <= cutMessages; seq++ {
				b.Append(1, seq, 0, nil, nil)
			}
		})
		l := &ledger{stored: map[uint64]bool{}, deleted: map[uint64]bool{}, left: answersBefore, cut: make(chan struct{})}
		var mover sync.WaitGroup
		mover.Go(func() {
			for seq := uint64(1); seq <= cutMessages; seq++ {
				b := begin(t, s)
				b.Delete(1, seq)
				b.Append(2, seq, 0, nil, nil)
				b.Commit(l, seq)
			}
		})
		<-l.cut
		l.mu.Lock()
		moved := len(l.stored)
		l.mu.Unlock()
		after := disk.CrashClone(vfs.CrashCloneCfg{
			UnsyncedDataPercent: unsynced, RNG: rand.New(rand.NewPCG(seed, seed)),
		})
		mover.Wait()

		survivor := open(t, after)
		found := recoverAll(t, survivor).messages
		if len(found[2]) < moved {
			t.Fatalf("%d moves were acknowledged and %d are there", moved, len(found[2]))
		}
		for i, seq := range slices.Concat(found[2], found[1]) {
			if seq != uint64(i+1) {
				t.Fatalf("the queues have %v and %v", found[1], found[2])
			}
		}
		_, _ = survivor.Close(), s.Close()
	})
}

func keysOf(m map[uint64]bool) (keys []uint64) {
	for k := range m {
		keys = append(keys, k)
	}
	return keys
}
