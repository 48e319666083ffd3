package main

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"
)

// What is asked when subscribers stop reading.
const (
	stalledDelay  = 1.2 // p99 latency of those who read, as a multiple of what it is without
	stalledMemory = 8.4 // MB of each that does not: the setting mqtt.maxQueuedBytes
)

const (
	fewStalled  = 1
	manyStalled = 50
)

// stalledScenarios are about Manifold alone. Messages are large enough that within the warm-up the sockets of those who do
// not read are full, and what may wait for them in the server has come: from then on messages are dropped for them.
func stalledScenarios() []scenario {
	const rate = 4_000
	var all []scenario
	for _, qos := range []string{"0", "1"} {
		all = append(all, scenario{name: "stalled-qos" + qos, apart: true, kind: stalled, protocol: mqtt,
			about:   fmt.Sprintf("QoS %s, 1 publisher, 1 subscriber, %d messages/s", qos, rate),
			servers: []string{ours}, place: loadTopic, size: 1 << 10, count: delivered, warmUp: 6 * time.Second,
			args: []string{"--layout", "pairs", "--latency", "--rate", strconv.Itoa(rate), "--qos", qos}})
	}
	return all
}

func stalledTargets() []target {
	var all []target
	for _, sc := range stalledScenarios() {
		qos := "QoS " + strings.TrimPrefix(sc.name, "stalled-qos")
		for _, n := range []int{fewStalled, manyStalled} {
			all = append(all, target{claim: fmt.Sprintf("p99 latency beside %d that stopped reading is at most %g × that "+
				"without, %s", n, stalledDelay, qos), scenario: sc.name, of: delayBeside(n), limit: stalledDelay, format: "%.2f ×"})
		}
		all = append(all, target{claim: fmt.Sprintf("each of %d subscribers that stopped reading takes at most %g MB, %s",
			manyStalled, stalledMemory, qos), scenario: sc.name, of: memoryBeside(manyStalled), limit: stalledMemory,
			format: "%.1f MB"})
	}
	return all
}

// delayBeside is the p99 latency beside n that do not read, as a multiple of that without.
func delayBeside(n int) measure {
	return func(_ scenario, s sample) float64 {
		return float64(s.Beside[n].Latency.P99) / float64(max(s.Latency.P99, 1))
	}
}

// memoryBeside is how many megabytes each of n takes.
func memoryBeside(n int) measure {
	return func(_ scenario, s sample) float64 {
		return (megabytes(s.Beside[n].ServerPeak) - megabytes(s.ServerPeak)) / float64(n)
	}
}

// beside takes another measure of the run beside n.
func beside(n int, of measure) measure {
	return func(sc scenario, s sample) float64 { return of(sc, s.Beside[n]) }
}

// stalledTable is that of one of the scenarios.
func (b *bench) stalledTable(sc scenario) table {
	rows := []metric{
		{title: "p99 latency, µs", format: "%.0f", of: mostLatency},
		{title: "server CPU, µs per message", format: "%.2f", of: serverCPU},
	}
	for _, n := range []int{fewStalled, manyStalled} {
		rows = append(rows,
			metric{title: fmt.Sprintf("p99 latency beside %d, µs", n), format: "%.0f", of: beside(n, mostLatency)},
			metric{title: fmt.Sprintf("p99 latency beside %d, ratio of each pair", n), format: "%.2f", of: delayBeside(n)},
			metric{title: fmt.Sprintf("server CPU beside %d, µs per message", n), format: "%.2f", of: beside(n, serverCPU)},
			metric{title: fmt.Sprintf("MB for each of %d", n), format: "%.1f", of: memoryBeside(n)})
	}
	return b.list(sc, sc.about+", beside subscribers of the same topic that read nothing", rows)
}

func (b *bench) stalledNote(sc scenario) string {
	return fmt.Sprintf("%s: without, beside %d and beside %d that read nothing, in turns, each on a fresh server; messages of "+
		"%d bytes, %v of warm-up, after which as much waits for each of those as may. Their memory is the difference of the "+
		"most resident.", sc.name, fewStalled, manyStalled, sc.size, b.warmUp(sc))
}

// measureStalled is one run without, and one beside each number of subscribers that do not read.
func (b *bench) measureStalled(ctx context.Context, sc scenario, s server, dir string) (got sample, err error) {
	if got, err = b.besideStalled(ctx, sc, s, dir, 0); err != nil {
		return got, err
	}
	got.Beside = make(map[int]sample)
	for _, n := range []int{fewStalled, manyStalled} {
		if got.Beside[n], err = b.besideStalled(ctx, sc, s, dir, n); err != nil {
			return got, err
		}
		got.Lost += got.Beside[n].flaws()
	}
	return got, nil
}

func (b *bench) besideStalled(ctx context.Context, sc scenario, s server, dir string, n int) (got sample, err error) {
	if dir, err = os.MkdirTemp(dir, strconv.Itoa(n)+"-"); err != nil {
		return got, err
	}
	p, err := start(ctx, s, dir)
	if err != nil {
		return got, err
	}
	defer p.stop()
	sc.args = append(slices.Clone(sc.args), "--stalled", strconv.Itoa(n))
	return b.drive(ctx, sc, s, p)
}

func describeStalled(s sample) string {
	return fmt.Sprintf("p99 %v, beside %d %v, beside %d %v; %.1f MB for each of them", s.Latency.P99,
		fewStalled, s.Beside[fewStalled].Latency.P99, manyStalled, s.Beside[manyStalled].Latency.P99,
		memoryBeside(manyStalled)(scenario{}, s))
}
