package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"time"
)

// bench is one whole comparison.
type bench struct {
	options  options
	servers  []server
	dir      string
	facts    []fact // about the machine and the servers
	progress io.Writer
	samples  map[cell][]sample
	failures []error
}

// cell is one field of the tables.
type cell struct{ scenario, server string }

// sample is what the load driver reports about one run: the fields of its two JSON results that are used here.
type sample struct {
	Elapsed      time.Duration `json:"elapsedNanos"`
	Acknowledged uint64        `json:"acknowledged"`
	Delivered    uint64        `json:"delivered"`
	DriverCPU    time.Duration `json:"driverCPUNanos"`
	ServerCPU    time.Duration `json:"serverCPUNanos"`
	ServerPeak   uint64        `json:"serverPeak"`
	Latency      latency       `json:"latency"`
	Confirmation latency       `json:"confirmation"`

	Lost           uint64 `json:"lost"`
	Duplicated     uint64 `json:"duplicated"`
	Misordered     uint64 `json:"misordered"`
	Unacknowledged uint64 `json:"unacknowledged"`
	Refused        uint64 `json:"refused"`

	Connections int       `json:"connections"`
	Began       time.Time `json:"began"`
	Answering   int       `json:"answering"`
	Before      int64     `json:"residentBefore"`
	After       int64     `json:"residentAfter"`

	Beginning float64 `json:"beginning"` // rates in the first and the last part of the time
	Ending    float64 `json:"ending"`
	Moved     int     `json:"moved"` // connections whose port changed
	Returned  int     `json:"returned"`

	Opening   time.Duration `json:"openingNanos"`
	Broadcast broadcast     `json:"broadcast"`

	Healed  time.Duration  `json:"-"` // likewise: until a message got through again
	Many    manyQueues     `json:"-"` // measured here, not by the driver
	Backlog backlogRun     `json:"-"` // likewise
	Beside  map[int]sample `json:"-"` // runs beside so many subscribers that do not read
	Edge    edgeRun        `json:"-"` // likewise measured here
}

// latency is from when a message was due to when it was received, or to when its sender heard that it is accepted.
type latency struct {
	P50 time.Duration `json:"p50Nanos"`
	P99 time.Duration `json:"p99Nanos"`
	Max time.Duration `json:"maxNanos"`
}

// run measures everything: scenario by scenario, and within one the servers in turn. A failure costs its cell, not
// the comparison; only the end of ctx stops it.
func (b *bench) run(ctx context.Context) error {
	for _, sc := range b.options.scenarios {
		for turn := range b.options.turns(sc) {
			for _, s := range b.servers {
				if s.absent != nil || !sc.takes(s.name) {
					continue
				}
				got, err := b.measure(ctx, sc, s)
				if ctx.Err() != nil {
					return context.Cause(ctx)
				}
				if err != nil {
					err = fmt.Errorf("%s on %s: %w", sc.name, s.name, err)
					b.failures = append(b.failures, err)
					fmt.Fprintln(b.progress, err)
					continue
				}
				at := cell{sc.name, s.name}
				b.samples[at] = append(b.samples[at], got)
				fmt.Fprintf(b.progress, "%s %d/%d %s: %s\n", sc.name, turn+1, b.options.turns(sc), s.name, b.describe(sc, got))
			}
		}
	}
	return nil
}

// measure does one run on a fresh server.
func (b *bench) measure(ctx context.Context, sc scenario, s server) (got sample, err error) {
	dir, err := os.MkdirTemp(b.dir, s.name+"-")
	if err != nil {
		return got, err
	}
	defer os.RemoveAll(dir)
	switch sc.kind {
	case queues:
		return b.measureQueues(ctx, sc, s, dir)
	case backlog:
		return b.measureBacklog(ctx, sc, s, dir)
	case stalled:
		return b.measureStalled(ctx, sc, s, dir)
	case edged:
		return b.measureEdge(ctx, s, dir)
	}
	if sc.network != nil {
		return b.measureNetwork(ctx, sc, s, dir)
	}
	p, err := start(ctx, s, dir)
	if err != nil {
		return got, err
	}
	defer p.stop()
	return b.drive(ctx, sc, s, p)
}

// drive runs the load driver against p, which is s.
func (b *bench) drive(ctx context.Context, sc scenario, s server, p *process) (got sample, err error) {
	ctx, cancel := context.WithTimeout(ctx, b.longest(sc))
	defer cancel()
	if sc.posting != nil {
		return b.post(ctx, sc, p)
	}
	driver := exec.CommandContext(ctx, cmp.Or(s.driver, b.servers[0].binary), b.driverArgs(sc, s, p)...)
	driver.WaitDelay = time.Second
	dieWithParent(driver)
	var out, complaint bytes.Buffer
	driver.Stdout, driver.Stderr = &out, &complaint
	// Loss makes the driver fail after it has printed its result: that is a sample too, and a note in the report.
	failed := driver.Run()
	if err := json.Unmarshal(out.Bytes(), &got); err != nil {
		return got, fmt.Errorf("load driver: %v: %s", failed, bytes.TrimSpace(complaint.Bytes()))
	}
	return got, nil
}

