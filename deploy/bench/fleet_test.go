package main

import (
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
)

// fleetBench has one sample of the scenario connections: 40,000, of which one missed the broadcast.
func fleetBench(t *testing.T) *bench {
	t.Helper()
	chosen, err := chooseScenarios("connections")
	if err != nil {
		t.Fatal(err)
	}
	return &bench{
		options: options{scenarios: chosen, runs: 1, fleet: 40_000},
		servers: []server{{name: ours}},
		samples: map[cell][]sample{{"connections", ours}: {{
			Connections: 40_000, Answering: 40_000, Opening: 10 * time.Second, Before: 20e6, After: 500e6,
			Broadcast: broadcast{Messages: 10, Heard: 39_999, Elapsed: 2 * time.Second, Peak: 9e8},
		}}},
	}
}

func TestFleetIsJudgedByPaceAndMemory(t *testing.T) {
	got := strings.Join(fleetBench(t).verdicts(), "\n") + "\n"
	for _, want := range []string{
		"40000 MQTT connections with one subscription each take at most 12 kB resident each when idle: reached, 12000 bytes",
		"come in at no less than 5000/s: not reached, 4000/s",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("%q is missing in\n%s", want, got)
		}
	}
}

// TestFleetsOfANetworkAreOneSample: from the first connect to the last SUBACK, and from when it is published to who hears it last.
func TestFleetsOfANetworkAreOneSample(t *testing.T) {
	noon := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	after := func(s int) time.Time { return noon.Add(time.Duration(s) * time.Second) }
	got := together([]sample{
		{Connections: 10, Answering: 10, Before: 1, After: 100, Began: after(1), Opening: 4 * time.Second,
			Broadcast: broadcast{Messages: 5, Began: after(20), Heard: 10, Elapsed: 2 * time.Second, Peak: 300}},
		{Connections: 11, Answering: 9, Before: 2, After: 200, Began: after(0), Opening: 3 * time.Second,
			Broadcast: broadcast{Messages: 5, Began: after(10), Heard: 8, Elapsed: 13 * time.Second, Peak: 400}},
	})
	want := sample{Connections: 21, Answering: 19, Before: 3, After: 300, Began: after(0), Opening: 5 * time.Second,
		Broadcast: broadcast{Messages: 5, Began: after(20), Heard: 18, Elapsed: 3 * time.Second, Peak: 700}}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got\n%+v, want\n%+v", got, want)
	}
}

func TestEachRouterOfANetworkHasItsPartOfTheFleet(t *testing.T) {
	chosen, err := chooseScenarios("connections-network")
	if err != nil {
		t.Fatal(err)
	}
	b := &bench{options: options{scenarios: chosen, fleet: 50_000}}
	all := 0
	for i, hears := range []bool{false, true, true} {
		part := b.part(chosen[0], i)
		if from := part.args[slices.Index(part.args, "--first-source")+1]; from != []string{"1", "11", "21"}[i] {
			t.Errorf("part %d comes from %s", i, from)
		}
		all += part.connections
		if slices.Contains(part.args, "--hear") != hears || part.network != nil {
			t.Errorf("part %d is %+v", i, part)
		}
	}
	if most := b.options.files(); all != 50_000 || most != 50_000/3+otherFiles {
		t.Errorf("%d connections, at most %d files open", all, most)
	}
}

func TestWhoDidNotHearTheBroadcastIsTold(t *testing.T) {
	var out strings.Builder
	if err := fleetBench(t).report().writeText(&out); err != nil {
		t.Fatal(err)
	}
	words := strings.Join(strings.Fields(out.String()), " ")
	for _, want := range []string{"with one subscription each 4000", "with one subscription each 199995",
		"with one subscription each 900", "40000 connections from 8 loopback addresses",
		"connections on manifold: 1 messages were lost"} {
		if !strings.Contains(words, want) {
			t.Errorf("%q is missing in\n%s", want, words)
		}
	}
}

// TestScenarioApartIsInNoGroup: it wants more of a machine, or more time, than the others.
func TestScenarioApartIsInNoGroup(t *testing.T) {
	for _, group := range []string{"all", "mqtt"} {
		chosen, err := chooseScenarios(group)
		if err != nil {
			t.Fatal(err)
		}
		for _, sc := range chosen {
			if sc.apart {
				t.Errorf("%s is in %s", sc.name, group)
			}
		}
	}
}

func TestMoreFilesThanAllowedAreRefused(t *testing.T) {
	const moreThanKernelsAllow = 1 << 40
	err := raiseDescriptors(moreThanKernelsAllow)
	if err == nil || !strings.Contains(err.Error(), "1099511627776 open files are needed") {
		t.Errorf("got %v", err)
	}
}
