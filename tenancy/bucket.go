package tenancy

import (
	"math"
	"sync/atomic"
	"time"
)

// bucket is a token bucket: so much a second, and a burst at once. It holds no tokens but the time at which it will be full
// again (the generic cell rate algorithm, ITU-T I.371 annex A), so that a take is one compare-and-swap. Times are those
// since some beginning.
type bucket struct{ full atomic.Int64 }

// take takes n, going into debt for it, and tells how long it takes to pay that back.
func (b *bucket) take(now time.Duration, n, rate, burst int64) (wait time.Duration) {
	cost := lasting(n, rate)
	for {
		before := b.full.Load()
		after := max(before, int64(now)) + int64(cost)
		if b.full.CompareAndSwap(before, after) {
			return time.Duration(after) - now - lasting(burst, rate)
		}
	}
}

// debt tells how long it takes until there is room for one; not above 0 is at once.
func (b *bucket) debt(now time.Duration, rate, burst int64) time.Duration {
	return max(time.Duration(b.full.Load()), now) + lasting(1, rate) - now - lasting(burst, rate)
}

// lasting is how long n takes at a rate. What would be longer than a year is a year.
func lasting(n, rate int64) time.Duration {
	const year = 365 * 24 * time.Hour
	return time.Duration(math.Min(float64(n)/float64(rate)*float64(time.Second), float64(year)))
}
