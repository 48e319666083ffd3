package amqp

import (
	"slices"
	"testing"

	codec "github.com/manifoldmq/manifold/router/amqp"
	"github.com/manifoldmq/manifold/router/amqp/engine"
	"github.com/manifoldmq/manifold/router/amqp/frame"
)

// dynamic attaches a link as Qpid JMS makes a temporary queue or topic: its target is dynamic, and nothing is sent on it.
func (c *client) dynamic(capability codec.Symbol) *link {
	c.t.Helper()
	return c.attach(frame.Attach{
		Name: "maker of a " + string(capability), Role: frame.Sender, Source: &frame.Source{},
		Target: &frame.Target{
			Dynamic: true, ExpiryPolicy: frame.ExpireLinkDetach, Capabilities: []codec.Symbol{capability},
			DynamicNodeProperties: deleteOnClose(),
		},
	}, nil)
}

// TestTemporaryQueueKeepsItsMessagesUntilItsMakerLeaves: a client may send, from any connection, before it receives.
func TestTemporaryQueueKeepsItsMessagesUntilItsMakerLeaves(t *testing.T) {
	run(t, func(t *testing.T, h *house) {
		c := h.client(frame.Open{})
		maker := c.dynamic(temporaryQueueCapability)
		target := maker.Remote().Target
		if target.Address == "" || !slices.Contains(target.Capabilities, temporaryQueueCapability) {
			t.Fatalf("the target is %+v", target)
		}
		properties, _ := target.DynamicNodeProperties.Map()
		if policy, _ := properties.Lookup("lifetime-policy"); policy == nil {
			t.Error("nothing is said of its lifetime")
		}
		out := h.client(frame.Open{}).sender(target.Address, temporaryQueueCapability)
		if state := out.answer(out.send(engine.Delivery{Payload: text("early")})); state.Kind != frame.Accepted {
			t.Errorf("what is sent before anybody receives was %v", state.Kind)
		}
		source := &frame.Source{Address: target.Address, Capabilities: []codec.Symbol{temporaryQueueCapability}}
		in := c.receiver("in", source)
		in.Grant(1)
		in.Settle(in.expect("early").id, frame.State{Kind: frame.Modified, DeliveryFailed: true})
		in.Grant(1)
		again := in.expect("early")
		if header, _ := again.message.Header(); header.DeliveryCount != 1 {
			t.Errorf("delivery-count %d, want 1", header.DeliveryCount)
		}
		in.Close(nil)
		in.refusal()
		maker.Close(nil)
		maker.refusal()
		if got := c.receiver("late", source).refusal(); got != frame.NotFound {
			t.Errorf("after its maker has gone: condition %q", got)
		}
	})
}

func TestTemporaryTopicTellsEverySubscriber(t *testing.T) {
	run(t, func(t *testing.T, h *house) {
		c := h.client(frame.Open{})
		address := c.dynamic(temporaryTopicCapability).Remote().Target.Address
		source := &frame.Source{Address: address, Capabilities: []codec.Symbol{temporaryTopicCapability}}
		one, other := c.receiver("one", source), c.receiver("other", source)
		one.Grant(1)
		other.Grant(1)
		out := c.sender(address, temporaryTopicCapability)
		out.answer(out.send(engine.Delivery{Payload: text("news")}))
		one.expect("news")
		other.expect("news")
	})
}
