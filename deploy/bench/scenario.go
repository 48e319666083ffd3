package main

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// The servers, by the names that stand above their columns.
const (
	ours      = "manifold"
	mosquitto = "mosquitto"
	nats      = "nats-server"
	qdrouterd = "qdrouterd"
	rabbitmq  = "rabbitmq"
	quorum    = "rabbitmq-quorum" // the same, its durable queue being a quorum queue and not a classic one
	artemis   = "artemis"
	jetstream = "jetstream" // nats-server again, through its own protocol
	activemq  = "activemq"  // ActiveMQ Classic
	libcoap   = "libcoap"   // its coap-server

	bareServer = "bare handler"       // on Go's own HTTP server
	overMQTT   = "manifold over MQTT" // ours again, where others speak HTTP
)

// protocol is what a scenario speaks.
type protocol string

const (
	mqtt  protocol = "mqtt"
	amqp  protocol = "amqp"
	stomp protocol = "stomp"
	web   protocol = "http"

	coap protocol = "coap"

	webSecure  protocol = "https" // of a door only: web over TLS
	coapSecure protocol = "coaps" // likewise: coap over DTLS
)

// title is the protocol's name as people write it.
func (p protocol) title() string {
	if p == coap {
		return "CoAP"
	}
	return strings.ToUpper(string(p))
}

// scenario is one kind of load.
type scenario struct {
	name     string
	about    string
	protocol protocol
	servers  []string // who takes part; the others have nothing comparable
	place    string   // the topic, address or destination that the driver uses, or the prefix of them
	args     []string // for `manifold bench`
	size     int      // of a payload, in bytes
	count    counter  // what rates and costs are per
	kind     kind
	warmUp   time.Duration // traffic before measuring, at least
	apart    bool          // it runs only when its name is given

	connections int           // of an idle fleet; 0 where an option says
	duration    time.Duration // measured; 0 where an option says
	door        protocol      // where a server is spoken to; empty for that of protocol

	network shape // of routers, with a sender at the first and a receiver at the last; nil for one server

	subscribers int      // whom a fan-out reaches; 0 where args say who takes part
	posting     *posting // requests of another driver than `manifold bench`; nil for that
}

// kind is what a scenario measures.
type kind int

const (
	traffic   kind = iota // messages as fast as they go, and what they cost
	paced                 // latency at a rate that everybody can keep up with
	confirmed             // likewise, and the time until senders are told that their messages are safe
	large                 // messages of many frames, and the memory that they take
	idle                  // memory of connections without traffic
	queues                // time and memory of many queues, across a restart
	backlog               // memory, disk and pace of a queue that has been filled
	fleet                 // pace and memory of many connections, and of a message to all of them
	sustained             // requests for so long that what piles up shows
	healing               // how long messages do not get through when a router has died
	stalled               // latency and memory beside subscribers that do not read
	edged                 // what clients of an edge router cost the router that it is connected to
)

// counter picks the number that counts in a scenario.
type counter func(sample) uint64

func delivered(s sample) uint64    { return s.Delivered }
func acknowledged(s sample) uint64 { return s.Acknowledged }

// scenarios lists all there are, in the order in which they run.
func scenarios() []scenario {
	return slices.Concat(mqttScenarios(), amqpScenarios(), networkScenarios(), durableScenarios(), stompScenarios(), httpScenarios(),
		coapScenarios(), []scenario{backlogScenario(), fleetScenario(), spreadScenario(), edgeScenario()}, stalledScenarios())
}

const smallSize = 256

// mqttRate is the messages per second of the MQTT scenarios that measure latency.
const mqttRate = 1_000

