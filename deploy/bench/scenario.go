package main

import (
	"fmt"
	"slices"
	"strings"
)

// The servers, by the names that stand above their columns.
const (
	ours      = "manifold"
	mosquitto = "mosquitto"
	nats      = "nats-server"
)

// scenario is one kind of load.
type scenario struct {
	name    string
	about   string
	servers []string // who takes part; the others have nothing comparable
	args    []string // for `manifold bench mqtt`
	count   counter  // what rates and costs are per
	kind    kind
}

// kind is what a scenario measures.
type kind int

const (
	traffic kind = iota // messages and what they cost
	idle                // memory of connections without traffic
	queues              // time and memory of many queues, across a restart
)

// counter picks the number that counts in a scenario.
type counter func(sample) uint64

func delivered(s sample) uint64    { return s.Delivered }
func acknowledged(s sample) uint64 { return s.Acknowledged }

// scenarios lists all there are, in the order in which they run.
func scenarios() []scenario {
	everybody, brokers := []string{ours, mosquitto, nats}, []string{ours, mosquitto}
	pair := []string{"--layout", "pairs", "--topic", loadTopic}
	fan := []string{"--layout", "fanout", "--topic", loadTopic, "--subscribers", "100"}
	queue := []string{"--layout", "mesh", "--topic", queueTopic, "--qos", "1", "--window", "1000"}
	qos1 := []string{"--qos", "1"}
	return []scenario{
		{name: "qos0-1x1", about: "QoS 0, 1 publisher, 1 subscriber", servers: everybody, args: pair, count: delivered},
		{name: "qos0-1x100", about: "QoS 0, 1 publisher, 100 subscribers", servers: everybody, args: fan, count: delivered},
		{name: "qos1-1x1", about: "QoS 1, 1 publisher, 1 subscriber, not durable", servers: brokers,
			args: slices.Concat(pair, qos1), count: delivered},
		{name: "qos1-1x100", about: "QoS 1, 1 publisher, 100 subscribers, not durable", servers: brokers,
			args: slices.Concat(fan, qos1), count: delivered},
		{name: "queue", about: "durable queue with fsync, 1 publisher, nobody consumes", servers: []string{ours},
			args: slices.Concat(queue, []string{"--subscribers", "0"}), count: acknowledged},
		{name: "queue-consumed", about: "durable queue with fsync, 1 publisher, 1 QoS 1 consumer", servers: []string{ours},
			args: slices.Concat(queue, []string{"--subscribers", "1"}), count: acknowledged},
		{name: "idle", about: "idle connections with one subscription each", servers: brokers,
			args: []string{"idle", "--topic", idleTopic}, kind: idle},
		{name: "queues", about: "many queues with one message each", servers: []string{ours},
			args: []string{"--layout", "mesh", "--topic", manyTopic, "--subscribers", "0", "--qos", "1", "--window", "1000"},
			kind: queues},
	}
}

func (s scenario) takes(server string) bool { return slices.Contains(s.servers, server) }

func scenarioNames() []string {
	var names []string
	for _, s := range scenarios() {
		names = append(names, s.name)
	}
	return names
}

// chooseScenarios turns "all" or a list of names into scenarios.
func chooseScenarios(names string) ([]scenario, error) {
	all := scenarios()
	if names == "all" {
		return all, nil
	}
	var chosen []scenario
	for name := range strings.SplitSeq(names, ",") {
		i := slices.IndexFunc(all, func(s scenario) bool { return s.name == name })
		if i < 0 {
			return nil, fmt.Errorf("scenario %q is none of %s", name, strings.Join(scenarioNames(), ", "))
		}
		chosen = append(chosen, all[i])
	}
	return chosen, nil
}
