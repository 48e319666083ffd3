package queue_test

import (
	"errors"
	"slices"
	"testing"

	"github.com/manifoldmq/manifold/broker/internal/queue"
)

// with returns a queue that holds the given messages on disk; they get the numbers from 1.
func with(s queue.Settings, entries ...queue.Entry) *queue.Queue {
	q := queue.New(s)
	for _, e := range entries {
		seq, _, _ := q.Append(e)
		q.Stored(seq)
	}
	return q
}

// join attaches a consumer that is welcome.
func join(t *testing.T, q *queue.Queue, id queue.ConsumerID, r queue.Role) {
	t.Helper()
	if err := q.Attach(id, r); err != nil {
		t.Fatal(err)
	}
	raise(q)
}

func only(id queue.ConsumerID) func(queue.ConsumerID) bool {
	return func(c queue.ConsumerID) bool { return c == id }
}

// nextFor hands the next entry to a consumer, and raises the lease for it.
func nextFor(q *queue.Queue, id queue.ConsumerID) (queue.Assignment, bool) {
	a, ok := next(q, only(id))
	if !ok {
		raise(q)
		a, ok = next(q, only(id))
	}
	return a, ok
}

// drainFor assigns a consumer everything that it can get.
func drainFor(q *queue.Queue, id queue.ConsumerID) (seqs []queue.Seq) {
	for a, ok := nextFor(q, id); ok; a, ok = nextFor(q, id) {
		seqs = append(seqs, a.Seq)
	}
	return seqs
}

// choose assigns a selecting consumer those messages that it wants.
func choose(q *queue.Queue, id queue.ConsumerID, wants ...queue.Seq) (seqs []queue.Seq) {
	for {
		t, ok := q.Turn(only(id))
		switch {
		case !ok:
			return seqs
		case !slices.Contains(wants, t.Seq):
			q.Pass(t)
			continue
		}
		a, ok := q.Assign(t)
		if !ok { // the lease has to be raised
			raise(q)
			continue
		}
		seqs = append(seqs, a.Seq)
	}
}

func TestHigherPrioritiesGoFirst(t *testing.T) {
	q := with(queue.Settings{}, queue.Entry{Priority: 4}, queue.Entry{Priority: 9}, queue.Entry{}, queue.Entry{Priority: 99})
	join(t, q, 1, queue.Role{})
	wantSeqs(t, drain(q), 2, 4, 1, 3)
}

func TestARedeliveryKeepsItsPriority(t *testing.T) {
	q := with(queue.Settings{}, queue.Entry{Priority: 9}, queue.Entry{Priority: 9}, queue.Entry{Priority: 1})
	join(t, q, 1, queue.Role{})
	a := mustNext(t, q)
	q.Settle(0, a.Tag, queue.Release)
	wantSeqs(t, drain(q), 1, 2, 3)
}

func TestAMessageIsNotMarkedBecauseLaterOnesOfAHigherPriorityWereDelivered(t *testing.T) {
	q := with(queue.Settings{}, queue.Entry{Priority: 1}, queue.Entry{Priority: 9}, queue.Entry{Priority: 9})
	join(t, q, 1, queue.Role{})
	mustNext(t, q)
	mustNext(t, q)
	past := q.PastAtRest()
	r := queue.Recover(queue.Settings{}, past)
	for seq := range 3 {
		r.Restore(queue.Seq(seq+1), queue.Entry{Priority: []uint8{1, 9, 9}[seq]}, 0)
	}
	join(t, r, 1, queue.Role{})
	for _, want := range []int{1, 1, 0} {
		if a := mustNext(t, r); a.Attempts != want {
			t.Fatalf("message %d has %d attempts, want %d", a.Seq, a.Attempts, want)
		}
	}
}

func TestWhatASelectingConsumerDoesNotWantBlocksNobody(t *testing.T) {
	q := with(queue.Settings{}, make([]queue.Entry, 6)...)
	join(t, q, 1, queue.Role{Selects: true})
	join(t, q, 2, queue.Role{Selects: true})
	join(t, q, 3, queue.Role{})
	wantSeqs(t, choose(q, 1, 5), 5)
	wantSeqs(t, choose(q, 2, 2, 4), 2, 4)
	wantSeqs(t, drainFor(q, 3), 1, 3, 6)
}

func TestASelectingConsumerSeesAgainWhatCameBackBehindItsCursor(t *testing.T) {
	q := with(queue.Settings{}, make([]queue.Entry, 4)...)
	join(t, q, 1, queue.Role{Selects: true})
	join(t, q, 2, queue.Role{})
	wantSeqs(t, choose(q, 1, 3), 3)
	held := mustNextFor(t, q, 2)
	q.Settle(0, held.Tag, queue.Release)
	wantSeqs(t, choose(q, 1, 1, 2, 4), 1)
}

func mustNextFor(t *testing.T, q *queue.Queue, id queue.ConsumerID) queue.Assignment {
	t.Helper()
	a, ok := nextFor(q, id)
	if !ok {
		t.Fatalf("nothing assignable to consumer %d", id)
	}
	return a
}

