package store_test

import (
	"errors"
	"log/slog"
	"math/rand/v2"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/errorfs"

	"github.com/manifoldmq/manifold/broker/brokertest"
	"github.com/manifoldmq/manifold/broker/internal/store"
)

// openSmall opens a store that keeps little in memory and looks at its disk all the time.
func openSmall(t tb, fs vfs.FS, minFree int64) *store.Store {
	t.Helper()
	s, err := store.Open(store.Options{Dir: "data", FS: fs, Logger: slog.New(slog.DiscardHandler),
		MemTableSize: 128 << 10, MinFree: minFree, SpaceInterval: time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// awaitAdmit waits for Admit to give an answer.
func awaitAdmit(s *store.Store, want error) {
	for !errors.Is(s.Admit(), want) {
		runtime.Gosched()
	}
}

// TestADiskThatFillsUpIsFreedByConsuming fills a small disk until no more is admitted, consumes everything and is
// admitted again: what is kept free is enough to delete with.
func TestADiskThatFillsUpIsFreedByConsuming(t *testing.T) {
	disk := brokertest.NewDisk(vfs.NewMem(), 12<<20)
	s := openSmall(t, disk, 4<<20)
	var last uint64
	body := make([]byte, 16<<10)
	_, _ = rand.NewChaCha8([32]byte{}).Read(body) // what Pebble cannot compress
	err := s.Admit()
	for ; err == nil; err = s.Admit() {
		last++
		write(t, s, func(b store.Batch) { b.Append(1, last, 0, nil, body) })
		if last > 1000 {
			t.Fatal("16 MB are on a disk of 12 MB")
		}
	}
	if !errors.Is(err, store.ErrNoSpace) {
		t.Errorf("refused with %v", err)
	}
	for seq := uint64(1); seq <= last; seq++ {
		write(t, s, func(b store.Batch) { b.Delete(1, seq) })
	}
	awaitAdmit(s, nil)
}

// TestAFullDiskMakesWritesWait fills the disk to the last byte beneath the store, in the middle of a record, and sees
// that nothing is answered, nothing is admitted and nothing is lost.
func TestAFullDiskMakesWritesWait(t *testing.T) {
	disk := brokertest.NewDisk(vfs.NewMem(), 1<<30)
	s := openSmall(t, disk, 1)
	write(t, s, func(b store.Batch) { b.Append(1, 1, 0, nil, []byte("one")) })
	usage, _ := disk.GetDiskUsage("")
	disk.Add(100 - int64(usage.AvailBytes))

	done := make(answers, 2)
	b := begin(t, s)
	b.Append(1, 2, 0, nil, make([]byte, 100<<10))
	b.Commit(done, 2)
	awaitAdmit(s, store.ErrNoSpace)
	b = begin(t, s)
	b.Delete(1, 1)
	b.Commit(done, 3)
	if _, value, err := s.Load(1, 1, nil); string(value) != "one" || err != nil {
		t.Errorf("while the disk is full %q, %v was read", value, err)
	}
	select {
	case a := <-done:
		t.Fatalf("%+v was answered on a full disk", a)
	default:
	}

	disk.Add(1 << 30)
	done.wait(t, 2)
	done.wait(t, 3)
	awaitAdmit(s, nil)
	r := recoverAll(t, reopen(t, s, disk))
	if len(r.corrupt) > 0 || len(r.messages[1]) != 1 || r.messages[1][0] != 2 {
		t.Errorf("recovered %v, corrupt %v", r.messages, r.corrupt)
	}
}

func TestClosingWaitsForRoomOnAFullDisk(t *testing.T) {
	disk := brokertest.NewDisk(vfs.NewMem(), 1<<30)
	s := openSmall(t, disk, 1)
	disk.Add(-1 << 30)
	done, closed := make(answers, 1), make(chan error)
	b := begin(t, s)
	b.Append(1, 1, 0, nil, make([]byte, 100<<10))
	b.Commit(done, 1)
	awaitAdmit(s, store.ErrNoSpace)
	go func() { closed <- s.Close() }()
	disk.Add(1 << 30)
	done.wait(t, 1)
	if err := <-closed; err != nil {
		t.Error(err)
	}
}

func TestAStoreIsNotOpenedOnAFullDisk(t *testing.T) {
	_, err := store.Open(store.Options{Dir: "data", FS: brokertest.NewDisk(vfs.NewMem(), 0),
		Logger: slog.New(slog.DiscardHandler)})
	if err == nil || !strings.Contains(err.Error(), syscall.ENOSPC.Error()) {
		t.Errorf("opened with %v", err)
	}
}

// TestAFailedSyncEndsTheStoreEvenIfTheDiskWasFull: what a second one would say is not to be believed.
func TestAFailedSyncEndsTheStoreEvenIfTheDiskWasFull(t *testing.T) {
	full := &errorfs.Toggle{Injector: errorfs.InjectorFunc(func(op errorfs.Op) error {
		if op.Kind == errorfs.OpFileSync || op.Kind == errorfs.OpFileSyncData {
			return syscall.ENOSPC
		}
		return nil
	})}
	s := openSmall(t, errorfs.Wrap(vfs.NewMem(), full), 1)
	full.On()
	done := make(answers, 1)
	b := begin(t, s)
	b.Append(1, 1, 0, nil, nil)
	b.Commit(done, 1)
	if a := <-done; !errors.Is(a.err, syscall.ENOSPC) {
		t.Errorf("answered %+v", a)
	}
	if _, err := s.Begin(); !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("begun with %v", err)
	}
}

// TestABackgroundFailureEndsTheStore lets the tables fail that memtables are written to, while the log is well.
func TestABackgroundFailureEndsTheStore(t *testing.T) {
	broken := errors.New("disk on fire")
	fire := &errorfs.Toggle{Injector: errorfs.InjectorFunc(func(op errorfs.Op) error {
		if op.Kind == errorfs.OpCreate && isTable(op.Path) {
			return broken
		}
		return nil
	})}
	failed := make(chan error, 1)
	s, err := store.Open(store.Options{Dir: "data", FS: errorfs.Wrap(vfs.NewMem(), fire),
		Logger: slog.New(slog.DiscardHandler), MemTableSize: 64 << 10, OnFailure: func(err error) { failed <- err }})
	if err != nil {
		t.Fatal(err)
	}
	fire.On()
	for seq := uint64(1); ; seq++ {
		b, err := s.Begin()
		if err != nil {
			break
		}
		b.Append(1, seq, 0, nil, make([]byte, 8<<10))
		b.CommitLazy()
	}
	if err := <-failed; !errors.Is(err, broken) {
		t.Errorf("failed with %v", err)
	}
	fire.Off()
	if err := s.Close(); !errors.Is(err, broken) {
		t.Errorf("closed with %v", err)
	}
}

func isTable(path string) bool { return len(path) > 4 && path[len(path)-4:] == ".sst" }

func TestTooMuchThatWaitsForTheDiskIsNotAdmitted(t *testing.T) {
	gate := brokertest.NewGate(vfs.NewMem())
	s, err := store.Open(store.Options{Dir: "data", FS: gate, Logger: slog.New(slog.DiscardHandler), MaxPendingBytes: 1000})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	done, reached := make(answers, 1), gate.Hold()
	b := begin(t, s)
	b.Append(1, 1, 0, nil, nil)
	b.Commit(done, 0)
	<-reached
	for seq := uint64(2); s.Admit() == nil; seq++ {
		if seq > 11 {
			t.Fatal("1,000 bytes are pending and more is admitted")
		}
		b := begin(t, s)
		b.Append(1, seq, 0, nil, make([]byte, 100))
		b.CommitLazy()
	}
	if err := s.Admit(); !errors.Is(err, store.ErrBusy) {
		t.Errorf("refused with %v", err)
	}
	gate.Release()
	done.wait(t, 0)
	awaitAdmit(s, nil)
}
