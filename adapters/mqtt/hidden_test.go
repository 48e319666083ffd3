package mqtt

import (
	"testing"

	"github.com/mochi-mqtt/server/v2/packets"
)

// TestHiddenReasonsAreHidden: who is refused hears 0x80 and no text, for a name that there is not and for one that is not
// written right.
func TestHiddenReasonsAreHidden(t *testing.T) {
	runWith(t, func(c *Config) { c.Limits.HideReasons = true }, func(h *house) {
		c := h.connect(5, "device")
		for _, filter := range []string{"nowhere", "a/#/b"} {
			if ack := c.ask(filter, 1); ack.ReasonCodes[0] != 0x80 || ack.Properties.ReasonString != "" {
				t.Errorf("%s: SUBACK %#x, %q", filter, ack.ReasonCodes[0], ack.Properties.ReasonString)
			}
		}
		for qos, answer := range map[byte]byte{1: packets.Puback, 2: packets.Pubrec} {
			c.publish("nowhere", "x", qos, 1)
			if ack := c.receive(answer); ack.ReasonCode != 0x80 || ack.Properties.ReasonString != "" {
				t.Errorf("QoS %d: %#x, %q", qos, ack.ReasonCode, ack.Properties.ReasonString)
			}
		}
		h.links.Receiver("alerts/x", 1)
		c.publish("alerts/x", "x", 1, 1)
		if ack := c.receive(packets.Puback); ack.ReasonCode != 0 {
			t.Errorf("accepted with %#x", ack.ReasonCode)
		}
		if code := c.subscribe("alerts/x", 1); code != 1 {
			t.Errorf("granted %#x", code)
		}
	})
}
