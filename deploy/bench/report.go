package main

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
)

// report is the outcome, ready to be written.
type report struct {
	facts    []fact
	tables   []table
	verdicts []string
	notes    []string
}

// table has one row per scenario and one column per server, then our ratio to each peer.
type table struct {
	title  string
	header []string
	rows   [][]string
}

// metric is one number of a sample.
type metric struct {
	title  string
	format string
	kinds  []kind // of the scenarios that have it
	ratio  bool
	of     measure
}

// measure takes the number out of a sample.
type measure func(scenario, sample) float64

func rate(sc scenario, s sample) float64            { return s.rate(sc.count(s)) }
func serverCPU(sc scenario, s sample) float64       { return micros(s.ServerCPU, sc.count(s)) }
func driverCPU(sc scenario, s sample) float64       { return micros(s.DriverCPU, sc.count(s)) }
func halfLatency(_ scenario, s sample) float64      { return micros(s.Latency.P50, 1) }
func mostLatency(_ scenario, s sample) float64      { return micros(s.Latency.P99, 1) }
func halfConfirmation(_ scenario, s sample) float64 { return micros(s.Confirmation.P50, 1) }
func mostConfirmation(_ scenario, s sample) float64 { return micros(s.Confirmation.P99, 1) }
func peakMemory(_ scenario, s sample) float64       { return megabytes(s.ServerPeak) }
func perConnection(_ scenario, s sample) float64    { return s.perConnection() }
func createTime(_ scenario, s sample) float64       { return s.Many.create.Seconds() }
func createMemory(_ scenario, s sample) float64     { return megabytes(s.Many.created) }
func recoveryTime(_ scenario, s sample) float64     { return s.Many.recover.Seconds() }
func recoveryMemory(_ scenario, s sample) float64   { return megabytes(s.Many.recovered) }
func idleMemory(_ scenario, s sample) float64       { return megabytes(s.Many.idle) }

func metrics() []metric {
	return []metric{
		{title: "Messages per second (more is better)", format: "%.0f", kinds: []kind{traffic, large, sustained}, ratio: true,
			of: rate},
		{title: "Server CPU, µs per message (less is better)", format: "%.2f", ratio: true,
			kinds: []kind{traffic, paced, confirmed, large, sustained}, of: serverCPU},
		{title: "The last part of the time beside the first, messages per second (1 or more is steady)", format: "%.2f",
			kinds: []kind{sustained}, of: steadiness},
		{title: "Latency at a fixed rate, µs, median (less is better)", format: "%.0f", ratio: true,
			kinds: []kind{paced, confirmed}, of: halfLatency},
		{title: "Latency at a fixed rate, µs, 99 % are faster (less is better)", format: "%.0f", ratio: true,
			kinds: []kind{paced, confirmed}, of: mostLatency},
		{title: "Time to accepted at a fixed rate, µs, median (less is better)", format: "%.0f", ratio: true,
			kinds: []kind{confirmed}, of: halfConfirmation},
		{title: "Time to accepted at a fixed rate, µs, 99 % are faster (less is better)", format: "%.0f", ratio: true,
			kinds: []kind{confirmed}, of: mostConfirmation},
		{title: "Server memory, most resident MB (less is better)", format: "%.0f", kinds: []kind{large, sustained}, ratio: true,
			of: peakMemory},
		{title: "Load driver CPU, µs per message (for judging the figures above)", format: "%.2f",
			kinds: []kind{traffic, large, sustained}, of: driverCPU},
		{title: "Until messages get through again when a router was killed, ms (less is better)", format: "%.0f",
			kinds: []kind{healing}, ratio: true, of: healTime},
		{title: "Connections opened per second (more is better)", format: "%.0f", kinds: []kind{fleet}, ratio: true,
			of: openingRate},
		{title: "Resident bytes per idle connection (less is better)", format: "%.0f", kinds: []kind{idle, fleet}, ratio: true,
			of: perConnection},
		{title: "Deliveries per second of messages to all connections (more is better)", format: "%.0f", kinds: []kind{fleet},
			ratio: true, of: deliveryRate},
		{title: "Server memory meanwhile, most resident MB (less is better)", format: "%.0f", kinds: []kind{fleet}, ratio: true,
			of: broadcastMemory},
	}
}

