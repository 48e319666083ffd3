package queue_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/manifoldmq/manifold/broker/internal/queue"
)

func TestAMessageIsDeadAfterItsLastDelivery(t *testing.T) {
	q := with(queue.Settings{MaxDeliveries: 2}, queue.Entry{Size: 5}, queue.Entry{Size: 7})
	join(t, q, 1, queue.Role{})
	for attempts, want := range []queue.Effect{queue.Requeued, queue.Dead} {
		got := q.Settle(0, mustNext(t, q).Tag, queue.Fail)
		if got != (queue.Settled{Seq: 1, Effect: want, Attempts: attempts + 1}) {
			t.Fatalf("got %+v, want %v", got, want)
		}
	}
	if got := q.Settle(0, mustNext(t, q).Tag, queue.Reject); got.Effect != queue.Dead || got.Attempts != 0 {
		t.Fatalf("rejection gave %+v", got)
	}
	wantSeqs(t, drain(q))
	if q.Len() != 2 || q.Leaving() != 2 || q.Head() != 1 {
		t.Fatalf("len %d, leaving %d, head %d before the dead are removed", q.Len(), q.Leaving(), q.Head())
	}
	if !q.Remove(1) || q.Remove(1) || q.Bytes() != 7 || q.Head() != 2 {
		t.Fatalf("bytes %d, head %d after removal", q.Bytes(), q.Head())
	}
}

func TestAFailedDeliveryBackOffs(t *testing.T) {
	q := with(queue.Settings{Redelivery: queue.Redelivery{Initial: 100, Multiplier: 3, Max: 500}}, queue.Entry{})
	join(t, q, 1, queue.Role{})
	now := int64(1000)
	for _, delay := range []int64{100, 300, 500, 500} {
		if s := q.Settle(now, mustNext(t, q).Tag, queue.Fail); s.Effect != queue.Delayed {
			t.Fatalf("got %+v", s)
		}
		if at, ok := q.Deadline(); !ok || at != now+delay {
			t.Fatalf("due at %d %v, want after %d", at, ok, delay)
		}
		q.Advance(now + delay - 1)
		wantSeqs(t, drain(q))
		now += delay
		q.Advance(now)
	}
	if s := q.Settle(now, mustNext(t, q).Tag, queue.Release); s.Effect != queue.Requeued {
		t.Fatalf("a release was delayed: %+v", s)
	}
}

func TestAScheduledMessageWaitsForItsTimeAndLetsOthersPass(t *testing.T) {
	q := with(queue.Settings{}, queue.Entry{Due: 2000}, queue.Entry{}, queue.Entry{Due: 1500})
	join(t, q, 1, queue.Role{})
	join(t, q, 2, queue.Role{Browses: true})
	q.Advance(1000)
	wantSeqs(t, drainFor(q, 1), 2)
	wantSeqs(t, drainFor(q, 2), 2)
	q.Advance(1500)
	wantSeqs(t, drainFor(q, 1), 3)
	q.Advance(2000)
	wantSeqs(t, drainFor(q, 2), 1, 3)
	wantSeqs(t, drainFor(q, 1), 1)
	if at, ok := q.Deadline(); ok {
		t.Fatalf("deadline %d although nothing waits", at)
	}
}

func TestAnExpiredMessageIsNotAssigned(t *testing.T) {
	q := with(queue.Settings{}, queue.Entry{Expires: 1000}, queue.Entry{Expires: 3000}, queue.Entry{})
	join(t, q, 1, queue.Role{})
	wantSeqs(t, q.Advance(999))
	wantSeqs(t, q.Advance(1000), 1)
	wantSeqs(t, q.Advance(2000))
	wantSeqs(t, drain(q), 2, 3)
}

func TestAHeldMessageStaysItsConsumersBeyondItsExpiry(t *testing.T) {
	q := with(queue.Settings{}, queue.Entry{Expires: 1000}, queue.Entry{Expires: 1000})
	join(t, q, 1, queue.Role{})
	kept, given := mustNext(t, q), mustNext(t, q)
	wantSeqs(t, q.Advance(2000))
	if s := q.Settle(2000, kept.Tag, queue.Accept); s.Effect != queue.Removed {
		t.Fatalf("accept gave %+v", s)
	}
	if s := q.Settle(2000, given.Tag, queue.Release); s.Effect != queue.Delayed {
		t.Fatalf("release gave %+v", s)
	}
	wantSeqs(t, drain(q))
	if at, ok := q.Deadline(); !ok || at > 2000 {
		t.Fatalf("deadline %d %v, want at once", at, ok)
	}
	wantSeqs(t, q.Advance(2000), 2)
}

