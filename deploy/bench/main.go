// Command bench measures Manifold side by side with other MQTT servers on this machine.
//
// Run it from the root of the repository: go run ./deploy/bench (or make bench-peers). It starts Manifold, mosquitto
// and nats-server on free loopback ports with temporary directories, and drives each with `manifold bench mqtt`, a
// load driver that speaks the wire format and costs less than the servers. The driver is a process of its own, so
// that its garbage collector and descriptors are nobody else's.
//
// Its promises: the servers take turns (A B C A B C ...), so that a slow minute of the machine meets all of them;
// every run has a fresh server; what is printed is the median; everything is bounded in time; no child outlives it.
// It needs Linux, which tells the CPU time and memory of a process in /proc.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stdout, os.Stderr); err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "bench:", err)
		stop()
		os.Exit(1)
	}
}

// options is what the command line says.
type options struct {
	scenarios []scenario
	runs      int
	duration  time.Duration
	warmUp    time.Duration
	idle      int
	partial   bool
	manifold  string // a binary to use instead of building one
	markdown  string // a file for the tables in Markdown
}

func parse(args []string, stderr io.Writer) (options, error) {
	var o options
	var names string
	f := flag.NewFlagSet("bench", flag.ContinueOnError)
	f.SetOutput(stderr)
	f.StringVar(&names, "scenarios", "all", "comma-separated: "+strings.Join(scenarioNames(), ", "))
	f.IntVar(&o.runs, "runs", 5, "runs of each scenario and server; the median is printed")
	f.DurationVar(&o.duration, "duration", 5*time.Second, "measured time of a run")
	f.DurationVar(&o.warmUp, "warm-up", time.Second, "traffic before measuring")
	f.IntVar(&o.idle, "idle", 10000, "connections of the scenario idle")
	f.BoolVar(&o.partial, "partial", false, "succeed although a server is absent")
	f.StringVar(&o.manifold, "manifold", "", "path of a manifold binary; built from ./cmd/manifold when empty")
	f.StringVar(&o.markdown, "markdown", "", "file to write the tables to as Markdown")
	if err := f.Parse(args); err != nil {
		return o, err
	}
	if f.NArg() > 0 {
		return o, fmt.Errorf("unknown argument %q", f.Arg(0))
	}
	if o.runs < 1 || o.duration <= 0 || o.warmUp < 0 || o.idle < 1 {
		return o, errors.New("runs, duration and idle must be positive")
	}
	var err error
	o.scenarios, err = chooseScenarios(names)
	return o, err
}

func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	o, err := parse(args, stderr)
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "manifold-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	if err := raiseDescriptors(); err != nil {
		return err
	}
	servers, err := findServers(ctx, o, dir)
	if err != nil {
		return err
	}
	for _, s := range servers {
		if s.absent != nil {
			fmt.Fprintf(stderr, "%s is absent: %v\n", s.name, s.absent)
		}
	}
	b := &bench{options: o, servers: servers, dir: dir, progress: stderr, samples: map[cell][]sample{}}
	if err := b.run(ctx); err != nil {
		return err
	}
	if err := b.writeReport(stdout); err != nil {
		return err
	}
	return b.verdict()
}

// writeReport prints the tables as text and, if asked for, stores them as Markdown.
func (b *bench) writeReport(stdout io.Writer) error {
	r := b.report()
	if err := r.writeText(stdout); err != nil {
		return err
	}
	if b.options.markdown == "" {
		return nil
	}
	return os.WriteFile(b.options.markdown, []byte(r.markdown()), 0o644)
}

// verdict is an error when the tables do not show everything that was asked for.
func (b *bench) verdict() error {
	var errs []error
	for _, s := range b.servers {
		if s.absent != nil && !b.options.partial {
			errs = append(errs, fmt.Errorf("%s is absent: %w", s.name, s.absent))
		}
	}
	if n := len(b.failures); n > 0 {
		errs = append(errs, fmt.Errorf("%d runs failed, as noted above", n))
	}
	return errors.Join(errs...)
}
