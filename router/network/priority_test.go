package network

import (
	"testing"
	"time"

	"github.com/manifoldmq/manifold/router"
)

// TestAddressHasAPriorityBetweenRouters: that of its messages does not count.
func TestAddressHasAPriorityBetweenRouters(t *testing.T) {
	cross(t, func(t *testing.T, n *nets) {
		for address, priority := range map[string]int{"urgent": 7, "orders": 4} {
			consumer := n.routers["b"].Receiver(address, 10)
			later(5 * time.Second)
			p := n.routers["a"].Sender(address)
			p.Send("one")
			d := consumer.Next()
			later(time.Second)
			for i, l := range n.routers["a"].mesh.path("b").lanes {
				if want := i == priority; (l.open == 1) != want {
					t.Errorf("%s: %d messages on the link of priority %d", address, l.open, i)
				}
			}
			d.Settle(router.Accept())
			p.Accepted(1)
		}
	}, "a-b")
}
