package authenticator

import (
	"errors"
	"sync"
	"time"
)

// breaker decides whether an authenticator is asked. It is open for a rest after several questions without an answer, twice as
// long each time; then half-open: one question tries it, and its answer closes the breaker.
type breaker struct {
	mu     sync.Mutex // guards everything below; a leaf
	missed int        // answers in a row
	rest   time.Duration
	resume time.Time // when it may be tried again; zero while closed
	trying bool      // a question is under way that tries it
}

// When an authenticator is left alone.
const (
	patience  = 5           // answers that it may miss in a row
	firstRest = time.Second // then
	longest   = time.Minute // after many more
)

var errOpen = errors.New("it has not answered, and is left alone for a while")

// enter tells whether it may be asked now; without an error answered or leave follows.
func (b *breaker) enter(now time.Time) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch {
	case b.resume.IsZero():
		return nil
	case now.Before(b.resume) || b.trying:
		return errOpen
	}
	b.trying = true
	return nil
}

// leave notes that a question was given up, which says nothing of who was asked.
func (b *breaker) leave() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.trying = false
}

// answered notes whether there was an answer, and tells whether it is left alone from now on.
func (b *breaker) answered(now time.Time, ok bool) (opens bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if ok {
		b.missed, b.rest, b.resume, b.trying = 0, 0, time.Time{}, false
		return false
	}
	if b.missed++; b.missed < patience || now.Before(b.resume) {
		return false
	}
	b.rest = min(max(2*b.rest, firstRest), longest)
	b.resume, b.trying = now.Add(b.rest), false
	return true
}
