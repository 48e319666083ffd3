package mqtt

import (
	"strings"
	"testing"
	"testing/synctest"

	"github.com/mochi-mqtt/server/v2/packets"

	"github.com/manifoldmq/manifold/router"
)

// hasty loses the ids of QoS 2 publishes that are put by themselves, as a crash does that comes just before.
type hasty struct{ Sessions }

func (h hasty) Put(tenant, client, name string, value []byte, done func(error)) {
	if strings.HasPrefix(name, receivedRecord) {
		done(nil)
		return
	}
	h.Sessions.Put(tenant, client, name, value, done)
}

// TestQoS2PublishIsOnDiskWithItsPacketID: no crash can fall between the two.
func TestQoS2PublishIsOnDiskWithItsPacketID(t *testing.T) {
	runStored(t, func(h *stored) {
		h.server.config.Sessions = hasty{h.server.config.Sessions}
		c := h.connect(4, "device", lasting)
		c.publish("jobs", "once", 2, 9)
		c.receive(packets.Pubrec)
		h.cutPower()
		c, _ = h.reconnect(4, "device", lasting)
		c.publish("jobs", "once", 2, 9, func(p *packets.Packet) { p.FixedHeader.Dup = true })
		c.receive(packets.Pubrec)
		worker := h.links.Receiver("jobs", 10)
		worker.Expect("once")[0].Settle(router.Accept())
		synctest.Wait()
		if !worker.Idle() {
			t.Error("the publish was taken twice")
		}
	})
}