// driverArgs is the command line of the load driver.
func (b *bench) driverArgs(sc scenario, s server, p *process) []string {
	place := sc.place
	if s.place != nil {
		place = s.place(sc)
	}
	speaks := cmp.Or(s.speaks, sc.protocol)
	placeFlag := map[protocol]string{mqtt: "--topic", amqp: "--address", stomp: "--destination", web: "--address", coap: "--path"}[speaks]
	args := []string{"bench", string(speaks)}
	if s.driver != "" {
		args = nil // it does nothing else
	}
	if sc.kind == idle || sc.kind == fleet {
		args = append(args, "idle", "--connections", strconv.Itoa(b.options.connections(sc)))
	} else {
		args = append(args, "--size", strconv.Itoa(sc.size))
	}
	if sc.subscribers > 0 {
		flag := map[protocol]string{mqtt: "--subscribers", web: "--receivers"}[speaks]
		args = append(args, flag, strconv.Itoa(sc.subscribers))
	}
	args = slices.Concat(args, sc.args, s.flags, p.flags, []string{placeFlag, place, "--server", p.doors[cmp.Or(sc.door, speaks)],
		"--server-pid", strconv.Itoa(p.cmd.Process.Pid), "--json"})
	switch sc.kind {
	case idle:
		return args
	case fleet:
		return append(args, "--sources", strconv.Itoa(b.options.sources(sc)))
	case queues:
		n := strconv.Itoa(b.options.queues)
		return append(args, "--topics", n, "--messages", n, "--warm-up", "0s", "--patience", "1m")
	case backlog:
		return append(args, "--messages", strconv.Itoa(b.options.backlog), "--warm-up", "0s", "--patience", "1m")
	}
	return append(args, "--warm-up", b.warmUp(sc).String(), "--duration", b.duration(sc).String())
}

// longest is how long the load driver may take.
func (b *bench) longest(sc scenario) time.Duration {
	const grace = 2 * time.Minute // for connecting, settling and counting what is late
	if sc.kind == backlog {
		return time.Duration(b.options.backlog)*slowest + grace
	}
	return b.warmUp(sc) + b.duration(sc) + grace
}

func (b *bench) warmUp(sc scenario) time.Duration { return max(b.options.warmUp, sc.warmUp) }

func (b *bench) duration(sc scenario) time.Duration { return cmp.Or(sc.duration, b.options.duration) }

// describe is one sample in a few words, to follow the progress.
func (b *bench) describe(sc scenario, s sample) string {
	switch sc.kind {
	case idle:
		text := fmt.Sprintf("%.0f bytes/connection, %d of %d answer", s.perConnection(), s.Answering, s.Connections)
		if s.Moved > 0 {
			text += fmt.Sprintf(", and %d of %d from another port", s.Returned, s.Moved)
		}
		return text
	case fleet:
		return describeFleet(sc, s)
	case stalled:
		return describeStalled(s)
	case edged:
		return describeEdge(s)
	case healing:
		return fmt.Sprintf("messages get through again after %v", s.Healed)
	case queues:
		m := s.Many
		return fmt.Sprintf("created in %.2f s with %.0f MB, recovered in %.2f s with %.0f MB",
			m.create.Seconds(), megabytes(m.created), m.recover.Seconds(), megabytes(m.recovered))
	case backlog:
		r := s.Backlog
		return fmt.Sprintf("in at %.0f/s, out at %.0f/s and then %.0f/s, at most %.0f MB, %.1f %% of %.0f MB on disk left",
			s.rate(sc.count(s)), r.firstRate(), r.lastRate(), megabytes(r.resident), r.percentLeft(), megabytes(r.disk))
	}
	n := sc.count(s)
	text := fmt.Sprintf("%.0f messages/s, server %.2f µs and at most %.0f MB, driver %.2f µs",
		s.rate(n), micros(s.ServerCPU, n), megabytes(s.ServerPeak), micros(s.DriverCPU, n))
	if sc.kind == sustained {
		text += fmt.Sprintf(", %.0f/s at the beginning, %.0f/s at the end", s.Beginning, s.Ending)
	}
	if sc.kind == paced || sc.kind == confirmed {
		text += fmt.Sprintf(", p50 %v, p99 %v", s.Latency.P50, s.Latency.P99)
	}
	if sc.kind == confirmed {
		text += fmt.Sprintf(", accepted p50 %v, p99 %v", s.Confirmation.P50, s.Confirmation.P99)
	}
	return text
}

func (s sample) rate(n uint64) float64 { return float64(n) / s.Elapsed.Seconds() }

func (s sample) perConnection() float64 {
	return float64(s.After-s.Before) / float64(max(s.Connections, 1))
}

// flaws counts what a sound server does not do. No connection broke, so there is no excuse for duplicates either.
func (s sample) flaws() uint64 {
	return s.Lost + s.Duplicated + s.Misordered + s.Unacknowledged + s.Refused + s.unheard() + uint64(s.Moved-s.Returned)
}

// micros is a CPU time in microseconds for each of n messages.
func micros(cpu time.Duration, n uint64) float64 {
	return float64(cpu) / float64(time.Microsecond) / float64(max(n, 1))
}

// median of at least one value.
func median(values []float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	mid := len(sorted) / 2
	if len(sorted)%2 == 1 {
		return sorted[mid]
	}
	return (sorted[mid-1] + sorted[mid]) / 2
}
