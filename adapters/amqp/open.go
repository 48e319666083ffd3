package amqp

import (
	"slices"

	codec "github.com/manifoldmq/manifold/router/amqp"
	"github.com/manifoldmq/manifold/router/amqp/frame"
)

// What a connection can do, as capabilities.
const (
	relayCapability   codec.Symbol = "ANONYMOUS-RELAY"  // a target may have no address: each message says where it goes
	delayCapability   codec.Symbol = "DELAYED_DELIVERY" // a message may say when it is to be delivered
	sharingCapability codec.Symbol = "SHARED-SUBS"      // a subscription may have several links
)

// welcome answers the open of a client that is let in.
func (c *conn) welcome(o *frame.Open) {
	properties := codec.BeginFields(nil)
	properties.String("product", "manifold")
	properties.String("version", c.server.config.Version)
	c.server.config.Manner.introduce(&properties, c.visit.ID())
	c.server.entrance.Greeting.Write(&properties)
	more, desired := c.server.config.Manner.capabilities()
	offered := append([]codec.Symbol{relayCapability, delayCapability, sharingCapability, soleConnection}, more...)
	if slices.Contains(o.DesiredCapabilities, soleConnection) {
		if !c.server.containers.claim(c, closesExisting(o.Properties)) {
			c.refuseSecond()
			return
		}
		properties.Uint(soleDetection, strongDetection)
	}
	c.Open(frame.Open{OfferedCapabilities: offered, DesiredCapabilities: desired, Properties: properties.End()})
}
