package queue_test

import (
	"slices"

	"pgregory.net/rapid"

	"github.com/manifoldmq/manifold/broker/internal/queue"
)

// checkAtEnd asks for one of the consumers.
func (m *model) checkAtEnd(t *rapid.T) {
	id := queue.ConsumerID(m.between(1, 5))
	want := true
	for _, f := range m.followers {
		if f.id != id {
			continue
		}
		if m.elect(); m.settings.SingleActive && f != m.active && !m.reads(f) {
			continue
		}
		e := m.first()
		if f.alone {
			e = m.firstFor(f)
		}
		want = e == nil
	}
	if got := m.q.AtEnd(id); got != want {
		t.Fatalf("consumer %d is at the end: %v, want %v", id, got, want)
	}
}

// waiting asks for what is on disk and held by nobody.
func (m *model) waiting(t *rapid.T) {
	from, limit := queue.Seq(m.between(0, int(m.highest)+1)), m.between(1, 20)
	var want []queue.Seq
	for _, e := range m.list {
		if e.seq >= from && e.stored && e.tag == 0 && !e.leaving && len(want) < limit {
			want = append(want, e.seq)
		}
	}
	if got := m.q.Waiting(from, limit, nil); !slices.Equal(got, want) {
		t.Fatalf("from %d %v are waiting, want %v", from, got, want)
	}
}
