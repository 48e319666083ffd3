package router_test

import (
	"testing"

	"github.com/manifoldmq/manifold/addressing"
	"github.com/manifoldmq/manifold/router"
	"github.com/manifoldmq/manifold/router/routertest"
)

// TestPhasesLieBetweenSendersAndReceivers: what is sent to an address that leads through others gets to its consumers when
// it has been brought to their phase.
func TestPhasesLieBetweenSendersAndReceivers(t *testing.T) {
	def := routertest.Define(t, "way/#", addressing.Anycast)
	def.Egress = 1
	links := routertest.Links{
		T: t, User: routertest.User(t, "default", def),
		Router: router.New(router.Limits{}, map[addressing.Kind]router.Resolver{
			addressing.Anycast: router.NewDirect(router.Limits{}),
		}),
	}
	consumer := links.Receiver("way/x", 10)
	curious := links.Receiver("way/*", 10)
	sender := links.Sender("way/x")
	sender.Send("for nobody")
	if got := sender.Next().Outcome; got.State != router.Released {
		t.Errorf("without who brings it on it is %v", got.State)
	}
	carrier := links.From(router.Source{Filter: routertest.Filter(t, "way/x"), Phase: new(uint8)}, 10)
	sender.Send("one")
	carrier.Expect("one")[0].Settle(router.Accept())
	sender.Accepted(1)
	if !consumer.Idle() || !curious.Idle() {
		t.Error("it was not brought on, and came all the same")
	}
}
