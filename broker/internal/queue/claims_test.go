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
		seq, _, _ := q.Append(queue.Entry{Size: 1})
		q.Stored(seq)
	}
	for _, c := range consumers {
		q.Attach(c, queue.Role{})
	}
	raise(q)
	return q
}

// raise stores the leases that the queue wants now.
func raise(q *queue.Queue) {
	if r, ok := q.LeaseWanted(); ok {
		q.LeaseStored(r)
	}
}

// next hands an entry to the consumer whose turn it is.
func next(q *queue.Queue, can func(queue.ConsumerID) bool) (queue.Assignment, bool) {
	t, ok := q.Turn(can)
	if !ok {
		return queue.Assignment{}, false
	}
	return q.Assign(t)
}

// lease gives the leases of a queue whose messages have priority 0.
func lease(seq queue.Seq) [queue.Priorities]queue.Seq { return [queue.Priorities]queue.Seq{seq} }

func mustNextAfterRaise(t *testing.T, q *queue.Queue) queue.Assignment {
	t.Helper()
	raise(q)
	return mustNext(t, q)
}

func mustNext(t *testing.T, q *queue.Queue) queue.Assignment {
	t.Helper()
	a, ok := next(q, always)
	if !ok {
		t.Fatal("nothing assignable")
	}
	return a
}

// drain assigns everything assignable and returns the numbers in order.
func drain(q *queue.Queue) (seqs []queue.Seq) {
	for a, ok := next(q, always); ok; a, ok = next(q, always) {
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
	seq, _, _ := q.Append(queue.Entry{Size: 1})
	raise(q)
	wantSeqs(t, drain(q))
	q.Stored(seq)
	wantSeqs(t, drain(q), seq)
}

func TestAnEntryWaitsForTheOnesStillBeingStoredBeforeIt(t *testing.T) {
	q := filled(0, 1)
	for range 3 {
		q.Append(queue.Entry{Size: 1})
	}
	raise(q)
	q.Stored(2)
	q.Stored(3)
	wantSeqs(t, drain(q))
	q.StoreFailed(1)
	wantSeqs(t, drain(q), 2, 3)
}

func TestLateOutcomeIsIgnored(t *testing.T) {
	q := filled(1, 1)
	first := mustNext(t, q)
	q.Detach(0, 1, nil)
	q.Attach(2, queue.Role{})
	second := mustNext(t, q)
	if got := q.Settle(0, first.Tag, queue.Accept); got.Effect != queue.None {
		t.Fatalf("a late outcome had effect %v", got)
	}
	if got := q.Settle(0, second.Tag, queue.Accept); got != (queue.Settled{Seq: 1, Effect: queue.Removed, Attempts: 1}) {
		t.Fatalf("the current holder's outcome gave %v", got)
	}
}

func TestOnlyTheFirstSettlementCounts(t *testing.T) {
	q := filled(2, 1)
	a := mustNext(t, q)
	q.Settle(0, a.Tag, queue.Release)
	b := mustNext(t, q)
	if a.Seq != b.Seq || a.Tag == b.Tag {
		t.Fatalf("the released entry came back as %+v after %+v", b, a)
	}
	if got := q.Settle(0, a.Tag, queue.Accept); got.Effect != queue.None {
		t.Fatalf("second settlement gave %v", got)
	}
}

func TestReturnedEntriesRegainTheirPlace(t *testing.T) {
	q := filled(6, 1)
	var held []queue.Assignment
	for range 4 {
		held = append(held, mustNext(t, q))
	}
	q.Settle(0, held[2].Tag, queue.Release)
	q.Settle(0, held[0].Tag, queue.Fail)
	wantSeqs(t, drain(q), 1, 3, 5, 6)
}

func TestDetachReturnsWhatWasHeldInOrder(t *testing.T) {
	q := filled(5, 1, 2)
	for range 4 {
		mustNext(t, q)
	}
	var returned []queue.Seq
	q.Detach(0, 1, func(s queue.Settled) { returned = append(returned, s.Seq) })
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
		{"release", func(tag queue.Tag) { q.Settle(0, tag, queue.Release) }, 0},
		{"fail", func(tag queue.Tag) { q.Settle(0, tag, queue.Fail) }, 1},
		{"detach", func(queue.Tag) { q.Detach(0, 1, nil); q.Attach(1, queue.Role{}) }, 2},
	}
	for _, s := range steps {
		s.do(mustNext(t, q).Tag)
		a := mustNext(t, q)
		if a.Attempts != s.after {
			t.Fatalf("after %s: attempts %d, want %d", s.name, a.Attempts, s.after)
		}
		q.Settle(0, a.Tag, queue.Release)
	}
}

