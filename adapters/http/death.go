package http

import (
	nethttp "net/http"
	"strconv"
	"time"

	"github.com/manifoldmq/manifold/router/amqp"
)

// headerDeath tells of a message that left another queue how it did, in pairs as those of Manifold-Property.
const headerDeath = "Manifold-Death"

// death is how a message left another queue, dead or expired: what its annotations x-opt-death-... say, as docs/broker.md tells.
type death struct {
	Reason  string `json:"reason"`         // expired, rejected or maxDeliveries
	Text    string `json:"text,omitempty"` // what the consumer said of it
	Queue   string `json:"queue,omitempty"`
	Address string `json:"address,omitempty"` // that it was sent to
	Time    string `json:"time,omitempty"`
	Count   uint64 `json:"count"` // of failed deliveries
}

// death reads them; it is nil for a message that is where it was sent to.
func (r *reading) death() *death {
	if len(r.delivery.Message.Sections().MessageAnnotations) == 0 {
		return nil
	}
	annotations := r.delivery.Message.MessageAnnotations()
	value := func(name string) any {
		raw, ok := annotations.Lookup("x-opt-death-" + name)
		if !ok {
			return nil
		}
		return raw.Value()
	}
	var d death
	var ok bool
	if d.Reason, ok = value("reason").(string); !ok {
		return nil
	}
	d.Text, _ = value("text").(string)
	d.Queue, _ = value("queue").(string)
	d.Address, _ = value("address").(string)
	if at, ok := value("time").(amqp.Timestamp); ok {
		d.Time = formatExpiry(time.UnixMilli(int64(at)))
	}
	count, _ := value("count").(uint32)
	d.Count = uint64(count)
	return &d
}

// write puts it into the headers of an answer.
func (d *death) write(h nethttp.Header) {
	for _, p := range []struct{ name, value string }{
		{"reason", d.Reason}, {"text", d.Text}, {"queue", d.Queue}, {"address", d.Address}, {"time", d.Time}, {"count", strconv.FormatUint(d.Count, 10)},
	} {
		if p.value != "" {
			h[headerDeath] = append(h[headerDeath], p.name+"="+escape(p.value, inPair))
		}
	}
}