func TestLookingAtMessagesDoesNotRaiseTheLease(t *testing.T) {
	q := with(queue.Settings{}, make([]queue.Entry, 5000)...)
	join(t, q, 1, queue.Role{Selects: true})
	wantSeqs(t, choose(q, 1))
	if past := q.Past(); past.Lease[0] != 0 {
		t.Fatalf("lease %d although nothing was assigned", past.Lease[0])
	}
	join(t, q, 2, queue.Role{Selects: true})
	wantSeqs(t, choose(q, 2, 3000), 3000)
}

func TestABrowserSeesWhatIsHeldTooAndTakesNothing(t *testing.T) {
	q := with(queue.Settings{}, queue.Entry{}, queue.Entry{}, queue.Entry{Priority: 9})
	join(t, q, 1, queue.Role{})
	mustNext(t, q)
	join(t, q, 2, queue.Role{Browses: true})
	if q.AtEnd(2) {
		t.Fatal("at the end before the first message")
	}
	var seen []queue.Seq
	for !q.AtEnd(2) {
		a := mustNextFor(t, q, 2)
		if a.Tag != 0 {
			t.Fatalf("the browser holds %+v", a)
		}
		seen = append(seen, a.Seq)
	}
	wantSeqs(t, seen, 3, 1, 2)
	wantSeqs(t, drainFor(q, 1), 1, 2)
}

func TestAMessageThatIsToGoElsewhereDoesNotComeBackToItsConsumer(t *testing.T) {
	for name, verdict := range map[string]queue.Verdict{"release": queue.Release, "fail": queue.Fail} {
		t.Run(name, func(t *testing.T) {
			q := with(queue.Settings{}, make([]queue.Entry, 3)...)
			join(t, q, 1, queue.Role{})
			q.Settle(0, mustNext(t, q).Tag, verdict|queue.Elsewhere)
			wantSeqs(t, drainFor(q, 1), 2, 3)
			join(t, q, 2, queue.Role{})
			a := mustNextFor(t, q, 2)
			if a.Seq != 1 {
				t.Fatalf("another consumer got %d", a.Seq)
			}
			q.Settle(0, a.Tag, queue.Release)
			wantSeqs(t, drainFor(q, 1))
		})
	}
}

func TestAGroupStaysWithItsConsumerUntilItLeaves(t *testing.T) {
	q := with(queue.Settings{Groups: true},
		queue.Entry{Group: "a"}, queue.Entry{Group: "b"}, queue.Entry{Group: "a"}, queue.Entry{Group: "b"}, queue.Entry{})
	join(t, q, 1, queue.Role{})
	join(t, q, 2, queue.Role{})
	first := mustNextFor(t, q, 1)
	if first.Seq != 1 {
		t.Fatalf("got %+v", first)
	}
	wantSeqs(t, drainFor(q, 2), 2, 4, 5)
	q.Settle(0, first.Tag, queue.Release)
	wantSeqs(t, drainFor(q, 2))
	q.Detach(0, 1, nil)
	wantSeqs(t, drainFor(q, 2), 1, 3)
}

func TestOneConsumerIsActiveUntilItLeaves(t *testing.T) {
	q := with(queue.Settings{SingleActive: true}, make([]queue.Entry, 4)...)
	for id, priority := range []int{0, 0, 0, 5} {
		if id == 3 {
			mustNext(t, q) // elects before the one of higher priority comes
		}
		join(t, q, queue.ConsumerID(id+1), queue.Role{Priority: priority})
	}
	for _, id := range []queue.ConsumerID{1, 4, 2} {
		for _, other := range []queue.ConsumerID{1, 2, 3, 4} {
			if a, ok := next(q, only(other)); ok && other != id {
				t.Fatalf("consumer %d got %+v while %d is active", other, a, id)
			}
		}
		q.Detach(0, id, nil)
	}
}

func TestConsumersOfHigherPriorityAreServedFirst(t *testing.T) {
	q := with(queue.Settings{}, make([]queue.Entry, 6)...)
	join(t, q, 1, queue.Role{})
	join(t, q, 2, queue.Role{Priority: 9})
	join(t, q, 3, queue.Role{Priority: 9})
	credit := map[queue.ConsumerID]int{1: 9, 2: 2, 3: 1}
	var got []queue.ConsumerID
	for range 6 {
		a, _ := next(q, func(id queue.ConsumerID) bool { return credit[id] > 0 })
		credit[a.Consumer]--
		got = append(got, a.Consumer)
	}
	if want := []queue.ConsumerID{2, 3, 2, 1, 1, 1}; !slices.Equal(got, want) {
		t.Fatalf("got %v, want %v", got, want)
	}
}

