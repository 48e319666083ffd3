package network

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/manifoldmq/manifold/addressing"
	"github.com/manifoldmq/manifold/router"
	"github.com/manifoldmq/manifold/router/amqp"
	"github.com/manifoldmq/manifold/router/routertest"
	"github.com/manifoldmq/manifold/router/transport"
	"github.com/manifoldmq/manifold/tenancy"
)

// nets are routers that are connected by pipes, within a synctest bubble.
type nets struct {
	t       *testing.T
	routers map[string]*station
	serving sync.WaitGroup
	ctx     context.Context
}

// station is one router, and its clients.
type station struct {
	routertest.Links
	network *Network
	mesh    *Mesh
	host    string
	begin   func()
	stop    func()

	away atomic.Bool // it cannot be reached any more

	mu    sync.Mutex // guards everything below
	pipes []net.Conn // its ends of connections
}

func (s *station) keep(nc net.Conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.pipes = append(s.pipes, nc)
}

// cut cuts all connections of a router, for good.
func (s *station) cut() {
	s.away.Store(true)
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, nc := range s.pipes {
		nc.Close()
	}
}

// cross runs a test with routers that are connected as told: "a-b" has a connect to b. Those in capital letters declare no
// addresses; x, y and z are edge routers.
func cross(t *testing.T, test func(*testing.T, *nets), links ...string) {
	synctest.Test(t, func(t *testing.T) {
		ctx, stop := context.WithCancel(context.Background())
		n := &nets{t: t, routers: make(map[string]*station), ctx: ctx}
		to := make(map[string][]string)
		for _, l := range links {
			to[l[:1]] = append(to[l[:1]], l[2:])
			to[l[2:]] = append(to[l[2:]], "")
		}
		for id := range to {
			n.routers[id] = n.station(id, to[id])
		}
		for _, s := range n.routers {
			s.begin()
		}
		defer func() {
			for _, s := range n.routers {
				s.stop()
			}
			stop()
			n.serving.Wait()
		}()
		later(15 * time.Second) // as one connector may have been there before its host
		test(t, n)
	})
}

// station makes a router, which is to begin when all are there.
func (n *nets) station(id string, to []string) *station {
	t := n.t
	definitions := []addressing.Definition{
		routertest.Define(t, "orders", addressing.Anycast), routertest.Define(t, "news", addressing.Broadcast),
		routertest.Define(t, "big", addressing.Anycast),
	}
	definitions[2].MaxMessageSize = 64 << 20
	if id == strings.ToUpper(id) {
		definitions = nil
	}
	user := routertest.User(t, "default", definitions...)
	directory, err := tenancy.NewDirectory(user.Tenant)
	if err != nil {
		t.Fatal(err)
	}
	direct := router.NewDirect(router.Limits{})
	r := router.New(router.Limits{}, map[addressing.Kind]router.Resolver{
		addressing.Anycast: direct, addressing.Broadcast: direct,
	})
	s := &station{Links: routertest.Links{T: t, Router: r, User: user}, host: id + ":55672"}
	s.mesh = NewMesh(MeshConfig{ID: id, Instance: time.Now().Unix(), Reach: NewReach(Keys{Self: id, Directory: directory}), Log: slog.New(slog.DiscardHandler), Edge: strings.Contains("xyz", id)})
	r.WatchSenders(s.mesh.WatchProducers())
	r.Watch(NewInterest(Keys{Self: id, Directory: directory}, s.mesh.Announce, s.mesh.Withdraw))
	limits := DefaultLimits()
	limits.MaxMessageSize = 64 << 20
	config := Config{
		Router: r, Directory: directory, Driver: transport.NewDriver(transport.Options{}), ContainerID: id,
		Version: "test", Log: slog.New(slog.DiscardHandler), Mesh: s.mesh, Routers: directory, RouterLimits: limits,
		Dial: func(_ context.Context, hostPort string) (net.Conn, error) {
			far := n.routers[hostPort[:1]]
			if far == nil || far.away.Load() || s.away.Load() {
				return nil, net.ErrClosed
			}
			near, there := net.Pipe()
			far.keep(there)
			s.keep(near)
			n.serving.Go(func() {
				defer there.Close()
				if s.mesh.isEdge() {
					far.network.ServeEdge(n.ctx, there)
				} else {
					far.network.ServeRouter(n.ctx, there, 1)
				}
			})
			return near, nil
		},
	}
	for _, other := range to {
		if other != "" {
			role := InterRouter
			if s.mesh.isEdge() {
				role = Edge
			}
			config.Connectors = append(config.Connectors, Connector{
				Name: other, Role: role, Hosts: []string{other + ":55672"}, Limits: limits,
			})
		}
	}
	s.network = New(config)
	running, halt := context.WithCancel(context.Background())
	var done sync.WaitGroup
	s.begin = func() { done.Go(func() { s.network.Run(running) }) }
	s.stop = func() { halt(); done.Wait() }
	return s
}

