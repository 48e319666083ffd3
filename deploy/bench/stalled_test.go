package main

import (
	"strings"
	"testing"
	"time"
)

func TestStalledSubscribersAreJudgedByDelayAndMemory(t *testing.T) {
	chosen, err := chooseScenarios("stalled-qos1")
	if err != nil {
		t.Fatal(err)
	}
	run := func(p99 time.Duration, peak uint64) sample {
		return sample{Elapsed: time.Second, Delivered: 1000, Latency: latency{P99: p99}, ServerPeak: peak}
	}
	got := run(time.Millisecond, 50e6)
	got.Beside = map[int]sample{fewStalled: run(1200*time.Microsecond, 60e6), manyStalled: run(2*time.Millisecond, 250e6)}
	b := &bench{
		options: options{scenarios: chosen, runs: 1}, servers: []server{{name: ours}},
		samples: map[cell][]sample{{"stalled-qos1", ours}: {got}},
	}
	verdicts := strings.Join(b.verdicts(), "\n") + "\n"
	for _, want := range []string{
		"beside 1 that stopped reading is at most 1.2 × that without, QoS 1: reached, 1.20 ×\n",
		"beside 50 that stopped reading is at most 1.2 × that without, QoS 1: not reached, 2.00 ×\n",
		"takes at most 8.4 MB, QoS 1: reached, 4.0 MB\n",
	} {
		if !strings.Contains(verdicts, want) {
			t.Errorf("%q is missing in\n%s", want, verdicts)
		}
	}
	var out strings.Builder
	if err := b.report().writeText(&out); err != nil {
		t.Fatal(err)
	}
	words := strings.Join(strings.Fields(out.String()), " ")
	for _, want := range []string{"p99 latency, µs 1000", "beside 50, µs 2000", "MB for each of 1 10.0"} {
		if !strings.Contains(words, want) {
			t.Errorf("%q is missing in\n%s", want, words)
		}
	}
}
