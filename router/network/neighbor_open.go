package network

import (
	"cmp"

	"github.com/manifoldmq/manifold/router/amqp"
	"github.com/manifoldmq/manifold/router/amqp/frame"
)

// What routers tell each other in open, as Qpid Dispatch does.
const (
	relayCapability     amqp.Symbol = "ANONYMOUS-RELAY"
	streamingCapability amqp.Symbol = "qd.streaming-links" // large messages may come over links of their own
	connectionProperty              = "qd.conn-id"
	costProperty                    = "qd.inter-router-cost"
	annotationsProperty             = "qd.annotations-version"
	annotationsVersion              = 1
)

// greet sends our open. From then on the connection has a number, which is told in it.
func (k *neighbor) greet(hostname string) {
	k.number = k.network.config.Directory.Number()
	k.desk.Number, k.desk.Router = k.number, true
	k.Open(k.greeting(hostname))
}

// greeting gives our open.
func (k *neighbor) greeting(hostname string) frame.Open {
	capabilities := []amqp.Symbol{relayCapability, streamingCapability}
	properties := amqp.BeginFields(nil)
	properties.String("product", "manifold")
	properties.String("version", cmp.Or(k.network.config.Version, "unknown"))
	properties.Int(connectionProperty, int32(k.number))
	if k.cost > 1 {
		properties.Int(costProperty, int32(k.cost))
	}
	properties.Int(annotationsProperty, annotationsVersion)
	if k.guest != nil {
		k.guest.entrance.Greeting.Write(&properties)
	}
	return frame.Open{
		ContainerID: k.mesh.ID(), Hostname: hostname, Properties: properties.End(),
		OfferedCapabilities: capabilities, DesiredCapabilities: capabilities,
	}
}

// costIn gives the cost that the other side has for the connection, 0 if it does not say. The higher one counts.
func costIn(properties amqp.RawValue) int {
	fields, ok := properties.Map()
	if !ok {
		return 0
	}
	value, _ := fields.Lookup(costProperty)
	cost, _ := value.Value().(int32)
	return int(cost)
}
