package main

import (
	"errors"
	"strings"
	"testing"
	"time"
)

// judged is a comparison with one sample for us, and one for each peer, in every scenario.
func judged(t *testing.T) *bench {
	t.Helper()
	return &bench{
		options: options{scenarios: scenarios(), runs: 1, duration: time.Second, idle: 10, queues: 50000},
		servers: []server{{name: ours}, {name: mosquitto}, {name: nats}, {name: artemis}, {name: rabbitmq}, {name: activemq},
			{name: libcoap}},
		samples: map[cell][]sample{
			{"qos0-1x1", ours}:        {{Elapsed: time.Second, Delivered: 1000, ServerCPU: 10 * time.Millisecond}},
			{"qos0-1x1", nats}:        {{Elapsed: time.Second, Delivered: 1000, ServerCPU: 10 * time.Millisecond}},
			{"qos1-1x1", ours}:        {{Elapsed: time.Second, Delivered: 1000, ServerCPU: 6 * time.Millisecond, Lost: 1}},
			{"qos1-1x1", mosquitto}:   {{Elapsed: time.Second, Delivered: 1000, ServerCPU: 10 * time.Millisecond}},
			{"queue", ours}:           {{Elapsed: time.Second, Acknowledged: 40001}},
			{"idle", ours}:            {{Connections: 10, Answering: 10, After: 160_000}},
			{"queues", ours}:          {{Many: manyQueues{create: time.Minute + 1e9, created: 1e8, recover: 1e9, recovered: 1e9}}},
			{"qos0-1x100", mosquitto}: {{Elapsed: time.Second, Delivered: 1000, ServerCPU: time.Millisecond}},

			{"amqp-durable-4x4", ours}:      {{Elapsed: time.Second, Delivered: 3100}},
			{"amqp-durable-4x4", artemis}:   {{Elapsed: time.Second, Delivered: 1000}},
			{"amqp-durable-paced", ours}:    {{Confirmation: latency{P99: 3e6}, Latency: latency{P99: 1e6}}},
			{"amqp-durable-paced", artemis}: {{Confirmation: latency{P99: 2e6}, Latency: latency{P99: 4e6}}},

			{"stomp-queue-1x1", ours}:     {{Elapsed: time.Second, Delivered: 3900}},
			{"stomp-queue-1x1", rabbitmq}: {{Elapsed: time.Second, Delivered: 1000}},
			{"stomp-4x4", ours}:           {{Elapsed: time.Second, Delivered: 1000, ServerCPU: 3 * time.Millisecond}},
			{"coap-post", ours}:           {{Elapsed: time.Second, Acknowledged: 30_000}},
			{"coap-post", libcoap}:        {{Elapsed: time.Second, Acknowledged: 37_500}},
			{"coap-post-1", ours}:         {{Elapsed: time.Second, Acknowledged: 40_000}},
			{"coap-post-1", libcoap}:      {{Elapsed: time.Second, Acknowledged: 80_000}},
			{"coap-post-64", ours}:        {{Elapsed: time.Second, Acknowledged: 39_000}},
			{"coap-sustained", ours}:      {{Elapsed: time.Minute, Beginning: 1000, Ending: 890, ServerPeak: 1e8}},
			{"coap-observers", ours}:      {{Connections: 100, Answering: 100, Broadcast: broadcast{Messages: 2, Heard: 99}}},
			{"coap-dtls", ours}:           {{Connections: 10, Answering: 10, After: 160_000, Moved: 5, Returned: 5}},

			{"stomp-4x4", activemq}: {{Elapsed: time.Second, Delivered: 100, ServerCPU: time.Millisecond}},
		},
	}
}

func TestVerdictsTellWhatWasReached(t *testing.T) {
	got := strings.Join(judged(t).verdicts(), "\n") + "\n"
	for _, want := range []string{
		"nats-server, 1 publisher, 1 subscriber: reached, 1.00 ×\n",
		"nats-server, 1 publisher, 100 subscribers: not measured\n",
		"CPU, 1 publisher, 1 subscriber: not reached, 0.60 ×, but see the notes for what went wrong\n",
		"in flight: reached, 40001 messages/s\n",
		"resident: not reached, 16000 bytes\n",
		"under 60 s: not reached, 61.00 s\n",
		"under 30 s: reached, 1.00 s\n",
		"when created: reached, 100 MB\n",
		"when recovered: not reached, 1000 MB\n",
		"artemis, 4x4: reached, 3.10 ×\n",
		"artemis, 1x1: not measured\n",
		"no later than that of artemis: not reached, 1.50 ×\n",
		"messages/s of rabbitmq, 1x1: not reached, 3.90 ×\n",
		"activemq's CPU, 4x4: reached, 0.30 ×\n",
		"coap-post: reached, 30000 requests/s, 0.80 × libcoap\n",
		"coap-post-1: reached, 40000 requests/s, 0.50 × libcoap\n",
		"coap-post-64: not reached, 39000 requests/s\n",
		"requests/s of the first: not reached, 0.89 ×\n",
		"150 MB resident: reached, 100 MB\n",
		"hear every message: not reached, 0.99 of them, but see the notes for what went wrong\n",
		"20 kB resident each: reached, 16000 bytes\n",
		"without a handshake: reached, 1.00 of them\n",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("%q is missing in\n%s", want, got)
		}
	}
}

// TestManyQueuesAreHeldToMore: from 100,000 on the limits are closer, and memory is that of an idle server.
func TestManyQueuesAreHeldToMore(t *testing.T) {
	b := judged(t)
	b.options.queues = 100_000
	b.samples[cell{"queues", ours}] = []sample{{Many: manyQueues{create: 59e9, created: 9e8, recover: 21e9, recovered: 9e8,
		idle: 299e6}}}
	got := strings.Join(b.verdicts(), "\n") + "\n"
	for _, want := range []string{
		"100000 queues declared with one message each are created in under 60 s: reached, 59.00 s\n",
		"under 20 s: not reached, 21.00 s\n",
		"when idle: reached, 299 MB\n",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("%q is missing in\n%s", want, got)
		}
	}
	if strings.Contains(got, "500 MB") {
		t.Errorf("the limits of fewer queues are in\n%s", got)
	}
}

func TestOnlyChosenScenariosAreJudged(t *testing.T) {
	b := judged(t)
	b.options.scenarios, _ = chooseScenarios("idle")
	if got := b.verdicts(); len(got) != 1 || !strings.HasPrefix(got[0], "an idle connection") {
		t.Errorf("got %q", got)
	}
}

func TestEveryTargetNamesAScenarioThatItsServersTake(t *testing.T) {
	for _, target := range targets(options{}) {
		chosen, err := chooseScenarios(target.scenario)
		if err != nil {
			t.Error(err)
			continue
		}
		if !chosen[0].takes(ours) || target.peer != "" && !chosen[0].takes(target.peer) {
			t.Errorf("%s: somebody does not take part in %s", target.claim, target.scenario)
		}
	}
}

func TestRecoveryThatFailedIsNotMeasured(t *testing.T) {
	b := judged(t)
	delete(b.samples, cell{"queues", ours})
	b.failures = []error{errors.New("queues on manifold: recovering: it\nended")}
	report := b.report()
	if got := strings.Join(report.verdicts, "\n"); !strings.Contains(got, "under 30 s: not measured") {
		t.Errorf("verdicts:\n%s", got)
	}
	if got := strings.Join(report.notes, "\n"); !strings.Contains(got, "failed: queues on manifold: recovering: it ended") {
		t.Errorf("notes:\n%s", got)
	}
}
