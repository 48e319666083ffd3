package mqtt

import (
	"testing"

	"github.com/mochi-mqtt/server/v2/packets"
)

// deliver has a message published with QoS 2 to a client that subscribed with QoS 2, and gives what came.
func (h *stored) deliver(c *peer, text string) packets.Packet {
	h.t.Helper()
	pub := h.connect(5, "publisher")
	pub.publish("news/a", text, 2, 1)
	pub.receive(packets.Pubrec)
	pub.answer(packets.Pubrel, 1)
	pub.receive(packets.Pubcomp)
	return c.receive(packets.Publish)
}

// TestPacketIDThatACutConnectionUsedIsReleased: otherwise another message gets it, which the client takes for the first.
func TestPacketIDThatACutConnectionUsedIsReleased(t *testing.T) {
	runStored(t, func(h *stored) {
		c := h.connect(5, "device", lasting)
		c.subscribe("news/#", 2)
		first := h.deliver(c, "one")
		h.cutPower()
		c, _ = h.reconnect(5, "device", lasting)
		if got := c.receive(packets.Pubrel); got.PacketID != first.PacketID {
			t.Errorf("PUBREL %d, want %d", got.PacketID, first.PacketID)
		}
		again := c.receive(packets.Publish)
		if again.PacketID == first.PacketID || !again.FixedHeader.Dup {
			t.Errorf("sent again with id %d after %d, dup %v", again.PacketID, first.PacketID, again.FixedHeader.Dup)
		}
	})
}

// TestWhatPubrelHasEndedIsNotDeliveredAgain after a power cut.
func TestWhatPubrelHasEndedIsNotDeliveredAgain(t *testing.T) {
	runStored(t, func(h *stored) {
		c := h.connect(5, "device", lasting)
		c.subscribe("news/#", 2)
		id := h.deliver(c, "one").PacketID
		c.answer(packets.Pubrec, id)
		c.receive(packets.Pubrel)
		h.cutPower()
		c, _ = h.reconnect(5, "device", lasting)
		c.receive(packets.Pubrel)
		c.answer(packets.Pubcomp, id)
		if got := h.deliver(c, "two"); string(got.Payload) != "two" {
			t.Errorf("got %q, want what is new", got.Payload)
		}
	})
}

// TestQoS2IsNotSentBeforeItsIDIsOnDisk: what follows waits with it.
func TestQoS2IsNotSentBeforeItsIDIsOnDisk(t *testing.T) {
	run(t, func(h *house) {
		c := h.connect(5, "device", lasting)
		c.subscribe("alerts/#", 2)
		pub := h.connect(5, "publisher")
		h.shelf.hold()
		pub.publish("alerts/x", "one", 2, 1)
		pub.receive(packets.Pubrec)
		c.nothing("the packet id")
		h.shelf.release()
		if got := c.receive(packets.Publish); got.FixedHeader.Qos != 2 {
			t.Errorf("delivered with QoS %d", got.FixedHeader.Qos)
		}
	})
}
