package stomp

import (
	"testing"
	"time"

	"github.com/go-stomp/stomp/v3/frame"

	"github.com/manifoldmq/manifold/router"
	"github.com/manifoldmq/manifold/router/amqp"
)

func TestDeliveryTimes(t *testing.T) {
	now := time.UnixMilli(1_000_000)
	for _, c := range []struct {
		headers []string
		due     int64 // -1 when it is refused
	}{
		{nil, 0},
		{[]string{"AMQ_SCHEDULED_DELAY", "0"}, 0},
		{[]string{"AMQ_SCHEDULED_DELAY", "2500"}, 1_002_500},
		{[]string{"AMQ_SCHEDULED_TIME", "1000001"}, 1_000_001},
		{[]string{"AMQ_SCHEDULED_TIME", "1000001", "AMQ_SCHEDULED_DELAY", "2500"}, 1_002_500},
		{[]string{"AMQ_SCHEDULED_DELAY", "soon"}, -1},
		{[]string{"AMQ_SCHEDULED_DELAY", "9223372036854775807"}, -1},
	} {
		d, err := new(conn).encode("jobs", frame.NewHeader(c.headers...), nil, now)
		if (err != nil) != (c.due < 0) || err == nil && d.Due != c.due {
			t.Errorf("%q is due at %d (%v), want %d", c.headers, d.Due, err, c.due)
		}
	}
}

func TestOtherValuesAreJSON(t *testing.T) {
	body, err := amqp.AppendValue(nil, amqp.Map{{Key: "celsius", Value: int32(21)}})
	if err != nil {
		t.Fatal(err)
	}
	m, err := amqp.ParseMessage(body)
	if err != nil {
		t.Fatal(err)
	}
	run(t, func(h *house) {
		c := h.connect()
		c.ask(frame.SUBSCRIBE, "", "id", "s", "destination", "alerts/a")
		h.links.Sender("alerts/a").SendDelivery(router.Delivery{Message: m})
		f := c.expect(`{"celsius":21}`)[0]
		if got := f.Header.Get("content-type"); got != "application/json" {
			t.Errorf("content-type %q", got)
		}
	})
}
