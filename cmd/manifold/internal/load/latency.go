package load

import (
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// Latency is the time from when a message was due to when it was read, or to when its sender had the answer. Without a
// rate a message is due when it is written.
type Latency struct {
	Count int64         `json:"count"`
	P50   time.Duration `json:"p50Nanos"`
	P90   time.Duration `json:"p90Nanos"`
	P99   time.Duration `json:"p99Nanos"`
	P999  time.Duration `json:"p999Nanos"`
	Max   time.Duration `json:"maxNanos"`
}

const (
	latencyLowest  = int64(time.Microsecond)
	latencyHighest = int64(time.Minute)
	latencyDigits  = 3
)

func newHistogram() *hdrhistogram.Histogram {
	return hdrhistogram.New(latencyLowest, latencyHighest, latencyDigits)
}

func record(h *hdrhistogram.Histogram, d time.Duration) {
	_ = h.RecordValue(min(max(0, int64(d)), latencyHighest))
}

func newLatency(h *hdrhistogram.Histogram) *Latency {
	at := func(percent float64) time.Duration { return time.Duration(h.ValueAtQuantile(percent)) }
	return &Latency{
		Count: h.TotalCount(), P50: at(50), P90: at(90), P99: at(99), P999: at(99.9), Max: time.Duration(h.Max()),
	}
}
