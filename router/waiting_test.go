package router_test

import (
	"testing"

	"github.com/manifoldmq/manifold/router"
	"github.com/manifoldmq/manifold/router/amqp"
)

// weight is what a message counts for where it waits.
func weight(d router.Delivery) int { return d.Message.Len() + 128 }

// TestManySmallMessagesTakeNoMoreThanFewLargeOnes: a message without a byte takes memory too.
func TestManySmallMessagesTakeNoMoreThanFewLargeOnes(t *testing.T) {
	const room = 10
	empty := router.Delivery{Message: amqp.Message{}}
	for _, c := range []struct {
		name, address string
		open          func(*house)
		beyond        router.State
	}{
		{"for consumers", "commands/a", func(h *house) { h.receiver("commands/a", 0) }, router.Released},
		{"for a way", "commands/a", func(h *house) { h.way("commands/a", "b", 1, 0) }, router.Released},
		{"of a broadcast", "alerts/a", func(h *house) { h.way("alerts/a", "b", 1, 0) }, router.Released},
	} {
		t.Run(c.name, func(t *testing.T) {
			h, heard := limited(t, router.Limits{MaxWaiting: room * weight(empty)}), new(outcomes)
			c.open(h)
			s := h.sender(c.address, heard)
			for tag := range uint64(room + 1) {
				s.Send(tag, empty)
			}
			heard.expectNone(t, room-1)
			heard.expect(t, room, c.beyond)
		})
	}
}
