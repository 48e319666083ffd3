package main

import (
	"strings"
	"testing"
	"time"
)

// drainedBench has one sample of the scenario backlog: 10 million messages, reached in all but the pace.
func drainedBench(t *testing.T, kill bool) *bench {
	t.Helper()
	chosen, err := chooseScenarios("backlog")
	if err != nil {
		t.Fatal(err)
	}
	return &bench{
		options: options{scenarios: chosen, runs: 5, backlog: 10_000_000, kill: kill},
		servers: []server{{name: ours}},
		samples: map[cell][]sample{{"backlog", ours}: {{Elapsed: 20 * time.Second, Acknowledged: 10_000_000,
			Backlog: backlogRun{
				waiting: 90e6, resident: 280e6, disk: 4e9, left: 2e8, reclaimed: 3 * time.Second, restart: 2 * time.Second,
				drained: drained{part: 1_000_000, first: spell{4 * time.Second, 3 * time.Second},
					last: spell{8 * time.Second, 3500 * time.Millisecond}, whole: spell{took: time.Minute}},
			}}}},
	}
}

func TestBacklogIsJudgedByMemoryPaceAndDisk(t *testing.T) {
	got := strings.Join(drainedBench(t, false).verdicts(), "\n") + "\n"
	for _, want := range []string{
		"10000000 messages of 256 bytes",
		"resident throughout: reached, 280 MB\n",
		"the rate of the start: not reached, 0.50 ×\n",
		"most bytes on disk after 1m0s: reached, 5.0 %\n",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("%q is missing in\n%s", want, got)
		}
	}
}

func TestRestartOfTheBacklogHasARowWhenItWasAskedFor(t *testing.T) {
	const row = "after kill -9 2.00"
	for _, kill := range []bool{false, true} {
		var out strings.Builder
		if err := drainedBench(t, kill).report().writeText(&out); err != nil {
			t.Fatal(err)
		}
		words := strings.Join(strings.Fields(out.String()), " ")
		if strings.Contains(words, row) != kill {
			t.Errorf("asked for: %v, and the report is\n%s", kill, words)
		}
		for _, want := range []string{"nobody consuming 500000", "the first 1000000 250000", "the last 1000000 125000",
			"of the last of them 3.50"} {
			if !strings.Contains(words, want) {
				t.Errorf("%q is missing in\n%s", want, words)
			}
		}
	}
}

func TestBacklogRunsOnce(t *testing.T) {
	b := drainedBench(t, false)
	if n := b.options.turns(b.options.scenarios[0]); n != 1 {
		t.Errorf("%d turns", n)
	}
}
