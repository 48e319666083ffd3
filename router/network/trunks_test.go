package network

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/manifoldmq/manifold/router"
	"github.com/manifoldmq/manifold/router/routertest"
)

// between gives the links of a router for messages to others, or from them, on which there have been messages.
func (s *station) between(sends bool) (all []Trunk) {
	for _, t := range s.network.Trunks(0, 1000) {
		if !t.Control && t.Sends == sends && t.Delivered > 0 {
			all = append(all, t)
		}
	}
	return all
}

// TestLinksBetweenRoutersTellWhatBecameOfTheirMessages at both ends, also of one that was never whole.
func TestLinksBetweenRoutersTellWhatBecameOfTheirMessages(t *testing.T) {
	cross(t, func(t *testing.T, n *nets) {
		a, b := n.routers["a"], n.routers["b"]
		c := streaming(b, "big", 100)
		later(3 * time.Second)
		p := a.Sender("big")
		for _, o := range []router.Outcome{router.Accept(), router.Reject(router.Quota, "full"), router.Release(), router.Fail()} {
			p.Send("one")
			synctest.Wait()
			c.Expect("one")[0].Settle(o)
			synctest.Wait()
			p.Next()
		}
		d := routertest.Text("two")
		d.Settled = true
		p.SendDelivery(d)
		p.Accepted(1)
		c.Expect("two")
		p.Send("nobody answers")
		c.Expect("nobody answers")
		for _, s := range []*station{a, b} {
			got := s.between(s == a)
			if len(got) != 1 {
				t.Fatalf("%s has %+v", s.host, got)
			}
			want := Trunk{
				ID: got[0].ID, Connection: got[0].Connection, Name: got[0].Name, Sends: s == a, Priority: 4, Capacity: dataCredit,
				Delivered: 6, Presettled: 1, Ended: [4]uint64{1, 1, 1, 1}, Unsettled: 1,
			}
			if got[0] != want {
				t.Errorf("%s tells %+v, want %+v", s.host, got[0], want)
			}
			if one, ok := s.network.Trunk(want.ID); !ok || one != want {
				t.Errorf("%s finds %+v", s.host, one)
			}
		}
		a.breakOff()
		synctest.Wait()
		for _, s := range []*station{a, b} {
			if left := s.between(s == a); len(left) > 0 {
				t.Errorf("%s tells of links that are no more: %+v", s.host, left)
			}
		}
	}, "a-b")
}

// TestMessageThatDoesNotBecomeWholeIsNotUnsettledForEver on the links between routers, whoever gives it up.
func TestMessageThatDoesNotBecomeWholeIsNotUnsettledForEver(t *testing.T) {
	cross(t, func(t *testing.T, n *nets) {
		a, b := n.routers["a"], n.routers["b"]
		c := streaming(b, "big", 100)
		later(3 * time.Second)
		p := a.Sender("big")
		end := func(o router.Outcome) {
			later(time.Second)
			d := c.Next()
			d.Stream.Abandon()
			d.Settle(o)
			later(time.Second)
		}
		stream(t, p, false).Void(router.Release())
		end(router.Release())
		stream(t, p, false)
		end(router.Reject(router.Quota, "full"))
		for _, s := range []*station{a, b} {
			for _, l := range s.between(s == a) {
				ended := l.Ended[router.Accepted] + l.Ended[router.Released] + l.Ended[router.Rejected] + l.Ended[router.Modified]
				if l.Unsettled != 0 || ended != l.Delivered {
					t.Errorf("%s tells %+v", s.host, l)
				}
			}
		}
	}, "a-b")
}
