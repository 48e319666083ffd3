package oidc

import (
	"errors"
	"sync"
	"time"
)

// Why an issuer is not asked, or has not answered.
var (
	errUnavailable = errors.New("the issuer does not answer")
	errAskedBefore = errors.New("its keys were asked for a moment ago, and the one it is signed with is not among them")
)

// breaker decides whether an issuer is asked. Anybody can make up tokens with keys that nobody has: so the same thing
// is asked for seldom, and an issuer that does not answer is left alone, twice as long each time.
type breaker struct {
	mu     sync.Mutex // guards everything below; a leaf
	asked  map[string]time.Time
	resume time.Time     // when an issuer that has not answered is asked again
	rest   time.Duration // the last time that it was left alone; 0 after an answer
}

// enter tells whether something may be asked for now; without an error answered follows.
func (b *breaker) enter(now time.Time, what string) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch last, before := b.asked[what]; {
	case now.Before(b.resume):
		return errUnavailable
	case before && b.rest == 0 && now.Sub(last) < pause:
		return errAskedBefore
	}
	if b.asked == nil {
		b.asked = make(map[string]time.Time)
	}
	b.asked[what] = now
	return nil
}

// answered notes what became of it.
func (b *breaker) answered(now time.Time, ok bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if ok {
		b.rest = 0
		return
	}
	b.rest = min(max(2*b.rest, firstRest), longest)
	b.resume = now.Add(b.rest)
}
