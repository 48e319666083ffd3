package amqp

import (
	"slices"
	"testing"

	codec "github.com/manifoldmq/manifold/router/amqp"
	"github.com/manifoldmq/manifold/router/amqp/frame"
)

func TestOpenSaysWhoAndWhatWeAre(t *testing.T) {
	run(t, func(t *testing.T, h *house) {
		open := h.client(frame.Open{}).open
		for _, want := range []codec.Symbol{"ANONYMOUS-RELAY", "DELAYED_DELIVERY", "SHARED-SUBS", "sole-connection-for-container"} {
			if !slices.Contains(open.OfferedCapabilities, want) {
				t.Errorf("%s is not offered", want)
			}
		}
		properties, _ := open.Properties.Map()
		for _, name := range []string{"product", "version", "platform"} {
			if value, ok := properties.Lookup(name); !ok || value.Value() == "" {
				t.Errorf("nothing is said of the %s", name)
			}
		}
	})
}

var sole = []codec.Symbol{soleConnection}

// TestSecondConnectionOfASoleContainerIsRefused, and said to be in the open already, where JMS clients look for it.
func TestSecondConnectionOfASoleContainerIsRefused(t *testing.T) {
	run(t, func(t *testing.T, h *house) {
		first := h.client(frame.Open{ContainerID: "unique", DesiredCapabilities: sole})
		h.client(frame.Open{ContainerID: "unique"})                                              // does not care
		h.client(frame.Open{ContainerID: "other", DesiredCapabilities: sole})                    // has another name
		h.client(frame.Open{ContainerID: "unique", DesiredCapabilities: sole, Hostname: "acme"}) // is of another tenant
		second := h.client(frame.Open{ContainerID: "unique", DesiredCapabilities: sole})
		properties, _ := second.open.Properties.Map()
		if failed, _ := properties.Lookup("amqp:connection-establishment-failed"); failed.Value() != true {
			t.Error("the open does not say that it is none")
		}
		second.until("the close", func() bool { return second.closed != nil })
		e := second.closed.Error
		if e == nil || e.Condition != frame.InvalidField {
			t.Fatalf("closed with %v", e)
		}
		info, _ := e.Info.Map()
		if field, _ := info.Lookup("invalid-field"); field.Value() != codec.Symbol("container-id") {
			t.Errorf("the field to blame is %v", field.Value())
		}
		first.conn.Close(nil)
		first.until("the close", first.conn.Closed)
		third := h.client(frame.Open{ContainerID: "unique", DesiredCapabilities: sole})
		if properties, _ := third.open.Properties.Map(); properties.Len() < 3 || third.closed != nil {
			t.Error("refused after the first had gone")
		}
	})
}

// TestSoleConnectionTakesOverWhenItSaysSo.
func TestSoleConnectionTakesOverWhenItSaysSo(t *testing.T) {
	run(t, func(t *testing.T, h *house) {
		policy := codec.BeginFields(nil)
		policy.Uint(solePolicy, uint32(closeExisting))
		open := frame.Open{ContainerID: "unique", DesiredCapabilities: sole, Properties: policy.End()}
		first, second := h.client(open), h.client(open)
		first.until("the close", func() bool { return first.closed != nil })
		if e := first.closed.Error; e == nil || e.Condition != frame.ResourceLocked {
			t.Errorf("the first was closed with %v", e)
		}
		second.sender("alerts/x")
		refused := h.client(frame.Open{ContainerID: "unique", DesiredCapabilities: sole})
		refused.until("the close", func() bool { return refused.closed != nil })
	})
}
