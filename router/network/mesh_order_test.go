package network

import (
	"context"
	"fmt"
	"log/slog"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/manifoldmq/manifold/addressing"
	"github.com/manifoldmq/manifold/router"
	"github.com/manifoldmq/manifold/router/network/internal/protocol"
	"github.com/manifoldmq/manifold/router/network/internal/routing"
	"github.com/manifoldmq/manifold/router/routertest"
)

// credited counts the credit that a sender has got.
type credited struct {
	link   *router.Sender
	credit atomic.Int64
}

func (p *credited) Settled(*router.Sender, uint64, router.Outcome) {}
func (p *credited) Credit(_ *router.Sender, n int)                 { p.credit.Add(int64(n)) }

// credited links a sender to an address.
func (s *station) credited(address string) *credited {
	s.T.Helper()
	p := new(credited)
	var err error
	target := router.Target{Address: addressing.Address(address)}
	if p.link, err = s.Router.Sender(context.Background(), s.User, target, p); err != nil {
		s.T.Fatal(err)
	}
	return p
}

// TestCreditMeansThatThereIsAWay to the end, however slow a router in the middle is: what is sent as soon as there is credit
// arrives, although nobody would hear that it has not.
func TestCreditMeansThatThereIsAWay(t *testing.T) {
	for _, c := range []struct {
		name string
		come func(n *nets) *routertest.Consumer
	}{
		{"a consumer comes", func(n *nets) *routertest.Consumer { return n.routers["c"].Receiver("orders", 1000) }},
		{"his router comes", func(n *nets) *routertest.Consumer {
			n.routers["c"].cut()
			later(5 * time.Second)
			consumer := n.routers["c"].Receiver("orders", 1000)
			n.routers["c"].away.Store(false)
			return consumer
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			cross(t, func(t *testing.T, n *nets) {
				b := &barrier{lifted: make(chan struct{})}
				n.routers["b"].slow.Store(b)
				p := n.routers["a"].credited("orders")
				consumer := c.come(n)
				for !b.waiting.Load() {
					later(100 * time.Millisecond)
				}
				later(time.Second) // for all that may go on meanwhile
				if got := p.credit.Load(); got > 0 {
					t.Errorf("there is credit for %d before there is a way in the middle", got)
				}
				n.routers["b"].slow.Store(nil)
				close(b.lifted)
				for p.credit.Load() == 0 {
					later(time.Millisecond)
				}
				for i := range 200 {
					d := routertest.Text(fmt.Sprint(i))
					d.Settled = true
					p.link.Send(uint64(i), d)
				}
				synctest.Wait()
				for i := range 200 {
					consumer.Expect(fmt.Sprint(i))
				}
			}, "a-b", "b-c")
		})
	}
}

// TestRoutesCountBeforeTheyAreTold: what a router has heard leads there as soon as it has taken note of it.
func TestRoutesCountBeforeTheyAreTold(t *testing.T) {
	keys := testKeys(t)
	m := NewMesh(MeshConfig{ID: "a", Instance: 1, Reach: NewReach(keys), Log: slog.New(slog.DiscardHandler)})
	m.network = New(Config{Router: router.New(router.Limits{}, nil), Directory: keys.Directory, Log: m.log, Mesh: m})
	now := time.Unix(1000, 0)
	m.node = routing.New(routing.Config{Router: "a", Instance: 1}, now)
	m.links[1] = newNeighbor(m.network, func() {}, "b", 1, InterRouter)
	m.node.LinkUp(1, 1, now)
	b := protocol.Sender{Router: "b", Version: protocol.Version}
	says := func(to string, message protocol.Message) {
		m.node.Receive(1, protocol.Packet{To: to, Message: message}.Through("b"), now)
		m.node.Advance(now)
		m.follow()
	}
	says(protocol.HelloAddress, &protocol.Hello{Sender: b, Instance: 5, Seen: []string{"a"}})
	says(protocol.AllRouters, &protocol.LinkState{
		Sender: b, Instance: 5, Sequence: 1, Peers: []protocol.Peer{{Router: "a", Cost: 1}, {Router: "c", Cost: 1}},
	})
	if _, ok := m.config.Reach.Toward("c", nil); !ok {
		t.Error("a router that another one has told of is not reached")
	}
	c := protocol.Sender{Router: "c", Version: protocol.Version}
	says(protocol.AllAddresses, &protocol.Addresses{
		Sender: c, Sequence: 1, Added: []protocol.Address{{Key: "M0x", Treatment: protocol.Closest}},
	})
	if _, ok := m.config.Reach.Leads("M0x", "b", "M0x", nil); !ok {
		t.Error("an address there is not reached")
	}
}
