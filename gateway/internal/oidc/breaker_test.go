package oidc

import (
	"errors"
	"testing"
	"time"
)

func TestBreakerRestsLongerEachTime(t *testing.T) {
	var b breaker
	now := time.Unix(1, 0)
	for _, rest := range []time.Duration{1, 2, 4, 8, 16, 32, 60, 60} {
		if err := b.enter(now, "keys"); err != nil {
			t.Fatal(err)
		}
		b.answered(now, false)
		now = now.Add(rest * time.Second)
		if err := b.enter(now.Add(-1), "keys"); !errors.Is(err, errUnavailable) {
			t.Errorf("before %d s are over: %v", rest, err)
		}
	}
	if err := b.enter(now, "keys"); err != nil {
		t.Fatal(err)
	}
	b.answered(now, true)
	if err := b.enter(now.Add(pause-1), "keys"); !errors.Is(err, errAskedBefore) {
		t.Errorf("right after an answer: %v", err)
	}
	if err := b.enter(now.Add(pause-1), "something else"); err != nil {
		t.Errorf("for something else: %v", err)
	}
	if err := b.enter(now.Add(pause), "keys"); err != nil {
		t.Errorf("a while after an answer: %v", err)
	}
}
