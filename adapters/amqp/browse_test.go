package amqp

import (
	"testing"
	"testing/synctest"

	"github.com/manifoldmq/manifold/router/amqp/frame"
	"github.com/manifoldmq/manifold/router/routertest"
)

// TestBrowserMissesNothing: what it reads waits for its credit on the queue, and not here, so nothing need be dropped.
func TestBrowserMissesNothing(t *testing.T) {
	run(t, func(t *testing.T, h *house) {
		h.server.config.Limits.MaxQueuedBytes = 1
		c := h.client(frame.Open{})
		in := c.receiver("browser", &frame.Source{Address: "jobs", DistributionMode: frame.DistributionCopy})
		in.Grant(10)
		c.flush()
		synctest.Wait()
		for _, body := range []string{"a", "b", "c"} {
			h.store.attached[0].Take()
			h.store.attached[0].Deliver(routertest.Text(body))
		}
		in.Settle(in.expect("a").id, frame.State{Kind: frame.Accepted})
		in.expect("b")
		in.expect("c")
		if n := in.drainAll(); n != 0 {
			t.Errorf("%d more messages came", n)
		}
	})
}