func TestWhoMayAttach(t *testing.T) {
	exclusive, plain, browser := queue.Role{Exclusive: true}, queue.Role{}, queue.Role{Browses: true}
	cases := map[string]struct {
		max   int
		there []queue.Role
		comes queue.Role
		want  error
	}{
		"room is left":               {2, []queue.Role{plain}, plain, nil},
		"no room is left":            {2, []queue.Role{plain, plain}, plain, queue.ErrConsumers},
		"a browser takes no room":    {1, []queue.Role{browser}, plain, nil},
		"a browser needs no room":    {1, []queue.Role{plain}, browser, nil},
		"an exclusive one is there":  {0, []queue.Role{exclusive}, plain, queue.ErrExclusive},
		"an exclusive one is late":   {0, []queue.Role{plain}, exclusive, queue.ErrExclusive},
		"a browser is not excluded":  {0, []queue.Role{exclusive}, browser, nil},
		"a browser excludes nobody":  {0, []queue.Role{browser}, exclusive, nil},
		"nor does an exclusive one ": {0, []queue.Role{{Browses: true, Exclusive: true}}, plain, nil},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			q := queue.New(queue.Settings{MaxConsumers: c.max})
			for i, r := range c.there {
				join(t, q, queue.ConsumerID(i+1), r)
			}
			if err := q.Attach(9, c.comes); !errors.Is(err, c.want) {
				t.Fatalf("got %v, want %v", err, c.want)
			}
		})
	}
}

func TestANonDestructiveQueueIsReadByEverybodyAndFollowed(t *testing.T) {
	q := with(queue.Settings{NonDestructive: true}, make([]queue.Entry, 2)...)
	join(t, q, 1, queue.Role{})
	wantSeqs(t, drainFor(q, 1), 1, 2)
	seq, _, _ := q.Append(queue.Entry{})
	wantSeqs(t, drainFor(q, 1))
	q.Stored(seq)
	wantSeqs(t, drainFor(q, 1), 3)
	join(t, q, 2, queue.Role{})
	wantSeqs(t, drainFor(q, 2), 1, 2, 3)
	if q.Len() != 3 {
		t.Fatalf("%d messages are left", q.Len())
	}
}

func TestALatePassConcernsItsMessageOnly(t *testing.T) {
	q := with(queue.Settings{}, make([]queue.Entry, 3)...)
	join(t, q, 1, queue.Role{Selects: true})
	join(t, q, 2, queue.Role{})
	first, second := mustNextFor(t, q, 2), mustNextFor(t, q, 2)
	wantSeqs(t, choose(q, 1))
	q.Settle(0, second.Tag, queue.Release)
	late, _ := q.Turn(only(1))
	q.Settle(0, first.Tag, queue.Release)
	q.Pass(late) // now the first message comes before it
	wantSeqs(t, choose(q, 1, 1, 2, 3), 1)
}

func TestALatePassSkipsNothing(t *testing.T) {
	q := with(queue.Settings{}, make([]queue.Entry, 3)...)
	join(t, q, 1, queue.Role{Selects: true})
	for range 2 {
		turn, _ := q.Turn(only(1))
		q.Pass(turn)
	}
	late, _ := q.Turn(only(1))
	q.Configure(queue.Settings{Groups: true}) // everybody begins anew
	q.Pass(late)
	wantSeqs(t, choose(q, 1, 1, 2, 3), 1, 2, 3)
}

func TestATurnOfAConsumerThatLeftIsVoid(t *testing.T) {
	q := with(queue.Settings{}, queue.Entry{})
	join(t, q, 1, queue.Role{})
	turn, _ := q.Turn(always)
	q.Detach(0, 1, nil)
	q.Pass(turn)
	if a, ok := q.Assign(turn); ok {
		t.Fatalf("assigned %+v", a)
	}
}

// TestMemoryIsBoundedByWhatIsInTheQueue does things over and over that leave something to remember behind.
func TestTheSameInputsGiveTheSameOutputs(t *testing.T) {
	run := func() (seqs []queue.Seq) {
		q := queue.New(queue.Settings{Groups: true})
		for i := range 500 {
			seq, _, _ := q.Append(queue.Entry{
				Priority: uint8(i % 10), Group: string(rune('a' + i%7)), Expires: int64(i%3) * 1000, Due: int64(i%5) * 100,
			})
			q.Stored(seq)
		}
		for id := range queue.ConsumerID(9) {
			join(t, q, id, queue.Role{Priority: int(id % 2)})
		}
		for now := range int64(20) {
			seqs = append(seqs, q.Advance(now*100)...)
			raise(q)
			for a, ok := next(q, always); ok && len(seqs)%11 > 0; a, ok = next(q, always) {
				seqs = append(seqs, a.Seq)
				q.Settle(now*100, a.Tag, queue.Fail)
			}
			q.Detach(now*100, queue.ConsumerID(now), func(s queue.Settled) { seqs = append(seqs, s.Seq) })
		}
		return seqs
	}
	if a, b := run(), run(); len(a) < 100 || !slices.Equal(a, b) {
		t.Fatalf("%d and %d outputs differ", len(a), len(b))
	}
}
