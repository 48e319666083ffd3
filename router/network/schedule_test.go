package network

import (
	"testing"
	"time"
)

func TestHostsAreTriedInTurnAndRoundsMoreAndMoreSeldom(t *testing.T) {
	s := schedule{hosts: 2, initial: time.Second, max: 3 * time.Second}
	for i, want := range []struct {
		open, wait time.Duration
		random     float64
		host       int
	}{
		{host: 1},
		{host: 0, wait: time.Second, random: 1},
		{host: 1},
		{host: 0, wait: time.Second, random: 0},
		{host: 1},
		{host: 0, wait: 3 * time.Second, random: 1},
		{host: 1},
		{host: 0, wait: 1500 * time.Millisecond, random: 0},
		{host: 1},
		{host: 0, wait: time.Second, random: 1, open: time.Hour},
		{host: 1, open: time.Millisecond}, // it was closed at once: no better than one that is not there
		{host: 0, wait: 2 * time.Second, random: 1},
	} {
		host, wait := s.next(want.open, want.random)
		if host != want.host || wait != want.wait {
			t.Errorf("step %d: host %d after %v, want host %d after %v", i, host, wait, want.host, want.wait)
		}
	}
}
