package gateway

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/manifoldmq/manifold/broker"
)

// storeMetrics asks the broker about its store when it is asked.
type storeMetrics struct{ store *broker.Broker }

var _ prometheus.Collector = storeMetrics{}

// storeMetric is one number of the store.
type storeMetric struct {
	desc *prometheus.Desc
	kind prometheus.ValueType
	read func(*broker.StoreStatistics) float64
}

func gaugeOfStore(name, help string, read func(*broker.StoreStatistics) float64) storeMetric {
	return storeMetric{prometheus.NewDesc("manifold_store_"+name, help, nil, nil), prometheus.GaugeValue, read}
}

func counterOfStore(name, help string, read func(*broker.StoreStatistics) float64) storeMetric {
	return storeMetric{prometheus.NewDesc("manifold_store_"+name, help, nil, nil), prometheus.CounterValue, read}
}

// What is told about the store.
var storeDescs = []storeMetric{
	gaugeOfStore("free_bytes", "Free on the disk, as of a second ago; 0 if the filesystem cannot say.",
		func(s *broker.StoreStatistics) float64 { return float64(s.FreeBytes) }),
	gaugeOfStore("disk_bytes", "Used by the files of the store.",
		func(s *broker.StoreStatistics) float64 { return float64(s.DiskBytes) }),
	gaugeOfStore("pending_bytes", "Waiting for the disk.",
		func(s *broker.StoreStatistics) float64 { return float64(s.PendingBytes) }),
	gaugeOfStore("pending_records", "Changes that wait for the disk.",
		func(s *broker.StoreStatistics) float64 { return float64(s.PendingRecords) }),
	gaugeOfStore("refuses_messages", "1 while new messages are refused, for want of space or because too much waits.",
		func(s *broker.StoreStatistics) float64 { return indicator(s.Refuses) }),
	counterOfStore("syncs_total", "Fsyncs, each for all that came while the disk was busy.",
		func(s *broker.StoreStatistics) float64 { return float64(s.Syncs) }),
	counterOfStore("sync_seconds_total", "How long the fsyncs took together, each with the write before it.",
		func(s *broker.StoreStatistics) float64 { return s.Syncing.Seconds() }),
	counterOfStore("records_total", "Changes written.",
		func(s *broker.StoreStatistics) float64 { return float64(s.Records) }),
	counterOfStore("written_bytes_total", "Their bytes.",
		func(s *broker.StoreStatistics) float64 { return float64(s.Bytes) }),
	counterOfStore("set_aside_total", "How often something on disk could not be trusted; the log says what.",
		func(s *broker.StoreStatistics) float64 { return float64(s.SetAside) }),
}

// Describe implements prometheus.Collector.
func (m storeMetrics) Describe(out chan<- *prometheus.Desc) {
	for _, d := range storeDescs {
		out <- d.desc
	}
}

// Collect implements prometheus.Collector.
func (m storeMetrics) Collect(out chan<- prometheus.Metric) {
	s := m.store.StoreStatistics()
	for _, d := range storeDescs {
		out <- prometheus.MustNewConstMetric(d.desc, d.kind, d.read(&s))
	}
}
