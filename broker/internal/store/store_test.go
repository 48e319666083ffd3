package store_test

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"runtime"
	"slices"
	"sync"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/errorfs"

	"github.com/manifoldmq/manifold/broker/brokertest"
	"github.com/manifoldmq/manifold/broker/internal/store"
)

// tb is what the helpers need of a test, a benchmark or a random run.
type tb interface {
	Helper()
	Cleanup(func())
	Fatal(...any)
	Fatalf(string, ...any)
}

// answer is one call of Committed.
type answer struct {
	token uint64
	err   error
}

// answers is a Completer that lets a test wait for what it hears.
type answers chan answer

func (a answers) Committed(token uint64, err error) { a <- answer{token, err} }

func (a answers) wait(t tb, token uint64) {
	t.Helper()
	if got := <-a; got.token != token || got.err != nil {
		t.Fatalf("answer %d %v, want %d", got.token, got.err, token)
	}
}

// open opens a store in memory, quietly, and closes it after the test unless the test did.
func open(t tb, fs vfs.FS) *store.Store {
	t.Helper()
	s, err := store.Open(store.Options{Dir: "data", FS: fs, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// reopen closes a store and opens it again.
func reopen(t tb, s *store.Store, fs vfs.FS) *store.Store {
	t.Helper()
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	return open(t, fs)
}

func begin(t tb, s *store.Store) store.Batch {
	t.Helper()
	b, err := s.Begin()
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// write commits the changes and waits until they are on disk.
func write(t tb, s *store.Store, change func(store.Batch)) {
	t.Helper()
	done := make(answers, 1)
	b := begin(t, s)
	change(b)
	b.Commit(done, 1)
	done.wait(t, 1)
}

// recovered is a Visitor that writes down what it hears.
type recovered struct {
	metas    map[store.QueueID]store.Meta
	messages map[store.QueueID][]uint64
	values   map[string]string
	corrupt  []*store.CorruptError
}

func (r *recovered) Queue(id store.QueueID, m store.Meta) { r.metas[id] = m }
func (r *recovered) Corrupt(err *store.CorruptError)      { r.corrupt = append(r.corrupt, err) }
func (r *recovered) Message(id store.QueueID, seq uint64, flags byte, value []byte) {
	r.messages[id] = append(r.messages[id], seq)
	r.values[fmt.Sprintf("%d/%d/%d", id, seq, flags)] = string(value)
}

func recoverAll(t tb, s *store.Store) *recovered {
	t.Helper()
	r := &recovered{map[store.QueueID]store.Meta{}, map[store.QueueID][]uint64{}, map[string]string{}, nil}
	if err := s.Recover(r); err != nil {
		t.Fatal(err)
	}
	return r
}

func TestNobodyIsAnsweredBeforeTheSync(t *testing.T) {
	gate := brokertest.NewGate(vfs.NewMem())
	s := open(t, gate)
	done := make(answers, 10)

	reached := gate.Hold()
	for token := range uint64(5) {
		b := begin(t, s)
		b.Append(1, token+1, 0, nil, []byte("body"))
		b.Commit(done, token)
		if token == 0 {
			<-reached
		}
	}
	select {
	case a := <-done:
		t.Fatalf("answered %+v while the sync was held", a)
	default:
	}
	gate.Release()
	for token := range uint64(5) {
		done.wait(t, token)
	}
	if got := s.Stats(); got.Syncs != 2 {
		t.Errorf("%d syncs, want 2: the first batch alone, the other four together", got.Syncs)
	}
}

func TestRecordsComeBackAfterReopening(t *testing.T) {
	fs := vfs.NewMem()
	s := open(t, fs)
	if !s.CleanStop() {
		t.Error("a new store is not clean")
	}
	write(t, s, func(b store.Batch) {
		b.PutMeta(7, store.Meta{Head: 2, Last: 7, Lease: [store.Leases]uint64{4: 1024}})
		for seq := uint64(1); seq <= 4; seq++ {
			b.Append(7, seq, byte(seq), nil, fmt.Appendf(nil, "body %d", seq))
		}
		b.Append(9, 1, 0, nil, nil)
	})
	write(t, s, func(b store.Batch) { b.Delete(7, 1); b.Delete(7, 3) })

	s = reopen(t, s, fs)
	if !s.CleanStop() {
		t.Error("closed, but not clean")
	}
	r := recoverAll(t, s)
	if want := map[store.QueueID][]uint64{7: {2, 4}, 9: {1}}; !maps.EqualFunc(r.messages, want, slices.Equal) {
		t.Errorf("recovered %v, want %v", r.messages, want)
	}
	if want := map[store.QueueID]store.Meta{7: {Head: 2, Last: 7, Lease: [store.Leases]uint64{4: 1024}}, 9: {}}; !maps.Equal(r.metas, want) {
		t.Errorf("recovered %v, want %v", r.metas, want)
	}
	if want := map[string]string{"7/2/2": "body 2", "7/4/4": "body 4", "9/1/0": ""}; !maps.Equal(r.values, want) {
		t.Errorf("recovered %v, want %v", r.values, want)
	}
}

func TestLoadGivesFlagsAndValueOfOneMessage(t *testing.T) {
	s := open(t, vfs.NewMem())
	write(t, s, func(b store.Batch) { b.Append(1, 5, 0x25, nil, []byte("body")) })
	flags, value, err := s.Load(1, 5, []byte("kept "))
	if flags != 0x25 || string(value) != "kept body" || err != nil {
		t.Errorf("got %x %q %v", flags, value, err)
	}
	if _, _, err := s.Load(1, 6, nil); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("got %v, want ErrNotFound", err)
	}
}

func TestAMessageLargerThanTheMemtableIsStored(t *testing.T) {
	fs := vfs.NewMem()
	s, err := store.Open(store.Options{Dir: "data", FS: fs, MemTableSize: 64 << 10, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	large := bytes.Repeat([]byte("large"), 100_000)
	for seq := uint64(1); seq <= 6; seq++ {
		write(t, s, func(b store.Batch) {
			b.Append(1, seq, 0, nil, large[:len(large)-int(seq)])
			b.Append(2, seq, 0, nil, []byte("small"))
		})
	}
	s = reopen(t, s, fs)
	for seq := uint64(1); seq <= 6; seq++ {
		_, value, err := s.Load(1, seq, nil)
		if err != nil || !bytes.Equal(value, large[:len(large)-int(seq)]) {
			t.Errorf("message %d came back with %d bytes, %v", seq, len(value), err)
		}
	}
}

func TestReadVisitsOneQueueInOrderUntilToldToStop(t *testing.T) {
	s := open(t, vfs.NewMem())
	write(t, s, func(b store.Batch) {
		for seq := uint64(1); seq <= 6; seq++ {
			b.Append(1, seq, byte(seq), nil, fmt.Append(nil, seq))
			b.Append(2, seq, 0, nil, nil)
		}
		b.Delete(1, 4)
	})
	var got []string
	read := func(from uint64, most int) []string {
		got = nil
		err := s.Read(1, from, func(seq uint64, flags byte, value []byte) bool {
			got = append(got, fmt.Sprintf("%d/%d/%s", seq, flags, value))
			return len(got) < most
		})
		if err != nil {
			t.Fatal(err)
		}
		return got
	}
	if want := []string{"3/3/3", "5/5/5"}; !slices.Equal(read(3, 2), want) {
		t.Errorf("got %v, want %v", got, want)
	}
	if want := []string{"5/5/5", "6/6/6"}; !slices.Equal(read(4, 9), want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestLazyDeletesAreWrittenWithoutASync(t *testing.T) {
	fs := vfs.NewMem()
	s := open(t, fs)
	write(t, s, func(b store.Batch) { b.Append(1, 1, 0, nil, nil) })
	b := begin(t, s)
	b.Delete(1, 1)
	b.CommitLazy()
	for s.Stats().Groups < 2 {
		runtime.Gosched()
	}
	if got := s.Stats(); got.Groups != 2 || got.Syncs != 1 {
		t.Errorf("%d groups, %d syncs; want 2 and 1", got.Groups, got.Syncs)
	}
	if r := recoverAll(t, reopen(t, s, fs)); len(r.messages) != 0 {
		t.Errorf("recovered %v", r.messages)
	}
}

func TestCloseAnswersWhatIsPendingAndTakesNoMore(t *testing.T) {
	gate := brokertest.NewGate(vfs.NewMem())
	s := open(t, gate)
	done := make(answers, 2)
	reached := gate.Hold()
	for token := range uint64(2) {
		b := begin(t, s)
		b.Append(1, token+1, 0, nil, nil)
		b.Commit(done, token)
	}
	<-reached
	var closing sync.WaitGroup
	closing.Go(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	gate.Release()
	closing.Wait()
	done.wait(t, 0)
	done.wait(t, 1)
	if _, err := s.Begin(); !errors.Is(err, store.ErrClosed) {
		t.Errorf("begin after close: %v", err)
	}
}

func TestAFailedWriteAnswersWithTheErrorAndEndsTheStore(t *testing.T) {
	cases := map[string][]errorfs.OpKind{
		"sync":  {errorfs.OpFileSync, errorfs.OpFileSyncData},
		"write": {errorfs.OpFileWrite},
	}
	for name, kinds := range cases {
		t.Run(name, func(t *testing.T) { failAndCheck(t, kinds) })
	}
}

func failAndCheck(t *testing.T, kinds []errorfs.OpKind) {
	broken := errors.New("disk on fire")
	toggle := &errorfs.Toggle{Injector: errorfs.InjectorFunc(func(op errorfs.Op) error {
		if slices.Contains(kinds, op.Kind) {
			return broken
		}
		return nil
	})}
	failures := make(chan error, 2)
	s, err := store.Open(store.Options{Dir: "data", FS: errorfs.Wrap(vfs.NewMem(), toggle),
		Logger: slog.New(slog.DiscardHandler), OnFailure: func(err error) { failures <- err }})
	if err != nil {
		t.Fatal(err)
	}
	write(t, s, func(b store.Batch) { b.Append(1, 1, 0, nil, nil) })
	toggle.On()
	done := make(answers, 1)
	b := begin(t, s)
	b.Append(1, 2, 0, nil, nil)
	b.Commit(done, 1)
	if got := <-done; !errors.Is(got.err, broken) {
		t.Fatalf("answered %v", got.err)
	}
	if err := <-failures; !errors.Is(err, broken) {
		t.Errorf("OnFailure heard %v", err)
	}
	if _, err := s.Begin(); !errors.Is(err, broken) {
		t.Errorf("begin after the failure: %v", err)
	}
	if err := s.Close(); !errors.Is(err, broken) {
		t.Errorf("close after the failure: %v", err)
	}
}

func TestALockedDirectoryIsRefused(t *testing.T) {
	for name, fs := range map[string]vfs.FS{"memory": vfs.NewMem(), "disk": nil} {
		t.Run(name, func(t *testing.T) {
			o := store.Options{Dir: t.TempDir(), FS: fs, Logger: slog.New(slog.DiscardHandler)}
			s, err := store.Open(o)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := store.Open(o); !errors.Is(err, store.ErrLocked) {
				t.Errorf("got %v, want ErrLocked", err)
			}
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
			if s, err = store.Open(o); err != nil {
				t.Fatal(err)
			}
			_ = s.Close()
		})
	}
}

func TestHistoryGoesWithItsQueue(t *testing.T) {
	fs := vfs.NewMem()
	s := open(t, fs)
	orders, other := store.Name{Tenant: "acme", Kind: 1, Name: "orders"}, store.Name{Tenant: "acme", Kind: 1, Name: "other"}
	write(t, s, func(b store.Batch) {
		for _, n := range []store.Name{orders, other} {
			id := b.Create(n, nil)
			b.PutHistory(id, 1, []byte("one"))
			b.PutHistory(id, 2, []byte("two"))
		}
		b.Drop(orders, 1)
		b.DeleteHistory(2, 1)
	})
	s = reopen(t, s, fs)
	var got []string
	err := s.EachHistory(func(id store.QueueID, seq uint64, value []byte) {
		got = append(got, fmt.Sprintf("%d/%d %s", id, seq, value))
	})
	if err != nil || !slices.Equal(got, []string{"2/2 two"}) {
		t.Errorf("%q, %v", got, err)
	}
}
