package main

import (
	"fmt"
	"io"
	"runtime"
	"strings"
	"text/tabwriter"
)

// report is the outcome, ready to be written.
type report struct {
	tables []table
	notes  []string
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
	idle   bool // belongs to the scenarios without load
	ratio  bool
	of     func(scenario, sample) float64
}

func metrics() []metric {
	return []metric{
		{title: "Messages per second (more is better)", format: "%.0f", ratio: true,
			of: func(sc scenario, s sample) float64 { return s.rate(sc.count(s)) }},
		{title: "Server CPU, µs per message (less is better)", format: "%.2f", ratio: true,
			of: func(sc scenario, s sample) float64 { return micros(s.ServerCPU, sc.count(s)) }},
		{title: "Load driver CPU, µs per message (for judging the figures above)", format: "%.2f",
			of: func(sc scenario, s sample) float64 { return micros(s.DriverCPU, sc.count(s)) }},
		{title: "Resident bytes per idle connection (less is better)", format: "%.0f", idle: true, ratio: true,
			of: func(_ scenario, s sample) float64 { return s.perConnection() }},
	}
}

// report makes the tables out of the samples.
func (b *bench) report() report {
	var r report
	for _, m := range metrics() {
		if t := b.table(m); len(t.rows) > 0 {
			r.tables = append(r.tables, t)
		}
	}
	o := b.options
	r.notes = append(r.notes, fmt.Sprintf("Median of %d interleaved runs of %v after %v of warm-up, payload 256 bytes, "+
		"%d CPUs, %s/%s; queues count acknowledged messages, the others delivered ones.",
		o.runs, o.duration, o.warmUp, runtime.NumCPU(), runtime.GOOS, runtime.GOARCH))
	for _, s := range b.servers {
		switch {
		case s.absent != nil:
			r.notes = append(r.notes, fmt.Sprintf("%s: absent: %s", s.name, oneLine(s.absent)))
		default:
			r.notes = append(r.notes, s.name+": "+s.note+".")
		}
	}
	r.notes = append(r.notes, b.flaws()...)
	for _, err := range b.failures {
		r.notes = append(r.notes, "failed: "+oneLine(err))
	}
	return r
}

func (b *bench) table(m metric) table {
	t := table{title: m.title, header: []string{"scenario"}}
	for _, s := range b.servers {
		t.header = append(t.header, s.name)
	}
	if m.ratio {
		for _, s := range b.servers[1:] {
			t.header = append(t.header, ours+"/"+s.name)
		}
	}
	for _, sc := range b.options.scenarios {
		if sc.idle == m.idle {
			t.rows = append(t.rows, b.row(m, sc))
		}
	}
	return t
}

func (b *bench) row(m metric, sc scenario) []string {
	row := []string{sc.about}
	for _, s := range b.servers {
		row = append(row, b.field(m, sc, s))
	}
	if !m.ratio {
		return row
	}
	for _, peer := range b.servers[1:] {
		mine, okMine := b.median(m, sc, ours)
		its, okIts := b.median(m, sc, peer.name)
		if okMine && okIts && its != 0 {
			row = append(row, fmt.Sprintf("%.2f", mine/its))
		} else {
			row = append(row, "-")
		}
	}
	return row
}

// field is the text of one cell: a number, or why there is none.
func (b *bench) field(m metric, sc scenario, s server) string {
	value, ok := b.median(m, sc, s.name)
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

func (b *bench) median(m metric, sc scenario, server string) (float64, bool) {
	samples := b.samples[cell{sc.name, server}]
	if len(samples) == 0 {
		return 0, false
	}
	values := make([]float64, len(samples))
	for i, s := range samples {
		values[i] = m.of(sc, s)
	}
	return median(values), true
}

// flaws names every cell whose server lost, doubled or reordered messages, or dropped idle connections.
func (b *bench) flaws() []string {
	var notes []string
	for _, sc := range b.options.scenarios {
		for _, s := range b.servers {
			var flaws uint64
			var silent int
			for _, one := range b.samples[cell{sc.name, s.name}] {
				flaws += one.flaws()
				silent += one.Connections - one.Answering
			}
			if flaws > 0 {
				notes = append(notes, fmt.Sprintf("%s on %s: %d messages were lost, doubled, late or not acknowledged.",
					sc.name, s.name, flaws))
			}
			if silent > 0 {
				notes = append(notes, fmt.Sprintf("%s on %s: %d connections did not answer.", sc.name, s.name, silent))
			}
		}
	}
	return notes
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
	_, err := fmt.Fprintf(w, "\n%s\n", strings.Join(r.notes, "\n"))
	return err
}

func (r report) markdown() string {
	var b strings.Builder
	for _, t := range r.tables {
		fmt.Fprintf(&b, "### %s\n\n", t.title)
		line := func(fields []string) { fmt.Fprintf(&b, "| %s |\n", strings.Join(fields, " | ")) }
		line(t.header)
		fmt.Fprintf(&b, "|---|%s\n", strings.Repeat("---:|", len(t.header)-1))
		for _, row := range t.rows {
			line(row)
		}
		b.WriteString("\n")
	}
	for _, n := range r.notes {
		fmt.Fprintf(&b, "- %s\n", n)
	}
	return b.String()
}

// oneLine keeps an error from breaking a list.
func oneLine(err error) string { return strings.Join(strings.Fields(err.Error()), " ") }
