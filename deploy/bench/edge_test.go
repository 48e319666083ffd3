package main

import (
	"fmt"
	"strings"
	"testing"
)

// edgeExample is a run that costs what it may: 2.1 MB and 8.2 MB.
func edgeExample() edgeRun {
	return edgeRun{
		clients: 19_800,
		none:    edgeStage{interior: footprint{resident: 9_000_000, live: 20_000_000}, edge: footprint{resident: 10_000_000}},
		few: edgeStage{addresses: 100, connections: 1, interior: footprint{resident: 11_100_000, live: 20_500_000},
			edge: footprint{resident: 247_600_000}},
		many: edgeStage{addresses: 1000, connections: 1, interior: footprint{resident: 17_200_000, live: 23_200_000}},
	}
}

// TestClientsOfAnEdgeMayCostConnectionAndAddressesOnly: a run is at fault with a connection more, and with memory that is
// proportional to the clients, be it as little as half a kilobyte of each.
func TestClientsOfAnEdgeMayCostConnectionAndAddressesOnly(t *testing.T) {
	for _, c := range []struct {
		what string
		more func(r *edgeRun)
		want string
	}{
		{"as it was measured", func(*edgeRun) {}, ""},
		{"nobody is connected", func(r *edgeRun) { r.few.connections = 0 }, "has 0 connections"},
		{"two connections in the end", func(r *edgeRun) { r.many.connections = 2 },
			"at 1000 addresses of the edge router: the interior router has 2 connections"},
		{"half a kilobyte of each client", func(r *edgeRun) { r.few.interior.resident += 512 * 19_800 },
			"at 100 addresses of the edge router: the interior router grows"},
		{"more for an address than allowed", func(r *edgeRun) { r.many.interior.resident += 1000 * edgePerAddress },
			"grows by 24200000 bytes, more than 24000000"},
		{"less than at first", func(r *edgeRun) { r.many.interior.resident = 8_000_000 }, ""},
	} {
		r := edgeExample()
		c.more(&r)
		err := r.fault()
		if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%s: %v", c.what, err)
		}
	}
}

func TestClientsOfAnEdgeAreAsManyAsFilesAllow(t *testing.T) {
	for files, want := range map[uint64]int{1 << 20: 20_000, 20_200: 20_000, 20_000: 19_800, 300: 100, 10: 0} {
		if got := (options{crowd: 20_000}).clients(files); got != want {
			t.Errorf("%d open files: %d clients, want %d", files, got, want)
		}
	}
}

func TestReportTellsWhatClientsOfAnEdgeCost(t *testing.T) {
	chosen, err := chooseScenarios("edge-clients")
	if err != nil {
		t.Fatal(err)
	}
	b := &bench{
		options: options{scenarios: chosen, runs: 1, crowd: 1 << 30, addresses: 100},
		servers: []server{{name: ours}},
		samples: map[cell][]sample{{"edge-clients", ours}: {{Edge: edgeExample()}}},
	}
	var out strings.Builder
	if err := b.report().writeText(&out); err != nil {
		t.Fatal(err)
	}
	words := strings.Join(strings.Fields(out.String()), " ")
	for _, want := range []string{
		"clients 19800 connections of the interior router 1 MB of the interior router without clients 9.0",
		"addresses in use 100 MB of the interior router then 11.1 addresses in use 1000 MB of the interior router then 17.2",
		"for each address more 3000", "for each client 12000",
		"cost the interior router one connection: reached, 1",
		"at most 16 kB for each address in use: reached, 3000 bytes",
		fmt.Sprintf("%d clients instead of %d", b.options.clients(openFiles()), 1<<30),
		"100 broadcast addresses, and then to 900 more",
	} {
		if !strings.Contains(words, want) {
			t.Errorf("%q is missing in\n%s", want, words)
		}
	}
}