// report makes the tables out of the samples.
func (b *bench) report() report {
	r := report{facts: b.facts, verdicts: b.verdicts()}
	for _, p := range []protocol{mqtt, amqp, stomp, web, coap} {
		for _, m := range metrics() {
			if t := b.table(p, m); len(t.rows) > 0 {
				r.tables = append(r.tables, t)
			}
		}
	}
	for _, sc := range b.options.scenarios {
		switch sc.kind {
		case queues:
			r.tables = append(r.tables, b.queuesTable(sc))
		case backlog:
			r.tables = append(r.tables, b.backlogTable(sc))
		case stalled:
			r.tables = append(r.tables, b.stalledTable(sc))
		case edged:
			r.tables = append(r.tables, b.edgeTable(sc))
		}
	}
	r.notes = b.notes()
	return r
}

// notes says how the figures came about, and what is wrong with them.
func (b *bench) notes() []string {
	o := b.options
	notes := []string{fmt.Sprintf("Median of %d interleaved runs of %v after %v of warm-up, each on a fresh server; "+
		"payload %d bytes where nothing else is said. Queues that nobody consumes, and those of MQTT, count acknowledged "+
		"messages, the others delivered ones.", o.runs, o.duration, o.warmUp, smallSize)}
	rates, warm := false, false
	for _, sc := range o.scenarios {
		warm = warm || sc.warmUp > o.warmUp && sc.kind != stalled
		switch sc.kind {
		case idle:
			notes = append(notes, fmt.Sprintf("%s: %d connections to each server.", sc.name, o.connections(sc)))
		case paced, confirmed:
			rates = true
		case queues:
			notes = append(notes, fmt.Sprintf("%s: each of %d queues is declared by its name. Both times begin with the "+
				"process. Created is when one publisher with 1,000 messages in flight has the last acknowledgement; "+
				"recovered, after a kill, is when /readyz is 200 and 10 queues have given their message over HTTP; idle is %v "+
				"after either.", sc.name, o.queues, restTime))
		case backlog:
			notes = append(notes, b.backlogNote(sc))
		case fleet:
			notes = append(notes, b.fleetNote(sc))
		case edged:
			notes = append(notes, b.edgeNote(sc))
		case stalled:
			notes = append(notes, b.stalledNote(sc))
			rates = true
		}
	}
	if rates {
		notes = append(notes, "Latency is from when a message was due by the rate to when the receiver had it, so a server that "+
			"holds the sender up is charged for all that had to wait (corrected for coordinated omission).")
	}
	if warm {
		notes = append(notes, fmt.Sprintf("Durable queues over AMQP and all of STOMP have %v of warm-up, because Java compiles "+
			"while it runs.", compiling))
	}
	for _, s := range b.servers {
		switch {
		case s.absent != nil:
			notes = append(notes, fmt.Sprintf("%s: absent: %s", s.name, oneLine(s.absent)))
		default:
			notes = append(notes, s.name+": "+s.note+".")
		}
	}
	notes = append(notes, b.flaws()...)
	for _, err := range b.failures {
		notes = append(notes, "failed: "+oneLine(err))
	}
	return notes
}

// table has the scenarios of a protocol that have the number, and the servers that take part in any of them.
func (b *bench) table(p protocol, m metric) table {
	t := table{title: p.title() + ": " + m.title, header: []string{"scenario"}}
	var chosen []scenario
	for _, sc := range b.options.scenarios {
		if sc.protocol == p && slices.Contains(m.kinds, sc.kind) {
			chosen = append(chosen, sc)
		}
	}
	servers := slices.DeleteFunc(slices.Clone(b.servers), func(s server) bool {
		return !slices.ContainsFunc(chosen, func(sc scenario) bool { return sc.takes(s.name) })
	})
	for _, s := range servers {
		t.header = append(t.header, s.name)
	}
	if m.ratio {
		for _, s := range peers(servers) {
			t.header = append(t.header, ours+"/"+s.name)
		}
	}
	for _, sc := range chosen {
		t.rows = append(t.rows, b.row(m, sc, servers))
	}
	return t
}

// peers are the servers that are not ours, which stands first.
func peers(servers []server) []server { return servers[min(1, len(servers)):] }

func (b *bench) row(m metric, sc scenario, servers []server) []string {
	row := []string{sc.about}
	for _, s := range servers {
		row = append(row, b.field(m, sc, s))
	}
	if !m.ratio {
		return row
	}
	for _, peer := range peers(servers) {
		if ratio, ok := b.ratio(m.of, sc, peer.name); ok {
			row = append(row, fmt.Sprintf("%.2f", ratio))
		} else {
			row = append(row, "-")
		}
	}
	return row
}

// queuesTable is that of the scenario queues.
func (b *bench) queuesTable(sc scenario) table {
	return b.list(sc, fmt.Sprintf("%d durable queues with one message each", b.options.queues), []metric{
		{title: "seconds from start to the last acknowledgement", format: "%.2f", of: createTime},
		{title: "resident MB then", format: "%.0f", of: createMemory},
		{title: "seconds from start to recovered, after kill -9", format: "%.2f", of: recoveryTime},
		{title: "resident MB then", format: "%.0f", of: recoveryMemory},
		{title: "resident MB when idle", format: "%.0f", of: idleMemory},
	})
}