func mqttScenarios() []scenario {
	everybody, brokers := []string{ours, mosquitto, nats}, []string{ours, mosquitto}
	pair := []string{"--layout", "pairs"}
	fan := []string{"--layout", "fanout", "--subscribers", "100"}
	queue := []string{"--layout", "mesh", "--qos", "1", "--window", "1000"}
	ten := []string{"--layout", "pairs", "--publishers", "10", "--subscribers", "10"}
	steady := slices.Concat(pair, []string{"--latency", "--rate", fmt.Sprint(mqttRate)})
	qos1 := []string{"--qos", "1"}
	all := []scenario{
		{name: "qos0-1x1", about: "QoS 0, 1 publisher, 1 subscriber", servers: everybody, place: loadTopic, args: pair,
			count: delivered},
		{name: "qos0-10x10", about: "QoS 0, 10 publishers, 10 subscribers, each with its own topic", servers: everybody,
			place: loadTopic, args: ten, count: delivered},
		{name: "qos0-1x100", about: "QoS 0, 1 publisher, 100 subscribers", servers: everybody, place: loadTopic, args: fan,
			count: delivered},
		{name: "qos1-1x1", about: "QoS 1, 1 publisher, 1 subscriber, not durable", servers: brokers, place: loadTopic,
			args: slices.Concat(pair, qos1), count: delivered},
		{name: "qos1-1x100", about: "QoS 1, 1 publisher, 100 subscribers, not durable", servers: brokers, place: loadTopic,
			args: slices.Concat(fan, qos1), count: delivered},
		{name: "qos0-paced", about: fmt.Sprintf("QoS 0, 1 publisher, 1 subscriber, %d messages/s", mqttRate), servers: everybody,
			place: loadTopic, args: steady, count: delivered, kind: paced},
		{name: "qos1-paced", about: fmt.Sprintf("QoS 1, 1 publisher, 1 subscriber, not durable, %d messages/s", mqttRate),
			servers: brokers, place: loadTopic, args: slices.Concat(steady, qos1), count: delivered, kind: paced},
		{name: "queue", about: "durable queue with fsync, 1 publisher, nobody consumes", servers: []string{ours},
			place: queueTopic, args: slices.Concat(queue, []string{"--subscribers", "0"}), count: acknowledged},
		{name: "queue-consumed", about: "durable queue with fsync, 1 publisher, 1 QoS 1 consumer", servers: []string{ours, nats},
			place: queueTopic, args: slices.Concat(queue, []string{"--subscribers", "1"}), count: acknowledged},
		{name: "idle", about: "idle connections with one subscription each", servers: brokers, place: idleTopic, kind: idle},
		{name: "queues", about: "many queues with one message each", servers: []string{ours}, place: manyTopic,
			args: []string{"--layout", "mesh", "--subscribers", "0", "--qos", "1", "--window", "1000"}, kind: queues},
	}
	for i := range all {
		all[i].protocol, all[i].size = mqtt, smallSize
	}
	return all
}

// amqpRate is the messages per second of the scenarios that measure latency.
const amqpRate = 10_000

func amqpScenarios() []scenario {
	everybody := []string{ours, qdrouterd, rabbitmq}
	var all []scenario
	add := func(s scenario) {
		s.protocol, s.servers = amqp, everybody
		if s.size == 0 {
			s.size = smallSize
		}
		if s.count == nil {
			s.count = delivered
		}
		all = append(all, s)
	}
	shapes := []struct {
		name, about string
		n           int
	}{{"1x1", "1 sender, 1 receiver", 1}, {"4x4", "4 senders, 4 receivers", 4}}
	modes := []struct {
		name string
		args []string
	}{{"settled", []string{"--settled"}}, {"unsettled", nil}}
	for _, shape := range shapes {
		n := fmt.Sprint(shape.n)
		parties := []string{"--senders", n, "--receivers", n}
		for _, mode := range modes {
			args := slices.Concat(parties, mode.args)
			add(scenario{name: "amqp-" + mode.name + "-" + shape.name, about: "anycast, " + mode.name + ", " + shape.about,
				place: anycastAddress, args: args})
			add(scenario{name: "amqp-paced-" + mode.name + "-" + shape.name, kind: paced,
				about: fmt.Sprintf("anycast, %s, %s, %d messages/s", mode.name, shape.about, amqpRate), place: anycastAddress,
				args: slices.Concat(args, []string{"--latency", "--rate", fmt.Sprint(amqpRate / shape.n)})})
		}
	}
	add(scenario{name: "amqp-64k", about: "anycast, unsettled, 1 sender, 1 receiver, 64 KiB", kind: large, size: 64 << 10,
		place: anycastAddress, args: []string{"--outstanding", "100"}})
	add(scenario{name: "amqp-10m", about: "anycast, unsettled, 1 sender, 1 receiver, 10 MiB", kind: large, size: 10 << 20,
		place: anycastAddress, args: []string{"--outstanding", "4"}})
	add(scenario{name: "amqp-idle", about: "idle connections with a link in each direction", place: idleAddress, kind: idle})
	return all
}

func (s scenario) takes(server string) bool { return slices.Contains(s.servers, server) }

func scenarioNames() []string {
	var names []string
	for _, s := range scenarios() {
		names = append(names, s.name)
	}
	return names
}

// inGroup tells whether the scenario is one of those that a name stands for.
func (s scenario) inGroup(name string) bool {
	return !s.apart && (name == "all" || name == string(s.protocol) || name == durableGroup && s.inDurableGroup())
}

// chooseScenarios turns "all", a protocol, "durable" or a list of names into scenarios.
func chooseScenarios(names string) ([]scenario, error) {
	all := scenarios()
	var chosen []scenario
	for name := range strings.SplitSeq(names, ",") {
		before := len(chosen)
		for _, s := range all {
			if s.inGroup(name) || name == s.name {
				chosen = append(chosen, s)
			}
		}
		if len(chosen) == before {
			return nil, fmt.Errorf("scenario %q is none of all, %s, %s, %s, %s, %s, %s, %s", name, mqtt, amqp, stomp, web, coap, durableGroup,
				strings.Join(scenarioNames(), ", "))
		}
	}
	return chosen, nil
}
