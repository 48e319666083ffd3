package main

import (
	"fmt"
	"slices"
	"strconv"
	"time"
)

// The users and sizes of the CoAP scenarios.
const (
	coapUser = "lamp" // has a pre-shared key in our configuration
	coapKey  = "sesame, open"

	coapSize      = 64     // bytes of a payload
	coapEndpoints = 4      // sockets that send requests
	coapWindow    = 16     // requests under way of each: together, what libcoap's socket has room for
	coapObservers = 20_000 // of one topic
	coapSessions  = 10_000 // of DTLS
	coapMemory    = 150    // MB resident after a minute of requests, at most
	coapPace      = 40_000 // requests per second, at least
)

// coapSustained is how long the scenario coap-sustained lasts, and coapEnd the parts of it that are compared.
const (
	coapSustained = time.Minute
	coapEnd       = 10 * time.Second
)

// coapScenarios compare requests to a topic with libcoap's example server, and measure what devices cost that only listen.
func coapScenarios() []scenario {
	one := []string{"--endpoints", "1", "--window", strconv.Itoa(coapEndpoints * coapWindow)}
	some := []string{"--endpoints", strconv.Itoa(coapEndpoints), "--window", strconv.Itoa(coapWindow)}
	many := []string{"--endpoints", strconv.Itoa(coapEndpoints * coapWindow), "--window", "1"}
	post := func(name, who string, args []string) scenario {
		return scenario{name: name, about: fmt.Sprintf("confirmable requests of %d bytes, %s", coapSize, who),
			servers: []string{ours, libcoap}, place: coapPath(loadTopic), args: args}
	}
	all := []scenario{
		post("coap-post", fmt.Sprintf("%d endpoints, %d under way of each", coapEndpoints, coapWindow), some),
		post("coap-post-1", fmt.Sprintf("1 endpoint, %d under way", coapEndpoints*coapWindow), one),
		post("coap-post-64", fmt.Sprintf("%d endpoints, 1 under way of each", coapEndpoints*coapWindow), many),
		{name: "coap-sustained", about: fmt.Sprintf("confirmable requests of %d bytes for %v", coapSize, coapSustained),
			servers: []string{ours}, place: coapPath(loadTopic), kind: sustained, duration: coapSustained,
			args: slices.Concat(some, []string{"--ends", coapEnd.String()})},
		{name: "coap-observers", about: "observers of one topic", servers: []string{ours}, place: coapPath(idleTopic), kind: fleet,
			connections: coapObservers, args: []string{"--settle", "10s", "--broadcast", strconv.Itoa(fleetMessages)}},
		{name: "coap-dtls", about: "DTLS sessions after one request each", servers: []string{ours}, place: coapPath(idleTopic),
			kind: idle, connections: coapSessions, door: coapSecure,
			args: []string{"--dtls", "--username", coapUser, "--password", coapKey, "--move", "--settle", "10s"}},
	}
	for i := range all {
		all[i].protocol, all[i].size, all[i].count = coap, coapSize, acknowledged
	}
	return all
}

// coapPath is where an address is at our CoAP door.
func coapPath(address string) string { return "a/" + address }

// coapTargets are what Manifold sets out to reach over CoAP.
func coapTargets() []target {
	var all []target
	for _, sc := range coapScenarios() {
		if sc.takes(libcoap) {
			all = append(all, target{claim: fmt.Sprintf("CoAP takes at least %d requests/s or 0.8 × those of libcoap's server, %s",
				coapPace, sc.name), scenario: sc.name, of: rate, limit: coapPace, atLeast: true, format: "%.0f requests/s",
				peer: libcoap, enough: 0.8})
		}
	}
	const share = "%.2f of them"
	return append(all,
		target{claim: fmt.Sprintf("the last %v of %v bring at least 0.9 × the requests/s of the first", coapEnd, coapSustained),
			scenario: "coap-sustained", of: steadiness, limit: 0.9, atLeast: true, format: "%.2f ×"},
		target{claim: fmt.Sprintf("a minute of CoAP requests takes at most %d MB resident", coapMemory), scenario: "coap-sustained",
			of: peakMemory, limit: coapMemory, format: "%.0f MB"},
		target{claim: fmt.Sprintf("%d observers of a topic take at most 10 kB resident each", coapObservers),
			scenario: "coap-observers", of: perConnection, limit: 10_000, format: "%.0f bytes"},
		target{claim: "all observers hear every message", scenario: "coap-observers", of: hearing, limit: 1, atLeast: true,
			format: share},
		target{claim: fmt.Sprintf("%d idle DTLS sessions take at most 20 kB resident each", coapSessions), scenario: "coap-dtls",
			of: perConnection, limit: 20_000, format: "%.0f bytes"},
		target{claim: "DTLS sessions whose port changes go on by connection id, without a handshake", scenario: "coap-dtls",
			of: returning, limit: 1, atLeast: true, format: share})
}

// steadiness is what is left of the rate at the beginning at the end.
func steadiness(_ scenario, s sample) float64 { return s.Ending / s.Beginning }

// hearing is the part of those who listen that heard all of a broadcast.
func hearing(_ scenario, s sample) float64 {
	return float64(s.Broadcast.Heard) / float64(max(s.Connections, 1))
}

// returning is the part of those whose port changed that were answered there.
func returning(_ scenario, s sample) float64 { return float64(s.Returned) / float64(max(s.Moved, 1)) }
