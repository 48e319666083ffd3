package main

import (
	"strings"
	"testing"
	"time"
)

// TestFlagsOfTheComparisonAreTaken is for what deploy/bench puts on the command line.
func TestFlagsOfTheComparisonAreTaken(t *testing.T) {
	c, err := parse(strings.Fields("--size 256 --durable --senders 64 --receivers 4 --window 1 --latency --rate 50 " +
		"--address jobs --server h:1 --server-pid 2 --json --warm-up 5s --duration 1s"))
	if err != nil {
		t.Fatal(err)
	}
	want := config{server: "h:1", address: "jobs", senders: 64, receivers: 4, size: 256, window: 1, outstanding: 1000, rate: 50,
		warmUp: 5 * time.Second, duration: time.Second, latency: true, serverPID: 2}
	if c != want {
		t.Errorf("got %+v, want %+v", c, want)
	}
}

func TestLatencyIsThatOfTheSortedTimes(t *testing.T) {
	var times []time.Duration
	for i := range 100 {
		times = append(times, time.Duration(100-i))
	}
	if got, want := *newLatency(times), (latency{Count: 100, P50: 51, P99: 100, Max: 100}); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
	if newLatency(nil) != nil {
		t.Error("there is a latency without times")
	}
}
