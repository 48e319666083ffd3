package main

import (
	"fmt"
	"slices"
)

// stompScenarios compare brokers that legacy clients speak STOMP to: a durable queue whose senders wait for receipts, and
// messages that are not stored.
func stompScenarios() []scenario {
	confirmed, plain := []string{"--durable"}, []string{"--unconfirmed", "--auto"}
	all := []scenario{
		{name: "stomp-queue-1x1", about: "durable queue with receipts, 1 sender, 1 receiver", place: queueTopic,
			args: slices.Concat(senders(1), confirmed)},
		{name: "stomp-queue-4x4", about: "durable queue with receipts, 4 senders, 4 receivers", place: queueTopic,
			args: slices.Concat(senders(4), confirmed)},
		{name: "stomp-4x4", about: "not stored, without receipts, 4 senders, 4 receivers", place: anycastAddress,
			args: slices.Concat(senders(4), plain)},
	}
	for i := range all {
		s := &all[i]
		s.protocol, s.size, s.count, s.warmUp = stomp, smallSize, delivered, compiling
		s.servers = []string{ours, rabbitmq, activemq}
	}
	return all
}

// senders are as many as there are receivers.
func senders(n int) []string {
	return []string{"--senders", fmt.Sprint(n), "--receivers", fmt.Sprint(n)}
}

// stompTargets are what Manifold sets out to reach beside the brokers of Debian.
func stompTargets() []target {
	const multiple = "%.2f ×"
	var all []target
	for _, shape := range []string{"1x1", "4x4"} {
		all = append(all, target{claim: "a durable STOMP queue with receipts carries at least 4 × the messages/s of rabbitmq, " +
			shape, scenario: "stomp-queue-" + shape, of: rate, peer: rabbitmq, limit: 4, atLeast: true, format: multiple})
	}
	return append(all, target{claim: "STOMP that is not stored takes at most 0.3 × activemq's CPU, 4x4",
		scenario: "stomp-4x4", of: serverCPU, peer: activemq, limit: 0.3, format: multiple})
}
