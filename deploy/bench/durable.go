package main

import (
	"fmt"
	"slices"
	"time"
)

// durableGroup names the scenarios of this file together: messages that survive, into a durable queue and out of it.
const durableGroup = "durable"

// Traffic of the durable queues.
const (
	confirmedRate = 5_000 // messages per second where the time to the answer is measured
	manySenders   = 64    // that wait for each answer before they send the next message

	// compiling is how long a virtual machine that compiles as it runs gets before it is measured.
	compiling = 5 * time.Second
)

// durableScenarios compare queues that have a message on disk before its sender hears that it is accepted.
func durableScenarios() []scenario {
	all := []scenario{
		{name: "amqp-queue", about: "durable queue, 1 sender, nobody consumes", args: parties(1, 0), count: acknowledged},
		{name: "amqp-durable-1x1", about: "durable queue, 1 sender, 1 receiver", args: parties(1, 1)},
		{name: "amqp-durable-4x4", about: "durable queue, 4 senders, 4 receivers", args: parties(4, 4)},
		{name: "amqp-durable-64x1", about: fmt.Sprintf("durable queue, %d senders with 1 message in flight each, 1 receiver",
			manySenders), args: append(parties(manySenders, 1), "--window", "1")},
		{name: "amqp-durable-paced", about: fmt.Sprintf("durable queue, 1 sender, 1 receiver, %d messages/s", confirmedRate),
			args: append(parties(1, 1), "--latency", "--rate", fmt.Sprint(confirmedRate)), kind: confirmed},
	}
	for i := range all {
		s := &all[i]
		s.protocol, s.place, s.size, s.warmUp = amqp, queueTopic, smallSize, compiling
		s.servers = append([]string{ours}, durablePeers()...)
		if s.count == nil {
			s.count = delivered
		}
	}
	return all
}

func parties(senders, receivers int) []string {
	return []string{"--durable", "--senders", fmt.Sprint(senders), "--receivers", fmt.Sprint(receivers)}
}

// isDurable tells whether messages survive.
func (s scenario) isDurable() bool { return slices.Contains(s.args, "--durable") }

func (s scenario) inDurableGroup() bool { return s.protocol == amqp && s.isDurable() }

func durablePeers() []string { return []string{rabbitmq, quorum, artemis, jetstream} }

// durableTargets are what Manifold sets out to reach beside brokers that sync before they answer, and beside JetStream,
// which answers first.
func durableTargets() []target {
	const multiple = "%.2f ×"
	var all []target
	for _, shape := range []string{"1x1", "4x4"} {
		for _, peer := range durablePeers() {
			limit := 3.0
			if peer == jetstream {
				limit = 1.2
			}
			all = append(all, target{
				claim:    fmt.Sprintf("a durable queue carries at least %g × the messages/s of %s, %s", limit, peer, shape),
				scenario: "amqp-durable-" + shape, of: rate, peer: peer, limit: limit, atLeast: true, format: multiple})
		}
	}
	for _, peer := range []string{rabbitmq, quorum, artemis} {
		all = append(all,
			target{claim: fmt.Sprintf("a durable queue carries at least 2 × the messages/s of %s from %d senders with one in flight",
				peer, manySenders), scenario: "amqp-durable-64x1", of: rate, peer: peer, limit: 2, atLeast: true, format: multiple},
			target{claim: fmt.Sprintf("a durable queue accepts %d messages/s with a p99 no later than that of %s", confirmedRate,
				peer), scenario: "amqp-durable-paced", of: mostConfirmation, peer: peer, limit: 1, format: multiple})
	}
	return all
}
