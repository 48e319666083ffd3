package network

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/manifoldmq/manifold/router"
	"github.com/manifoldmq/manifold/router/network/internal/protocol"
	"github.com/manifoldmq/manifold/router/network/internal/routing"
	"github.com/manifoldmq/manifold/router/network/internal/topology"
	"github.com/manifoldmq/manifold/router/transport"
	"github.com/manifoldmq/manifold/tenancy"
)

// Timers are what the speed of a network of routers depends on; all its routers should have the same.
type Timers = routing.Timers

// What a router knows of the others at most, unless its MeshConfig says something else.
const (
	DefaultMaxRouters   = routing.DefaultMaxRouters
	DefaultMaxAddresses = routing.DefaultMaxAddresses

	MostRouters   = protocol.MaxRouters   // that MaxRouters may be
	MostAddresses = protocol.MaxAddresses // that MaxAddresses may be
)

// MeshConfig says who a router is. All of it is required but Timers and what is known at most.
type MeshConfig struct {
	ID       string // unlike that of any other router of the network
	Instance int64  // above that of each earlier start of this router, such as the time in seconds
	Timers   Timers
	Reach    *Reach // what it knows of the others, for its nodes
	Edge     bool   // it is an edge router: others find it by way of an interior one
	Log      *slog.Logger

	MaxRouters   int // how many others are known at most
	MaxAddresses int // how many addresses of one of them

	// MayAsk tells whether somebody may send to what another router has of its own, such as its management, and be there
	// what this router is: one who may do everything.
	MayAsk func(*tenancy.Principal) bool
}

// Mesh is this router's part in a network of routers: one goroutine that has the control plane, and knows the connections
// to neighbours and the ways that lead over them. Its methods may be called from any goroutine.
type Mesh struct {
	config  MeshConfig
	network *Network // set before it runs
	log     *slog.Logger
	inputs  transport.Mailbox[func(time.Time)] // for the goroutine
	woken   chan struct{}
	routes  chan *topology.Routes // the newest whose origins Reach does not have yet
	ended   chan struct{}         // closed when the goroutine has
	fresh   protocol.Annotations  // of messages that come into the network here
	linkIDs atomic.Uint64
	era     atomic.Uint64 // counts the changes of definitions

	node  *routing.Node                        // the goroutine's own, as is all below
	links map[routing.LinkID]*neighbor         // whose control links are there
	ways  map[wayKey]*way                      // that are needed; nil for one that is not there
	hops  map[string]*neighbor                 // by router: the connections that its ways use
	paths atomic.Pointer[map[string]*neighbor] // a copy of hops, for everybody

	fringe *fringe // of an edge router; nil otherwise
	hub    *hub    // of others; nil otherwise

	mu      sync.Mutex // guards everything below; a leaf
	picture picture
}

// NewMesh gives the part of a router that has no neighbours yet.
func NewMesh(c MeshConfig) *Mesh {
	m := &Mesh{
		config: c,
		log:    c.Log.With("router", c.ID),
		woken:  make(chan struct{}, 1),
		routes: make(chan *topology.Routes, 1),
		ended:  make(chan struct{}),
		links:  make(map[routing.LinkID]*neighbor),
		ways:   make(map[wayKey]*way),
		hops:   make(map[string]*neighbor),
	}
	m.inputs.Init(func() {
		select {
		case m.woken <- struct{}{}:
		default:
		}
	})
	m.paths.Store(&map[string]*neighbor{})
	if c.Edge {
		m.fringe = newFringe(m)
	} else {
		m.hub = newHub(m)
	}
	m.fresh = m.onward(protocol.Annotations{})
	c.Reach.warden = m
	return m
}

// onward gives what is written on a message that this router sends on. Of an edge router the others do not know.
func (m *Mesh) onward(a protocol.Annotations) protocol.Annotations {
	if m.isEdge() {
		return a
	}
	return a.Through(m.ID())
}

// begun gives what is written on a message that came from a client: it may say which routers it has passed before.
func (m *Mesh) begun(message router.Message) protocol.Annotations {
	if said, err := protocol.ParseAnnotations(message.MessageAnnotations()); err == nil && len(said.Trace) > 0 {
		return m.onward(protocol.Annotations{Trace: said.Trace})
	}
	return m.fresh
}

// ID is how the router is called in the network.
func (m *Mesh) ID() string { return m.config.ID }

// Announce tells the other routers that the first consumer of an address came to this one. It never blocks.
func (m *Mesh) Announce(key protocol.Key, t protocol.Treatment) {
	m.clients(protocol.Address{Key: key, Treatment: t}, true)
}

