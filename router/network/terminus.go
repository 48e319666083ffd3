package network

import (
	"fmt"

	"github.com/manifoldmq/manifold/addressing"
	"github.com/manifoldmq/manifold/router/amqp"
	"github.com/manifoldmq/manifold/router/amqp/engine"
	"github.com/manifoldmq/manifold/router/amqp/frame"
)

// name is how the link is called, the same each time that it is attached. Our container's name goes before it.
func (l AutoLink) name() string {
	if l.federated != nil {
		return l.federated.linkName(l.via)
	}
	address := string(l.Address)
	if l.Subscription != "" {
		address += "::" + l.Subscription
	}
	name := fmt.Sprintf("%s/%s %s %d %s", l.Tenant, address, l.Direction, l.Phase, l.External)
	if l.Fallback {
		name += " fallback"
	}
	if l.Name != "" { // which tells apart two that are alike
		name += " " + l.Name
	}
	return name
}

// attach gives what is said to attach the link: our address at our end, the broker's at its own [2.6.3]. The capability
// asks some brokers, such as Artemis, for a queue or a topic where there is nothing of that name yet.
func (l AutoLink) attach() frame.Attach {
	if l.federated != nil {
		return l.federated.attach(l.via)
	}
	var capabilities []amqp.Symbol
	if l.Capability != addressing.AnyKind {
		capabilities = []amqp.Symbol{amqp.Symbol(l.Capability.String())}
	}
	ours := string(l.Address)
	if l.Direction == Out {
		return frame.Attach{
			Role:             frame.Sender,
			SenderSettleMode: frame.SendMixed,
			Source:           &frame.Source{Address: ours, HasAddress: true},
			Target:           &frame.Target{Address: l.External, HasAddress: true, Capabilities: capabilities},
		}
	}
	return frame.Attach{
		Role:             frame.Receiver,
		SenderSettleMode: frame.SendUnsettled,
		Source:           &frame.Source{Address: l.External, HasAddress: true, Capabilities: capabilities},
		Target:           &frame.Target{Address: ours, HasAddress: true},
	}
}

// reasonOf says why a link ended.
func reasonOf(d engine.Detachment) string {
	switch {
	case d.Error != nil:
		return d.Error.Error()
	case d.By == engine.ByNetwork:
		return "the connection is lost"
	default:
		return "the broker ended the link"
	}
}
