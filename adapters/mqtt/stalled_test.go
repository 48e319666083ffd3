package mqtt

import (
	"fmt"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"weak"

	"github.com/mochi-mqtt/server/v2/packets"

	"github.com/manifoldmq/manifold/addressing"
	"github.com/manifoldmq/manifold/router/routertest"
)

// TestStalledSubscriberHoldsNoMoreThanItsSettings: what is beyond them is garbage at once and counted as dropped, and who
// reads gets every message.
func TestStalledSubscriberHoldsNoMoreThanItsSettings(t *testing.T) {
	const size, messages = 4 << 10, 500
	for _, bound := range []struct {
		name          string
		bytes, credit int
		held          int // messages, at most
	}{
		{"maxQueuedBytes", 64 << 10, messages, 64 << 10 / size},
		{"subscriptionCredit", 8 << 20, 20, 20},
	} {
		for qos := range byte(2) {
			t.Run(fmt.Sprintf("%s, QoS %d", bound.name, qos), func(t *testing.T) {
				limit := func(c *Config) {
					c.Limits.MaxQueuedBytes, c.Limits.SubscriptionCredit = bound.bytes, bound.credit
				}
				runWith(t, limit, func(h *house) {
					stalled, brisk := h.connect(4, "stalled"), h.connect(4, "brisk")
					stalled.subscribe("alerts/x", qos)
					brisk.subscribe("alerts/x", qos)
					p := h.links.Sender("alerts/x")
					var sent []weak.Pointer[byte]
					for range messages {
						d := routertest.Text(strings.Repeat("x", size))
						sent = append(sent, weak.Make(&d.Message.Bytes()[0]))
						p.SendDelivery(d)
						if got := brisk.receive(packets.Publish); qos > 0 {
							brisk.ack(got.PacketID)
						}
						synctest.Wait()
					}
					p.Accepted(messages)
					held := heldOf(sent)
					if held > bound.held || held < bound.held/2 {
						t.Errorf("%d messages are held, want %d or a little less", held, bound.held)
					}
					if h.links.Router.Counters("default").Kind(addressing.Broadcast).Dropped() == 0 {
						t.Error("nothing was counted as dropped")
					}
				})
			})
		}
	}
}

// heldOf is how many are still in use.
func heldOf(all []weak.Pointer[byte]) (n int) {
	runtime.GC()
	for _, one := range all {
		if one.Value() != nil {
			n++
		}
	}
	return n
}
