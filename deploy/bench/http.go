package main

import (
	"fmt"
	"slices"
)

// httpScenarios compare the HTTP door with a server of Go's that does nothing with a request, and event streams with MQTT.
func httpScenarios() []scenario {
	var all []scenario
	for _, p := range []struct {
		name, about string
		size        int
		posting     posting
	}{
		{"http-1x50", "1 connection", 64, posting{connections: 1}},
		{"http-4x50", "4 connections", 64, posting{connections: 4}},
		{"http-4x50-1k", "4 connections", 1024, posting{connections: 4}},
		{"http-tls-4x50", "4 connections over TLS", 64, posting{connections: 4, secure: true}},
	} {
		all = append(all, scenario{
			name: p.name, about: fmt.Sprintf("POST to a topic, HTTP/2, %s of %d streams, %d bytes", p.about, postingStreams, p.size),
			servers: []string{ours, bareServer}, place: loadTopic, size: p.size, count: acknowledged, posting: &p.posting,
		})
	}
	all = append(all,
		scenario{name: "sse-idle", about: "event streams over HTTP/1.1 without events", servers: []string{ours}, place: idleTopic,
			kind: idle},
		scenario{name: "sse-fanout", about: fmt.Sprintf("1 message/s to %d event streams over HTTP/1.1, or MQTT subscribers with QoS 0",
			fanOutWidth), servers: []string{ours, overMQTT}, place: loadTopic, size: smallSize, count: delivered, kind: paced,
			args: []string{"--layout", "fanout", "--rate", "1", "--latency"}, subscribers: fanOutWidth})
	for i := range all {
		all[i].protocol = web
	}
	return all
}

const (
	postingStreams = 50     // requests at a time on one connection
	fanOutWidth    = 10_000 // subscribers of one topic
)

// httpTargets are what Manifold sets out to reach over HTTP.
func httpTargets() []target {
	const multiple = "%.2f ×"
	all := []target{
		{claim: "an event stream takes at most 25 kB resident", scenario: "sse-idle", of: perConnection, limit: 25_000,
			format: "%.0f bytes"},
		{claim: fmt.Sprintf("a message to %d event streams takes at most twice the CPU that it takes to as many MQTT subscribers",
			fanOutWidth), scenario: "sse-fanout", of: serverCPU, peer: overMQTT, limit: 2, format: multiple},
	}
	for _, sc := range httpScenarios() {
		if sc.posting != nil {
			all = append(all, target{claim: "HTTP takes at least 0.6 × the requests/s of a handler that discards them, " + sc.name,
				scenario: sc.name, of: rate, peer: bareServer, limit: 0.6, atLeast: true, format: multiple})
		}
	}
	return slices.Clip(all)
}
