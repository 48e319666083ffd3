package main

import (
	"bytes"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"
)

// exampleBench is a comparison of two scenarios in which nats-server is absent.
func exampleBench(t *testing.T) *bench {
	t.Helper()
	chosen, err := chooseScenarios("qos0-1x1,idle")
	if err != nil {
		t.Fatal(err)
	}
	load := func(delivered uint64, cpu time.Duration) sample {
		return sample{Elapsed: 2 * time.Second, Delivered: delivered, ServerCPU: cpu}
	}
	return &bench{
		options: options{scenarios: chosen, runs: 3, duration: 2 * time.Second},
		servers: []server{{name: ours}, {name: mosquitto}, {name: nats, absent: errors.New("not\ninstalled")}},
		samples: map[cell][]sample{
			{"qos0-1x1", ours}:      {load(600, 0), load(2000, 4*time.Millisecond), load(4000, 16*time.Millisecond)},
			{"qos0-1x1", mosquitto}: {load(500, time.Millisecond)},
			{"idle", ours}:          {{Connections: 10, Answering: 9, Before: 1000, After: 21000}},
		},
	}
}

func TestReportShowsMediansRatiosAndAbsentServers(t *testing.T) {
	var out bytes.Buffer
	if err := exampleBench(t).report().writeText(&out); err != nil {
		t.Fatal(err)
	}
	words := strings.Join(strings.Fields(out.String()), " ")
	for _, want := range []string{
		"1 subscriber 1000 250 absent 4.00 -",  // messages per second
		"1 subscriber 2.00 2.00 absent 1.00 -", // CPU
		"each 2000 failed -",                   // idle bytes; nats-server does not take part and has no column
		"nats-server: absent: not installed",
		"idle on manifold: 1 connections did not answer",
	} {
		if !strings.Contains(words, want) {
			t.Errorf("%q is missing in\n%s", want, out.String())
		}
	}
}

func TestMarkdownRowsHaveAsManyFieldsAsTheirHeader(t *testing.T) {
	b := exampleBench(t)
	b.facts = []fact{{"CPU", "fast"}}
	fields, tables := 0, 0
	for line := range strings.Lines(b.report().markdown("Title")) {
		if !strings.HasPrefix(line, "|") {
			fields = 0
			continue
		}
		n := strings.Count(line, "|")
		if fields == 0 {
			fields = n
			tables++
		}
		if n != fields {
			t.Errorf("%d bars instead of %d: %s", n, fields, line)
		}
	}
	if tables < 3 {
		t.Errorf("only %d tables", tables)
	}
}

func TestMarkdownIsACompleteSection(t *testing.T) {
	b := exampleBench(t)
	b.facts = []fact{{"CPU", "fast"}}
	section := b.report().markdown("Title")
	at := 0
	for _, want := range []string{"## Title\n", "| CPU | fast |\n", "### Targets\n", "### MQTT: Messages per second",
		"### Notes\n"} {
		i := strings.Index(section[at:], want)
		if i < 0 {
			t.Fatalf("%q is missing, or not in its place, in\n%s", want, section)
		}
		at += i
	}
	if strings.Contains(section, "\n\n\n") || strings.HasSuffix(section, "\n\n") {
		t.Errorf("empty lines in\n%s", section)
	}
}

func TestLostMessagesAreNoted(t *testing.T) {
	b := exampleBench(t)
	b.samples[cell{"qos0-1x1", mosquitto}][0].Lost = 7
	if notes := strings.Join(b.report().notes, "\n"); !strings.Contains(notes, "qos0-1x1 on mosquitto: 7 messages") {
		t.Errorf("notes:\n%s", notes)
	}
}

func TestAbsentServerFailsUnlessPartial(t *testing.T) {
	b := exampleBench(t)
	if err := b.complete(); err == nil || !strings.Contains(err.Error(), nats) {
		t.Errorf("complete: %v", err)
	}
	b.options.partial = true
	if err := b.complete(); err != nil {
		t.Errorf("partial: %v", err)
	}
}

func TestMedian(t *testing.T) {
	for _, c := range []struct {
		values []float64
		want   float64
	}{
		{[]float64{3}, 3},
		{[]float64{9, 1, 4}, 4},
		{[]float64{8, 2, 4, 6}, 5},
	} {
		if got := median(c.values); got != c.want {
			t.Errorf("median of %v is %g, want %g", c.values, got, c.want)
		}
	}
}

// TestTablesShowTheServersOfTheirProtocol: a router has no column among MQTT brokers.
func TestTablesShowTheServersOfTheirProtocol(t *testing.T) {
	chosen, err := chooseScenarios("mqtt,amqp,stomp")
	if err != nil {
		t.Fatal(err)
	}
	b := &bench{options: options{scenarios: chosen}}
	for _, name := range []string{ours, mosquitto, nats, qdrouterd, rabbitmq, artemis, activemq} {
		b.servers = append(b.servers, server{name: name})
	}
	for _, c := range []struct {
		title string
		want  string
	}{
		{"MQTT: Messages per second", "scenario manifold mosquitto nats-server manifold/mosquitto manifold/nats-server"},
		{"AMQP: Messages per second",
			"scenario manifold qdrouterd rabbitmq artemis manifold/qdrouterd manifold/rabbitmq manifold/artemis"},
		{"AMQP: Latency",
			"scenario manifold qdrouterd rabbitmq artemis manifold/qdrouterd manifold/rabbitmq manifold/artemis"},
		{"AMQP: Time to accepted", "scenario manifold rabbitmq artemis manifold/rabbitmq manifold/artemis"},
		{"STOMP: Server CPU", "scenario manifold rabbitmq activemq manifold/rabbitmq manifold/activemq"},
		{"MQTT: Resident", "scenario manifold mosquitto manifold/mosquitto"},
	} {
		tables := b.report().tables
		i := slices.IndexFunc(tables, func(t table) bool { return strings.HasPrefix(t.title, c.title) })
		if i < 0 {
			t.Errorf("no table %q", c.title)
		} else if got := strings.Join(tables[i].header, " "); got != c.want {
			t.Errorf("%s: %s", c.title, got)
		}
	}
}

func TestUnknownScenarioIsRefused(t *testing.T) {
	if _, err := chooseScenarios("qos0-1x1,qos9"); err == nil || !strings.Contains(err.Error(), "qos9") {
		t.Errorf("got %v", err)
	}
}
