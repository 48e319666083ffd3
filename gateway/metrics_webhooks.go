package gateway

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/manifoldmq/manifold/adapters/http/webhook"
)

// webhookMetrics asks the webhooks when it is asked.
type webhookMetrics struct{ hooks *webhook.Service }

var _ prometheus.Collector = webhookMetrics{}

func descOfWebhooks(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc("manifold_webhook_"+name, help, append([]string{"tenant", "webhook"}, labels...), nil)
}

// What is told about webhooks.
var (
	webhookRequestsDesc = descOfWebhooks("requests_total",
		"Requests by what they came to: the message accepted, rejected, or failed and back in its queue.", "result")
	webhookSecondsDesc = descOfWebhooks("request_seconds_total", "How long the requests took together.")
	webhookPostingDesc = descOfWebhooks("requests_in_flight", "Requests that have no answer yet.")
	webhookWaitingDesc = descOfWebhooks("waiting_messages", "Messages that wait to be tried again.")
	webhookRunningDesc = descOfWebhooks("running", "1 while messages are taken; 0 when they cannot be, or the server has answered 410.")
)

// Describe implements prometheus.Collector.
func (m webhookMetrics) Describe(out chan<- *prometheus.Desc) {
	out <- webhookRequestsDesc
	out <- webhookSecondsDesc
	out <- webhookPostingDesc
	out <- webhookWaitingDesc
	out <- webhookRunningDesc
}

// Collect implements prometheus.Collector.
func (m webhookMetrics) Collect(out chan<- prometheus.Metric) {
	for _, f := range m.hooks.Figures() {
		tell := func(desc *prometheus.Desc, kind prometheus.ValueType, value float64, more ...string) {
			labels := append([]string{f.Tenant, f.Name}, more...)
			out <- prometheus.MustNewConstMetric(desc, kind, value, labels...)
		}
		tell(webhookRequestsDesc, prometheus.CounterValue, float64(f.Accepted), "accepted")
		tell(webhookRequestsDesc, prometheus.CounterValue, float64(f.Rejected), "rejected")
		tell(webhookRequestsDesc, prometheus.CounterValue, float64(f.Failed), "failed")
		tell(webhookSecondsDesc, prometheus.CounterValue, f.Spent.Seconds())
		tell(webhookPostingDesc, prometheus.GaugeValue, float64(f.Posting))
		tell(webhookWaitingDesc, prometheus.GaugeValue, float64(f.Waiting))
		tell(webhookRunningDesc, prometheus.GaugeValue, indicator(f.Running))
	}
}
