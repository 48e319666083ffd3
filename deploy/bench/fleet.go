package main

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"time"

	"golang.org/x/sync/errgroup"
)

// What is asked of many MQTT connections.
const (
	fleetMemory = 12_000 // bytes of each when it is idle, at most
	fleetPace   = 5_000  // opened in a second, at least
)

// fleetMessages is how many messages all connections hear in the end.
const fleetMessages = 10

// portsOfAddress is how many connections come from one loopback address: so few that the kernel finds a free port at once.
const portsOfAddress = 5_000

// broadcast is what the driver says of the messages to all connections.
type broadcast struct {
	Messages uint64        `json:"messages"`
	Began    time.Time     `json:"began"`
	Heard    int           `json:"heard"`
	Elapsed  time.Duration `json:"elapsedNanos"`
	Peak     uint64        `json:"serverPeak"`
}

// fleetScenario is a storm of connections, which then do nothing, and then all hear the same.
func fleetScenario() scenario {
	return scenario{name: "connections", about: "connections that come at once, with one subscription each", apart: true,
		protocol: mqtt, servers: []string{ours, mosquitto}, place: idleTopic, kind: fleet,
		args: []string{"--settle", idleTime.String(), "--broadcast", strconv.Itoa(fleetMessages)}}
}

// spreadScenario is the same over a network of routers, each with its part of the connections and a driver of its own: where a
// process may not have as many files open.
func spreadScenario() scenario {
	return scenario{name: "connections-network", about: "connections at three routers of a network that come at once, with one subscription each", apart: true,
		protocol: mqtt, servers: []string{ours}, place: idleTopic, kind: fleet, network: aTriangle,
		args: []string{"--broadcast", strconv.Itoa(fleetMessages)}}
}

func fleetTargets(o options) []target {
	var all []target
	for _, at := range []struct{ scenario, where string }{{"connections", ""}, {"connections-network", "at three routers "}} {
		claim := fmt.Sprintf("%d MQTT connections with one subscription each %s", o.fleet, at.where)
		all = append(all,
			target{claim: claim + fmt.Sprintf("take at most %d kB resident each when idle", fleetMemory/1000), scenario: at.scenario,
				of: perConnection, limit: fleetMemory, format: "%.0f bytes"},
			target{claim: claim + fmt.Sprintf("come in at no less than %d/s", fleetPace), scenario: at.scenario,
				of: openingRate, limit: fleetPace, atLeast: true, format: "%.0f/s"})
	}
	return all
}

// How long connections are idle before memory is measured. The publisher of a network waits for the fleets of others.
const (
	idleTime      = 10 * time.Second
	publisherTime = 20 * time.Second
)

// spread has a fleet of its own connect to each router, all at once. What the first one publishes in the end all hear.
func (b *bench) spread(ctx context.Context, sc scenario, s server, routers []*process) (sample, error) {
	parts := make([]sample, len(routers))
	going, ctx := errgroup.WithContext(ctx)
	for i, p := range routers {
		part := b.part(sc, i)
		going.Go(func() (err error) {
			parts[i], err = b.drive(ctx, part, s, p)
			return err
		})
	}
	if err := going.Wait(); err != nil {
		return sample{}, err
	}
	return together(parts), nil
}

// part is what goes to router i of a network, from loopback addresses of its own.
func (b *bench) part(sc scenario, i int) scenario {
	n, all, from := len(sc.network), b.options.connections(sc), 1+i*b.options.sources(sc)
	sc.connections, sc.network = all*(i+1)/n-all*i/n, nil
	sc.args = slices.Concat(sc.args, []string{"--first-source", strconv.Itoa(from)})
	if i == 0 {
		sc.args = append(sc.args, "--settle", publisherTime.String())
	} else {
		sc.args = append(sc.args, "--settle", idleTime.String(), "--hear")
	}
	return sc
}