func TestTwoRoutersPassMessages(t *testing.T) {
	cross(t, func(t *testing.T, n *nets) {
		a, b := n.routers["a"], n.routers["b"]
		if got := fmt.Sprint(len(a.network.Routers()), len(b.network.Routers())); got != "1 1" {
			t.Fatalf("routers known: %s", got)
		}
		c := b.Receiver("orders", 10)
		later(3 * time.Second)
		p := a.Sender("orders")
		p.Send("one")
		d := c.Next()
		if routertest.Body(d) != "one" {
			t.Fatalf("got %q", routertest.Body(d))
		}
		if p.Heard() {
			t.Fatal("the outcome is there before the consumer has settled")
		}
		d.Settle(router.Reject(router.Quota, "no room"))
		if o := p.Next().Outcome; o.State != router.Rejected || o.Reason != router.Quota {
			t.Fatalf("got %+v", o)
		}
	}, "a-b")
}

func TestBroadcastReachesEveryRouterOnce(t *testing.T) {
	cross(t, func(t *testing.T, n *nets) {
		consumers := make(map[string]*routertest.Consumer)
		for id, s := range n.routers {
			consumers[id] = s.Receiver("news", 10)
		}
		later(3 * time.Second)
		p := n.routers["a"].Sender("news")
		p.Send("extra")
		p.Accepted(1)
		synctest.Wait()
		for id, c := range consumers {
			c.Expect("extra")
			if !c.Idle() {
				t.Errorf("%s got more than one copy", id)
			}
		}
	}, "a-b", "b-c", "c-a", "c-d")
}

func TestMessageCrossesARouterThatDoesNotDeclareItsAddress(t *testing.T) {
	cross(t, func(t *testing.T, n *nets) {
		c := n.routers["c"].Receiver("orders", 10)
		later(3 * time.Second)
		p := n.routers["a"].Sender("orders")
		p.Send("one")
		d := c.Next()
		if got := d.Message.MessageAnnotations().Len(); got != 0 {
			t.Errorf("the consumer sees %d annotations of routers", got)
		}
		d.Settle(router.Accept())
		p.Accepted(1)
	}, "a-B", "B-c")
}

func TestAnotherConsumerTakesOverWhenARouterIsLost(t *testing.T) {
	cross(t, func(t *testing.T, n *nets) {
		near, far := n.routers["b"].Receiver("orders", 10), n.routers["c"].Receiver("orders", 10)
		later(3 * time.Second)
		p := n.routers["a"].Sender("orders")
		p.Send("one")
		near.Next() // and does not settle
		n.routers["b"].cut()
		later(time.Second)
		if o := p.Next().Outcome; o.State != router.Modified || o.Reason != router.Failed {
			t.Errorf("what was on its way is %+v", o)
		}
		p.Send("two")
		far.Next().Settle(router.Accept())
		p.Accepted(1)
	}, "a-b", "a-c")
}

func TestNothingIsLostWhenTheLinkIsFull(t *testing.T) {
	cross(t, func(t *testing.T, n *nets) {
		c := n.routers["b"].Receiver("orders", 0)
		later(3 * time.Second)
		p := n.routers["a"].Sender("orders")
		const messages = 5000
		for i := range messages {
			p.Send(fmt.Sprint(i))
		}
		synctest.Wait()
		c.Link.Grant(messages)
		for i := range messages {
			d := c.Next()
			if got := routertest.Body(d); got != fmt.Sprint(i) {
				t.Fatalf("message %d is %q", i, got)
			}
			d.Settle(router.Accept())
		}
		p.Accepted(messages)
	}, "a-b")
}

func TestLargeMessagesStreamThroughAndHoldUpNobody(t *testing.T) {
	cross(t, func(t *testing.T, n *nets) {
		c := n.routers["c"].From(router.Source{Filter: routertest.Filter(t, "big"), Streams: true}, 1)
		quick := n.routers["c"].Receiver("orders", 1000)
		later(3 * time.Second)
		p, other := n.routers["a"].Sender("big"), n.routers["a"].Sender("orders")
		head, body := amqp.Message{}, bytes.Repeat([]byte("x"), 4<<20)
		whole := amqp.AppendData(nil, body)
		begun, rest := whole[:10], whole[10:]
		stream, reception := p.Link.SendStream(1, router.Delivery{Message: head}, bytes.Clone(begun), func() {})
		if reception != router.Taken {
			t.Fatalf("the stream is %v", reception)
		}
		for room := true; room && len(rest) > 1<<10; synctest.Wait() {
			room = stream.Append(rest[:1<<10], false)
			rest = rest[1<<10:]
		}
		if len(rest) < 2<<20 {
			t.Fatalf("%d bytes are on their way to a consumer who takes nothing", len(whole)-len(rest))
		}
		for i := range 1000 {
			other.Send(fmt.Sprint(i))
		}
		for range 1000 {
			quick.Next().Settle(router.Accept())
		}
		other.Accepted(1000)
		stream.Append(rest, true)
		d := c.Next()
		var got []byte
		for {
			piece := d.Stream.Take(func() {}, nil)
			got = append(got, piece.Bytes...)
			if piece.Last {
				break
			}
			if piece.Void != nil {
				t.Fatalf("the stream is void: %+v", *piece.Void)
			}
			synctest.Wait()
		}
		if !bytes.Equal(got, whole) {
			t.Fatalf("%d bytes have come, other ones than were sent", len(got))
		}
		d.Settle(router.Accept())
		p.Accepted(1)
	}, "a-b", "b-c")
}
