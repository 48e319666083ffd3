package store_test

import (
	"fmt"
	"log/slog"
	"math/rand/v2"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/manifoldmq/manifold/broker/internal/store"
)

// onDisk opens a store in a temporary directory.
func onDisk(b *testing.B, dir string) *store.Store {
	b.Helper()
	s, err := store.Open(store.Options{Dir: dir, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		b.Fatal(err)
	}
	return s
}

// noise gives message bodies of 256 bytes that do not compress.
type noise []byte

func newNoise() noise {
	n := make(noise, 1<<20)
	_, _ = rand.NewChaCha8([32]byte{}).Read(n)
	return n
}

func (n noise) body(seq uint64) []byte {
	from := seq * 257 % uint64(len(n)-256)
	return n[from : from+256]
}

// window is a Completer that gives a place back for each answer.
type window chan struct{}

func (w window) Committed(_ uint64, err error) {
	if err != nil {
		panic(err)
	}
	<-w
}

// BenchmarkAppend writes messages of 256 bytes with a number of them in flight.
func BenchmarkAppend(b *testing.B) {
	for _, inflight := range []int{1, 64, 1000} {
		b.Run(fmt.Sprintf("inflight=%d", inflight), func(b *testing.B) {
			s := onDisk(b, b.TempDir())
			w, noise, seq := make(window, inflight), newNoise(), uint64(0)
			b.ReportAllocs()
			for b.Loop() {
				w <- struct{}{}
				seq++
				batch, _ := s.Begin()
				batch.Append(1+store.QueueID(seq%16), seq, 0, nil, noise.body(seq))
				batch.Commit(w, seq)
			}
			report(b, s)
		})
	}
}

// BenchmarkAppendAndDelete also deletes each message, lazily, a thousand messages later.
func BenchmarkAppendAndDelete(b *testing.B) {
	s := onDisk(b, b.TempDir())
	w, noise, seq := make(window, 1000), newNoise(), uint64(0)
	b.ReportAllocs()
	for b.Loop() {
		w <- struct{}{}
		seq++
		batch, _ := s.Begin()
		batch.Append(1, seq, 0, nil, noise.body(seq))
		if seq > 1000 {
			batch.Delete(1, seq-1000)
		}
		batch.Commit(w, seq)
	}
	report(b, s)
}

// BenchmarkLazyDelete is the cost of acknowledgements alone, nobody waiting for them.
func BenchmarkLazyDelete(b *testing.B) {
	s := onDisk(b, b.TempDir())
	seq := uint64(0)
	for b.Loop() {
		seq++
		batch, _ := s.Begin()
		batch.Delete(1, seq)
		batch.CommitLazy()
	}
	report(b, s)
}

func report(b *testing.B, s *store.Store) {
	b.Helper()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "records/s")
	stats := s.Stats()
	b.ReportMetric(float64(stats.Records)/float64(max(stats.Groups, 1)), "records/group")
	b.ReportMetric(float64(stats.DiskBytes)/(1<<20), "disk-MB")
	if err := s.Close(); err != nil {
		b.Fatal(err)
	}
}

// BenchmarkLoad reads messages of 256 bytes at random places of 100,000.
func BenchmarkLoad(b *testing.B) {
	s := onDisk(b, b.TempDir())
	fill(b, s, newNoise(), 1, 100_000)
	var dst []byte
	seq := uint64(0)
	b.ReportAllocs()
	for b.Loop() {
		seq = (seq + 77_777) % 100_000
		var err error
		if _, dst, err = s.Load(1, seq+1, dst[:0]); err != nil {
			b.Fatal(err)
		}
	}
	_ = s.Close()
}

// BenchmarkRecover opens a store and walks over all of it.
func BenchmarkRecover(b *testing.B) {
	for _, size := range []struct{ queues, messages int }{{50_000, 1}, {1, 1_000_000}} {
		b.Run(fmt.Sprintf("queues=%d/messages=%d", size.queues, size.messages), func(b *testing.B) {
			dir := b.TempDir()
			s, noise := onDisk(b, dir), newNoise()
			for id := range size.queues {
				fill(b, s, noise, store.QueueID(id+1), size.messages)
			}
			_ = s.Close()
			recoverOnce(b, dir, size.queues*size.messages)
		})
	}
}

// BenchmarkRecoverBehindDeletions walks over a queue whose million messages are consumed but for the last.
func BenchmarkRecoverBehindDeletions(b *testing.B) {
	const n = 1_000_000
	for name, head := range map[string]uint64{"head": n, "nohead": 0} {
		b.Run(name, func(b *testing.B) {
			dir := b.TempDir()
			s := onDisk(b, dir)
			fill(b, s, newNoise(), 1, n)
			for seq := uint64(1); seq < n; seq++ {
				batch, _ := s.Begin()
				batch.Delete(1, seq)
				batch.PutMeta(1, store.Meta{Head: min(head, seq+1)})
				batch.CommitLazy()
			}
			_ = s.Close()
			recoverOnce(b, dir, 1)
		})
	}
}

// fill appends messages 1 to n.
func fill(b *testing.B, s *store.Store, noise noise, id store.QueueID, n int) {
	var done sync.WaitGroup
	for seq := 1; seq <= n; seq++ {
		batch, _ := s.Begin()
		if seq == 1 {
			batch.Create(store.Name{Tenant: "bench", Name: fmt.Sprint("queue", id)}, nil)
			batch.PutMeta(id, store.Meta{})
		}
		batch.Append(id, uint64(seq), 0, nil, noise.body(uint64(id)+uint64(seq)))
		if seq%10_000 == 0 || seq == n && n > 1 {
			done.Add(1)
			batch.Commit(completed{&done}, 0)
			done.Wait()
		} else {
			batch.CommitLazy()
		}
	}
}

type completed struct{ *sync.WaitGroup }

func (c completed) Committed(uint64, error) { c.Done() }

// count is a Visitor that only counts.
type count struct{ queues, messages int }

func (c *count) Queue(store.QueueID, store.Meta)             { c.queues++ }
func (c *count) Message(store.QueueID, uint64, byte, []byte) { c.messages++ }
func (c *count) Corrupt(err *store.CorruptError)             { panic(err) }

func recoverOnce(b *testing.B, dir string, want int) {
	b.Helper()
	for b.Loop() {
		start := time.Now()
		s := onDisk(b, dir)
		opened := time.Since(start)
		var c count
		if err := s.Recover(&c); err != nil || c.messages != want {
			b.Fatal(c, err)
		}
		b.ReportMetric(opened.Seconds(), "open-s")
		b.ReportMetric((time.Since(start) - opened).Seconds(), "walk-s")
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		b.ReportMetric(float64(m.Sys)/(1<<20), "sys-MB")
		_ = s.Close()
	}
}
