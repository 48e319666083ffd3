package network

import (
	"crypto/rand"
	"fmt"
	"slices"

	"github.com/manifoldmq/manifold/router/amqp"
	"github.com/manifoldmq/manifold/router/amqp/engine"
	"github.com/manifoldmq/manifold/router/amqp/frame"
)

// Capabilities by which routers tell each other what a link is for. Each is the only one of both termini.
const (
	controlCapability amqp.Symbol = "qd.router"
	dataCapability    amqp.Symbol = "qd.router-data"
)

// priorities is how many data links there are in each direction: one for each priority, in the order of the attaches.
const priorities = 10

// attach attaches the links between two routers, as is for the side to do that has connected: for each purpose one in each
// direction, in a session of its own, so that none waits for another.
func (k *neighbor) attach() {
	k.attachPair(controlCapability, &controlOut{neighbor: k}, &controlIn{neighbor: k})
	for _, l := range k.lanes {
		k.attachPair(dataCapability, l, k.newInlet())
	}
}

// attachPair attaches a link that we send on and one that we receive on.
func (k *neighbor) attachPair(capability amqp.Symbol, out, in trunk) {
	s := k.Begin()
	if s == nil {
		k.refuseAll("it allows too few sessions (channel-max)")
		return
	}
	for _, link := range []struct {
		role frame.Role
		end  trunk
	}{{frame.Sender, out}, {frame.Receiver, in}} {
		l := s.Attach(attachment(link.role, capability))
		if l == nil {
			k.refuseAll("it allows too few links (handle-max)")
			return
		}
		l.Context = link.end
		link.end.bind(l)
		k.enter(link.end, l)
	}
}

// refuseAll ends the connection because it is of no use.
func (k *neighbor) refuseAll(reason string) {
	k.Close(&frame.Error{Condition: frame.PreconditionFailed, Description: "no connection of routers: " + reason})
}

// hangUp ends the connection because the other router is not heard on it any more, or does not hear us. What was under
// way comes back at once, and the side that has connected connects again.
func (k *neighbor) hangUp() {
	k.Close(&frame.Error{Condition: frame.ConnectionForced, Description: "no hello has come back in time"})
}

// attachment gives what is said to attach a link between routers.
func attachment(role frame.Role, capability amqp.Symbol) frame.Attach {
	return frame.Attach{
		Name: fmt.Sprintf("manifold.%s", rand.Text()), Role: role, SenderSettleMode: frame.SendMixed,
		Source: &frame.Source{Capabilities: []amqp.Symbol{capability}},
		Target: &frame.Target{Capabilities: []amqp.Symbol{capability}},
	}
}

// requested answers an attach of the other side.
func (k *neighbor) requested(l *engine.Link) {
	var end trunk
	if k.role == InterRouter {
		end = k.endFor(l)
	}
	if end == nil && (k.lends(l) || k.network.linkRoutes.pass(l, k.desk)) {
		return
	}
	if k.role == Edge {
		k.requestedByEdge(l)
		return
	}
	if end == nil {
		l.Refuse(&frame.Error{Condition: frame.NotImplemented, Description: "between routers there are no such links"})
		return
	}
	l.Context = end
	end.bind(l)
	k.enter(end, l)
	l.Accept(frame.Attach{})
	end.attached()
}

// endFor gives our end for a link that the other side attaches; nil for none.
func (k *neighbor) endFor(l *engine.Link) trunk {
	sends := l.Role() == frame.Sender
	switch {
	case serves(l.Remote(), controlCapability) && sends:
		return &controlOut{neighbor: k}
	case serves(l.Remote(), controlCapability):
		return &controlIn{neighbor: k}
	case serves(l.Remote(), dataCapability) && sends:
		if next := k.nextLane(); next != nil {
			return next
		}
		return nil
	case serves(l.Remote(), dataCapability):
		return k.newInlet()
	default:
		return nil
	}
}

// serves tells whether a link is for a purpose.
func serves(a *frame.Attach, capability amqp.Symbol) bool {
	return a.Source != nil && slices.Contains(a.Source.Capabilities, capability) ||
		a.Target != nil && slices.Contains(a.Target.Capabilities, capability)
}
