package load

import (
	"testing"
	"time"
)

// TestLateMessagesAreStampedWithTheTimeTheyWereDue is what keeps coordinated omission out of the latencies.
func TestLateMessagesAreStampedWithTheTimeTheyWereDue(t *testing.T) {
	epoch := time.Now()
	p, err := newPace(1000, 500)
	if err != nil {
		t.Fatal(err)
	}
	defer p.close()
	p.start = epoch.Add(-time.Second) // a second ago, in which nothing could be sent
	due, ok := p.wait(nil, 500)
	if !ok || due < 1000 {
		t.Fatalf("%d are due after a second at 1000/s", due)
	}
	s := p.schedule(500, epoch)
	for i, want := range map[int]time.Duration{0: -999 * time.Millisecond, 998: -time.Millisecond} {
		if got := s.at(i); got.Round(time.Microsecond) != want {
			t.Errorf("message %d was due at %v, want %v", i, got, want)
		}
	}
}

func TestPaceEndsWhenItIsStopped(t *testing.T) {
	p, err := newPace(0.001, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer p.close()
	stop := make(chan struct{})
	close(stop)
	if _, ok := p.wait(stop, 0); ok {
		t.Error("something was due")
	}
}
