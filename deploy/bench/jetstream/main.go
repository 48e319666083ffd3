// Command jetstream puts load on a stream of nats-server through NATS's own client, for the comparison in deploy/bench.
//
// It takes the flags of `manifold bench amqp` that the comparison uses and prints the same JSON, so that only the name of
// the program changes from server to server. It is a module of its own: Manifold does not depend on NATS.
//
// What it sets up is a queue as far as JetStream has one: a stream in files whose messages go when they are acknowledged,
// and one durable consumer that all receivers pull from. Senders wait for the stream's acknowledgement, with a bounded
// number of messages under way, and are never further ahead of the receivers than --outstanding.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"time"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, os.Args[1:]); err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "jetstream:", err)
		stop()
		os.Exit(1)
	}
}

// config is what the command line says.
type config struct {
	server             string // host:port
	address            string // the subject, and the stream's name
	senders, receivers int
	size               int     // of a payload, in bytes
	window             int     // unacknowledged messages of a sender
	outstanding        int     // messages that a sender is ahead of the receivers
	rate               float64 // messages per second of a sender; 0 is as fast as it goes
	warmUp, duration   time.Duration
	latency            bool
	serverPID          int
}

func parse(args []string) (c config, err error) {
	f := flag.NewFlagSet("jetstream", flag.ContinueOnError)
	f.StringVar(&c.server, "server", "127.0.0.1:4222", "host:port of the server")
	f.StringVar(&c.address, "address", "bench", "subject and stream")
	f.IntVar(&c.senders, "senders", 1, "number of senders, each with a connection")
	f.IntVar(&c.receivers, "receivers", 1, "number of receivers, each with a connection; 0 counts acknowledged messages")
	f.IntVar(&c.size, "size", 256, "payload in bytes")
	f.IntVar(&c.window, "window", 1000, "unacknowledged messages per sender")
	f.IntVar(&c.outstanding, "outstanding", 1000, "messages a sender may be ahead of the receivers")
	f.Float64Var(&c.rate, "rate", 0, "messages per second per sender; 0 is unlimited")
	f.DurationVar(&c.warmUp, "warm-up", time.Second, "time before measuring")
	f.DurationVar(&c.duration, "duration", 10*time.Second, "time of measuring")
	f.BoolVar(&c.latency, "latency", false, "measure latency")
	f.IntVar(&c.serverPID, "server-pid", 0, "local process whose CPU time and memory are measured as well")
	f.Bool("durable", true, "has no effect: the stream is in files")
	f.Bool("json", true, "has no effect: the result is JSON")
	if err := f.Parse(args); err != nil {
		return c, err
	}
	if c.senders < 1 || c.receivers < 0 || c.size < stampSize || c.window < 1 || c.outstanding < 1 || c.duration <= 0 {
		return c, fmt.Errorf("senders, window, outstanding and duration must be positive, and size at least %d", stampSize)
	}
	return c, nil
}

// result has the names that `manifold bench amqp --json` uses.
type result struct {
	Elapsed        time.Duration `json:"elapsedNanos"`
	Published      uint64        `json:"published"`
	Acknowledged   uint64        `json:"acknowledged"`
	Delivered      uint64        `json:"delivered"`
	DriverCPU      time.Duration `json:"driverCPUNanos"`
	ServerCPU      time.Duration `json:"serverCPUNanos"`
	ServerPeak     uint64        `json:"serverPeak"`
	Latency        *latency      `json:"latency,omitempty"`
	Confirmation   *latency      `json:"confirmation,omitempty"`
	Lost           uint64        `json:"lost"`
	Duplicated     uint64        `json:"duplicated"`
	Unacknowledged uint64        `json:"unacknowledged"`
	Refused        uint64        `json:"refused"`
}

// latency counts from when a message was due.
type latency struct {
	Count int           `json:"count"`
	P50   time.Duration `json:"p50Nanos"`
	P99   time.Duration `json:"p99Nanos"`
	Max   time.Duration `json:"maxNanos"`
}

// newLatency sorts the times; it is nil without any.
func newLatency(times []time.Duration) *latency {
	n := len(times)
	if n == 0 {
		return nil
	}
	slices.Sort(times)
	return &latency{Count: n, P50: times[n/2], P99: times[n*99/100], Max: times[n-1]}
}

func run(ctx context.Context, args []string) error {
	c, err := parse(args)
	if err != nil {
		return err
	}
	t, err := connect(ctx, c)
	if err != nil {
		return err
	}
	defer t.close()
	result, err := t.measure(ctx)
	if err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(result)
}
