package main

import "testing"

func TestMemoryIsGivenBackOnceAfterABurst(t *testing.T) {
	var r heapRest
	for i, c := range []struct {
		allocated uint64
		due       bool
	}{
		{10 << 20, false},           // starting
		{10 << 20, false},           // quiet, but not worth it
		{100 << 20, false},          // a burst
		{200 << 20, false},          // that goes on
		{200<<20 + 100<<10, true},   // and is over
		{200<<20 + 200<<10, false},  // only once
		{230 << 20, false},          // the next one
		{230<<20 + 256<<10, true},   // is over
		{230<<20 + 1024<<10, false}, // a trickle
	} {
		if got := r.due(c.allocated); got != c.due {
			t.Errorf("pulse %d: due is %v", i, got)
		}
	}
}