// together is the sample of all fleets, of which the first one has published. Memory is that of all servers; the most of each need not
// have been at the same time.
func together(parts []sample) sample {
	first := parts[0]
	all := sample{Began: first.Began, Broadcast: broadcast{Messages: first.Broadcast.Messages, Began: first.Broadcast.Began}}
	for _, p := range parts {
		if p.Began.Before(all.Began) {
			all.Began = p.Began
		}
	}
	for _, p := range parts {
		all.Connections += p.Connections
		all.Answering += p.Answering
		all.Before += p.Before
		all.After += p.After
		all.Opening = max(all.Opening, p.Began.Add(p.Opening).Sub(all.Began))
		heard := p.Broadcast.Began.Add(p.Broadcast.Elapsed)
		all.Broadcast.Elapsed = max(all.Broadcast.Elapsed, heard.Sub(all.Broadcast.Began))
		all.Broadcast.Heard += p.Broadcast.Heard
		all.Broadcast.Peak += p.Broadcast.Peak
	}
	return all
}

func openingRate(_ scenario, s sample) float64 { return float64(s.Connections) / s.Opening.Seconds() }

func deliveryRate(_ scenario, s sample) float64 {
	return float64(s.Broadcast.Messages) * float64(s.Broadcast.Heard) / s.Broadcast.Elapsed.Seconds()
}

func broadcastMemory(_ scenario, s sample) float64 { return megabytes(s.Broadcast.Peak) }

// fleetNote says how the figures of a fleet come about.
func (b *bench) fleetNote(sc scenario) string {
	if sc.protocol == coap {
		return fmt.Sprintf("%s: %d endpoints, with %d loopback addresses on each socket, observe one topic. Idle is 10 s later. "+
			"Then another one sends %d messages of %d bytes one by one, not confirmable, of which all get notifications.",
			sc.name, b.options.connections(sc), b.options.sources(sc), fleetMessages, coapSize)
	}
	if sc.network != nil {
		return fmt.Sprintf("%s: a third of %d connections to each of three routers that are connected to each other, by a driver of its "+
			"own, at once; opened is from the first connect to the last SUBACK anywhere, the drivers being on the same cores. Then one more "+
			"connection publishes %d messages of %d bytes, which all hear, wherever they are; memory is that of the three together.",
			sc.name, b.options.connections(sc), fleetMessages, smallSize)
	}
	return fmt.Sprintf("%s: %d connections from %d loopback addresses, 64 of them under way at a time; opened is from the "+
		"first connect to the last SUBACK, the driver being on the same cores. Idle is 10 s later. Then one more connection "+
		"publishes %d messages of %d bytes at once, which all of them hear; the most resident is VmHWM from then on.",
		sc.name, b.options.connections(sc), b.options.sources(sc), fleetMessages, smallSize)
}

// sources is how many loopback addresses the connections come from.
func (o options) sources(sc scenario) int {
	return (o.connections(sc) + portsOfAddress - 1) / portsOfAddress
}

// otherFiles is how many open files a server has besides the connections of clients.
const otherFiles = 200

// files is how many open files a server needs for the chosen scenarios.
func (o options) files() int {
	need := 0
	for _, sc := range o.scenarios {
		switch {
		case sc.kind == fleet && sc.protocol == coap: // the endpoints of several addresses share a socket
			need = max(need, o.connections(sc)/o.sources(sc)+otherFiles)
		case sc.kind == fleet && sc.network != nil:
			need = max(need, o.connections(sc)/len(sc.network)+otherFiles)
		case sc.kind == idle || sc.kind == fleet:
			need = max(need, o.connections(sc)+otherFiles)
		}
	}
	return need
}

// unheard is how many connections did not hear the broadcast, if there was one.
func (s sample) unheard() uint64 {
	if s.Broadcast.Messages == 0 {
		return 0
	}
	return uint64(s.Connections - s.Broadcast.Heard)
}

func describeFleet(sc scenario, s sample) string {
	return fmt.Sprintf("%.0f connections/s, %.0f bytes each, %d of %d answer and %d hear, %.0f deliveries/s, at most %.0f MB",
		openingRate(sc, s), s.perConnection(), s.Answering, s.Connections, s.Broadcast.Heard, deliveryRate(sc, s),
		broadcastMemory(sc, s))
}
