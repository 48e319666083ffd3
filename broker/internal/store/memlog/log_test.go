package memlog_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"
	"pgregory.net/rapid"

	"github.com/manifoldmq/manifold/broker/internal/store"
	"github.com/manifoldmq/manifold/broker/internal/store/memlog"
)

// tb is what the helpers need of a test or a random run.
type tb interface {
	Helper()
	Fatal(...any)
	Fatalf(string, ...any)
}

// open opens a store over a log, as its owner.
func open(t tb, l *memlog.Log) *store.Store {
	t.Helper()
	s, err := store.Open(options(own(t, l)))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func options(j store.Journal) store.Options {
	return store.Options{Dir: "data", FS: vfs.NewMem(), Journal: j, Logger: slog.New(slog.DiscardHandler), LargeBody: 20}
}

type answers chan error

func (a answers) Committed(_ uint64, err error) { a <- err }

// commit makes changes; the answer tells how it went.
func commit(t tb, s *store.Store, change func(store.Batch)) (answer chan error) {
	t.Helper()
	b, err := s.Begin()
	if err != nil {
		t.Fatal(err)
	}
	change(b)
	done := make(answers, 1)
	b.Commit(done, 0)
	return done
}

func write(t tb, s *store.Store, change func(store.Batch)) {
	t.Helper()
	if err := <-commit(t, s, change); err != nil {
		t.Fatal(err)
	}
}

// content is all that a store has of one queue.
func content(t tb, s *store.Store) (messages []string) {
	t.Helper()
	err := s.Read(1, 0, func(seq uint64, flags byte, value []byte) bool {
		messages = append(messages, fmt.Sprint(seq, "/", flags, " ", string(value)))
		return true
	})
	if err != nil {
		t.Fatal(err)
	}
	return messages
}

func TestAFencedStoreFailsAsIfItsDiskHadFailed(t *testing.T) {
	l := memlog.New()
	failed := make(chan error, 1)
	o := options(own(t, l))
	o.OnFailure = func(err error) { failed <- err }
	first, err := store.Open(o)
	if err != nil {
		t.Fatal(err)
	}
	write(t, first, func(b store.Batch) { b.Append(1, 1, 0, nil, []byte("one")) })

	second := open(t, l)
	answer := commit(t, first, func(b store.Batch) { b.Append(1, 2, 0, nil, []byte("two")) })
	if err := <-answer; !errors.Is(err, store.ErrFenced) {
		t.Errorf("answered with %v", err)
	}
	if err := <-failed; !errors.Is(err, store.ErrFenced) {
		t.Errorf("failed with %v", err)
	}
	if _, err := first.Begin(); !errors.Is(err, store.ErrFenced) {
		t.Errorf("begun with %v", err)
	}
	write(t, second, func(b store.Batch) { b.Append(1, 2, 0, nil, []byte("other two")) })
	if err := second.Close(); err != nil {
		t.Error(err)
	}
	if err := first.Close(); !errors.Is(err, store.ErrFenced) {
		t.Errorf("closed with %v", err)
	}
	third := open(t, l)
	if got := content(t, third); !slices.Equal(got, []string{"1/0 one", "2/0 other two"}) {
		t.Errorf("left is %q", got)
	}
	_ = third.Close()
}

func TestTheLogIsLostToWhoOpensItEvenIfHeWritesNothing(t *testing.T) {
	l := memlog.New()
	first := open(t, l)
	own(t, l)
	answer := commit(t, first, func(b store.Batch) { b.Append(1, 1, 0, nil, nil) })
	if err := <-answer; !errors.Is(err, store.ErrFenced) {
		t.Errorf("answered with %v", err)
	}
	_ = first.Close()
}

// TestWhoWaitsWhenTheLogIsTakenOverIsNotToldThatItIsSafe takes the log over while an entry of the former owner is on its way.
func TestWhoWaitsWhenTheLogIsTakenOverIsNotToldThatItIsSafe(t *testing.T) {
	l := memlog.New()
	first := open(t, l)
	reached := l.Hold()
	answer := commit(t, first, func(b store.Batch) { b.Append(1, 1, 0, nil, []byte("one")) })
	<-reached
	l.Crash(rand.New(rand.NewPCG(1, 1)))
	l.Release()
	if err := <-answer; !errors.Is(err, store.ErrFenced) {
		t.Errorf("answered with %v", err)
	}
	_ = first.Close()
}

func TestEntriesAreReadAgainUntilTheyAreTruncated(t *testing.T) {
	l := memlog.New()
	s := open(t, l)
	for seq := uint64(1); seq <= 5; seq++ {
		write(t, s, func(b store.Batch) { b.Append(1, seq, 0, nil, nil) })
	}
	owner := own(t, l)
	_, last := owner.Snapshot()
	var seen []store.Position
	see := func(at store.Position, _ []byte) error { seen = append(seen, at); return nil }
	if err := owner.ReadFrom(last-2, see); err != nil || !slices.Equal(seen, []store.Position{last - 1, last}) {
		t.Errorf("read %v, %v", seen, err)
	}
	if err := owner.Truncate(last - 1); err != nil || l.Kept() != 1 {
		t.Errorf("%d entries are kept, %v", l.Kept(), err)
	}
	if err := owner.ReadFrom(last-2, see); !errors.Is(err, store.ErrTruncated) {
		t.Errorf("reading what is truncated gives %v", err)
	}
	after := open(t, l)
	if got := content(t, after); len(got) != 5 {
		t.Errorf("left is %q", got)
	}
	_, _ = s.Close(), after.Close()
}

// TestWhoFollowsTheEntriesHasTheSameState makes random changes over a log that is taken over, truncated and crashes
// meanwhile, and sees that nothing is lost of what was answered, and that a Pebble that follows it has the same, record by
// record: it is how a replica would keep its state on disk.
func TestWhoFollowsTheEntriesHasTheSameState(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		l, f := memlog.New(), newFollower(t)
		s, model, seq := open(t, l), map[uint64]string{}, uint64(0)
		random := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 0))
		for range rapid.IntRange(1, 40).Draw(t, "steps") {
			switch step := rapid.IntRange(0, 9).Draw(t, "step"); step {
			case 0, 1, 2, 3:
				former := s
				switch step {
				case 1:
					l.Crash(random)
				case 2:
					owner := own(t, l)
					_, last := owner.Snapshot()
					if err := owner.Truncate(last - store.Position(random.Uint64N(uint64(last)))); err != nil {
						t.Fatal(err)
					}
				case 3:
					f.follow(t, l)
				}
				s = open(t, l)
				_ = former.Close() // it is fenced
			case 4, 5:
				if len(model) > 0 {
					oldest := slices.Min(slices.Collect(maps.Keys(model)))
					write(t, s, func(b store.Batch) { b.Delete(1, oldest) })
					delete(model, oldest)
				}
			case 6:
				write(t, s, func(b store.Batch) { b.PutMeta(1, store.Meta{Head: 1}) })
			default:
				seq++
				body := string(make([]byte, random.IntN(40)))
				write(t, s, func(b store.Batch) { b.Append(1, seq, 3, []byte("head"), []byte(body)) })
				model[seq] = "head" + body
			}
		}
		var want []string
		for n := uint64(1); n <= seq; n++ {
			if value, ok := model[n]; ok {
				want = append(want, fmt.Sprint(n, "/", 3, " ", value))
			}
		}
		if got := content(t, s); !slices.Equal(got, want) {
			t.Fatalf("there is %q, want %q", got, want)
		}
		_ = s.Close()
		f.follow(t, l)
		f.check(t, l)
	})
}

