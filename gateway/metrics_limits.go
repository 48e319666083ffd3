package gateway

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/manifoldmq/manifold/tenancy"
)

// limitMetrics asks the directory, when it is asked, what tenants may use and do.
type limitMetrics struct{ directory *tenancy.Directory }

var _ prometheus.Collector = limitMetrics{}

// What is told about the limits of tenants. What is used is told of all that is counted, whether or not it is limited.
var (
	limitDesc = prometheus.NewDesc("manifold_limit",
		"How much a tenant may use of something, or of a rate in a second, where its plan says so.", []string{"tenant", "limit"}, nil)
	usedDesc = prometheus.NewDesc("manifold_limit_used",
		"How much a tenant uses of what can be limited.", []string{"tenant", "limit"}, nil)
	breachesDesc = prometheus.NewDesc("manifold_limit_breaches_total",
		"How often something of a tenant was refused or held back because of a limit.", []string{"tenant", "limit"}, nil)
)

// Describe implements prometheus.Collector.
func (m limitMetrics) Describe(out chan<- *prometheus.Desc) {
	out <- limitDesc
	out <- usedDesc
	out <- breachesDesc
}

// Collect implements prometheus.Collector.
func (m limitMetrics) Collect(out chan<- prometheus.Metric) {
	for _, tenant := range m.directory.Names() {
		for _, f := range m.directory.Allowance(tenant).Figures() {
			tell := func(desc *prometheus.Desc, kind prometheus.ValueType, value float64) {
				out <- prometheus.MustNewConstMetric(desc, kind, value, tenant, f.Limit.String())
			}
			if f.Most > 0 {
				tell(limitDesc, prometheus.GaugeValue, float64(f.Most))
			}
			if f.Limit.IsCounted() {
				tell(usedDesc, prometheus.GaugeValue, float64(f.Used))
			}
			if f.Most > 0 || f.Breaches > 0 {
				tell(breachesDesc, prometheus.CounterValue, float64(f.Breaches))
			}
		}
	}
}
