package tenancy

import (
	"context"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"
)

// Throttle says how failed logins are slowed down. It never keeps anybody out who shows what is right: only a refusal is
// delayed, the longer the more there were before from the same address of origin or for the same user.
type Throttle struct {
	Delay    time.Duration // before the first refusal; each further one takes twice as long; 0 is none at all
	MaxDelay time.Duration // the longest
	Memory   time.Duration // how long failures are remembered, at most twice as long
	MaxKept  int           // addresses and users that are remembered, at most twice as many
}

// maxDelayed bounds the refusals that wait for one address of origin. Beyond it passwords from there are not looked at,
// unless they were right before: else who opens many connections could guess as fast as without a delay.
const maxDelayed = 64

// throttle slows failed logins down.
type throttle struct {
	Throttle
	seconds atomic.Int64 // nanoseconds that refusals were delayed

	mu      sync.Mutex // guards everything below; a leaf
	recent  map[culprit]int
	older   map[culprit]int // that recent was before; what is in neither is forgotten
	since   time.Time       // when recent began
	delayed map[netip.Prefix]int
	waiting int
}

// culprit is whose failures are counted together: those from one place, or those for one user. The other field is zero.
type culprit struct {
	origin netip.Prefix
	user   string // tenant/user
}

func newThrottle(t Throttle) *throttle {
	return &throttle{
		Throttle: t, recent: make(map[culprit]int), older: make(map[culprit]int), delayed: make(map[netip.Prefix]int),
	}
}

// originOf gives the place that an address is of: itself, or the network of 64 bits that one subscriber of IPv6 has.
func originOf(at netip.Addr) netip.Prefix {
	at = at.Unmap().WithZone("")
	bits := at.BitLen()
	if at.Is6() {
		bits = 64
	}
	origin, _ := at.Prefix(bits) // of no address it is no place
	return origin
}

// refuse counts a failure and waits until it may be told, or ctx ends.
func (t *throttle) refuse(ctx context.Context, at netip.Addr, user string) {
	origin := originOf(at)
	delay := t.enter(time.Now(), origin, user)
	if delay == 0 {
		return
	}
	defer t.leave(origin)
	t.seconds.Add(int64(delay))
	timer := time.NewTimer(delay)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}

// enter counts a failure and gives the delay of its answer. Unless that is zero, leave follows.
func (t *throttle) enter(now time.Time, origin netip.Prefix, user string) time.Duration {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.Delay <= 0 {
		return 0
	}
	if now.Sub(t.since) > t.Memory || len(t.recent) >= t.MaxKept {
		t.older, t.recent, t.since = t.recent, make(map[culprit]int), now
	}
	failures := t.count(culprit{user: user})
	if origin.IsValid() {
		failures = max(failures, t.count(culprit{origin: origin}))
	}
	t.delayed[origin]++
	t.waiting++
	return t.delay(failures)
}

// count adds a failure to those of a culprit, and tells how many there are.
func (t *throttle) count(c culprit) int {
	n, ok := t.recent[c]
	if !ok {
		n = t.older[c]
	}
	t.recent[c] = n + 1
	return n + 1
}

// delay doubles with each failure.
func (t *throttle) delay(failures int) time.Duration {
	d := t.Delay
	for range failures - 1 {
		if d >= t.MaxDelay {
			break
		}
		d *= 2
	}
	return min(d, t.MaxDelay)
}

func (t *throttle) leave(origin netip.Prefix) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.waiting--
	if t.delayed[origin]--; t.delayed[origin] == 0 {
		delete(t.delayed, origin)
	}
}

// isCrowded tells whether too many refusals wait for an address.
func (t *throttle) isCrowded(at netip.Addr) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.delayed[originOf(at)] >= maxDelayed
}
