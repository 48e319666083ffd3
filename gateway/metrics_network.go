package gateway

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/manifoldmq/manifold/router/network"
)

// networkMetrics asks the network about its connectors, links, neighbors and loans when it is asked.
type networkMetrics struct {
	network *network.Network
	homes   *network.Homes
}

var _ prometheus.Collector = networkMetrics{}

// networkDesc is a metric of the network.
func networkDesc(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc("manifold_"+name, help, labels, nil)
}

// What is told about connectors and their links.
var (
	connectorOpenDesc = networkDesc("connector_open",
		"1 while the connection to the router or broker is there, 0 otherwise.", "connector", "role")
	connectorOpenedDesc = networkDesc("connector_opened_total",
		"Times that the connection was made.", "connector", "role")
	connectorFailedDesc = networkDesc("connector_failed_total",
		"Tries to make the connection that came to nothing.", "connector", "role")
	autoLinksDesc = networkDesc("auto_links",
		"Automatic links, with waypoints', by whether they are attached, have failed, or wait for a connection.", "connector", "state")
)

// What is told about the network of routers.
var (
	routersDesc = networkDesc("network_routers",
		"Other routers of the network that are known, by whether there is a way to them.", "state")
	loansDesc = networkDesc("network_loans",
		"Durable subscriptions, selectors and browsers of clients here that another router lends, by whether it does now.",
		"home", "state")
	neighborCostDesc = networkDesc("neighbor_cost",
		"Cost of the way over the connection to a router.", "router", "connector")
	neighborUsedDesc = networkDesc("neighbor_used",
		"1 while messages go over the connection; 0 while another one to the same router is preferred, or it has not said hello.",
		"router", "connector")
	neighborSentDesc = networkDesc("neighbor_sent_total",
		"Messages that went to the router over the connection.", "router", "connector")
	neighborReceivedDesc = networkDesc("neighbor_received_total",
		"Messages that came from the router over the connection.", "router", "connector")
	neighborLostDesc = networkDesc("neighbor_lost_total",
		"Messages that asked for no answer, and did not reach the router.", "router", "connector")
)

// Describe implements prometheus.Collector.
func (m networkMetrics) Describe(out chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{
		connectorOpenDesc, connectorOpenedDesc, connectorFailedDesc, autoLinksDesc, routersDesc, loansDesc,
		neighborCostDesc, neighborUsedDesc, neighborSentDesc, neighborReceivedDesc, neighborLostDesc,
	} {
		out <- d
	}
}

// Collect implements prometheus.Collector.
func (m networkMetrics) Collect(out chan<- prometheus.Metric) {
	gauge := func(d *prometheus.Desc, value float64, labels ...string) {
		out <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, value, labels...)
	}
	count := func(d *prometheus.Desc, n uint64, labels ...string) {
		out <- prometheus.MustNewConstMetric(d, prometheus.CounterValue, float64(n), labels...)
	}
	for _, c := range m.network.Connectors() {
		role := c.Role.String()
		gauge(connectorOpenDesc, indicator(c.Open), c.Name, role)
		count(connectorOpenedDesc, c.Opened, c.Name, role)
		count(connectorFailedDesc, c.Failed, c.Name, role)
	}
	for in, n := range m.autoLinks() {
		gauge(autoLinksDesc, float64(n), in.connector, in.state)
	}
	if m.network.RouterID() == "" {
		return
	}
	for state, n := range m.routers() {
		gauge(routersDesc, float64(n), state)
	}
	for _, l := range m.homes.Loans() {
		gauge(loansDesc, float64(l.Open), l.Home, "open")
		gauge(loansDesc, float64(l.Waiting), l.Home, "waiting")
	}
	for by, n := range m.neighbors() {
		gauge(neighborCostDesc, float64(n.Cost), by.router, by.connector)
		gauge(neighborUsedDesc, indicator(n.Used), by.router, by.connector)
		count(neighborSentDesc, n.Sent, by.router, by.connector)
		count(neighborReceivedDesc, n.Received, by.router, by.connector)
		count(neighborLostDesc, n.Lost, by.router, by.connector)
	}
}

// neighborPath is what connections to routers are counted by. Those that the other side has made have no connector.
type neighborPath struct{ router, connector string }

// neighbors gives the connections to routers; those that no label tells apart together.
func (m networkMetrics) neighbors() map[neighborPath]network.NeighborStatus {
	all := make(map[neighborPath]network.NeighborStatus)
	for _, n := range m.network.Neighbors() {
		by := neighborPath{n.Router, n.Connector}
		if other, ok := all[by]; ok {
			n.Cost, n.Used = min(n.Cost, other.Cost), n.Used || other.Used
			n.Sent, n.Received, n.Lost = n.Sent+other.Sent, n.Received+other.Received, n.Lost+other.Lost
		}
		all[by] = n
	}
	return all
}

// autoLinkState is what automatic links are counted by.
type autoLinkState struct{ connector, state string }

func (m networkMetrics) autoLinks() map[autoLinkState]int {
	counts := make(map[autoLinkState]int)
	for _, c := range m.network.Connectors() {
		for _, state := range []string{"attached", "failed", "waiting"} {
			counts[autoLinkState{c.Name, state}] = 0
		}
	}
	for _, l := range m.network.AutoLinks() {
		state := "waiting"
		switch {
		case l.Attached:
			state = "attached"
		case l.Error != "":
			state = "failed"
		}
		counts[autoLinkState{l.Connector, state}]++
	}
	return counts
}

func (m networkMetrics) routers() map[string]int {
	counts := map[string]int{"reachable": 0, "unreachable": 0}
	for _, r := range m.network.Routers() {
		if r.Reachable {
			counts["reachable"]++
		} else {
			counts["unreachable"]++
		}
	}
	return counts
}
