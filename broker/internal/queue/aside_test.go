package queue_test

import (
	"testing"

	"github.com/manifoldmq/manifold/broker/internal/queue"
)

func TestWaitingGivesWhatNobodyHolds(t *testing.T) {
	q := with(queue.Settings{}, queue.Entry{Priority: 4}, queue.Entry{Priority: 9}, queue.Entry{Due: 5000}, queue.Entry{Priority: 4})
	join(t, q, 1, queue.Role{})
	mustNext(t, q) // 2 is held
	wantSeqs(t, q.Waiting(1, 2, nil), 1, 3)
	wantSeqs(t, q.Waiting(4, 2, nil), 4)
	wantSeqs(t, q.Waiting(5, 2, nil))
}

func TestWhatIsSetAsideStandsInNobodysWay(t *testing.T) {
	q := with(queue.Settings{}, queue.Entry{}, queue.Entry{}, queue.Entry{Due: 5000})
	join(t, q, 1, queue.Role{})
	if !q.SetAside(1) || q.SetAside(1) || q.SetAside(3) || q.SetAside(9) {
		t.Fatal("only a ready entry can be set aside, and once")
	}
	wantSeqs(t, drain(q), 2)
	if q.PutBack(1) != queue.Requeued || q.PutBack(1) != queue.None {
		t.Fatal("it was not put back, or twice")
	}
	wantSeqs(t, drain(q), 1)
}

func TestTimeAndKeysGoOnForWhatIsSetAside(t *testing.T) {
	q := with(queue.Settings{}, queue.Entry{Expires: 2000}, queue.Entry{Key: "k"})
	join(t, q, 1, queue.Role{})
	q.SetAside(1)
	q.SetAside(2)
	wantSeqs(t, q.Advance(3000))
	if _, dropped, err := q.Append(queue.Entry{Key: "k"}); err != nil || len(dropped) > 0 {
		t.Fatalf("dropped %v, %v", dropped, err)
	}
	if got := q.PutBack(1); got != queue.Delayed {
		t.Errorf("what has expired meanwhile: %v", got)
	}
	wantSeqs(t, q.Advance(3000), 1)
	if got := q.PutBack(2); got != queue.Removed {
		t.Errorf("what has a later one of its key: %v", got)
	}
}

func TestDyingForetellsWhatSettleDoes(t *testing.T) {
	for _, v := range []queue.Verdict{queue.Release, queue.Fail, queue.Fail | queue.Elsewhere, queue.Reject} {
		q := with(queue.Settings{MaxDeliveries: 2}, queue.Entry{})
		join(t, q, 1, queue.Role{})
		for range 2 {
			a := mustNext(t, q)
			foretold, dying := q.Dying(a.Tag, v)
			got := q.Settle(0, a.Tag, v)
			if dying != (got.Effect == queue.Dead) || dying && foretold != got {
				t.Errorf("%v: foretold %+v %v, became %+v", v, foretold, dying, got)
			}
			if dying || v&queue.Elsewhere != 0 {
				break
			}
		}
	}
	if _, dying := queue.New(queue.Settings{}).Dying(7, queue.Reject); dying {
		t.Error("a tag that is not current is dying")
	}
}

func TestWhatIsPutBackDoesNotExpireTwice(t *testing.T) {
	q := with(queue.Settings{}, queue.Entry{Expires: 1000}, queue.Entry{Expires: 2000})
	wantSeqs(t, q.Advance(1000), 1)
	if got := q.PutBack(1); got != queue.Requeued {
		t.Fatalf("put back: %v", got)
	}
	wantSeqs(t, q.Advance(2000), 2)
}
