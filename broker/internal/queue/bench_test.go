package queue_test

import (
	"fmt"
	"runtime"
	"testing"

	"github.com/manifoldmq/manifold/broker/internal/queue"
)

// BenchmarkCycle takes one message through append, stored, next and accept while a backlog waits behind it.
func BenchmarkCycle(b *testing.B) {
	for _, backlog := range []int{0, 1000, 1_000_000} {
		for _, consumers := range []int{1, 100} {
			b.Run(fmt.Sprintf("backlog=%d/consumers=%d", backlog, consumers), func(b *testing.B) {
				q := filled(backlog)
				for c := range consumers {
					q.Attach(queue.ConsumerID(c), queue.Role{})
				}
				b.ReportAllocs()
				for b.Loop() {
					seq, _, _ := q.Append(queue.Entry{Size: 256})
					if lease, ok := q.LeaseWanted(); ok {
						q.LeaseStored(lease)
					}
					q.Stored(seq)
					a, _ := next(q, always)
					q.Settle(0, a.Tag, queue.Accept)
				}
			})
		}
	}
}

// BenchmarkFeatures is the cycle with what costs more than a plain message to a consumer that takes everything.
func BenchmarkFeatures(b *testing.B) {
	cases := []struct {
		name     string
		settings queue.Settings
		role     queue.Role
		entry    func(i int) queue.Entry
	}{
		{"plain", queue.Settings{}, queue.Role{}, func(int) queue.Entry { return queue.Entry{} }},
		{"priorities", queue.Settings{}, queue.Role{}, func(i int) queue.Entry { return queue.Entry{Priority: uint8(i % 10)} }},
		{"expiry", queue.Settings{}, queue.Role{}, func(i int) queue.Entry { return queue.Entry{Expires: int64(i + 1)} }},
		{"groups", queue.Settings{Groups: true}, queue.Role{}, func(int) queue.Entry { return queue.Entry{Group: "group"} }},
		{"key", queue.Settings{}, queue.Role{}, func(int) queue.Entry { return queue.Entry{Key: "key"} }},
		{"selector", queue.Settings{}, queue.Role{Selects: true}, func(int) queue.Entry { return queue.Entry{} }},
	}
	for _, c := range cases {
		b.Run(c.name, func(b *testing.B) {
			q := queue.New(c.settings)
			_ = q.Attach(1, c.role)
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				seq, _, _ := q.Append(c.entry(i))
				q.Stored(seq)
				a, ok := next(q, always)
				if !ok || a.Tag == 0 {
					raise(q)
					a, _ = next(q, always)
				}
				q.Settle(0, a.Tag, queue.Accept)
			}
		})
	}
}

// BenchmarkPass lets a selecting consumer look at a message, while a backlog of 1,000 begins anew when it is through.
func BenchmarkPass(b *testing.B) {
	q := filled(1000)
	_ = q.Attach(1, queue.Role{Selects: true})
	b.ReportAllocs()
	for b.Loop() {
		t, ok := q.Turn(always)
		if ok {
			q.Pass(t)
			continue
		}
		q.Detach(0, 1, nil)
		_ = q.Attach(1, queue.Role{Selects: true})
	}
}

// BenchmarkWindow keeps 1,000 messages unsettled and releases every other one.
func BenchmarkWindow(b *testing.B) {
	q := filled(2000, 1)
	var window []queue.Tag
	for range 1000 {
		a, _ := next(q, always)
		window = append(window, a.Tag)
	}
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		verdict := queue.Release
		if i%2 == 0 {
			verdict = queue.Accept
			seq, _, _ := q.Append(queue.Entry{Size: 256})
			q.Stored(seq)
		}
		q.Settle(0, window[i%1000], verdict)
		if lease, ok := q.LeaseWanted(); ok {
			q.LeaseStored(lease)
		}
		a, _ := next(q, always)
		window[i%1000] = a.Tag
	}
}

// BenchmarkDetach returns 1,000 held messages and assigns them again.
func BenchmarkDetach(b *testing.B) {
	q := filled(2000, 1, 2)
	for b.Loop() {
		for range 1000 {
			next(q, func(c queue.ConsumerID) bool { return c == 2 })
		}
		q.Detach(0, 2, nil)
		q.Attach(2, queue.Role{})
	}
}

// BenchmarkBacklog fills a queue and drains it.
func BenchmarkBacklog(b *testing.B) {
	for _, n := range []int{10_000, 10_000_000} {
		b.Run(fmt.Sprintf("messages=%d", n), func(b *testing.B) {
			for b.Loop() {
				q := filled(n, 1)
				for a, ok := next(q, always); ok; a, ok = next(q, always) {
					q.Settle(0, a.Tag, queue.Accept)
					raise(q)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*n), "ns/message")
		})
	}
}

// TestADrainedQueueGivesItsMemoryBack fills, assigns and accepts a large backlog.
func TestADrainedQueueGivesItsMemoryBack(t *testing.T) {
	before := heap()
	q := filled(200_000, 1)
	var tags []queue.Tag
	for a, ok := next(q, always); ok; a, ok = next(q, always) {
		tags = append(tags, a.Tag)
		raise(q)
	}
	for _, tag := range tags {
		q.Settle(0, tag, queue.Accept)
	}
	tags = nil
	if kept := int64(heap()) - int64(before); kept > 64<<10 {
		t.Errorf("an empty queue keeps %d bytes", kept)
	}
	runtime.KeepAlive(q)
}

func heap() uint64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}
