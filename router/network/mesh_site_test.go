package network

import (
	"context"
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
	log     journal
	stores  bool // the router a stores queues and topics for all, and lends them
	closing []func()
}

// journal is a log that can be read.
type journal struct {
	mu   sync.Mutex // guards text
	text strings.Builder
}

func (j *journal) Write(line []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.text.Write(line)
}

func (j *journal) has(text string) bool {
	j.mu.Lock()
	defer j.mu.Unlock()
	return strings.Contains(j.text.String(), text)
}

// station is one router, and its clients.
type station struct {
	routertest.Links
	network *Network
	mesh    *Mesh
	direct  *router.Direct
	homes   *Homes                        // nil where nothing is stored
	busy    atomic.Pointer[chan struct{}] // until when nothing that is stored is found; nil for not at all
	host    string
	begin   func()
	stop    func()

	away atomic.Bool // it cannot be reached any more
	mute atomic.Bool // what it says gets lost
	slow atomic.Pointer[barrier]

	mu    sync.Mutex // guards everything below
	pipes []net.Conn // its ends of connections
}

// barrier holds up who opens ways.
type barrier struct {
	waiting atomic.Bool // somebody does
	lifted  chan struct{}
}

// delaying finds nodes for ways as soon as no barrier is there.
type delaying struct {
	router.Resolver
	station *station
}

// Resolve implements router.Resolver.
func (d delaying) Resolve(
	ctx context.Context, t *tenancy.Tenant, def *addressing.Definition, source router.Source,
) (router.Node, error) {
	if b := d.station.slow.Load(); b != nil && source.Streams {
		b.waiting.Store(true)
		<-b.lifted
	}
	return d.Resolver.Resolve(ctx, t, def, source)
}

// wire connects two routers; the first one's end is the first.
func (s *station) wire(far *station) (net.Conn, net.Conn) {
	near, there := net.Pipe()
	s.keep(near)
	far.keep(there)
	return spoken{near, s}, spoken{there, far}
}

// spoken is a router's end of a connection.
type spoken struct {
	net.Conn
	by *station
}

// Write loses what is written by who is mute.
func (c spoken) Write(p []byte) (int, error) {
	if c.by.mute.Load() {
		return len(p), nil
	}
	return c.Conn.Write(p)
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

// breakOff breaks all connections of a router, which come again.
func (s *station) breakOff() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, nc := range s.pipes {
		nc.Close()
	}
	s.pipes = nil
}

// cross runs a test with routers that are connected as told: "a-b" has a connect to b. Those in capital letters declare no
// addresses; x, y and z are edge routers.
func cross(t *testing.T, test func(*testing.T, *nets), links ...string) {
	crossWith(t, &nets{}, test, links...)
}

func crossWith(t *testing.T, n *nets, test func(*testing.T, *nets), links ...string) {
	synctest.Test(t, func(t *testing.T) {
		ctx, stop := context.WithCancel(context.Background())
		n.t, n.routers, n.ctx = t, make(map[string]*station), ctx
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
			for _, f := range n.closing {
				f()
			}
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
		routertest.Define(t, "big", addressing.Anycast), routertest.Define(t, "near", addressing.Anycast), routertest.Define(t, "spare", addressing.Anycast),
		routertest.Define(t, "urgent", addressing.Anycast),
	}
	definitions[2].MaxMessageSize = 64 << 20
	definitions[3].Distribution = addressing.Closest
	definitions[4].Fallback, definitions[5].Priority = true, 8 // which is the number 7
	if id == strings.ToUpper(id) {
		definitions = nil
	}
	if n.stores {
		definitions = append(definitions, shared(t, id)...)
	}
	user := routertest.User(t, "default", definitions...)
	directory, err := tenancy.NewDirectory(user.Tenant)
	if err != nil {
		t.Fatal(err)
	}
	s := &station{host: id + ":55672"}
	s.direct = router.NewDirect(router.Limits{})
	direct := delaying{s.direct, s}
	resolvers := map[addressing.Kind]router.Resolver{addressing.Anycast: direct, addressing.Broadcast: direct}
	if n.stores {
		n.store(s)
		resolvers[addressing.Queue], resolvers[addressing.Topic] = busy{s.homes, s}, busy{s.homes, s}
	}
	r := router.New(router.Limits{}, resolvers)
	s.Links = routertest.Links{T: t, Router: r, User: user}
	keys, log := Keys{Self: id, Directory: directory}, slog.New(slog.NewTextHandler(&n.log, nil))
	s.mesh = NewMesh(MeshConfig{
		ID: id, Instance: time.Now().Unix(), Reach: NewReach(keys), Log: log, Edge: strings.Contains("xyz", id),
		MayAsk: func(p *tenancy.Principal) bool { return p.May(tenancy.Admin, routertest.Filter(t, "#")) },
	})
	r.Serve(&agent{nets: n, station: s, tenant: user.Tenant}, "$management")
	r.WatchSenders(s.mesh.WatchProducers())
	interest := NewInterest(keys, s.mesh.Announce, s.mesh.Withdraw)
	r.Watch(interest)
	if s.homes != nil {
		s.homes.Join(s.mesh)
	}
	limits := DefaultLimits()
	limits.MaxMessageSize = 64 << 20
	config := Config{
		Router: r, Directory: directory, Driver: transport.NewDriver(transport.Options{}), ContainerID: id,
		Version: "test", Log: log, Mesh: s.mesh,
		Dial: func(_ context.Context, hostPort string) (net.Conn, error) {
			far := n.routers[hostPort[:1]]
			if far == nil || far.away.Load() || s.away.Load() {
				return nil, net.ErrClosed
			}
			near, there := s.wire(far)
			n.serving.Go(func() {
				defer there.Close()
				role := InterRouter
				if s.mesh.isEdge() {
					role = Edge
				}
				far.network.ServeRouter(n.ctx, there, &RouterEntrance{Role: role, Cost: 1, Limits: limits, Directory: directory})
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
	interest.Define([]*tenancy.Tenant{user.Tenant})
	running, halt := context.WithCancel(context.Background())
	var done sync.WaitGroup
	s.begin = func() { done.Go(func() { s.network.Run(running) }) }
	s.stop = sync.OnceFunc(func() { halt(); done.Wait() })
	return s
}