// list is a table with a row for each number, for nobody is compared.
func (b *bench) list(sc scenario, title string, metrics []metric) table {
	t := table{title: title, header: []string{"", ours}}
	for _, m := range metrics {
		t.rows = append(t.rows, []string{m.title, b.field(m, sc, b.servers[0])})
	}
	return t
}

// field is the text of one cell: a number, or why there is none.
func (b *bench) field(m metric, sc scenario, s server) string {
	value, ok := b.median(m.of, sc, s.name)
	switch {
	case ok:
		return fmt.Sprintf(m.format, value)
	case !sc.takes(s.name):
		return "-"
	case s.absent != nil:
		return "absent"
	}
	return "failed"
}

func (b *bench) median(of measure, sc scenario, server string) (float64, bool) {
	samples := b.samples[cell{sc.name, server}]
	if len(samples) == 0 {
		return 0, false
	}
	values := make([]float64, len(samples))
	for i, s := range samples {
		values[i] = of(sc, s)
	}
	return median(values), true
}

// ratio is our median as a multiple of a peer's.
func (b *bench) ratio(of measure, sc scenario, peer string) (float64, bool) {
	mine, okMine := b.median(of, sc, ours)
	its, okIts := b.median(of, sc, peer)
	if !okMine || !okIts || its == 0 {
		return 0, false
	}
	return mine / its, true
}

// flaws names every cell whose server lost, doubled or reordered messages, or dropped idle connections.
func (b *bench) flaws() []string {
	var notes []string
	for _, sc := range b.options.scenarios {
		for _, s := range b.servers {
			messages, silent := b.flawed(sc, s.name)
			if messages > 0 {
				notes = append(notes, fmt.Sprintf("%s on %s: %d messages were lost, doubled, late or not acknowledged.",
					sc.name, s.name, messages))
			}
			if silent > 0 {
				notes = append(notes, fmt.Sprintf("%s on %s: %d connections did not answer.", sc.name, s.name, silent))
			}
		}
	}
	return notes
}

// flawed adds up what went wrong in all runs of one cell.
func (b *bench) flawed(sc scenario, server string) (messages uint64, silent int) {
	for _, one := range b.samples[cell{sc.name, server}] {
		messages += one.flaws()
		silent += one.Connections - one.Answering
	}
	return messages, silent
}

func (r report) writeText(w io.Writer) error {
	for _, t := range r.tables {
		if _, err := fmt.Fprintf(w, "\n%s\n\n", t.title); err != nil {
			return err
		}
		tw := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
		for _, row := range append([][]string{t.header}, t.rows...) {
			fmt.Fprintln(tw, strings.Join(row, "\t"))
		}
		if err := tw.Flush(); err != nil {
			return err
		}
	}
	if len(r.verdicts) > 0 {
		if _, err := fmt.Fprintf(w, "\nTargets\n\n%s\n", strings.Join(r.verdicts, "\n")); err != nil {
			return err
		}
	}
	_, err := fmt.Fprintf(w, "\n%s\n", strings.Join(r.notes, "\n"))
	return err
}

// markdown is a complete section for a document: where and how it was measured, the verdicts, the tables, the notes.
func (r report) markdown(title string) string {
	var b strings.Builder
	list := func(heading string, lines []string) {
		if len(lines) == 0 {
			return
		}
		fmt.Fprintf(&b, "### %s\n\n", heading)
		for _, l := range lines {
			fmt.Fprintf(&b, "- %s\n", l)
		}
		b.WriteString("\n")
	}
	row := func(fields []string) { fmt.Fprintf(&b, "| %s |\n", strings.Join(fields, " | ")) }
	fmt.Fprintf(&b, "## %s\n\n| | |\n|---|---|\n", title)
	for _, f := range r.facts {
		row([]string{f.name, f.value})
	}
	b.WriteString("\n")
	list("Targets", r.verdicts)
	for _, t := range r.tables {
		fmt.Fprintf(&b, "### %s\n\n", t.title)
		row(t.header)
		fmt.Fprintf(&b, "|---|%s\n", strings.Repeat("---:|", len(t.header)-1))
		for _, fields := range t.rows {
			row(fields)
		}
		b.WriteString("\n")
	}
	list("Notes", r.notes)
	return strings.TrimSuffix(b.String(), "\n")
}

// oneLine keeps an error from breaking a list.
func oneLine(err error) string { return strings.Join(strings.Fields(err.Error()), " ") }
