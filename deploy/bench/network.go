package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

// shape is a network of routers: the connections that each of them makes. Clients send at the first and receive at the last.
type shape [][]hop

// hop is a connection to a router that is there already.
type hop struct{ to, cost int }

var (
	inARow    = shape{nil, {{0, 1}}, {{1, 1}}}                   // 0 - 1 - 2
	aTriangle = shape{nil, {{0, 1}}, {{0, 1}, {1, 1}}}           // each with both others
	twoWays   = shape{nil, {{0, 1}}, {{0, 5}}, {{1, 1}, {2, 5}}} // 0 - 1 - 3, and 0 - 2 - 3 at a higher cost
)

// dies is the router that is killed where there are two ways.
const dies = 1

// routerPlan is what a router of a network has to be told.
type routerPlan struct {
	id            string
	clients       int // ports; this one is of AMQP
	mqtt          int
	routers       int
	neighbors     []string // host:port
	neighborCosts []int
}

// networkScenarios have messages cross two connections between routers.
func networkScenarios() []scenario {
	var all []scenario
	add := func(s scenario) {
		s.protocol, s.servers, s.place, s.size, s.count = amqp, []string{ours, qdrouterd}, anycastAddress, smallSize, delivered
		all = append(all, s)
	}
	for _, mode := range []struct {
		name string
		args []string
	}{{"settled", []string{"--settled"}}, {"unsettled", nil}} {
		const about = "anycast over three routers in a row, "
		add(scenario{name: "hops-" + mode.name, about: about + mode.name, network: inARow, args: mode.args})
		add(scenario{name: "hops-paced-" + mode.name, kind: paced, network: inARow,
			about: fmt.Sprintf("%s%s, %d messages/s", about, mode.name, amqpRate),
			args:  slices.Concat(mode.args, []string{"--latency", "--rate", strconv.Itoa(amqpRate)})})
	}
	add(scenario{name: "hops-healing", about: "a router is killed, with another way around it", kind: healing, network: twoWays,
		args: []string{"--latency", "--rate", "1000"}, duration: 15 * time.Second})
	return all
}

func networkTargets() []target {
	var all []target
	for _, mode := range []string{"settled", "unsettled"} {
		all = append(all,
			target{claim: "AMQP anycast over two hops takes at most 0.6 × qdrouterd's CPU, all routers together, " + mode,
				scenario: "hops-" + mode, of: serverCPU, peer: qdrouterd, limit: 0.6, format: "%.2f ×"},
			target{claim: "AMQP anycast over two hops at 10,000 messages/s has a p99 latency no worse than qdrouterd's, " + mode,
				scenario: "hops-paced-" + mode, of: mostLatency, peer: qdrouterd, limit: 1, format: "%.2f ×"})
	}
	return append(all, target{claim: "when a router is killed, messages take another way no later than in a network of qdrouterd",
		scenario: "hops-healing", of: healTime, peer: qdrouterd, limit: 1, format: "%.2f ×"})
}

// healTime is how many milliseconds nothing got through.
func healTime(_ scenario, s sample) float64 { return float64(s.Healed) / float64(time.Millisecond) }

// measureNetwork does one run on fresh routers.
func (b *bench) measureNetwork(ctx context.Context, sc scenario, s server, dir string) (got sample, err error) {
	routers, err := startNetwork(ctx, s, dir, sc.network)
	defer func() {
		for _, p := range routers {
			p.stop()
		}
	}()
	if err != nil {
		return got, err
	}
	first, last := routers[0], routers[len(routers)-1]
	if err := b.settle(ctx); err != nil {
		return got, err
	}
	if sc.kind == fleet {
		return b.spread(ctx, sc, s, routers)
	}
	first.flags = []string{"--receive-from", last.doors[amqp], "--patience", "30s"}
	if sc.kind == healing {
		return b.heal(ctx, sc, s, first, routers[dies])
	}
	for _, p := range routers[1:] {
		first.flags = append(first.flags, "--also-pid", strconv.Itoa(p.cmd.Process.Pid))
	}
	return b.drive(ctx, sc, s, first)
}

