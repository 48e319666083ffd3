package queue_test

import (
	"errors"
	"slices"
	"testing"

	"github.com/manifoldmq/manifold/broker/internal/queue"
)

// always is the credit of consumers that take everything.
func always(queue.ConsumerID) bool { return true }

// filled returns a queue with n stored messages of one byte, a lease far ahead and the given consumers.
func filled(n int, consumers ...queue.ConsumerID) *queue.Queue {
	q := queue.New(queue.Settings{})
	for range n {
		seq, _ := q.Append(1)
		q.Stored(seq)
	}
	for _, c := range consumers {
		q.Attach(c)
	}
	q.LeaseStored(1 << 20)
	return q
}

func mustNext(t *testing.T, q *queue.Queue) queue.Assignment {
	t.Helper()
	a, ok := q.Next(always)
	if !ok {
		t.Fatal("nothing assignable")
	}
	return a
}

// drain assigns everything assignable and returns the numbers in order.
func drain(q *queue.Queue) (seqs []queue.Seq) {
	for a, ok := q.Next(always); ok; a, ok = q.Next(always) {
		seqs = append(seqs, a.Seq)
	}
	return seqs
}

func wantSeqs(t *testing.T, got []queue.Seq, want ...queue.Seq) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Fatalf("got %v, want %v", got, want)
	}
}

func TestNothingIsAssignedBeforeItIsStored(t *testing.T) {
	q := filled(0, 1)
	seq, _ := q.Append(1)
	wantSeqs(t, drain(q))
	q.Stored(seq)
	wantSeqs(t, drain(q), seq)
}

func TestAnEntryWaitsForTheOnesStillBeingStoredBeforeIt(t *testing.T) {
	q := filled(0, 1)
	for range 3 {
		q.Append(1)
	}
	q.Stored(2)
	q.Stored(3)
	wantSeqs(t, drain(q))
	q.StoreFailed(1)
	wantSeqs(t, drain(q), 2, 3)
}

func TestLateOutcomeIsIgnored(t *testing.T) {
	q := filled(1, 1)
	first := mustNext(t, q)
	q.Detach(1, nil)
	q.Attach(2)
	second := mustNext(t, q)
	if got := q.Settle(first.Tag, queue.Accept); got.Effect != queue.None {
		t.Fatalf("a late outcome had effect %v", got)
	}
	if got := q.Settle(second.Tag, queue.Accept); got != (queue.Settled{Seq: 1, Effect: queue.Removed}) {
		t.Fatalf("the current holder's outcome gave %v", got)
	}
}

func TestOnlyTheFirstSettlementCounts(t *testing.T) {
	q := filled(2, 1)
	a := mustNext(t, q)
	q.Settle(a.Tag, queue.Release)
	b := mustNext(t, q)
	if a.Seq != b.Seq || a.Tag == b.Tag {
		t.Fatalf("the released entry came back as %+v after %+v", b, a)
	}
	if got := q.Settle(a.Tag, queue.Accept); got.Effect != queue.None {
		t.Fatalf("second settlement gave %v", got)
	}
}

func TestReturnedEntriesRegainTheirPlace(t *testing.T) {
	q := filled(6, 1)
	var held []queue.Assignment
	for range 4 {
		held = append(held, mustNext(t, q))
	}
	q.Settle(held[2].Tag, queue.Release)
	q.Settle(held[0].Tag, queue.Fail)
	wantSeqs(t, drain(q), 1, 3, 5, 6)
}

func TestDetachReturnsWhatWasHeldInOrder(t *testing.T) {
	q := filled(5, 1, 2)
	for range 4 {
		mustNext(t, q)
	}
	var returned []queue.Seq
	q.Detach(1, func(s queue.Seq) { returned = append(returned, s) })
	wantSeqs(t, returned, 1, 3)
	if q.Unsettled() != 2 || q.Ready() != 3 || q.Consumers() != 1 {
		t.Fatalf("unsettled %d ready %d consumers %d", q.Unsettled(), q.Ready(), q.Consumers())
	}
	wantSeqs(t, drain(q), 1, 3, 5)
}

func TestAttemptsCountFailuresOnly(t *testing.T) {
	q := filled(1, 1)
	steps := []struct {
		name  string
		do    func(queue.Tag)
		after int
	}{
		{"release", func(tag queue.Tag) { q.Settle(tag, queue.Release) }, 0},
		{"fail", func(tag queue.Tag) { q.Settle(tag, queue.Fail) }, 1},
		{"detach", func(queue.Tag) { q.Detach(1, nil); q.Attach(1) }, 2},
	}
	for _, s := range steps {
		s.do(mustNext(t, q).Tag)
		a := mustNext(t, q)
		if a.Attempts != s.after {
			t.Fatalf("after %s: attempts %d, want %d", s.name, a.Attempts, s.after)
		}
		q.Settle(a.Tag, queue.Release)
	}
}

