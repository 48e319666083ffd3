package network

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/manifoldmq/manifold/addressing"
	"github.com/manifoldmq/manifold/router"
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
	stop    func()

	mu    sync.Mutex // guards everything below
	pipes []net.Conn
	away  bool
}

// cross runs a test with routers that are connected as told: "a-b" has a connect to b.
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
			n.routers[id] = n.start(id, to[id])
		}
		time.Sleep(15 * time.Second) // as one connector may have been there before its host
		synctest.Wait()
		test(t, n)
		for _, s := range n.routers {
			s.stop()
		}
		stop()
		n.serving.Wait()
	})
}

func (n *nets) start(id string, to []string) *station {
	t := n.t
	user := routertest.User(t, "default", routertest.Define(t, "orders", addressing.Anycast),
		routertest.Define(t, "news", addressing.Broadcast), routertest.Define(t, "big", addressing.Anycast))
	directory, err := tenancy.NewDirectory(user.Tenant)
	if err != nil {
		t.Fatal(err)
	}
	direct := router.NewDirect(router.Limits{})
	r := router.New(router.Limits{}, map[addressing.Kind]router.Resolver{
		addressing.Anycast: direct, addressing.Broadcast: direct,
	})
	s := &station{Links: routertest.Links{T: t, Router: r, User: user}, host: id + ":55672"}
	s.mesh = NewMesh(MeshConfig{ID: id, Instance: time.Now().Unix(), Reach: NewReach(Keys{Self: id, Directory: directory}), Log: slog.New(slog.DiscardHandler)})
	r.Watch(NewInterest(Keys{Self: id, Directory: directory}, s.mesh.Announce, s.mesh.Withdraw))
	limits := DefaultLimits()
	limits.MaxMessageSize = 64 << 20
	config := Config{
		Router: r, Directory: directory, Driver: transport.NewDriver(transport.Options{}), ContainerID: id,
		Version: "test", Log: slog.New(slog.DiscardHandler), Mesh: s.mesh, Routers: directory, RouterLimits: limits,
		Dial: func(_ context.Context, hostPort string) (net.Conn, error) {
			far := n.routers[hostPort[:1]]
			if far == nil {
				return nil, net.ErrClosed
			}
			near, there := net.Pipe()
			far.mu.Lock()
			far.pipes = append(far.pipes, there)
			far.mu.Unlock()
			n.serving.Go(func() {
				defer there.Close()
				far.network.ServeRouter(n.ctx, there, 1)
			})
			return near, nil
		},
	}
	for _, other := range to {
		if other != "" {
			config.Connectors = append(config.Connectors, Connector{
				Name: other, Role: InterRouter, Hosts: []string{other + ":55672"}, Limits: limits,
			})
		}
	}
	s.network = New(config)
	running, halt := context.WithCancel(context.Background())
	var done sync.WaitGroup
	done.Go(func() { s.network.Run(running) })
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
