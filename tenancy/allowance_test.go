package tenancy

import (
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

func TestBucketLetsThroughItsRateAfterABurst(t *testing.T) {
	var b bucket
	const rate, burst = 10, 5
	now := time.Hour
	for i := range burst {
		if wait := b.take(now, 1, rate, burst); wait > 0 {
			t.Fatalf("number %d of the burst waits %v", i, wait)
		}
	}
	if wait := b.debt(now, rate, burst); wait <= 0 {
		t.Error("there is room beyond the burst")
	}
	if wait := b.take(now, 1, rate, burst); wait != 100*time.Millisecond {
		t.Errorf("the first beyond the burst waits %v, want 100ms", wait)
	}
	if wait := b.take(now+time.Second, 1, rate, burst); wait > 0 {
		t.Errorf("a second later one waits %v", wait)
	}
	if wait := b.take(now+time.Hour, 20, rate, burst); wait != 1500*time.Millisecond {
		t.Errorf("four bursts at once cost %v, want 1.5s", wait)
	}
}

func TestAllowanceIsNeverOverdrawn(t *testing.T) {
	a := newAllowance()
	a.declare(planOf(MaxLinks, 100))
	var taken, refused sync.Map
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			for j := range 50 {
				err := a.Take(MaxLinks, 1)
				if _, ok := errors.AsType[*Exceeded](err); ok {
					refused.Store([2]int{i, j}, true)
				} else if err == nil {
					taken.Store([2]int{i, j}, true)
				}
			}
		})
	}
	all.Wait()
	if n, m := size(&taken), size(&refused); n != 100 || m != 300 {
		t.Errorf("%d were taken and %d refused, want 100 and 300", n, m)
	}
	if f := a.Figures()[MaxLinks]; f.Used != 100 || f.Most != 100 || f.Breaches != 300 {
		t.Errorf("figures are %+v", f)
	}
	a.declare(new(Plan))
	if err := a.Take(MaxLinks, 1); err != nil {
		t.Errorf("without a limit: %v", err)
	}
}

func size(m *sync.Map) (n int) {
	m.Range(func(any, any) bool {
		n++
		return true
	})
	return n
}

func planOf(l Limit, most int64) *Plan {
	p := new(Plan)
	p.Most[l] = most
	return p
}

// TestRatesOfATenant: who has sent too much has to wait, or is refused, until it is paid back; a new rate forgets that.
func TestRatesOfATenant(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newAllowance()
		p := planOf(BytesIn, 1000)
		a.declare(p)
		someone := &Principal{allowance: a}
		someone.Sent(2500)
		if wait := a.SendWait(); wait < 1500*time.Millisecond || wait > 1501*time.Millisecond {
			t.Errorf("who has sent 2.5 seconds' worth waits %v, want 1.5s", wait)
		}
		if err := a.MaySend(); err == nil {
			t.Error("who has sent too much may send")
		}
		if wait, burst := a.Pace(); wait != 0 || burst != 0 {
			t.Errorf("receiving waits %v, %d at once: that has no limit", wait, burst)
		}
		time.Sleep(1600 * time.Millisecond)
		if err := a.MaySend(); err != nil {
			t.Errorf("after it is paid back: %v", err)
		}
		someone.Sent(100_000)
		a.declare(planOf(BytesIn, 2000))
		if wait := a.SendWait(); wait != 0 {
			t.Errorf("after a change of the rate it waits %v", wait)
		}
	})
}
