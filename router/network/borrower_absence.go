package network

import (
	"sync"
	"time"
)

// absence is what is known of whether a home is there. It ends when there is a path again, or the home is heard.
type absence struct {
	mu      sync.Mutex // guards everything below; a leaf
	since   time.Time  // zero while the home is there, as far as is known
	silent  bool       // there is a path, and it does not answer
	pending int        // questions that it has not answered
	latest  time.Time  // when it was last asked
}

// path notes whether there is a path to the home.
func (a *absence) path(is bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	switch {
	case !is && a.since.IsZero():
		a.since = time.Now()
	case is && !a.silent:
		a.since = time.Time{}
	}
}

// unanswered notes that the home has not answered what it was asked then.
func (a *absence) unanswered(since time.Time) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.since.IsZero() {
		a.since, a.silent = since, true
	}
}

// asked notes a question.
func (a *absence) asked() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.pending++
	a.latest = time.Now()
}

// over notes that a question is answered, or lost with the path, and whether it was the home that has answered.
func (a *absence) over(heard bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.pending--; heard {
		a.since, a.silent = time.Time{}, false
	}
}

// left gives how much is left of somebody's patience who comes now.
func (a *absence) left(patience time.Duration) time.Duration {
	a.mu.Lock()
	defer a.mu.Unlock()
	if !a.since.IsZero() {
		patience -= time.Since(a.since)
	}
	return patience
}

// rareQuestions is after how many without an answer the next one does not take longer than the one before: then it is a minute.
const rareQuestions = 12

// mayAsk tells whether there is any use in asking. Of a home that is silent one question is enough to hear when it is there again,
// however many want to know; another one is asked after a while, in case the first got lost, and each further one later than the
// one before, as all of them stay open.
func (a *absence) mayAsk() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return !a.silent || time.Since(a.latest) >= time.Duration(min(a.pending, rareQuestions))*lendingPatience
}