// Withdraw tells that the last consumer of an address went. It never blocks.
func (m *Mesh) Withdraw(key protocol.Key) {
	m.clients(protocol.Address{Key: key}, false)
}

// run is the goroutine, until ctx ends.
func (m *Mesh) run(ctx context.Context) {
	var aside sync.WaitGroup
	defer aside.Wait()
	defer close(m.ended)
	aside.Go(func() { m.findOrigins(ctx) })
	m.node = routing.New(routing.Config{
		Router: m.config.ID, Instance: m.config.Instance, Timers: m.config.Timers,
		MaxRouters: m.config.MaxRouters, MaxAddresses: m.config.MaxAddresses,
	}, time.Now())
	clock := time.NewTimer(0)
	defer clock.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-m.woken:
		case <-clock.C:
		}
		now := time.Now()
		for _, input := range m.inputs.Take() {
			input(now)
		}
		m.node.Advance(now)
		m.advanceEdge(now)
		m.follow()
		clock.Reset(earlier(m.node.Deadline(), m.edgeDeadline()).Sub(now))
	}
}

// follow does what the control plane says. What changes here comes first, to its end: a router that hears from this one of an
// address, or of another router, finds the ways there.
func (m *Mesh) follow() {
	news := false
	for {
		c, ok := m.node.NextChange()
		if !ok {
			break
		}
		m.changed(c)
		news = news || c.Kind != routing.Added && c.Kind != routing.Removed
	}
	for {
		s, ok := m.node.NextSend()
		if !ok {
			break
		}
		if n := m.links[s.Link]; n != nil {
			n.mail.packets.Put(s.Packet)
		}
	}
	if news {
		m.paint()
	}
	m.followEdge()
}

// changed takes note of a change.
func (m *Mesh) changed(c routing.Change) {
	m.config.Reach.Apply(c)
	m.network.linkRoutes.apply(c)
	switch c.Kind {
	case routing.Rerouted:
		m.config.Reach.Reroute(m.node.Routes())
	case routing.Settled:
		select { // what has not been taken is out of date
		case <-m.routes:
		default:
		}
		m.routes <- m.node.Routes()
	case routing.Met:
		m.log.Info("router is a neighbour", "neighbor", c.Router)
		m.links[c.Link].name.Store(&c.Router)
		m.met(c.Router, m.links[c.Link])
	case routing.Parted:
		m.log.Warn("router is no neighbour any more", "neighbor", c.Router)
		m.met(c.Router, nil)
	case routing.Silent:
		n := m.links[c.Link]
		n.mail.orders.Put(n.hangUp)
	case routing.Restarted, routing.Forgotten:
		m.log.Info("router is "+c.Kind.String(), "about", c.Router)
	case routing.Looped:
		m.log.Error("a connection leads from this router to itself", "host", m.links[c.Link].host)
	case routing.Duplicate:
		m.log.Error("two routers have the same id: messages reach now one, now the other", "id", c.Router)
	case routing.Refused:
		m.log.Error("there are more routers, or more addresses of a router, than may be known", "about", c.Router)
	}
}

// findOrigins has Reach know the origins that belong to the routes. It takes longer than the control plane should wait: the
// trees of all routers are computed.
func (m *Mesh) findOrigins(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case routes := <-m.routes:
			m.config.Reach.Settle(routes.Origins())
			m.inputs.Put(func(time.Time) {
				for k := range m.ways {
					m.leads(k) // otherwise than before, for what has come from other routers
				}
			})
		}
	}
}

// up notes that the control links of a connection are there.
func (m *Mesh) up(n *neighbor) {
	m.inputs.Put(func(now time.Time) {
		m.links[n.id] = n
		m.node.LinkUp(n.id, int64(n.cost), now)
	})
}

// down notes that a connection has ended. From then on it is the mesh's.
func (m *Mesh) down(n *neighbor) {
	m.inputs.Put(func(now time.Time) {
		m.downEdge(n, now)
		m.node.LinkDown(n.id, now)
		m.follow() // parts with the neighbour while its connection is known
		delete(m.links, n.id)
		n.bury()
	})
}

// received takes in a packet of a control link, whose credit goes back when it is dealt with: what waits here is bounded.
func (m *Mesh) received(c *controlIn, p protocol.Packet) {
	m.inputs.Put(func(now time.Time) {
		m.node.Receive(c.id, p, now)
		c.mail.orders.Put(c.taken)
	})
}
