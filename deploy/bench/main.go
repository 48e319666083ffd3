// Command bench measures Manifold side by side with other servers on this machine: over MQTT with mosquitto and
// nats-server, over AMQP 1.0 with the router Qpid Dispatch and the brokers RabbitMQ and Artemis, over STOMP with
// RabbitMQ and ActiveMQ, over HTTP with a bare handler of Go's, and over CoAP with libcoap's server. Its durable queue stands beside theirs and beside a stream of nats-server's JetStream.
//
// It starts each server on free loopback ports with a temporary directory, and drives it with `manifold bench mqtt`,
// `manifold bench amqp` or `manifold bench stomp`, load drivers that work close to the wire and cost less than the servers;
// JetStream has a driver around its own client, and requests over HTTP/2 come from nghttp2's h2load. The driver is a process of its own, so that its garbage collector and
// descriptors are nobody else's. Two scenarios start Manifold alone: queues, many declared ones and how long they take to come back after a kill,
// and backlog, one queue that is filled with millions of messages and drained. More run only by their names: connections,
// 50,000 of them over MQTT that come at once, connections-network, as many at three routers, stalled-qos0 and stalled-qos1, latency beside subscribers that do not read, and
// edge-clients, what 20,000 clients of an edge router cost the router that it is connected to.
// The scenarios hops start three or four routers in a row, and measure all of them together.
//
// To repeat it, on Linux (CPU time and memory of a process are read in /proc) and with nothing else running:
//
//	sudo apt-get install mosquitto rabbitmq-server activemq nghttp2-client libcoap3-bin libaio1 default-jre-headless   # their services may stay stopped
//	go install github.com/nats-io/nats-server/v2@latest
//	export NATS_SERVER="$(go env GOPATH)/bin/nats-server"
//	export QDROUTERD=/path/to/qdrouterd              # Qpid Dispatch 1.19.0, a release build
//	export ARTEMIS_HOME=/path/to/apache-artemis-2.40.0   # unpacked from org.apache.activemq:apache-artemis:2.40.0:tar.gz:bin
//	go run ./deploy/bench -markdown bench.md
//
// from the root of the repository; make bench-peers is the same without -markdown. NATS_SERVER, QDROUTERD and
// RABBITMQ_SERVER name binaries that are not in PATH, or scripts that become them; a server that is missing where a
// scenario asks for it is left out and an error at the end, unless -partial is given. The node of RabbitMQ has a home and an
// epmd of its own and does not meet one that is installed. ActiveMQ is Debian's, or with ACTIVEMQ_HOME an unpacked archive.
//
// TMPDIR chooses the disk that the servers write to: with a file system in memory the durable queues show nothing.
// -scenarios amqp, mqtt, stomp, http or coap runs those of one protocol, and durable those of durable queues over AMQP; with
// -scenarios queue,queues -runs 1 -duration 2s a change is tried in a minute; -help lists what else there is. The figures of
// the durable queues depend on how fast the disk syncs, all others on the CPU: compare servers within one report, not between
// machines. The driver takes CPU from the server on a machine with few cores.
//
// The report ends with a verdict on every target of Manifold. -markdown FILE writes it as a section for
// docs/performance.md, with the machine, the versions and the command.
//
// Its promises: the servers take turns (A B C A B C ...), so that a slow minute of the machine meets all of them;
// every run has a fresh server; what is printed is the median; everything is bounded in time; no child outlives it.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
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
	idle      int // MQTT connections
	idleAMQP  int
	fleet     int // connections of the scenario connections
	queues    int
	backlog   int  // messages of the scenario backlog
	kill      bool // the server while they wait
	crowd     int  // clients of the scenario edge-clients, if so many files may be open
	addresses int  // in use there at first
	partial   bool
	manifold  string // a binary to use instead of building one
	markdown  string // a file for the report in Markdown
	command   string // how to measure the same again
}

