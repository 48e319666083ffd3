package network

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/manifoldmq/manifold/router"
	"github.com/manifoldmq/manifold/router/routertest"
)

// asDispatch has the nodes of all routers do as those of Qpid Dispatch.
func asDispatch(n *nets) {
	for _, s := range n.routers {
		s.direct.AsDispatch = true
	}
}

func TestMulticastEndsAsAllOfTheNetworkSay(t *testing.T) {
	for _, from := range []string{"x", "a", "b"} {
		t.Run("from "+from, func(t *testing.T) {
			cross(t, func(t *testing.T, n *nets) {
				asDispatch(n)
				var consumers []*routertest.Consumer
				for _, id := range []string{"a", "b", "x", "y", "z"} {
					consumers = append(consumers, n.routers[id].Receiver("news", 10))
				}
				later(5 * time.Second)
				p := n.routers[from].Sender("news")
				for i, c := range []struct {
					last, want router.Outcome
				}{
					{router.Reject(router.Quota, "full"), router.Reject(router.Quota, "full")},
					{router.Fail(), router.Accept()},
					{router.Accept(), router.Accept()},
				} {
					p.Send("one")
					later(5 * time.Second)
					for _, c := range consumers[:4] {
						c.Expect("one")[0].Settle(router.Accept())
					}
					synctest.Wait()
					if p.Heard() {
						t.Fatalf("message %d: the outcome is %+v before all have settled", i, p.Next())
					}
					consumers[4].Expect("one")[0].Settle(c.last)
					if got := p.Next().Outcome; got != c.want {
						t.Errorf("message %d is %+v, want %+v", i, got, c.want)
					}
				}
			}, "a-b", "x-a", "y-a", "z-b")
		})
	}
}

func TestMulticastEdgeSendersGetCreditWhenThereAreConsumers(t *testing.T) {
	cross(t, func(t *testing.T, n *nets) {
		asDispatch(n)
		welcomesAtEdge(t, n, "news")
	}, "x-a", "a-b")
}
