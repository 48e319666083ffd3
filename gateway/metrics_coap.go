package gateway

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/manifoldmq/manifold/adapters/coap"
	"github.com/manifoldmq/manifold/router"
)

// coapMetrics reads what the CoAP door counts.
type coapMetrics struct{ server *coap.Server }

var _ prometheus.Collector = coapMetrics{}

var (
	coapRequestsDesc = prometheus.NewDesc("manifold_coap_requests_total",
		"Requests over CoAP; what is sent again counts once.", nil, nil)
	coapRefusedDesc = prometheus.NewDesc("manifold_coap_requests_refused_total",
		"Requests over CoAP that were answered with an error, by reason.", []string{"reason"}, nil)
)

// Describe implements prometheus.Collector.
func (m coapMetrics) Describe(out chan<- *prometheus.Desc) {
	out <- coapRequestsDesc
	out <- coapRefusedDesc
}

// Collect implements prometheus.Collector.
func (m coapMetrics) Collect(out chan<- prometheus.Metric) {
	count := func(desc *prometheus.Desc, n uint64, labels ...string) {
		out <- prometheus.MustNewConstMetric(desc, prometheus.CounterValue, float64(n), labels...)
	}
	count(coapRequestsDesc, m.server.Requests())
	for r := range router.Reason(router.ReasonCount) {
		if n := m.server.Refused(r); n > 0 { // most never happen
			count(coapRefusedDesc, n, r.String())
		}
	}
}
