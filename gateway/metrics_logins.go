package gateway

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/manifoldmq/manifold/gateway/internal/audit"
	"github.com/manifoldmq/manifold/gateway/internal/authenticator"
	"github.com/manifoldmq/manifold/tenancy"
)

// loginMetrics asks the directory, and the record of logins, when it is asked.
type loginMetrics struct {
	directory *tenancy.Directory
	audit     *audit.Log // nil when there is none
	outside   *authenticator.Service
}

var _ prometheus.Collector = loginMetrics{}

// What is told about logins.
var (
	failedLoginsDesc = prometheus.NewDesc("manifold_logins_failed_total",
		"Logins that failed, by the class of the reason.", []string{"reason"}, nil)
	delayedLoginsDesc = prometheus.NewDesc("manifold_logins_delayed",
		"Failed logins whose answer is being delayed.", nil, nil)
	loginDelayDesc = prometheus.NewDesc("manifold_login_delay_seconds_total",
		"How long failed logins were delayed together.", nil, nil)
	questionsDesc = prometheus.NewDesc("manifold_authenticator_questions_total",
		"Passwords that authenticators of tenants were to judge, by their answer.", []string{"answer"}, nil)
	auditWrittenDesc = prometheus.NewDesc("manifold_audit_events_total",
		"Events for the audit log, by whether they were written or lost.", []string{"result"}, nil)
)

// Describe implements prometheus.Collector.
func (m loginMetrics) Describe(out chan<- *prometheus.Desc) {
	out <- failedLoginsDesc
	out <- delayedLoginsDesc
	out <- loginDelayDesc
	out <- questionsDesc
	out <- auditWrittenDesc
}

// Collect implements prometheus.Collector.
func (m loginMetrics) Collect(out chan<- prometheus.Metric) {
	tell := func(desc *prometheus.Desc, kind prometheus.ValueType, value float64, labels ...string) {
		out <- prometheus.MustNewConstMetric(desc, kind, value, labels...)
	}
	logins := m.directory.Logins()
	for _, cause := range tenancy.Causes {
		tell(failedLoginsDesc, prometheus.CounterValue, float64(logins.Failed[cause]), string(cause))
	}
	tell(delayedLoginsDesc, prometheus.GaugeValue, float64(logins.Waiting))
	tell(loginDelayDesc, prometheus.CounterValue, logins.Delayed.Seconds())
	for _, o := range authenticator.Outcomes {
		tell(questionsDesc, prometheus.CounterValue, float64(m.outside.Questions(o)), o.String())
	}
	if m.audit != nil {
		tell(auditWrittenDesc, prometheus.CounterValue, float64(m.audit.Written()), "written")
		tell(auditWrittenDesc, prometheus.CounterValue, float64(m.audit.Lost()), "lost")
	}
}