func TestConsumersTakeTurnsAsCreditAllows(t *testing.T) {
	q := filled(7, 1, 2, 3)
	var got []queue.ConsumerID
	for range 7 {
		a, ok := next(q, func(c queue.ConsumerID) bool { return c != 2 || len(got) >= 4 })
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
	if a, ok := next(q, func(queue.ConsumerID) bool { return false }); ok {
		t.Fatalf("assigned %+v without credit", a)
	}
}

func TestAFullQueueRefusesAndTakesAgainAfterRemoval(t *testing.T) {
	for name, s := range map[string]queue.Settings{"messages": {MaxMessages: 2}, "bytes": {MaxBytes: 20}} {
		t.Run(name, func(t *testing.T) {
			q := queue.New(s)
			q.Attach(1, queue.Role{})
			for range 2 {
				seq, _, err := q.Append(queue.Entry{Size: 10})
				if err != nil {
					t.Fatal(err)
				}
				q.Stored(seq)
			}
			if _, _, err := q.Append(queue.Entry{Size: 10}); !errors.Is(err, queue.ErrFull) {
				t.Fatalf("got %v, want ErrFull", err)
			}
			raise(q)
			q.Settle(0, mustNext(t, q).Tag, queue.Accept)
			if _, _, err := q.Append(queue.Entry{Size: 10}); err != nil {
				t.Fatal(err)
			}
		})
	}
}

func TestNothingAboveTheStoredLeaseIsAssigned(t *testing.T) {
	q := queue.New(queue.Settings{})
	for range 3000 {
		seq, _, _ := q.Append(queue.Entry{Size: 1})
		q.Stored(seq)
	}
	if seq, ok := q.LeaseWanted(); ok {
		t.Fatalf("lease %d wanted without a consumer", seq)
	}
	q.Attach(1, queue.Role{})
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
	want := q.Past().Lease[0]
	if got := drain(q); want == 0 || got[len(got)-1] != want {
		t.Fatalf("assigned up to %d, want the lease %d", got[len(got)-1], want)
	}
	q.Settle(0, mustNextAfterRaise(t, q).Tag, queue.Release)
	if got := q.PastAtRest().Lease[0]; got != want+1 {
		t.Fatalf("delivered %d, want %d", got, want+1)
	}
}

func TestTheLeaseIsRaisedBeforeItIsUsedUp(t *testing.T) {
	q := queue.New(queue.Settings{})
	q.Attach(1, queue.Role{})
	raises := 0
	for range 5000 {
		seq, _, _ := q.Append(queue.Entry{Size: 1})
		lease, wanted := q.LeaseWanted()
		if wanted {
			raises++
			q.LeaseStored(lease)
		}
		q.Stored(seq)
		q.Settle(0, mustNext(t, q).Tag, queue.Accept)
	}
	if raises > 10 {
		t.Fatalf("%d raises for 5000 messages", raises)
	}
}

func TestRecoveryMarksWhatMayHaveBeenDelivered(t *testing.T) {
	q := queue.Recover(queue.Settings{}, queue.Past{Head: 3, Lease: lease(5)})
	for _, seq := range []queue.Seq{4, 5, 6} {
		q.Restore(seq, queue.Entry{Size: 10}, 0)
	}
	q.Attach(1, queue.Role{})
	raise(q)
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
		"all consumed":   {queue.Past{Head: 8, Lease: lease(7)}, 0, 8},
		"lease is ahead": {queue.Past{Head: 8, Lease: lease(1024)}, 9, 1025},
		"head is ahead":  {queue.Past{Head: 9, Lease: lease(3)}, 0, 9},
		"backlog":        {queue.Past{Head: 8, Lease: lease(10)}, 20, 21},
		"last is ahead":  {queue.Past{Head: 8, Last: 30, Lease: lease(10)}, 20, 31},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			q := queue.Recover(queue.Settings{}, c.past)
			if c.found != 0 {
				q.Restore(c.found, queue.Entry{Size: 1}, 0)
			}
			if seq, _, _ := q.Append(queue.Entry{Size: 1}); seq != c.want {
				t.Fatalf("got %d, want %d", seq, c.want)
			}
		})
	}
}