// follower is a database that follows a log.
type follower struct {
	db *pebble.DB
	at store.Position
}

func newFollower(t tb) *follower {
	db, err := pebble.Open("data", &pebble.Options{FS: vfs.NewMem(), LoggerAndTracer: quiet{}})
	if err != nil {
		t.Fatal(err)
	}
	return &follower{db: db}
}

// follow catches up with the log: by its entries, or by its snapshot if there are not enough of them.
func (f *follower) follow(t tb, l *memlog.Log) {
	t.Helper()
	owner := own(t, l)
	view, last := owner.Snapshot()
	err := owner.ReadFrom(f.at, func(at store.Position, group []byte) error {
		b := f.db.NewBatch()
		f.at = at
		return errors.Join(b.SetRepr(bytes.Clone(group)), b.Commit(pebble.NoSync))
	})
	if errors.Is(err, store.ErrTruncated) {
		b := f.db.NewBatch()
		_ = b.DeleteRange([]byte{0}, []byte{0xff}, nil)
		each(t, view, func(key, value []byte) { _ = b.Set(key, value, nil) })
		f.at, err = last, b.Commit(pebble.NoSync)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// check sees that the state is that of the log.
func (f *follower) check(t tb, l *memlog.Log) {
	t.Helper()
	view, _ := own(t, l).Snapshot()
	it, err := f.db.NewIter(nil)
	if err != nil {
		t.Fatal(err)
	}
	valid := it.First()
	each(t, view, func(key, value []byte) {
		if !valid || !bytes.Equal(it.Key(), key) || !bytes.Equal(it.Value(), value) {
			t.Fatalf("who follows does not have %q", key)
		}
		valid = it.Next()
	})
	if valid {
		t.Fatalf("who follows has %q besides", it.Key())
	}
	if err := errors.Join(it.Close(), f.db.Close()); err != nil {
		t.Fatal(err)
	}
}

func own(t tb, l *memlog.Log) *memlog.Owner {
	t.Helper()
	owner, err := l.Open()
	if err != nil {
		t.Fatal(err)
	}
	return owner
}

func each(t tb, v store.View, visit func(key, value []byte)) {
	t.Helper()
	it, err := v.Iterate([]byte{0}, []byte{0xff})
	if err != nil {
		t.Fatal(err)
	}
	for valid := it.First(); valid; valid = it.Next() {
		value, _ := it.ValueAndErr()
		visit(it.Key(), value)
	}
}

// quiet is a logger that says nothing.
type quiet struct{}

func (quiet) Infof(string, ...any)                   {}
func (quiet) Errorf(string, ...any)                  {}
func (quiet) Fatalf(string, ...any)                  {}
func (quiet) Eventf(context.Context, string, ...any) {}
func (quiet) IsTracingEnabled(context.Context) bool  { return false }
