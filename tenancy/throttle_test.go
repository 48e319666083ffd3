package tenancy

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

var slow = Throttle{Delay: 100 * time.Millisecond, MaxDelay: time.Second, Memory: time.Hour, MaxKept: 1000}

// attempt logs in from an address and gives how long that took.
func attempt(d *Directory, from, user, password string) (time.Duration, error) {
	began := time.Now()
	_, err := d.Authenticate(context.Background(), Credentials{
		Visitor: Visitor{}.From(net.JoinHostPort(from, "1")), User: user, Password: []byte(password),
	})
	return time.Since(began), err
}

func TestEachFailureTakesTwiceAsLong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d, _ := guarded(t, nil)
		d.SlowDown(slow)
		for i, want := range []time.Duration{100, 200, 400, 800, 1000, 1000} {
			from := fmt.Sprintf("192.0.2.%d", i) // the user's failures count wherever they come from
			if took, err := attempt(d, from, "ann", "no"); took != want*time.Millisecond || err == nil {
				t.Errorf("failure %d took %v, %v", i+1, took, err)
			}
		}
		for i := range 4 { // and those from one place whoever they are for
			attempt(d, "2001:db8::1", fmt.Sprint("nobody", i), "no")
		}
		if took, _ := attempt(d, "2001:db8::2", "ben@acme", "no"); took != time.Second {
			t.Errorf("one more from the same network took %v", took)
		}
		if took, _ := attempt(d, "198.51.100.1", "else", "no"); took != slow.Delay {
			t.Errorf("somebody else somewhere else waited for %v", took)
		}
		if took, err := attempt(d, "192.0.2.1", "ann", "a"); took != 0 || err != nil {
			t.Errorf("who is right waited for %v, %v", took, err)
		}
		time.Sleep(3 * slow.Memory)
		attempt(d, "203.0.113.1", "x", "no") // from now on something else is remembered
		time.Sleep(2 * slow.Memory)
		attempt(d, "203.0.113.2", "y", "no")
		if took, _ := attempt(d, "192.0.2.1", "ann", "no"); took != slow.Delay {
			t.Errorf("long afterwards a failure took %v", took)
		}
		if l := d.Logins(); l.Failed[WrongCredentials] == 0 || l.Waiting != 0 || l.Delayed < 3500*time.Millisecond {
			t.Errorf("counted %+v", l)
		}
	})
}

func TestWhoShowsNothingDoesNotWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d, _ := guarded(t, nil)
		d.SlowDown(slow)
		for range 5 {
			if took, err := attempt(d, "192.0.2.1", "", ""); took != 0 || err == nil {
				t.Errorf("took %v, %v", took, err)
			}
		}
	})
}

func TestManyGuessesAtOnceAreNotLookedAt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d, looks := guarded(t, nil)
		d.SlowDown(slow)
		if _, err := attempt(d, "192.0.2.1", "ann", "a"); err != nil {
			t.Fatal(err)
		}
		var guessing sync.WaitGroup
		for i := range maxDelayed {
			guessing.Go(func() { attempt(d, "192.0.2.1", "ben@acme", fmt.Sprint(i)) })
		}
		synctest.Wait()
		before := looks.Load()
		if _, err := attempt(d, "192.0.2.1", "ben@acme", "c"); !errors.Is(err, ErrBusy) || looks.Load() != before {
			t.Errorf("one more guess: %v after %d looks", err, looks.Load()-before)
		}
		if took, err := attempt(d, "192.0.2.1", "ann", "a"); err != nil || took != 0 {
			t.Errorf("who was right before: %v, %v", took, err)
		}
		if took, err := attempt(d, "192.0.2.2", "ben@acme", "c"); err != nil || took != 0 {
			t.Errorf("who is right elsewhere: %v, %v", took, err)
		}
		guessing.Wait()
		if took, err := attempt(d, "192.0.2.1", "ben@acme", "c"); err != nil || took != 0 {
			t.Errorf("afterwards: %v, %v", took, err)
		}
	})
}

func TestFailuresOfManyAreForgottenBeforeTheyTakeMuchMemory(t *testing.T) {
	throttle := newThrottle(Throttle{Delay: 1, MaxDelay: 1, Memory: time.Hour, MaxKept: 100})
	now := time.Now()
	for i := range 10_000 {
		origin := netip.PrefixFrom(netip.AddrFrom4([4]byte{10, 0, byte(i >> 8), byte(i)}), 32)
		throttle.enter(now, origin, fmt.Sprint(i))
		throttle.leave(origin)
	}
	if n := len(throttle.recent) + len(throttle.older); n > 2*101 || len(throttle.delayed) != 0 {
		t.Errorf("%d are kept", n)
	}
}