// startNetwork starts routers in their order. With an error it gives those that run.
func startNetwork(ctx context.Context, s server, dir string, network shape) (running []*process, err error) {
	if s.router == nil {
		return nil, errors.New("it is no router")
	}
	plans := make([]routerPlan, len(network))
	for i, hops := range network {
		r := routerPlan{id: fmt.Sprint("R", i)}
		for _, port := range []*int{&r.clients, &r.mqtt, &r.routers} {
			if *port, err = freePort(); err != nil {
				return running, err
			}
		}
		for _, h := range hops {
			r.neighbors, r.neighborCosts = append(r.neighbors, loopback(plans[h.to].routers)), append(r.neighborCosts, h.cost)
		}
		plans[i] = r
		home := filepath.Join(dir, r.id)
		if err := os.Mkdir(home, 0o700); err != nil {
			return running, err
		}
		how, err := s.router(home, r)
		if err != nil {
			return running, err
		}
		p, err := launch(ctx, s, how)
		if err != nil {
			return running, err
		}
		running = append(running, p)
	}
	return running, nil
}

// heal kills a router on the way of messages that are sent at a rate. The latency of the one that waited longest, counted from
// when it was due, is the time in which nothing got through. What was at the router when it died is lost or comes back,
// with any server.
func (b *bench) heal(ctx context.Context, sc scenario, s server, first, between *process) (sample, error) {
	killing := time.AfterFunc(b.warmUp(sc)+b.duration(sc)/3, between.kill)
	defer killing.Stop()
	got, err := b.drive(ctx, sc, s, first)
	if err == nil && got.Delivered == 0 {
		err = errors.New("messages do not get through")
	}
	return sample{Healed: got.Latency.Max}, err
}

// settle gives the routers time to find each other. Those of Qpid Dispatch say hello once a second.
func (b *bench) settle(ctx context.Context) error {
	select {
	case <-time.After(10 * time.Second):
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// configureRouter is for a router of ours.
func configureRouter(dir string, r routerPlan) (plan, error) {
	var connectors []string
	for i, at := range r.neighbors {
		connectors = append(connectors, fmt.Sprintf("{name: c%d, role: inter-router, cost: %d, hosts: [%q]}", i, r.neighborCosts[i], at))
	}
	file := filepath.Join(dir, "manifold.yaml")
	p := plan{
		args:  []string{"run", "-c", file, "--data", filepath.Join(dir, "data")},
		doors: map[protocol]string{amqp: loopback(r.clients), mqtt: loopback(r.mqtt)},
	}
	return p, os.WriteFile(file, fmt.Appendf(nil, `anonymous: true
mqtt: {port: %d, webSocket: {port: 0}}
stomp: {port: 0}
coap: {port: 0}
http: {port: 0}
admin: {port: 0}
amqp: {port: %d}
network:
  router: {id: %s, port: %d, anonymous: true}
  connectors: [%s]
addresses:
  - {name: %s, kind: anycast}
  - {name: %s, kind: broadcast}
`, r.mqtt, r.clients, r.id, r.routers, strings.Join(connectors, ", "), anycastAddress, idleTopic), 0o600)
}

// configureDispatchRouter is for a router of Qpid Dispatch.
func configureDispatchRouter(dir string, r routerPlan) (plan, error) {
	var c strings.Builder
	fmt.Fprintf(&c, "router {\n    mode: interior\n    id: %s\n}\n", r.id)
	for port, role := range map[int]string{r.clients: "normal", r.routers: "inter-router"} {
		fmt.Fprintf(&c, "listener {\n    host: 127.0.0.1\n    port: %d\n    role: %s\n    authenticatePeer: no\n    "+
			"saslMechanisms: ANONYMOUS\n    linkCapacity: %d\n}\n", port, role, qdrouterdCapacity)
	}
	for i, at := range r.neighbors {
		_, port, _ := strings.Cut(at, ":")
		fmt.Fprintf(&c, "connector {\n    name: c%d\n    host: 127.0.0.1\n    port: %s\n    role: inter-router\n    cost: %d\n    "+
			"saslMechanisms: ANONYMOUS\n    linkCapacity: %d\n}\n", i, port, r.neighborCosts[i], qdrouterdCapacity)
	}
	fmt.Fprintf(&c, "address {\n    prefix: %s\n    distribution: balanced\n}\n", anycastAddress)
	c.WriteString("log {\n    module: DEFAULT\n    enable: error+\n    outputFile: stderr\n}\n")
	file := filepath.Join(dir, "qdrouterd.conf")
	p := plan{args: []string{"-c", file}, doors: map[protocol]string{amqp: loopback(r.clients)}}
	return p, os.WriteFile(file, []byte(c.String()), 0o600)
}