func TestConsumersTakeTurnsAsCreditAllows(t *testing.T) {
	q := filled(7, 1, 2, 3)
	var got []queue.ConsumerID
	for range 7 {
		a, ok := q.Next(func(c queue.ConsumerID) bool { return c != 2 || len(got) >= 4 })
		if !ok {
			t.Fatal("nothing assignable")
		}
		got = append(got, a.Consumer)
	}
	if want := []queue.ConsumerID{1, 3, 1, 3, 1, 2, 3}; !slices.Equal(got, want) {
		t.Fatalf("got %v, want %v", got, want)
	}
}

func TestNoCreditNoAssignment(t *testing.T) {
	q := filled(1, 1, 2)
	if a, ok := q.Next(func(queue.ConsumerID) bool { return false }); ok {
		t.Fatalf("assigned %+v without credit", a)
	}
}

func TestAFullQueueRefusesAndTakesAgainAfterRemoval(t *testing.T) {
	for name, s := range map[string]queue.Settings{"messages": {MaxMessages: 2}, "bytes": {MaxBytes: 20}} {
		t.Run(name, func(t *testing.T) {
			q := queue.New(s)
			q.Attach(1)
			for range 2 {
				seq, err := q.Append(10)
				if err != nil {
					t.Fatal(err)
				}
				q.Stored(seq)
			}
			if _, err := q.Append(10); !errors.Is(err, queue.ErrFull) {
				t.Fatalf("got %v, want ErrFull", err)
			}
			q.LeaseWanted()
			q.LeaseStored(2)
			q.Settle(mustNext(t, q).Tag, queue.Accept)
			if _, err := q.Append(10); err != nil {
				t.Fatal(err)
			}
		})
	}
}

func TestNothingAboveTheStoredLeaseIsAssigned(t *testing.T) {
	q := queue.New(queue.Settings{})
	for range 3000 {
		seq, _ := q.Append(1)
		q.Stored(seq)
	}
	if seq, ok := q.LeaseWanted(); ok {
		t.Fatalf("lease %d wanted without a consumer", seq)
	}
	q.Attach(1)
	wantSeqs(t, drain(q))
	lease, ok := q.LeaseWanted()
	if !ok {
		t.Fatal("no lease wanted for the backlog")
	}
	if _, again := q.LeaseWanted(); again {
		t.Fatal("the same lease wanted twice")
	}
	wantSeqs(t, drain(q))
	q.LeaseStored(lease)
	if got := drain(q); got[len(got)-1] != lease {
		t.Fatalf("assigned up to %d, want the lease %d", got[len(got)-1], lease)
	}
	if q.Delivered() != lease {
		t.Fatalf("delivered %d, want %d", q.Delivered(), lease)
	}
}

func TestTheLeaseIsRaisedBeforeItIsUsedUp(t *testing.T) {
	q := queue.New(queue.Settings{})
	q.Attach(1)
	raises := 0
	for range 5000 {
		seq, _ := q.Append(1)
		lease, wanted := q.LeaseWanted()
		if wanted {
			raises++
			q.LeaseStored(lease)
		}
		q.Stored(seq)
		q.Settle(mustNext(t, q).Tag, queue.Accept)
	}
	if raises > 10 {
		t.Fatalf("%d raises for 5000 messages", raises)
	}
}

func TestRecoveryMarksWhatMayHaveBeenDelivered(t *testing.T) {
	q := queue.Recover(queue.Settings{}, queue.Past{Head: 3, Lease: 5})
	for _, seq := range []queue.Seq{4, 5, 6} {
		q.Restore(seq, 10, 0)
	}
	q.Attach(1)
	q.LeaseStored(100)
	for _, want := range []queue.Assignment{{Seq: 4, Attempts: 1}, {Seq: 5, Attempts: 1}, {Seq: 6, Attempts: 0}} {
		if a := mustNext(t, q); a.Seq != want.Seq || a.Attempts != want.Attempts {
			t.Fatalf("got %+v, want %+v", a, want)
		}
	}
}

func TestNumbersAreNotGivenAgainAfterRecovery(t *testing.T) {
	cases := map[string]struct {
		past  queue.Past
		found queue.Seq
		want  queue.Seq
	}{
		"new queue":      {queue.Past{}, 0, 1},
		"all consumed":   {queue.Past{Head: 8, Lease: 7}, 0, 8},
		"lease is ahead": {queue.Past{Head: 8, Lease: 1024}, 9, 1025},
		"head is ahead":  {queue.Past{Head: 9, Lease: 3}, 0, 9},
		"backlog":        {queue.Past{Head: 8, Lease: 10}, 20, 21},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			q := queue.Recover(queue.Settings{}, c.past)
			if c.found != 0 {
				q.Restore(c.found, 1, 0)
			}
			if seq, _ := q.Append(1); seq != c.want {
				t.Fatalf("got %d, want %d", seq, c.want)
			}
		})
	}
}
