package amqp

import (
	"testing"
	"time"

	codec "github.com/manifoldmq/manifold/router/amqp"
	"github.com/manifoldmq/manifold/router/amqp/engine"
	"github.com/manifoldmq/manifold/router/amqp/frame"
)

// annotated gives a message with an annotation.
func annotated(t *testing.T, name string, value any, body string) []byte {
	t.Helper()
	w := codec.BeginMessageAnnotations(nil)
	if err := w.Any(name, value); err != nil {
		t.Fatal(err)
	}
	return codec.AppendData(w.End(), []byte(body))
}

// TestSubscriberGetsDelayedMessagesWhenTheyAreDue and the others before.
func TestSubscriberGetsDelayedMessagesWhenTheyAreDue(t *testing.T) {
	run(t, func(t *testing.T, h *house) {
		c := h.client(frame.Open{})
		in, gone, out := c.receiver("in", &frame.Source{Address: "alerts/x"}),
			c.receiver("gone", &frame.Source{Address: "alerts/x"}), c.sender("alerts/x")
		in.Grant(10)
		start := time.Now()
		for _, p := range [][]byte{
			annotated(t, "x-opt-delivery-delay", uint32(4000), "4 s"),
			annotated(t, "x-opt-delivery-time", codec.Timestamp(start.UnixMilli()+2000), "2 s"),
			annotated(t, "x-opt-delivery-time", start.UnixMilli()+2000, "2 s, second"),
			annotated(t, "x-opt-delivery-time", "tomorrow", "what is no time"),
			text("at once"),
		} {
			out.answer(out.send(engine.Delivery{Payload: p}))
		}
		gone.Close(nil)
		gone.refusal()
		for _, want := range []struct {
			body  string
			after time.Duration
		}{{"what is no time", 0}, {"at once", 0}, {"2 s", 2 * time.Second}, {"2 s, second", 2 * time.Second}, {"4 s", 4 * time.Second}} {
			in.expect(want.body)
			if got := time.Since(start).Round(time.Second); got != want.after {
				t.Errorf("%q came after %v, want %v", want.body, got, want.after)
			}
		}
	})
}

// TestAnnotationsThatTellTimes of whatever type.
func TestAnnotationsThatTellTimes(t *testing.T) {
	now := time.Now().UnixMilli()
	for name, c := range map[string]struct {
		annotation string
		value      any
		want       int64 // from now on; below 0 for none
	}{
		"time, long":           {"x-opt-delivery-time", now + 5000, 5000},
		"time, timestamp":      {"x-opt-delivery-time", codec.Timestamp(now + 5000), 5000},
		"time, ulong":          {"x-opt-delivery-time", uint64(now + 5000), 5000},
		"delay, long":          {"x-opt-delivery-delay", int64(5000), 5000},
		"delay, int":           {"x-opt-delivery-delay", int32(5000), 5000},
		"delay, uint":          {"x-opt-delivery-delay", uint32(5000), 5000},
		"delay beyond all":     {"x-opt-delivery-delay", uint64(1) << 63, maxDelay},
		"negative":             {"x-opt-delivery-delay", int64(-1), -1},
		"of another type":      {"x-opt-delivery-time", true, -1},
		"another annotation":   {"x-opt-other", int64(5000), -1},
		"delay of no time":     {"x-opt-delivery-delay", int64(0), -1},
		"time that has passed": {"x-opt-delivery-time", int64(1), 1 - now},
	} {
		t.Run(name, func(t *testing.T) {
			m, err := codec.ParseMessage(annotated(t, c.annotation, c.value, "x"))
			if err != nil {
				t.Fatal(err)
			}
			got := due(m.MessageAnnotations())
			if c.want == -1 {
				if got != 0 {
					t.Errorf("due at %d, want at once", got)
				}
				return
			}
			if off := got - now - c.want; off < 0 || off > 60_000 {
				t.Errorf("due %d ms from now, want %d", got-now, c.want)
			}
		})
	}
}
