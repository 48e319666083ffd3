package gateway

import (
	"net/http"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/manifoldmq/manifold/addressing"
	"github.com/manifoldmq/manifold/router"
	"github.com/manifoldmq/manifold/tenancy"
)

// metrics gives the page that Prometheus reads, from a registry of this gateway's own. ready tells what /readyz does.
func (a *assembly) metrics(doors []door, ready func() bool) http.Handler {
	registry := prometheus.NewRegistry()
	registry.MustRegister(
		collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
		collectors.NewBuildInfoCollector(),
		messageMetrics{router: a.router, directory: a.directory},
		queueMetrics{store: a.store, most: a.config.Admin.MaxQueueMetrics},
		storeMetrics{store: a.store},
		webhookMetrics{hooks: a.webhooks},
		limitMetrics{directory: a.directory},
		networkMetrics{network: a.network, homes: a.homes},
		loginMetrics{directory: a.directory, audit: a.audit, outside: a.outside},
	)
	if a.coap != nil {
		registry.MustRegister(coapMetrics{a.coap})
	}
	if a.traces != nil {
		registry.MustRegister(a.traces)
	}
	registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "manifold_ready",
		Help: "1 while every door serves and takes new clients; 0 while the gateway starts or stops.",
	}, func() float64 { return indicator(ready()) }))
	for _, d := range doors {
		if d.connections == nil {
			continue
		}
		registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name:        "manifold_connections",
			Help:        "Connections that are open now.",
			ConstLabels: prometheus.Labels{"protocol": d.name},
		}, func() float64 { return float64(d.connections()) }))
	}
	return promhttp.HandlerFor(registry, promhttp.HandlerOpts{EnableOpenMetrics: true}) // which has exemplars
}

// indicator is how Prometheus has a boolean.
func indicator(set bool) float64 {
	if set {
		return 1
	}
	return 0
}

// messageMetrics reads the router's counters when it is asked, so counting costs nothing twice.
type messageMetrics struct {
	router    *router.Router
	directory *tenancy.Directory
}

var _ prometheus.Collector = messageMetrics{}

// What is told about messages. The kind "any" stands for receivers whose filter spans several kinds.
var (
	endedDesc = prometheus.NewDesc("manifold_messages_total",
		"Messages sent by clients, by how they ended.", []string{"tenant", "kind", "outcome"}, nil)
	refusedDesc = prometheus.NewDesc("manifold_messages_not_accepted_total",
		"Messages sent by clients that were not accepted, by reason.", []string{"tenant", "kind", "reason"}, nil)
	deliveredDesc = prometheus.NewDesc("manifold_deliveries_total",
		"Deliveries handed to receivers.", []string{"tenant", "kind"}, nil)
	droppedDesc = prometheus.NewDesc("manifold_deliveries_dropped_total",
		"Messages that a receiver missed because it had no credit.", []string{"tenant", "kind"}, nil)
	redirectedDesc = prometheus.NewDesc("manifold_messages_redirected_total",
		"Messages that the fallback of their address has got, as nobody else wanted them.", []string{"tenant", "kind"}, nil)
)

// Describe implements prometheus.Collector.
func (m messageMetrics) Describe(out chan<- *prometheus.Desc) {
	out <- endedDesc
	out <- refusedDesc
	out <- deliveredDesc
	out <- droppedDesc
	out <- redirectedDesc
}

// Collect implements prometheus.Collector.
func (m messageMetrics) Collect(out chan<- prometheus.Metric) {
	for _, tenant := range m.directory.Names() {
		counters := m.router.Counters(tenant)
		for kind := range addressing.Topic + 1 {
			collectKind(out, tenant, kind, counters.Kind(kind))
		}
	}
}

func collectKind(out chan<- prometheus.Metric, tenant string, kind addressing.Kind, c *router.KindCounters) {
	count := func(desc *prometheus.Desc, n uint64, more ...string) {
		labels := append([]string{tenant, kind.String()}, more...)
		out <- prometheus.MustNewConstMetric(desc, prometheus.CounterValue, float64(n), labels...)
	}
	count(deliveredDesc, c.Delivered())
	count(droppedDesc, c.Dropped())
	if kind == addressing.AnyKind { // a sender's address has one kind
		return
	}
	if kind == addressing.Anycast {
		count(redirectedDesc, c.Redirected())
	}
	for _, s := range []router.State{router.Accepted, router.Released, router.Rejected, router.Modified} {
		count(endedDesc, c.Ended(s), s.String())
	}
	for r := range router.Reason(router.ReasonCount) {
		if n := c.Refused(r); n > 0 { // most never happen
			count(refusedDesc, n, r.String())
		}
	}
}
