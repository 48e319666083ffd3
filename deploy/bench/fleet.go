package main

import (
	"fmt"
	"strconv"
	"time"
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
	Heard    int           `json:"heard"`
	Elapsed  time.Duration `json:"elapsedNanos"`
	Peak     uint64        `json:"serverPeak"`
}

// fleetScenario is a storm of connections, which then do nothing, and then all hear the same.
func fleetScenario() scenario {
	return scenario{name: "connections", about: "connections that come at once, with one subscription each", apart: true,
		protocol: mqtt, servers: []string{ours, mosquitto}, place: idleTopic, kind: fleet,
		args: []string{"--settle", "10s", "--broadcast", strconv.Itoa(fleetMessages)}}
}

func fleetTargets(o options) []target {
	claim := fmt.Sprintf("%d MQTT connections with one subscription each ", o.fleet)
	return []target{
		{claim: claim + fmt.Sprintf("take at most %d kB resident each when idle", fleetMemory/1000), scenario: "connections",
			of: perConnection, limit: fleetMemory, format: "%.0f bytes"},
		{claim: claim + fmt.Sprintf("come in at no less than %d/s", fleetPace), scenario: "connections",
			of: openingRate, limit: fleetPace, atLeast: true, format: "%.0f/s"},
	}
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
