package amqp

import (
	"testing"
	"testing/synctest"

	codec "github.com/manifoldmq/manifold/router/amqp"
	"github.com/manifoldmq/manifold/router/amqp/engine"
	"github.com/manifoldmq/manifold/router/amqp/frame"
)

// filterSet gives a filter set with one filter; the descriptor is a number or a symbol.
func filterSet(t *testing.T, descriptor, value any) codec.RawValue {
	t.Helper()
	set := codec.BeginFields(nil)
	if err := set.Any("the client's name for it", codec.Described{Descriptor: descriptor, Value: value}); err != nil {
		t.Fatal(err)
	}
	return set.End()
}

// coloured gives a message with a colour.
func coloured(t *testing.T, colour string) []byte {
	t.Helper()
	properties := codec.Properties{Subject: "paint"}
	m := codec.BeginApplicationProperties(properties.Append(nil))
	m.String("colour", colour)
	return codec.AppendData(m.End(), []byte(colour))
}

// TestFiltersChooseMessages in each form that clients give them, and the answer holds those that are applied.
func TestFiltersChooseMessages(t *testing.T) {
	for name, c := range map[string]struct{ descriptor, value any }{
		"selector by number":             {selectorFilter, "colour = 'red'"},
		"selector by name":               {codec.Symbol("apache.org:selector-filter:string"), "colour = 'red'"},
		"SQL by number":                  {sqlFilter, "colour = 'red'"},
		"SQL by name":                    {codec.Symbol("amqp:sql-filter"), "colour = 'red'"},
		"application properties, number": {applicationPropertiesFilter, codec.Map{{Key: "colour", Value: "red"}}},
		"application properties, name": {
			codec.Symbol("amqp:application-properties-filter"), codec.Map{{Key: "colour", Value: "red"}},
		},
	} {
		for _, address := range []string{"alerts/paint", "commands/paint", "temporary"} {
			t.Run(name+" "+address, func(t *testing.T) {
				run(t, func(t *testing.T, h *house) {
					if address == "temporary" {
						address = h.temporary()
					}
					filter := filterSet(t, c.descriptor, c.value)
					cl := h.client(frame.Open{})
					in := cl.receiver("in", &frame.Source{Address: address, Filter: filter})
					if got := in.Remote().Source.Filter; string(got) != string(filter) {
						t.Errorf("the answer has the filter %x, want %x", got, filter)
					}
					in.Grant(10)
					out := cl.sender(address)
					var blue *sent
					for _, colour := range []string{"red", "blue", "red"} {
						x := out.send(engine.Delivery{Payload: coloured(t, colour)})
						if colour == "blue" {
							blue = x
						}
					}
					in.expect("red")
					in.expect("red")
					if address != "commands/paint" {
						return
					}
					if state := out.answer(blue); state.Kind != frame.Released {
						t.Errorf("what nobody asked for was %v, want released", state.Kind)
					}
				})
			})
		}
	}
}

// TestPropertiesFilterReadsTheProperties and an unknown field of them is refused.
func TestPropertiesFilterReadsTheProperties(t *testing.T) {
	run(t, func(t *testing.T, h *house) {
		c := h.client(frame.Open{})
		for _, descriptor := range []any{propertiesFilter, codec.Symbol("amqp:properties-filter")} {
			paint := filterSet(t, descriptor, codec.Map{{Key: codec.Symbol("subject"), Value: "paint"}})
			wood := filterSet(t, descriptor, codec.Map{{Key: codec.Symbol("subject"), Value: "wood"}})
			in := c.receiver("paint", &frame.Source{Address: "alerts/x", Filter: paint})
			other := c.receiver("wood", &frame.Source{Address: "alerts/x", Filter: wood})
			in.Grant(1)
			other.Grant(1)
			out := c.sender("alerts/x")
			out.answer(out.send(engine.Delivery{Payload: coloured(t, "red")}))
			in.expect("red")
			if n := other.drainAll(); n != 0 {
				t.Errorf("%d messages came that were not asked for", n)
			}
			for _, l := range []*link{in, other, out} {
				l.Close(nil)
				l.refusal()
			}
		}
		unknown := filterSet(t, propertiesFilter, codec.Map{{Key: codec.Symbol("colour"), Value: "red"}})
		if got := c.receiver("in", &frame.Source{Address: "alerts/x", Filter: unknown}).refusal(); got != frame.InvalidField {
			t.Errorf("a field that there is not: condition %q", got)
		}
	})
}

// TestUnreadableSelectorIsRefused and the description says where it cannot be read.
func TestUnreadableSelectorIsRefused(t *testing.T) {
	run(t, func(t *testing.T, h *house) {
		c := h.client(frame.Open{})
		for name, value := range map[string]any{"text": "colour = ", "type": int32(7)} {
			in := c.receiver(name, &frame.Source{Address: "alerts/x", Filter: filterSet(t, selectorFilter, value)})
			if got := in.refusal(); got != frame.InvalidField {
				t.Errorf("%s: condition %q", name, got)
			}
			if in.detached.Error.Description == "" {
				t.Errorf("%s: nothing is said of why", name)
			}
		}
	})
}

// TestUnknownFilterIsLeftOutOfTheAnswer [3.5.3].
func TestUnknownFilterIsLeftOutOfTheAnswer(t *testing.T) {
	run(t, func(t *testing.T, h *house) {
		in := h.client(frame.Open{}).receiver("in", &frame.Source{
			Address: "alerts/x", Filter: filterSet(t, codec.Symbol("example:filter"), "x"),
		})
		if got := in.Remote().Source.Filter; got != nil {
			t.Errorf("the answer has the filter %x", got)
		}
	})
}

// TestNoLocalLeavesOutTheContainersOwn messages, whichever of its links they come from.
func TestNoLocalLeavesOutTheContainersOwn(t *testing.T) {
	for _, descriptor := range []any{noLocalFilter, codec.Symbol("apache.org:no-local-filter:list")} {
		run(t, func(t *testing.T, h *house) {
			c, other := h.client(frame.Open{}), h.client(frame.Open{ContainerID: "other"})
			in := c.receiver("in", &frame.Source{Address: "alerts/x", Filter: filterSet(t, descriptor, codec.List{})})
			if in.Remote().Source.Filter == nil {
				t.Error("the answer has no filter")
			}
			in.Grant(10)
			own, relay, theirs := c.sender("alerts/x"), c.sender(""), other.sender("alerts/x")
			to := codec.Properties{To: "alerts/x"}
			own.answer(own.send(engine.Delivery{Payload: text("own")}))
			relay.answer(relay.send(engine.Delivery{Payload: codec.AppendData(to.Append(nil), []byte("own"))}))
			theirs.answer(theirs.send(engine.Delivery{Payload: text("theirs")}))
			in.expect("theirs")
			synctest.Wait()
			if n := in.drainAll(); n != 0 {
				t.Errorf("%d more messages came", n)
			}
		})
	}
}

// TestNoLocalIsLeftOutOfTheAnswerWhereItMeansNothing: who takes from a queue takes it from the others.
func TestNoLocalIsLeftOutOfTheAnswerWhereItMeansNothing(t *testing.T) {
	run(t, func(t *testing.T, h *house) {
		in := h.client(frame.Open{}).receiver("in", &frame.Source{
			Address: "commands/x", Filter: filterSet(t, noLocalFilter, codec.List{}),
		})
		if got := in.Remote().Source.Filter; got != nil {
			t.Errorf("the answer has the filter %x", got)
		}
	})
}