func parse(args []string, stderr io.Writer) (options, error) {
	var o options
	var names string
	f := flag.NewFlagSet("bench", flag.ContinueOnError)
	f.SetOutput(stderr)
	f.StringVar(&names, "scenarios", "all", "comma-separated: all, mqtt, amqp, stomp, http, coap, durable, "+strings.Join(scenarioNames(), ", "))
	f.IntVar(&o.runs, "runs", 5, "runs of each scenario and server; the median is printed")
	f.DurationVar(&o.duration, "duration", 5*time.Second, "measured time of a run")
	f.DurationVar(&o.warmUp, "warm-up", time.Second, "traffic before measuring")
	f.IntVar(&o.idle, "idle", 10000, "connections of the scenario idle")
	f.IntVar(&o.idleAMQP, "idle-amqp", 5000, "connections of the scenario amqp-idle")
	f.IntVar(&o.fleet, "connections", 50000, "connections of the scenario connections")
	f.IntVar(&o.queues, "queues", 50000, "queues of the scenario queues")
	f.IntVar(&o.backlog, "backlog", 10_000_000, "messages of the scenario backlog")
	f.BoolVar(&o.kill, "backlog-kill", false, "kill the server while all of them wait, and time its start")
	f.IntVar(&o.crowd, "edge-clients", 20000, "clients of the scenario edge-clients; fewer if not so many files may be open")
	f.IntVar(&o.addresses, "edge-addresses", 100, "addresses that they use at first")
	f.BoolVar(&o.partial, "partial", false, "succeed although a server is absent")
	f.StringVar(&o.manifold, "manifold", "", "`path` of a manifold binary; built from ./cmd/manifold when empty")
	f.StringVar(&o.markdown, "markdown", "", "`file` to write the report to, as a section in Markdown")
	if err := f.Parse(args); err != nil {
		return o, err
	}
	if f.NArg() > 0 {
		return o, fmt.Errorf("unknown argument %q", f.Arg(0))
	}
	if o.runs < 1 || o.duration <= 0 || o.warmUp < 0 || min(o.idle, o.idleAMQP, o.fleet, o.queues, o.backlog, o.crowd, o.addresses) < 1 {
		return o, errors.New("runs, duration, idle, idle-amqp, connections, queues, backlog, edge-clients and edge-addresses must be positive, " +
			"and warm-up not negative")
	}
	o.command = commandLine(f)
	var err error
	o.scenarios, err = chooseScenarios(names)
	return o, err
}

// turns is how often a scenario runs. A backlog, or a sustained load, is long enough that nothing is gained by more.
func (o options) turns(sc scenario) int {
	if sc.kind == backlog || sc.kind == sustained {
		return 1
	}
	return o.runs
}

// connections is how many an idle scenario opens.
func (o options) connections(sc scenario) int {
	switch {
	case sc.connections > 0:
		return sc.connections
	case sc.kind == fleet:
		return o.fleet
	case sc.protocol == amqp:
		return o.idleAMQP
	}
	return o.idle
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
	if err := raiseDescriptors(o.files()); err != nil {
		return err
	}
	servers, err := findServers(ctx, o, dir)
	if err != nil {
		return err
	}
	b := &bench{options: o, servers: servers, dir: dir, progress: stderr, samples: map[cell][]sample{}}
	b.servers = slices.DeleteFunc(servers, func(s server) bool { return s.name != ours && !o.needs(s.name) })
	for _, s := range b.servers {
		if s.absent != nil {
			fmt.Fprintf(stderr, "%s is absent: %v\n", s.name, s.absent)
		}
	}
	b.facts = gatherFacts(ctx, o.command, dir, b.servers)
	if err := b.run(ctx); err != nil {
		return err
	}
	if err := b.writeReport(stdout); err != nil {
		return err
	}
	return b.complete()
}

// writeReport prints the report as text and, if asked for, stores it as Markdown.
func (b *bench) writeReport(stdout io.Writer) error {
	r := b.report()
	if err := r.writeText(stdout); err != nil {
		return err
	}
	if b.options.markdown == "" {
		return nil
	}
	return os.WriteFile(b.options.markdown, []byte(r.markdown("Manifold beside other servers")), 0o644)
}

// needs tells whether a server takes part in any of the scenarios.
func (o options) needs(server string) bool {
	return slices.ContainsFunc(o.scenarios, func(sc scenario) bool { return sc.takes(server) })
}

// complete is an error when the tables do not show everything that was asked for.
func (b *bench) complete() error {
	var errs []error
	for _, s := range b.servers {
		if s.absent != nil && !b.options.partial && b.options.needs(s.name) {
			errs = append(errs, fmt.Errorf("%s is absent: %w", s.name, s.absent))
		}
	}
	if n := len(b.failures); n > 0 {
		errs = append(errs, fmt.Errorf("%d runs failed, as noted above", n))
	}
	return errors.Join(errs...)
}
