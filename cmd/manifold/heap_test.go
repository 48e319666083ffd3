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
		{10 << 20, false},           // likewise
		{10 << 20, false},           // likewise
		{100 << 20, false},          // a burst
		{200 << 20, false},          // that goes on
		{200<<20 + 100<<10, false},  // and is over
		{200<<20 + 200<<10, false},  // it seems
		{200<<20 + 300<<10, true},   // for sure
		{200<<20 + 500<<10, false},  // only once
		{230 << 20, false},          // the next one
		{230<<20 + 1<<10, false},    // is over
		{230<<20 + 2<<10, false},    // or is it
		{260 << 20, false},          // no
		{260<<20 + 1<<10, false},    // now
		{260<<20 + 2<<10, false},    // it is
		{260<<20 + 256<<10, true},   // over
		{260<<20 + 1024<<10, false}, // a trickle
	} {
		if got := r.due(c.allocated); got != c.due {
			t.Errorf("pulse %d: due is %v", i, got)
		}
	}
}
