package queue_test

import (
	"testing"

	"github.com/manifoldmq/manifold/broker/internal/queue"
)

// TestWaitingForTheLeaseNobodyIsOvertaken: the first message of a higher priority has no lease yet; those of lower ones,
// which have, wait behind it.
func TestWaitingForTheLeaseNobodyIsOvertaken(t *testing.T) {
	for _, role := range []queue.Role{{}, {Selects: true}} {
		q := filled(1)
		q.Attach(1, role)
		next(q, always)
		mustNextAfterRaise(t, q)
		low, _, _ := q.Append(queue.Entry{})
		high, _, _ := q.Append(queue.Entry{Priority: 5})
		q.Stored(low)
		q.Stored(high)
		if a, ok := next(q, always); ok {
			t.Errorf("%d was handed out", a.Seq)
		}
		raise(q)
		for _, want := range []queue.Seq{high, low} {
			if a := mustNext(t, q); a.Seq != want {
				t.Errorf("%d was handed out, want %d", a.Seq, want)
			}
		}
	}
}
