package gateway

import (
	"strconv"
	"time"
	"unicode/utf8"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/manifoldmq/manifold/broker"
)

// queueMetrics asks the broker about its queues and durable subscriptions when it is asked. It tells of so many, the
// first that were made, because each costs a series of every metric.
type queueMetrics struct {
	store *broker.Broker
	most  int
}

var _ prometheus.Collector = queueMetrics{}

// queueMetric is one number of each queue.
type queueMetric struct {
	desc *prometheus.Desc
	kind prometheus.ValueType
	read func(*broker.Statistics) float64
}

func gaugeOfQueues(name, help string, read func(*broker.Statistics) float64) queueMetric {
	return queueMetric{descOfQueues(name, help), prometheus.GaugeValue, read}
}

func counterOfQueues(name, help string, read func(*broker.Statistics) uint64) queueMetric {
	return queueMetric{
		descOfQueues(name, help), prometheus.CounterValue,
		func(s *broker.Statistics) float64 { return float64(read(s)) },
	}
}

func descOfQueues(name, help string) *prometheus.Desc {
	return prometheus.NewDesc("manifold_queue_"+name, help, []string{"tenant", "queue"}, nil)
}

// What is told about each queue. The queue of a subscription is called topic::name.
var queueDescs = []queueMetric{
	gaugeOfQueues("messages", "Messages in the queue, also those that consumers hold.",
		func(s *broker.Statistics) float64 { return float64(s.Messages) }),
	gaugeOfQueues("bytes", "Their bytes.",
		func(s *broker.Statistics) float64 { return float64(s.Bytes) }),
	gaugeOfQueues("ready_messages", "Messages that wait for a consumer.",
		func(s *broker.Statistics) float64 { return float64(s.Ready) }),
	gaugeOfQueues("unacknowledged_messages", "Messages that consumers hold.",
		func(s *broker.Statistics) float64 { return float64(s.Unacknowledged) }),
	gaugeOfQueues("consumers", "Consumers that are attached, browsers included.",
		func(s *broker.Statistics) float64 { return float64(s.Consumers) }),
	gaugeOfQueues("oldest_message_seconds", "How long the oldest message has been in the queue; 0 when it is empty.", age),
	counterOfQueues("stored_total", "Messages that came in.",
		func(s *broker.Statistics) uint64 { return s.In }),
	counterOfQueues("accepted_total", "Messages that consumers accepted.",
		func(s *broker.Statistics) uint64 { return s.Out }),
	counterOfQueues("redelivered_total", "Deliveries of messages that had been tried before.",
		func(s *broker.Statistics) uint64 { return s.Redelivered }),
	counterOfQueues("dead_lettered_total", "Messages that were rejected or failed too often.",
		func(s *broker.Statistics) uint64 { return s.DeadLettered }),
	counterOfQueues("expired_total", "Messages whose time to live was over.",
		func(s *broker.Statistics) uint64 { return s.Expired }),
	counterOfQueues("dropped_total", "Messages that made room, gave way to a later one of the same key, or came to a full subscription.",
		func(s *broker.Statistics) uint64 { return s.Dropped }),
}

var omittedDesc = prometheus.NewDesc("manifold_queues_without_metrics",
	"Queues that are not told of, because there are more than admin.maxQueueMetrics.", nil, nil)

func age(s *broker.Statistics) float64 {
	if s.Oldest.IsZero() {
		return 0
	}
	return max(0, time.Since(s.Oldest).Seconds())
}

// label gives the name of a queue as a label may have it, which is text; a subscription that an earlier release stored may have
// another name.
func label(name string) string {
	if utf8.ValidString(name) {
		return name
	}
	return strconv.QuoteToASCII(name)
}

// Describe implements prometheus.Collector.
func (m queueMetrics) Describe(out chan<- *prometheus.Desc) {
	for _, d := range queueDescs {
		out <- d.desc
	}
	out <- omittedDesc
}

// Collect implements prometheus.Collector.
func (m queueMetrics) Collect(out chan<- prometheus.Metric) {
	all, more := m.store.Statistics(m.most)
	for i := range all {
		s := &all[i]
		for _, d := range queueDescs {
			out <- prometheus.MustNewConstMetric(d.desc, d.kind, d.read(s), s.Tenant, label(s.Name))
		}
	}
	out <- prometheus.MustNewConstMetric(omittedDesc, prometheus.GaugeValue, float64(more))
}
