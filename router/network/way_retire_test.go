package network

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/manifoldmq/manifold/router"
)

// TestNothingWaitsForAWayThatEnds although the neighbour has not settled what it has.
func TestNothingWaitsForAWayThatEnds(t *testing.T) {
	cross(t, func(t *testing.T, n *nets) {
		a := n.routers["a"]
		n.routers["b"].Receiver("orders", 1)
		later(3 * time.Second)
		p := a.Sender("orders")
		var w *way
		a.mesh.inputs.Put(func(time.Time) { w = a.mesh.ways[wayKey{"M0orders", "b"}] })
		synctest.Wait()
		for w.receiver.TakeBack() {
		}
		p.Send("waits")
		w.neighbor.mail.orders.Put(func() {
			w.held++
			w.part()
		})
		synctest.Wait()
		if !p.Heard() {
			t.Error("a message waits for a way by which nothing new goes")
		} else if o := p.Next().Outcome; o.State != router.Released {
			t.Errorf("it is %v, want released", o.State)
		}
		w.neighbor.mail.orders.Put(func() { w.settled(1) })
	}, "a-b")
}
