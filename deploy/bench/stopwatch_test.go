package main

import (
	"encoding/binary"
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

// numbered is an encoded message as the load driver sends it, as far as a stopwatch looks at it.
func numbered(n uint64) []byte {
	const headOfMessage = 17
	message := make([]byte, headOfMessage+smallSize)
	binary.LittleEndian.PutUint64(message[headOfMessage+sequenceAt:], n)
	return message
}

// TestEitherEndOfTheBacklogIsTimed drains 40 messages: the first 4 in a second each, the last 4 in half of that.
func TestEitherEndOfTheBacklogIsTimed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const n = 40
		begin := time.Now()
		w, err := newStopwatch(n, func() (time.Duration, error) { return time.Since(begin) / 4, nil })
		if err != nil {
			t.Fatal(err)
		}
		for i := range uint64(n) {
			pause := time.Second
			if i >= n-4 {
				pause /= 2
			}
			<-time.After(pause)
			if last := w.take(numbered(i)); last != (i == n-1) {
				t.Fatalf("message %d is the last one: %v", i, last)
			}
		}
		first, last := spell{4 * time.Second, time.Second}, spell{2 * time.Second, time.Second / 2}
		if w.part != 4 || w.first != first || w.last != last || w.whole.took != 38*time.Second {
			t.Errorf("%+v", w.drained)
		}
		if w.evenness() != 2 || w.firstRate() != 1 || w.lastRate() != 2 {
			t.Errorf("%g × from %g/s to %g/s", w.evenness(), w.firstRate(), w.lastRate())
		}
		if w.misplaced != 0 {
			t.Errorf("%d are misplaced", w.misplaced)
		}
	})
}

func TestMessagesOutOfTheirPlaceAreCounted(t *testing.T) {
	w, err := newStopwatch(4, func() (time.Duration, error) { return 0, nil })
	if err != nil {
		t.Fatal(err)
	}
	for _, message := range [][]byte{numbered(0), numbered(2), numbered(1), []byte("short")} {
		w.take(message)
	}
	if w.misplaced != 3 {
		t.Errorf("%d are misplaced", w.misplaced)
	}
}

func TestUnknownCPUTimeIsAnError(t *testing.T) {
	unknown := errors.New("unknown")
	if _, err := newStopwatch(1, func() (time.Duration, error) { return 0, unknown }); !errors.Is(err, unknown) {
		t.Errorf("got %v", err)
	}
}

func TestPartOfABacklog(t *testing.T) {
	for n, want := range map[int]int{1: 1, 9: 1, 300_000: 30_000, 10_000_000: 1_000_000, 50_000_000: 1_000_000} {
		if got := partOf(n); got != want {
			t.Errorf("part of %d is %d instead of %d", n, got, want)
		}
	}
}
