package amqp

import (
	"testing"

	codec "github.com/manifoldmq/manifold/router/amqp"
	"github.com/manifoldmq/manifold/router/amqp/engine"
	"github.com/manifoldmq/manifold/router/amqp/frame"
	"github.com/manifoldmq/manifold/router/wire"
	"github.com/manifoldmq/manifold/tenancy"
)

// TestModifiedPassesAsItIs from the consumer of an anycast address back to the sender.
func TestModifiedPassesAsItIs(t *testing.T) {
	annotations := codec.BeginFields(nil)
	annotations.String("x-opt-why", "busy")
	for name, state := range map[string]frame.State{
		"back":        {Kind: frame.Modified},
		"failed":      {Kind: frame.Modified, DeliveryFailed: true},
		"not here":    {Kind: frame.Modified, UndeliverableHere: true},
		"annotations": {Kind: frame.Modified, Annotations: annotations.End()},
		"all":         {Kind: frame.Modified, DeliveryFailed: true, UndeliverableHere: true, Annotations: codec.RawValue(annotations.End())},
	} {
		t.Run(name, func(t *testing.T) {
			run(t, func(t *testing.T, h *house) {
				c := h.client(frame.Open{})
				in := c.receiver("in", &frame.Source{Address: "commands/x"})
				in.Grant(1)
				out := c.sender("commands/x")
				x := out.send(engine.Delivery{Payload: text("job")})
				in.Settle(in.expect("job").id, state)
				got := out.answer(x)
				if !got.Same(&state) || string(got.Annotations) != string(state.Annotations) {
					t.Errorf("the sender heard %+v, want %+v", got, state)
				}
			})
		})
	}
}

// TestReceivedStateEndsNothing [3.4.1].
func TestReceivedStateEndsNothing(t *testing.T) {
	run(t, func(t *testing.T, h *house) {
		c := h.client(frame.Open{})
		in := c.receiver("in", &frame.Source{Address: "commands/x"})
		in.Grant(1)
		out := c.sender("commands/x")
		x := out.send(engine.Delivery{Payload: text("job")})
		d := in.expect("job")
		in.Update(d.id, frame.State{Kind: frame.Received, SectionNumber: 1})
		in.Settle(d.id, frame.State{Kind: frame.Accepted})
		if state := out.answer(x); state.Kind != frame.Accepted {
			t.Errorf("the sender heard %v", state.Kind)
		}
	})
}

// TestSettlementWithoutAStateIsTheDefaultOutcome of the source, and without one it is released [3.5.3].
func TestSettlementWithoutAStateIsTheDefaultOutcome(t *testing.T) {
	for _, c := range []struct{ def, want frame.StateKind }{
		{frame.NoState, frame.Released}, {frame.Accepted, frame.Accepted}, {frame.Rejected, frame.Rejected},
	} {
		run(t, func(t *testing.T, h *house) {
			cl := h.client(frame.Open{})
			in := cl.receiver("in", &frame.Source{Address: "commands/x", DefaultOutcome: frame.State{Kind: c.def}})
			in.Grant(1)
			out := cl.sender("commands/x")
			x := out.send(engine.Delivery{Payload: text("job")})
			in.Settle(in.expect("job").id, frame.State{})
			if state := out.answer(x); state.Kind != c.want {
				t.Errorf("default outcome %v: the sender heard %v, want %v", c.def, state.Kind, c.want)
			}
		})
	}
}

// TestUserMayOnlyNameHimself in a message's user-id [3.2.4].
func TestUserMayOnlyNameHimself(t *testing.T) {
	tenant := &tenancy.Tenant{Name: "acme"}
	for _, c := range []struct {
		user, claim string
		ok          bool
	}{
		{"ann", "", true}, {"ann", "ann", true}, {"ann", "ann@acme", true},
		{"ann", "ben", false}, {"ann", "ann@other", false}, {"ann", "Ann", false},
		{"", "anybody", true},
	} {
		client := &conn{user: &tenancy.Principal{Tenant: tenant, User: c.user}}
		err := client.mayClaim([]byte(c.claim))
		if (err == nil) != c.ok || err != nil && wire.Error(err).Condition != frame.UnauthorizedAccess {
			t.Errorf("%q says it is %q: %v", c.user, c.claim, err)
		}
	}
}
