package main

import (
	"fmt"
	"slices"
)

// target is what Manifold sets out to reach in one scenario.
type target struct {
	claim    string
	scenario string
	limit    float64
	atLeast  bool // the limit is a minimum, not a maximum
	of       measure
	peer     string // the number is our multiple of this server's; empty for our own number
	format   string // of the number, with its unit
	// enough, if not 0, makes the number our own in spite of a peer: it reaches the target too if it is such a multiple of
	// the peer's.
	enough float64
}

func targets(o options) []target {
	const (
		likeNATS  = "QoS 0 takes no more CPU than nats-server"
		halfOfIt  = "QoS 1 on a non-durable topic takes at most half of mosquitto's CPU"
		multiple  = "%.2f ×"
		memory    = "%.0f MB"
		oneToOne  = ", 1 publisher, 1 subscriber"
		tenToTen  = ", 10 publishers, 10 subscribers"
		oneToMany = ", 1 publisher, 100 subscribers"
	)
	const (
		punctual     = "MQTT at 1,000 messages/s has a p99 latency no worse than mosquitto's"
		halfOfRouter = "AMQP anycast takes at most half of qdrouterd's CPU"
		noLater      = "AMQP anycast at 10,000 messages/s has a p99 latency no worse than qdrouterd's"
	)
	all := []target{
		{claim: likeNATS + oneToOne, scenario: "qos0-1x1", of: serverCPU, peer: nats, limit: 1, format: multiple},
		{claim: likeNATS + tenToTen, scenario: "qos0-10x10", of: serverCPU, peer: nats, limit: 1, format: multiple},
		{claim: likeNATS + oneToMany, scenario: "qos0-1x100", of: serverCPU, peer: nats, limit: 1, format: multiple},
		{claim: halfOfIt + oneToOne, scenario: "qos1-1x1", of: serverCPU, peer: mosquitto, limit: 0.5, format: multiple},
		{claim: halfOfIt + oneToMany, scenario: "qos1-1x100", of: serverCPU, peer: mosquitto, limit: 0.5, format: multiple},
		{claim: punctual + ", QoS 0", scenario: "qos0-paced", of: mostLatency, peer: mosquitto, limit: 1, format: multiple},
		{claim: punctual + ", QoS 1", scenario: "qos1-paced", of: mostLatency, peer: mosquitto, limit: 1, format: multiple},
		{claim: "QoS 1 through a durable queue with fsync carries at least 3 × the messages/s of nats-server's QoS 1",
			scenario: "queue-consumed", of: rate, peer: nats, limit: 3, atLeast: true, format: multiple},
		{claim: "a durable queue with fsync takes at least 40,000 messages/s through one MQTT publisher with 1,000 in flight",
			scenario: "queue", of: rate, limit: 40_000, atLeast: true, format: "%.0f messages/s"},
		{claim: "an idle connection takes at most 15 kB resident",
			scenario: "idle", of: perConnection, limit: 15_000, format: "%.0f bytes"},
		{claim: "AMQP messages of 10 MiB, 4 of them under way, take at most 100 MB resident", scenario: "amqp-10m",
			of: peakMemory, limit: 100, format: memory},
		{claim: "an idle AMQP connection with two links takes at most 30 kB resident", scenario: "amqp-idle",
			of: perConnection, limit: 30_000, format: "%.0f bytes"},
	}
	for _, how := range []string{"settled-1x1", "unsettled-1x1", "settled-4x4", "unsettled-4x4"} {
		all = append(all,
			target{claim: halfOfRouter + ", " + how, scenario: "amqp-" + how, of: serverCPU, peer: qdrouterd, limit: 0.5,
				format: multiple},
			target{claim: noLater + ", " + how, scenario: "amqp-paced-" + how, of: mostLatency, peer: qdrouterd, limit: 1,
				format: multiple})
	}
	return slices.Concat(all, networkTargets(), queueTargets(o.queues), durableTargets(), stompTargets(), httpTargets(), coapTargets(), backlogTargets(o),
		fleetTargets(o), edgeTargets(o), stalledTargets())
}

// verdicts says of every target whose scenario was chosen whether it was reached, with the number.
func (b *bench) verdicts() []string {
	var lines []string
	for _, t := range targets(b.options) {
		i := slices.IndexFunc(b.options.scenarios, func(sc scenario) bool { return sc.name == t.scenario })
		if i >= 0 {
			lines = append(lines, t.claim+": "+b.verdict(t, b.options.scenarios[i]))
		}
	}
	return lines
}

// verdict judges one target. Medians that a flawed run went into are judged, but not without saying so.
func (b *bench) verdict(t target, sc scenario) string {
	value, ok := b.median(t.of, sc, ours)
	ratio, compared := b.ratio(t.of, sc, t.peer)
	if t.peer != "" && t.enough == 0 {
		value, ok = ratio, compared
	}
	if !ok {
		return "not measured"
	}
	verdict := "not reached"
	if t.reached(value) || compared && t.enough > 0 && ratio >= t.enough {
		verdict = "reached"
	}
	verdict += ", " + fmt.Sprintf(t.format, value)
	if compared && t.enough > 0 {
		verdict += fmt.Sprintf(", %.2f × %s", ratio, t.peer)
	}
	if messages, silent := b.flawed(sc, ours); messages > 0 || silent > 0 {
		verdict += ", but see the notes for what went wrong"
	}
	return verdict
}

func (t target) reached(value float64) bool {
	if t.atLeast {
		return value >= t.limit
	}
	return value <= t.limit
}
