package gateway

import (
	"log/slog"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/manifoldmq/manifold/addressing"
	"github.com/manifoldmq/manifold/gateway/config"
	"github.com/manifoldmq/manifold/router/network"
)

// TestEverySenderReachesEveryReceiverAtAnotherRouter: of addresses that store nothing, what arrives and what the sender is told is
// what it would be at one gateway.
func TestEverySenderReachesEveryReceiverAtAnotherRouter(t *testing.T) {
	near, far := startMatrixOfRouters(t)
	for i, to := range receiverKinds {
		if !to.attached { // who is there only now and then is known to the other router only now and then
			continue
		}
		t.Run("to "+to.name, func(t *testing.T) {
			t.Parallel()
			c := newCell(t, far, lane{kind: addressing.Anycast, waits: true}, i)
			c.attach(t, to)
			c.doors = near
			c.meet(t)
			for _, from := range senderKinds {
				t.Run("from "+from.name, func(t *testing.T) { c.run(t, from) })
			}
			if err := c.receiver.leave(); err != nil {
				t.Fatal(err)
			}
		})
	}
}

// startMatrixOfRouters starts two routers, one beside the other, and gives the doors of both.
func startMatrixOfRouters(t *testing.T) (near, far map[string]string) {
	name, err := addressing.ParseFilter(addressing.Anycast.String() + "/#")
	if err != nil {
		t.Fatal(err)
	}
	doors := make([]map[string]string, 2)
	for i, id := range []string{"far", "near"} {
		c := quickstart(t)
		c.Addresses = append(c.Addresses, config.Address{Name: name, Kind: addressing.Anycast})
		c.Network.Router.ID, c.Network.Router.Port = id, 0
		if i > 0 {
			c.Network.Connectors = []config.Connector{
				{Name: "far", Role: network.InterRouter, Hosts: []string{doors[0]["router"]}},
			}
		}
		doors[i] = startOn(t, vfs.NewMem(), c, slog.New(slog.DiscardHandler))
	}
	return doors[1], doors[0]
}

// meet sends until a message arrives: then the sender's router knows of the receiver.
func (c *cell) meet(t *testing.T) {
	t.Helper()
	came, s := c.receiver.next(), newAMQPSender(t, c)
	told := s.send(c.address, letters()[0])
	for arrived := false; !arrived; {
		select {
		case <-came:
			arrived = true
		case err := <-told:
			if arrived = err == nil; arrived { // for a receiver that settles by itself
				told = yes()
				c.await(t, came)
			} else {
				told = s.send(c.address, letters()[0])
			}
		case <-c.ctx.Done():
			t.Fatal("the routers have not found each other")
		}
	}
	if err := c.receiver.settle(); err != nil {
		t.Fatal(err)
	}
	if err := <-told; err != nil {
		t.Fatal(err)
	}
}
