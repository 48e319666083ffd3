package load

import (
	"encoding/json"
	"fmt"
	"io"
	"time"
)

// Result is what a run measured. Counters and CPU times belong to the measured window; what is wrong (Lost and the
// fields after it) is counted over the whole run, warm-up included.
type Result struct {
	Elapsed      time.Duration `json:"elapsedNanos"`
	Published    uint64        `json:"published"`
	Acknowledged uint64        `json:"acknowledged"` // messages that the server accepted; 0 when it was not asked to
	Delivered    uint64        `json:"delivered"`    // first arrivals, over all subscribers

	// Beginning and Ending are rates per second in the first and the last part of the time, as long as Config.Ends.
	Beginning float64 `json:"beginning,omitempty"`
	Ending    float64 `json:"ending,omitempty"`

	DriverCPU time.Duration  `json:"driverCPUNanos"` // 0 where it cannot be read
	ServerCPU *time.Duration `json:"serverCPUNanos,omitempty"`
	// ServerPeak is the most memory that the server ever had in RAM, in bytes.
	ServerPeak uint64   `json:"serverPeak,omitempty"`
	Latency    *Latency `json:"latency,omitempty"`
	// Confirmation is how long accepted messages waited for their answer, also from when they were due; AMQP and CoAP only.
	Confirmation *Latency `json:"confirmation,omitempty"`

	Lost           uint64 `json:"lost"`           // deliveries that never came
	Duplicated     uint64 `json:"duplicated"`     // deliveries that came again
	Misordered     uint64 `json:"misordered"`     // deliveries that came after a later one of the same publisher
	Unordered      bool   `json:"unordered"`      // that blames nobody: they were sent side by side
	Unacknowledged uint64 `json:"unacknowledged"` // QoS 1 messages without an answer
	Unexpected     uint64 `json:"unexpected"`     // answers for nothing
	Refused        uint64 `json:"refused"`        // messages that the server did not accept
	Repeated       uint64 `json:"repeated"`       // CoAP requests sent again, since their answer did not come; no fault of anybody
	Foreign        uint64 `json:"foreign"`        // messages of another run or sender
}

// Work is what rates and CPU costs are given per: deliveries, or without subscribers acknowledged messages, or
// with QoS 0 and no subscribers published ones.
func (r Result) Work() uint64 {
	switch {
	case r.Delivered > 0:
		return r.Delivered
	case r.Acknowledged > 0:
		return r.Acknowledged
	}
	return r.Published
}

// PerSecond is n events of the measured window as a rate.
func (r Result) PerSecond(n uint64) float64 {
	if r.Elapsed <= 0 {
		return 0
	}
	return float64(n) / r.Elapsed.Seconds()
}

// Sound says whether every message came exactly once and, where there is one, in order.
func (r Result) Sound() bool {
	return r.Lost == 0 && r.Duplicated == 0 && (r.Misordered == 0 || r.Unordered) && r.Unacknowledged == 0 &&
		r.Unexpected == 0 && r.Refused == 0
}

// WriteJSON writes r as one JSON object.
func (r Result) WriteJSON(w io.Writer) error { return writeJSON(w, r) }

// WriteText writes r for a person.
func (r Result) WriteText(w io.Writer) error {
	t := &table{w: w}
	t.row("elapsed", "%.2f s", r.Elapsed.Seconds())
	t.row("published", "%d  %.0f/s", r.Published, r.PerSecond(r.Published))
	t.row("acknowledged", "%d  %.0f/s", r.Acknowledged, r.PerSecond(r.Acknowledged))
	t.row("delivered", "%d  %.0f/s", r.Delivered, r.PerSecond(r.Delivered))
	if r.Beginning > 0 {
		t.row("beginning", "%.0f/s, and at the end %.0f/s", r.Beginning, r.Ending)
	}
	t.row("driver CPU", "%.2f µs/message", perMessage(r.DriverCPU, r.Work()))
	if r.ServerCPU != nil {
		t.row("server CPU", "%.2f µs/message", perMessage(*r.ServerCPU, r.Work()))
	}
	if r.ServerPeak > 0 {
		t.row("server memory", "%d KiB at most", r.ServerPeak>>10)
	}
	t.latency("latency", r.Latency)
	t.latency("confirmation", r.Confirmation)
	switch {
	case r.Sound() && r.Delivered == 0 && r.Acknowledged == 0:
		t.row("checked", "nothing: the server was not asked to acknowledge or to deliver, or did neither in time")
	case r.Sound() && r.Unordered:
		t.row("checked", "nothing lost or duplicated; sent side by side, so in no order")
	case r.Sound():
		t.row("checked", "nothing lost, duplicated or out of order")
	default:
		t.row("checked", "lost %d, duplicated %d, out of order %d, unacknowledged %d, unexpected answers %d, refused %d",
			r.Lost, r.Duplicated, r.Misordered, r.Unacknowledged, r.Unexpected, r.Refused)
	}
	if r.Repeated > 0 {
		t.row("repeated", "%d", r.Repeated)
	}
	if r.Foreign > 0 {
		t.row("foreign", "%d", r.Foreign)
	}
	return t.err
}

// perMessage is a CPU time in microseconds, spread over n messages.
func perMessage(cpu time.Duration, n uint64) float64 {
	if n == 0 {
		return 0
	}
	return float64(cpu) / float64(time.Microsecond) / float64(n)
}

// table writes labelled rows and keeps the first error.
type table struct {
	w   io.Writer
	err error
}

func (t *table) row(label, format string, args ...any) {
	if t.err == nil {
		_, t.err = fmt.Fprintf(t.w, "%-14s"+format+"\n", append([]any{label}, args...)...)
	}
}

func (t *table) latency(label string, l *Latency) {
	if l != nil {
		t.row(label, "p50 %v  p90 %v  p99 %v  p99.9 %v  max %v", l.P50, l.P90, l.P99, l.P999, l.Max)
	}
}

func writeJSON(w io.Writer, v any) error {
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	return enc.Encode(v)
}
