package amqp

import (
	"testing"
	"time"

	"github.com/manifoldmq/manifold/router"
	"github.com/manifoldmq/manifold/router/amqp/engine"
	"github.com/manifoldmq/manifold/router/amqp/frame"
	"github.com/manifoldmq/manifold/router/wire"
)

func TestWhoSaysNothingMoreIsClosed(t *testing.T) {
	for _, beats := range []int{0, 1, 5} {
		asDispatch(t, func(h *house) {
			c := h.client(frame.Open{})
			l := c.sender(heartbeatAddress)
			last := time.Now()
			for range beats {
				if state := l.answer(l.send(engine.Delivery{Payload: text("here")})); state.Kind != frame.Accepted {
					t.Errorf("a heartbeat is %v", state.Kind)
				}
				last = time.Now()
			}
			c.until("the close", func() bool { return c.closed != nil })
			if got := c.closed.Error; got == nil || got.Condition != wire.Condition(router.Stopping) {
				t.Errorf("closed with %v", got)
			}
			if silent := time.Since(last); silent != heartbeatPatience {
				t.Errorf("closed after %v, want %v", silent, heartbeatPatience)
			}
		})
	}
}

// TestWhoHasNoHeartStays: one that has ended its link, and one that has asked for messages.
func TestWhoHasNoHeartStays(t *testing.T) {
	asDispatch(t, func(h *house) {
		c := h.client(frame.Open{})
		receiver := c.receiver("r", &frame.Source{Address: heartbeatAddress, HasAddress: true})
		c.until("the refusal", func() bool { return receiver.detached != nil })
		if receiver.detached.Error != nil {
			t.Errorf("refused with %v", receiver.detached.Error)
		}
		l := c.sender(heartbeatAddress)
		c.until("the attach", func() bool { return l.attached })
		l.Detach()
		c.until("the detach", func() bool { return l.detached != nil })
		<-time.After(2 * heartbeatPatience)
		other := c.sender("commands/a")
		c.until("another attach", func() bool { return other.attached })
	})
}

func TestHeartbeatsAreOfTheMannerOfDispatch(t *testing.T) {
	run(t, func(_ *testing.T, h *house) {
		if got := h.client(frame.Open{}).sender(heartbeatAddress).refusal(); got != frame.NotFound {
			t.Errorf("refused with %v", got)
		}
	})
}
