package queue_test

import (
	"cmp"
	"slices"

	"pgregory.net/rapid"

	"github.com/manifoldmq/manifold/broker/internal/queue"
)

func (m *model) storeLease(t *rapid.T) {
	if raise, ok := m.q.LeaseWanted(); ok {
		if raise <= m.raise || len(m.followers) == 0 {
			t.Fatalf("raise %d wanted after %d with %d consumers", raise, m.raise, len(m.followers))
		}
		m.raise = raise
		for p, lease := range m.q.Past().Lease {
			if lease != m.wanted[p] {
				m.wanted[p], m.raised[p] = lease, raise
			}
		}
	}
	if again, ok := m.q.LeaseWanted(); ok {
		t.Fatalf("raise %d wanted twice", again)
	}
	if m.raise == 0 || m.between(0, 1) == 0 {
		return
	}
	done := m.raise - queue.Raise(m.between(0, 1))
	m.disk = m.q.Past()
	m.q.LeaseStored(done)
	for p := range m.raised {
		if m.raised[p] <= done {
			m.stored[p] = m.wanted[p]
		}
	}
}

// crash keeps what is on disk.
func (m *model) crash(t *rapid.T) {
	m.restart(t, m.disk)
}

// cleanStop detaches everybody and writes the exact lease: only messages up to the last delivered one of their priority
// are then marked.
func (m *model) cleanStop(t *rapid.T) {
	for id := queue.ConsumerID(1); id <= 5; id++ {
		m.detachOne(t, id)
	}
	m.restart(t, m.q.PastAtRest())
}

// restart begins anew with the messages on disk. What the consumers saw must be at or below the lease of its priority.
func (m *model) restart(t *rapid.T, p queue.Past) {
	for _, e := range m.list {
		if e.seen && e.seq > p.Lease[e.Priority] {
			t.Fatalf("%d was delivered above the lease %d", e.seq, p.Lease[e.Priority])
		}
	}
	found := slices.DeleteFunc(m.list, func(e *message) bool { return !e.stored })
	m.list = nil
	m.begin(p)
	for _, e := range found {
		attempts := 0
		if e.seq <= p.Lease[e.Priority] {
			attempts = 1
		}
		var want queue.Seq
		if before := m.last(e.Key); before != nil {
			want = before.seq
			m.drop(before)
		}
		if got := m.q.Restore(e.seq, e.Entry, 0); got != want {
			t.Fatalf("restoring %d replaced %d, want %d", e.seq, got, want)
		}
		m.list = append(m.list, &message{Entry: e.Entry, seq: e.seq, stored: true, attempts: attempts, later: e.Due > 0})
	}
	for _, seq := range m.unreadable {
		if seq >= p.Head {
			m.q.Skip(seq)
		}
	}
}

func (m *model) check(t *rapid.T) {
	ready, unsettled, delayed, leaving, bytes := 0, 0, 0, 0, 0
	deadline := int64(0)
	for _, e := range m.list {
		bytes += e.Size
		switch {
		case e.tag != 0:
			unsettled++
		case e.leaving:
			leaving++
		case e.isReady():
			ready++
		case e.stored:
			delayed++
		}
		if e.later && !e.leaving && !e.expiring {
			deadline = sooner(deadline, cmp.Or(e.again, e.Due))
		}
		if e.Expires > 0 && !e.overdue && !e.leaving {
			deadline = sooner(deadline, e.Expires)
		}
	}
	q := m.q
	if err := q.Check(); err != nil {
		t.Fatal(err)
	}
	got := []int{q.Len(), int(q.Bytes()), q.Ready(), q.Unsettled(), q.Delayed(), q.Leaving(), q.Consumers()}
	want := []int{len(m.list), bytes, ready, unsettled, delayed, leaving, len(m.followers)}
	if !slices.Equal(got, want) {
		t.Fatalf("len, bytes, ready, unsettled, delayed, leaving, consumers are %v, want %v", got, want)
	}
	if len(m.list) > 0 && q.Head() != m.list[0].seq {
		t.Fatalf("head %d, want %d", q.Head(), m.list[0].seq)
	}
	if at, ok := q.Deadline(); deadline > 0 && (!ok || at > deadline) {
		t.Fatalf("deadline %d %v, want at most %d", at, ok, deadline)
	}
}

func sooner(a, b int64) int64 {
	if a == 0 || b < a {
		return b
	}
	return a
}