func TestANewValueReplacesTheWaitingOneOfItsKey(t *testing.T) {
	q := with(queue.Settings{MaxMessages: 2}, queue.Entry{Key: "k"}, queue.Entry{Key: "l"})
	seq, removed, err := q.Append(queue.Entry{Key: "k"})
	if err != nil {
		t.Fatalf("the replaced one makes room, yet %v", err)
	}
	wantSeqs(t, removed, 1)
	q.Stored(seq)
	join(t, q, 1, queue.Role{})
	wantSeqs(t, drain(q), 2, 3)
}

func TestAHeldValueIsReplacedWhenItComesBack(t *testing.T) {
	q := with(queue.Settings{}, queue.Entry{Key: "k"})
	join(t, q, 1, queue.Role{})
	held := mustNext(t, q)
	seq, removed, _ := q.Append(queue.Entry{Key: "k"})
	wantSeqs(t, removed)
	q.Stored(seq)
	if s := q.Settle(0, held.Tag, queue.Release); s != (queue.Settled{Seq: 1, Effect: queue.Removed}) {
		t.Fatalf("got %+v", s)
	}
	wantSeqs(t, drain(q), 2)
}

func TestTheHeadIsDroppedForWhatIsNew(t *testing.T) {
	settings := queue.Settings{MaxMessages: 3, MaxBytes: 30, Overflow: queue.DropHead}
	q := with(settings, queue.Entry{Size: 10, Priority: 9}, queue.Entry{Size: 10}, queue.Entry{Size: 10})
	join(t, q, 1, queue.Role{})
	mustNext(t, q)
	for _, step := range []struct {
		size    int
		removed []queue.Seq
		err     error
	}{
		{10, []queue.Seq{2}, nil},
		{20, []queue.Seq{3, 4}, nil},
		{21, nil, queue.ErrFull}, // beside what is held there is no room for so much
	} {
		seq, removed, err := q.Append(queue.Entry{Size: step.size})
		if !errors.Is(err, step.err) {
			t.Fatalf("got %v, want %v", err, step.err)
		}
		wantSeqs(t, removed, step.removed...)
		q.Stored(seq)
	}
}

func TestATransactionCanAskBeforeItSettles(t *testing.T) {
	q := with(queue.Settings{MaxMessages: 2, MaxBytes: 10}, queue.Entry{Size: 7}, queue.Entry{Size: 3})
	join(t, q, 1, queue.Role{})
	a := mustNext(t, q)
	if size, ok := q.Held(a.Tag); size != 7 || !ok {
		t.Fatalf("held %d %v", size, ok)
	}
	if _, ok := q.Held(a.Tag + 1); ok {
		t.Fatal("held without an assignment")
	}
	if q.Room(1, 1) || !q.Room(0, 0) || q.Room(0, 1) || !q.Room(-1, -7) {
		t.Fatal("room is miscounted")
	}
}

func TestMemoryIsBoundedByWhatIsInTheQueue(t *testing.T) {
	cases := map[string]func(t *testing.T, q *queue.Queue){
		"entries that come back behind an idle cursor": func(t *testing.T, q *queue.Queue) {
			q.Settle(0, mustNextFor(t, q, 1).Tag, queue.Release)
		},
		"expiries of messages that were consumed": func(t *testing.T, q *queue.Queue) {
			seq, _, _ := q.Append(queue.Entry{Priority: 9, Expires: 1 << 40})
			q.Stored(seq)
			q.Settle(0, mustNextFor(t, q, 1).Tag, queue.Accept)
		},
		"due times of messages that were removed": func(t *testing.T, q *queue.Queue) {
			seq, _, _ := q.Append(queue.Entry{Due: 1 << 40})
			q.Stored(seq)
			q.Remove(seq)
		},
		"messages that are not to come again": func(t *testing.T, q *queue.Queue) {
			seq, _, _ := q.Append(queue.Entry{Priority: 9})
			q.Stored(seq)
			q.Settle(0, mustNextFor(t, q, 1).Tag, queue.Release|queue.Elsewhere)
			q.Remove(seq)
		},
		"keys of values that were consumed": func(t *testing.T, q *queue.Queue) {
			seq, _, _ := q.Append(queue.Entry{Priority: 9, Key: fmt.Sprint(q.Past().Last)})
			q.Stored(seq)
			q.Settle(0, mustNextFor(t, q, 1).Tag, queue.Accept)
		},
	}
	for name, step := range cases {
		t.Run(name, func(t *testing.T) {
			q := with(queue.Settings{}, make([]queue.Entry, 10)...)
			join(t, q, 1, queue.Role{})
			join(t, q, 2, queue.Role{Selects: true})
			choose(q, 2)
			step(t, q)
			raise(q)
			before := heap()
			for range 20_000 {
				step(t, q)
			}
			if kept := int64(heap()) - int64(before); kept > 16<<10 {
				t.Errorf("%d bytes are kept", kept)
			}
			if q.Len() != 10 {
				t.Errorf("%d messages are left, want 10", q.Len())
			}
		})
	}
}
